"""Spike data: small files in each set's own form, read through tonic, put into steps, or refused."""

import hashlib
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.quantize.data import events as data_events
from firstspike.quantize.data.events import binned, find_recordings, load_events

KINDS = ("N-MNIST", "DVS-Gesture", "Spiking Heidelberg Digits")
EVENTS = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])


def events(*rows: tuple[int, int, int, int]) -> np.ndarray:
    """Events (x, y, t, p)."""
    return np.array(list(rows), EVENTS)


@pytest.fixture
def tonic():
    return pytest.importorskip("tonic", reason="tonic is not installed (pip install -e '.[data]')")


def recording(rng: np.random.Generator, width: int, height: int, count: int = 40) -> np.ndarray:
    times = np.sort(rng.integers(0, 3000, count)) * 100
    return np.array(list(zip(rng.integers(0, width, count), rng.integers(0, height, count), times,
                             rng.integers(0, 2, count), strict=True)), EVENTS)


def write_nmnist(folder: Path, split: str = "Test") -> list[tuple[np.ndarray, int]]:
    """Recordings as N-MNIST packs them: x, y, and polarity with 23 bits of microseconds."""
    rng, made = np.random.default_rng(1), []
    for label in range(3):
        (folder / split / str(label)).mkdir(parents=True)
        for number in range(2):
            found = recording(rng, 34, 34)
            packed = np.stack([found["x"], found["y"], (found["p"] << 7) | (found["t"] >> 16),
                               (found["t"] >> 8) & 255, found["t"] & 255], axis=1).astype(np.uint8)
            (folder / split / str(label) / f"{number:05}.bin").write_bytes(packed.tobytes())
            made.append((found, label))
    return made


def write_gesture(folder: Path, split: str = "Test") -> list[tuple[np.ndarray, int]]:
    """Recordings as DVS-Gesture comes cut: one .npy a gesture, in milliseconds."""
    rng, made = np.random.default_rng(2), []
    home = folder / f"ibmGesture{split}" / "user24_led"
    home.mkdir(parents=True)
    for label in range(3):
        found = recording(rng, 128, 128)
        found["t"] //= 1000
        np.save(home / f"{label}.npy", np.stack([found[name] for name in ("x", "y", "p", "t")], axis=1))
        found["t"] *= 1000
        made.append((found, label))
    return made


def write_shd(folder: Path, split: str = "test") -> list[tuple[np.ndarray, int]]:
    """Recordings as the Spiking Heidelberg Digits come: one HDF5 file, in seconds."""
    import h5py
    rng, made = np.random.default_rng(3), []
    for label in range(4):
        found = recording(rng, 700, 1)
        found["p"], found["y"] = 0, 0
        made.append((found, label))
    with h5py.File(folder / f"shd_{split}.h5", "w") as file:
        times = file.create_dataset("spikes/times", (4,), h5py.vlen_dtype(np.float64))
        units = file.create_dataset("spikes/units", (4,), h5py.vlen_dtype(np.int64))
        for number, (found, _) in enumerate(made):
            times[number], units[number] = found["t"] / 1e6, found["x"]
        file["labels"] = np.array([label for _, label in made])
        file["extra/keys"] = np.array([b"zero", b"one", b"two", b"three"])
        file["extra/speaker"] = np.zeros(4, int)
    return made


