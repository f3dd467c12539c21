"""The batched form gives what the golden model gives, in every value."""

import threading

import numpy as np
import pytest
from firstspike.quantize.network import (
    Dense,
    Direct,
    Fires,
    Input,
    Latency,
    Layer,
    Network,
    Phase,
    Readout,
)
from firstspike.sim import batched, golden
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import images_for, networks, random_images, random_network


def assert_equal(network, images):
    batch = batched.run(network, images)
    assert len(batch) == len(images)
    totals = np.zeros(1 + len(network.layers))
    for index, image in enumerate(images):
        trace = golden.run(network, image)
        assert batch.label[index] == trace.label and batch.step[index] == trace.step
        assert np.array_equal(batch.input_spikes[index], trace.input_spikes)
        totals[0] += np.count_nonzero(trace.input_spikes)
        for place, (many, one) in enumerate(zip(batch.layers, trace.layers, strict=True)):
            assert np.array_equal(many.spikes[index], one.spikes) and many.spikes.dtype == bool
            assert np.array_equal(many.potential[index], one.potential) and many.potential.dtype == np.int64
            totals[1 + place] += one.spikes.sum()
    assert batch.mean_spikes == pytest.approx(totals / len(images))
    return batch


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_equals_the_golden_model(data):
    network = data.draw(networks())
    assert_equal(network, data.draw(images_for(network, 5)))


def test_equals_the_golden_model_over_many_chunks(monkeypatch):
    monkeypatch.setattr(batched, "CHUNK", 3)
    rng = np.random.default_rng(0)
    for _ in range(20):
        network = random_network(rng)
        assert_equal(network, random_images(rng, network, 10))


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("kernel, threshold, dtype", [
    ([1, 3], 70_000, np.int32), ([1 << 20, (1 << 20) - 1], 1 << 35, np.int64)])
def test_large_values_stay_exact(phase, kernel, threshold, dtype):
    """Sums beyond what float32, and beyond what int32 can hold."""
    rng = np.random.default_rng(1)
    layer = Layer(Dense(rng.choice([-1, 1], (4, 20)), kernel), 2, phase, Fires.MANY, threshold=threshold)
    network = Network(Input(20, 2, Direct(1 << 16)), layer, Readout.COUNT)
    assert batched._Adder(network, 0).dtype is dtype
    batch = assert_equal(network, rng.integers(0, 1 << 15, (8, 20)) * 2 + 1)
    assert batch.layers[0].spikes.any() and not batch.layers[0].spikes.all()


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("inputs, dtype", [(256, np.float32), (257, np.float64)])
def test_float32_only_below_2_to_the_24(phase, inputs, dtype):
    """A sum just above 2**24 would lose its last bit in float32."""
    layer = Layer(Dense(np.ones((1, inputs), int)), 1, phase, fires="never")
    network = Network(Input(inputs, 1, Direct(1 << 16)), layer, Readout.POTENTIAL)
    adder = batched._Adder(network, 0)
    assert adder.groups[0].dtype == dtype
    images = np.full((2, inputs), 65535)
    images[1, 0] -= 1
    batch = assert_equal(network, images)
    assert batch.layers[0].potential.tolist() == [[inputs * 65535], [inputs * 65535 - 1]]


def test_without_keeping_spikes():
    rng = np.random.default_rng(2)
    network = random_network(rng)
    images = random_images(rng, network, 7)
    kept, lean = batched.run(network, images), batched.run(network, images, keep=False)
    assert lean.input_spikes is None and all(layer.spikes is None for layer in lean.layers)
    assert np.array_equal(kept.label, lean.label) and np.array_equal(kept.step, lean.step)
    assert kept.mean_spikes == lean.mean_spikes
    for one, other in zip(kept.layers, lean.layers, strict=True):
        assert np.array_equal(one.potential, other.potential)


def test_any_integer_type_of_levels():
    network = Network(Input(30, 4, Latency(np.arange(256) // 64)),
                      Layer(Dense(np.ones((3, 30), int)), 4, threshold=[5, 9, 20]))
    levels = np.random.default_rng(0).integers(0, 256, (6, 30))
    whole = batched.run(network, levels)
    for dtype in (np.uint8, np.int16, np.uint16, np.int32, np.uint64):
        other = batched.run(network, levels.astype(dtype))
        assert np.array_equal(other.layers[0].spikes, whole.layers[0].spikes)


def test_reports_progress_from_the_callers_thread(monkeypatch):
    monkeypatch.setattr(batched, "CHUNK", 4)
    network = random_network(np.random.default_rng(0))
    seen = []
    batched.run(network, random_images(np.random.default_rng(0), network, 10), keep=False,
                progress=lambda done, total: seen.append((done, total, threading.current_thread())))
    assert [entry[1] for entry in seen] == [10, 10, 10] and seen[-1][0] == 10
    assert {entry[2] for entry in seen} == {threading.current_thread()}
    assert sorted(entry[0] for entry in seen) == [entry[0] for entry in seen]


def test_an_interrupt_ends_it(monkeypatch):
    monkeypatch.setattr(batched, "CHUNK", 1)
    network = random_network(np.random.default_rng(0))

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batched.run(network, random_images(np.random.default_rng(0), network, 200), progress=interrupt)


def test_refuses_images_before_any_is_run():
    network = Network(Input(2, 2, Direct(4)), Layer(Dense([[1, 1]]), 2, threshold=1))
    with pytest.raises(ValueError, match=r"^a level must be from 0 to 3, not 9 \(image 1, input 0\)$"):
        batched.run(network, np.array([[1, 1], [9, 1]]))
