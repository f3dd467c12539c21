"""The batched form gives what the golden model gives, in every value."""

import threading

import numpy as np
import pytest
from firstspike.network import (
    Convolution,
    Dense,
    Direct,
    Fires,
    Input,
    Latency,
    Layer,
    Network,
    Phase,
    Pool,
    Probability,
    Readout,
    Spikes,
    batched,
    batched_sums,
    golden,
)
from harness.strategies import ALL, Wanted, images_for, networks, random_images, random_network
from hypothesis import given, settings
from hypothesis import strategies as st


def assert_equal(network, images, first=0):
    batch = batched.run(network, images, first=first)
    assert len(batch) == len(images)
    totals = np.zeros(1 + len(network.layers))
    for index, image in enumerate(images):
        trace = golden.run(network, image, first + index)
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


@settings(deadline=None, max_examples=400)
@given(st.data(), st.integers(0, (1 << 32) - 5))
def test_equals_the_golden_model_with_all_that_a_network_can_have(data, first):
    network = data.draw(networks(ALL))
    assert_equal(network, data.draw(images_for(network, 5)), first)


@pytest.mark.parametrize("wanted", [Wanted(), ALL])
def test_equals_the_golden_model_over_many_chunks(monkeypatch, wanted):
    monkeypatch.setattr(batched, "CHUNK", 3)
    monkeypatch.setattr(batched_sums, "BLOCK", 64)
    rng = np.random.default_rng(0)
    for _ in range(20):
        network = random_network(rng, wanted)
        assert_equal(network, random_images(rng, network, 10), 100)


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("draw", [None, "spike", "synapse"])
def test_a_network_of_a_real_kind(phase, draw):
    """Convolutions, a stride, a max and a sum pool, a residual, at the size of an image."""
    rng = np.random.default_rng(4)
    kernel = [4, 3, 2, 1] if phase is Phase.WINDOWED else 1

    def convolution(out, heard, **fields):
        weights = rng.choice([-1, 0, 1], (out, heard[0], 3, 3))
        probability = None if draw is None else Probability(rng.integers(0, 257, weights.shape), 3, draw)
        return Convolution(weights, heard, padding=1, kernel=kernel, probability=probability, **fields)

    def layer(synapses, threshold, name):
        return Layer(synapses, 4, phase, threshold=threshold, name=name,
                     threshold_schedule=[4, 3, 2, 1] if phase is Phase.WINDOWED else 1)

    first = layer(convolution(8, (1, 20, 20)), [1, 2, 3, 4, 1, 2, 3, 4], "a")
    pool = Pool("max", 2, source_shape=first.shape)
    second = layer([convolution(6, pool.output_shape, pool=pool, source="a"),
                    convolution(6, (1, 20, 20), stride=2, source="input")], 3, "b")
    skip = Convolution(np.ones((6, 1, 1, 1), int), second.shape, groups=6, kernel=kernel, source="b")
    third = layer([convolution(6, second.shape, source="b"), skip], 2, "c")
    last = Layer(Dense(rng.integers(-8, 8, (10, 6 * 5 * 5)), kernel,
                       pool=Pool("sum", 2, source_shape=third.shape)), 4, phase, "never")
    heard = Input(400, 4, Latency([-1, 3, 2, 1, 0]), shape=(1, 20, 20))
    network = Network(heard, [first, second, third, last], Readout.POTENTIAL)
    batch = assert_equal(network, rng.integers(0, 5, (6, 400)) * (rng.random((6, 400)) < 0.3))
    assert all(0.02 < layer.spikes.any(axis=1).mean() < 0.9 for layer in batch.layers[:-1])


def test_wide_layers_are_run_in_small_chunks():
    """A layer of a CIFAR network's width: eight images at a time, whatever the chunk of narrow ones."""
    made = Convolution(np.ones((64, 1, 1, 1), int), (1, 45, 45))
    network = Network(Input(2025, 1, Spikes(), shape=(1, 45, 45)), Layer(made, 1, threshold=1))
    seen = []
    batched.run(network, np.ones((20, 1, 2025), bool), keep=False, progress=lambda done, _: seen.append(done))
    assert seen[-1] == 20 and len(seen) == 3


@pytest.mark.parametrize("first", [-1, (1 << 32) - 1])
def test_refuses_an_index(first):
    network = Network(Input(1, 1, Spikes()), Layer(Dense([[1]]), 1, threshold=1))
    with pytest.raises(ValueError, match=r"^first must be "):
        batched.run(network, np.ones((2, 1, 1), bool), first=first)


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
    assert np.array_equal(kept.layers[-1].potential, lean.layers[-1].potential)
    assert [layer.potential.shape for layer in lean.layers[:-1]] == [(0, layer.size)
                                                                     for layer in network.layers[:-1]]


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
