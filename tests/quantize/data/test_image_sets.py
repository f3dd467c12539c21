"""Data sets as images of a network: CIFAR-10 and spike data."""

from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Dense, Direct, Input, Latency, Layer, Network, Spikes
from firstspike.quantize.data.cifar import FILES
from firstspike.quantize.data.events import load_events
from firstspike.quantize.data.images import load_images


def network(size: int, encoding, window: int = 5, shape=None) -> Network:
    """A network of ten classes that listens to ``size`` inputs."""
    return Network(Input(size, window, encoding, shape=shape),
                   [Layer(Dense(np.ones((10, size), int)), window, threshold=3)])


def test_cifar10(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    pixels, labels = rng.integers(0, 256, (4, 3072)), rng.integers(0, 10, (4, 1))
    for name in (*FILES["train"], *FILES["test"]):
        (tmp_path / name).write_bytes(np.concatenate([labels, pixels], axis=1).astype(np.uint8).tobytes())
    taken = load_images(tmp_path, network(3072, Direct(256), shape=(3, 32, 32)), count=3)
    np.testing.assert_array_equal(taken.images, pixels[:3])
    assert taken.labels is not None and taken.labels.tolist() == labels[:3, 0].tolist()
    assert len(load_images(tmp_path, network(3072, Direct(256)), split="train")) == 20
    with pytest.raises(FirstspikeError, match="does not fit the network"):
        load_images(tmp_path, network(784, Latency(np.arange(256) % 5)))


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Six recordings in N-MNIST's form."""
    pytest.importorskip("tonic", reason="tonic is not installed (pip install -e '.[data]')")
    rng = np.random.default_rng(1)
    for number in range(6):
        home = tmp_path / "Test" / str(number // 2)
        home.mkdir(parents=True, exist_ok=True)
        times = np.sort(rng.integers(0, 1 << 18, 60))
        places = rng.integers(0, 34, (2, 60))
        signs = rng.integers(0, 2, 60) << 7
        rows = np.stack([*places, signs | (times >> 16), (times >> 8) & 255, times & 255], axis=1)
        (home / f"{number}.bin").write_bytes(rows.astype(np.uint8).tobytes())
    return tmp_path


@pytest.mark.parametrize(("size", "polarities", "shrink"), [
    (2312, True, 1), (1156, False, 1), (578, True, 2), (289, False, 2), (50, True, 6)])
@pytest.mark.parametrize("once", [False, True])
def test_spike_data_in_the_networks_steps(size: int, polarities: bool, shrink: int, once: bool,
                                          recordings: Path) -> None:
    taken = load_images(recordings, network(size, Spikes(once)))
    want = load_events(recordings, "test", steps=5, polarities=polarities, shrink=shrink, once=once)
    np.testing.assert_array_equal(taken.images, want.spikes)
    assert taken.labels is not None and taken.labels.tolist() == want.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert len(load_images(recordings, network(size, Spikes(once)), count=3)) == 3


def test_spike_data_that_does_not_fit(recordings: Path) -> None:
    with pytest.raises(FirstspikeError, match=r"2 x 34 x 34, which cannot be merged into the 999 inputs"):
        load_images(recordings, network(999, Spikes(False)))
    with pytest.raises(FirstspikeError, match="holds spikes, and the network takes levels; give images"):
        load_images(recordings, network(2312, Direct(4)))
    with pytest.raises(FirstspikeError, match="holds 6 recordings, not the 7"):
        load_images(recordings, network(2312, Spikes(False)), count=7)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(FirstspikeError, match="neither IDX files nor PNGs, CIFAR-10 or spike data"):
        load_images(tmp_path, network(784, Direct(4)))