WRITERS = dict(zip(KINDS, (write_nmnist, write_gesture, write_shd), strict=True))
SENSORS = dict(zip(KINDS, ((34, 34, 2), (128, 128, 2), (700, 1, 1)), strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inside", [False, True])
def test_read(kind: str, inside: bool, tmp_path: Path, tonic) -> None:
    found = find_recordings(tmp_path)
    assert found is None
    recordings = next(item for item in data_events.EVENT_SETS if item.name == kind)
    home = tmp_path / recordings.tonic if inside else tmp_path
    home.mkdir(exist_ok=True)
    made = WRITERS[kind](home)
    assert find_recordings(tmp_path) == (recordings, home)
    spikes = load_events(tmp_path, "test", steps=6)
    width, height, signs = SENSORS[kind]
    assert spikes.shape == (signs, height, width) and spikes.name == kind
    assert spikes.spikes.shape == (len(made), 6, width * height * signs)
    order = np.argsort(spikes.labels, kind="stable")
    np.testing.assert_array_equal(spikes.labels[order], [label for _, label in made])
    for index, (expected, _) in zip(order, made, strict=True):
        np.testing.assert_array_equal(spikes.spikes[index], binned(expected, SENSORS[kind], steps=6))


def test_so_many_are_spread_over_the_set(tmp_path: Path, tonic) -> None:
    write_nmnist(tmp_path)
    assert load_events(tmp_path, "test", steps=2, count=3).labels.tolist() == [0, 1, 2]
    assert len(load_events(tmp_path, "test", steps=2, count=6)) == 6
    for count in (0, 7):
        with pytest.raises(FirstspikeError, match=f"holds 6 recordings, not the {count} that were asked for"):
            load_events(tmp_path, "test", steps=2, count=count)


def test_steps_are_of_the_same_length() -> None:
    found = binned(events((0, 0, 100, 0), (1, 0, 149, 0), (0, 1, 150, 1), (1, 1, 199, 1)), (2, 2, 2), steps=2)
    want = np.zeros((2, 2, 2, 2), bool)
    want[0, 0, 0, 0] = want[0, 0, 0, 1] = want[1, 1, 1, 0] = want[1, 1, 1, 1] = True
    np.testing.assert_array_equal(found, want.reshape(2, 8))


def test_a_duration_leaves_out_what_is_later() -> None:
    found = binned(events((0, 0, 100, 0), (1, 0, 119, 0), (0, 1, 120, 0)), (2, 2, 1), steps=2, duration=20)
    assert np.argwhere(found).tolist() == [[0, 0], [1, 1]]


def test_polarities_and_places_merge() -> None:
    found = events((0, 0, 0, 0), (3, 0, 0, 1), (2, 3, 0, 0), (4, 4, 0, 1))
    both = binned(found, (5, 5, 2), steps=1, shrink=2)
    assert np.argwhere(both.reshape(2, 2, 2)).tolist() == [[0, 0, 0], [0, 1, 1], [1, 0, 1]]
    merged = binned(found, (5, 5, 2), steps=1, shrink=2, polarities=False)
    assert np.argwhere(merged.reshape(2, 2)).tolist() == [[0, 0], [0, 1], [1, 1]]
    line = binned(np.array([(3, 5)], [("t", int), ("x", int)]), (8, 1, 1), steps=1, shrink=4)
    assert np.argwhere(line).tolist() == [[0, 1]]


def test_the_least_that_makes_a_spike() -> None:
    found = events((0, 0, 0, 0), (0, 0, 1, 0), (1, 0, 1, 0))
    assert np.argwhere(binned(found, (2, 1, 1), steps=1, least=2)).tolist() == [[0, 0]]


def test_only_the_first_of_an_address() -> None:
    found = events((0, 0, 0, 0), (0, 0, 5, 0), (1, 0, 5, 0), (1, 0, 9, 0))
    assert np.argwhere(binned(found, (2, 1, 1), steps=10, once=True)).tolist() == [[0, 0], [5, 1]]


def test_a_recording_without_events_is_silent() -> None:
    assert not binned(events(), (4, 4, 2), steps=3).any()


@pytest.mark.parametrize(("options", "sentence"), [
    ({"steps": 0}, "steps must be a positive integer, not 0"),
    ({"steps": 2, "least": 0}, "least must be a positive integer, not 0"),
    ({"steps": 2, "duration": 0}, "duration must be above 0, not 0"),
    ({"steps": 2, "shrink": 5}, "shrink must be from 1 to 4, not 5"),
])
def test_bad_options_are_refused(options: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        binned(events((0, 0, 0, 0)), (4, 4, 2), **options)


def test_events_outside_of_the_sensor_are_refused(tmp_path: Path, tonic) -> None:
    with pytest.raises(ValueError, match="an event's column must be from 0 to 3, not 4 to 4"):
        binned(events((4, 0, 0, 0)), (4, 4, 2), steps=1)
    write_nmnist(tmp_path)
    (tmp_path / "Test" / "1" / "00000.bin").write_bytes(bytes([200, 3, 0, 0, 1]))
    with pytest.raises(FirstspikeError, match="Test cannot be read as N-MNIST: an event's column must be"):
        load_events(tmp_path, "test", steps=2)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_and_where_it_comes_from(kind: str, tmp_path: Path, tonic) -> None:
    with pytest.raises(FirstspikeError, match=r"holds no recordings that are known: they are of N-MNIST"):
        load_events(tmp_path, "test", steps=2)
    WRITERS[kind](tmp_path)
    recordings = next(item for item in data_events.EVENT_SETS if item.name == kind)
    part = recordings.parts["train"]
    with pytest.raises(FirstspikeError, match=f"lacks {part} of {kind} .*, which is at {recordings.home}"):
        load_events(tmp_path, "train", steps=2)
    with pytest.raises(ValueError, match="split must be 'train' or 'test', not 'valid'"):
        load_events(tmp_path, "valid", steps=2)


def test_an_archive_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tonic) -> None:
    with zipfile.ZipFile(tmp_path / "test.zip", "w") as archive:
        archive.writestr("Test/0/00000.bin", bytes(5))
    with pytest.raises(FirstspikeError, match=r"test.zip is not the one of N-MNIST .*fetch it again"):
        load_events(tmp_path, "test", steps=2)
    digest = hashlib.md5((tmp_path / "test.zip").read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setitem(data_events.EVENT_SETS[0].archives, "test", ("test.zip", digest))
    with pytest.raises(FirstspikeError, match=r"test.zip is whole and still packed; unpack it where it lies"):
        load_events(tmp_path, "test", steps=2)


@pytest.mark.parametrize(("kind", "path", "content"), [
    ("DVS-Gesture", "ibmGestureTest/user24_led/1.npy", b"\x80\x04K\x01."),
    ("DVS-Gesture", "ibmGestureTest/user24_led/1.npy", b""),
    ("Spiking Heidelberg Digits", "shd_test.h5", b"hello"),
])
def test_damaged_files_are_one_sentence(kind: str, path: str, content: bytes, tmp_path: Path, tonic) -> None:
    WRITERS[kind](tmp_path)
    (tmp_path / path).write_bytes(content)
    with pytest.raises(FirstspikeError, match=f"cannot be read as {kind}"):
        load_events(tmp_path, "test", steps=2)


def test_nothing_is_fetched(tmp_path: Path, tonic, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was to be fetched")
    monkeypatch.setattr("tonic.dataset.download_and_extract_archive", fetch)
    for write in (write_nmnist, write_gesture, write_shd):
        home = tmp_path / write.__name__
        home.mkdir()
        made = write(home)
        assert len(load_events(home, "test", steps=2)) == len(made)


def test_tonic_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_nmnist(tmp_path)
    monkeypatch.setitem(sys.modules, "tonic", None)
    with pytest.raises(FirstspikeError, match=r"spike data needs the package tonic: pip install"):
        load_events(tmp_path, "test", steps=2)
