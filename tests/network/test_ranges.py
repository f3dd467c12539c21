"""Ranges: nothing leaves them, and where addresses are free of each other nothing narrower would do."""

from dataclasses import replace

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
    Reset,
    Spikes,
    golden,
    unrolled,
)
from firstspike.network.ranges import potential_range, width
from harness.strategies import ALL, images_for, networks, random_images, random_network
from hypothesis import given, settings
from hypothesis import strategies as st


def micro_range(network, index, heard, order):
    """Lowest and highest potential of a layer at any moment, add by add in the order that ``order`` draws.

    The spikes are those behind a pool; of synapses that are never certain those pass that are in ``heard``.
    """
    layer = network.layers[index]
    potential = layer.initial.copy()
    seen = [potential.copy()]
    groups = []
    for group in layer.synapses:
        values = heard[group.source].astype(np.int64)
        if group.pool is not None:
            values = golden.pooled(group.pool, values, network.fires_of(group.source))
        flat = unrolled(group)
        if flat.probability is not None:
            flat = replace(flat, weights=flat.weights * (flat.probability.levels > 0))
        groups.append((flat, values if group.scale is None else values * group.scale))

    def add(steps_of):
        spikes = [(group, step, address, values[step, address])
                  for group, values in groups
                  for step in steps_of(group) for address in np.flatnonzero(values[step])]
        for group, step, address, value in order(spikes):
            potential[:] += value * group.weights[:, address].astype(np.int64) * group.kernel[step]
            seen.append(potential.copy())

    if layer.phase is Phase.WINDOWED:
        add(lambda group: range(len(group.kernel)))
    fired = np.zeros(layer.size, bool)
    for step in range(layer.window):
        if layer.leak is not None:
            potential -= potential >> layer.leak
            seen.append(potential.copy())
        potential += layer.bias
        seen.append(potential.copy())
        if layer.phase is Phase.ONLINE:
            add(lambda group, step=step: [step])
        if layer.fires is not Fires.NEVER:
            fires = (potential >= layer.threshold * layer.threshold_schedule[step]) & ~(
                fired & (layer.fires is Fires.ONCE))
            fired |= fires
            if layer.fires is Fires.MANY:
                after = layer.reset_value
                if layer.reset is Reset.SUBTRACT:
                    after = potential - layer.reset_value * layer.reset_schedule[step]
                potential[:] = np.where(fires, after, potential)
                seen.append(potential.copy())
    return np.min(seen, axis=0), np.max(seen, axis=0), potential


def assert_inside(network, image, orders):
    trace = golden.run(network, image)
    heard = {"input": trace.input_spikes}
    heard |= {layer.name: done.spikes.astype(np.int64)
              for layer, done in zip(network.layers, trace.layers, strict=True)}
    for index, layer in enumerate(network.layers):
        low, high = potential_range(network, layer)
        for order in orders:
            lowest, highest, final = micro_range(network, index, heard, order)
            assert (low <= lowest).all() and (highest <= high).all()
            if all(group.probability is None for group in layer.synapses):
                assert (final == trace.layers[index].potential).all()


def worst_first(sign, neuron):
    return lambda spikes: sorted(spikes, key=lambda spike: sign * int(spike[0].weights[neuron, spike[2]]))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_potential_leaves_its_range(data):
    network = data.draw(networks())
    images = data.draw(images_for(network, 2))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))

    def shuffled(spikes):
        return rng.permutation(np.array(spikes, object))

    for image in images:
        assert_inside(network, image, [worst_first(1, 0), worst_first(-1, 0), shuffled])


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_potential_leaves_its_range_with_all_that_a_network_can_have(data):
    network = data.draw(networks(ALL))
    for image in data.draw(images_for(network, 2)):
        assert_inside(network, image, [worst_first(1, 0), worst_first(-1, 0)])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_the_range_of_a_convolution_is_that_of_its_unrolled_dense(seed):
    """At the borders, under a mask, behind a pool, scaled: to the last neuron."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, ALL)
    flat = Network(replace(network.input, shape=None), [
        replace(layer, synapses=[unrolled(group) for group in layer.synapses]) for layer in network.layers],
        network.readout)
    for one, other in zip(network.layers, flat.layers, strict=True):
        for a, b in zip(potential_range(network, one), potential_range(flat, other), strict=True):
            assert a.tolist() == b.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_no_potential_leaves_its_range_under_hostile_spikes(seed):
    """Spikes chosen by hill climbing on how far the first layer's potentials swing."""
    rng = np.random.default_rng(seed)
    drawn = random_network(rng)
    layer = next(layer for layer in drawn.layers if layer.synapses[0].source == "input")
    heard = Input(drawn.input.size, drawn.input.window, Spikes(once=False), drawn.input.mask)
    layer = Layer(layer.synapses[0], layer.window, layer.phase, layer.fires, layer.threshold, layer.initial,
                  layer.leak, layer.bias, layer.reset, layer.reset_value, layer.threshold_schedule,
                  layer.reset_schedule)
    readout = Readout.POTENTIAL if layer.fires is Fires.NEVER else Readout.COUNT
    network = Network(heard, layer, readout)
    low, high = potential_range(network, 0)
    image = random_images(rng, network, 1)[0]
    best = -1
    for _ in range(60):
        trial = image ^ (rng.random(image.shape) < 0.1)
        lowest, highest, _ = micro_range(network, 0, {"input": trial & heard.mask}, worst_first(-1, 0))
        assert (low <= lowest).all() and (highest <= high).all()
        if (swing := int((highest - lowest).sum())) > best:
            best, image = swing, trial


def signs(neurons, addresses, seed=0):
    return np.where(np.random.default_rng(seed).random((neurons, addresses)) < 0.6, 1, -1)


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("encoding, value, once", [
    (Latency([-1, 3, 2, 0]), 1, True), (Direct(5), 4, False),
    (Spikes(True), 1, True), (Spikes(False), 1, False),
])
def test_both_ends_are_reached(phase, encoding, value, once):
    """Each neuron's worst image: all its excitatory inputs at their strongest, or all its inhibitory ones."""
    kernel = np.array([3, 9, 7, 2])
    heard = Input(12, 4, encoding, np.arange(12) % 5 != 0)
    layer = Layer(Dense(signs(6, 12), kernel), 4, phase, Fires.NEVER, initial=np.arange(6) - 2)
    network = Network(heard, layer, Readout.POTENTIAL)
    low, high = potential_range(network, 0)
    if isinstance(encoding, Latency):
        strongest = 7  # no level spikes at step 1
        on = np.full(12, 2)
    elif isinstance(encoding, Direct):
        strongest = kernel.sum()
        on = np.full(12, 4)
    else:
        strongest = 9 if once else kernel.sum()
        on = np.repeat((np.arange(4) == 1)[:, None] if once else np.ones((4, 1), bool), 12, axis=1)
    weights = network.layers[0].synapses[0].weights
    for neuron in range(6):
        for sign, end in ((1, high), (-1, low)):
            image = on * (weights[neuron] == sign)
            reached = golden.run(network, image).layers[0].potential[neuron]
            count = ((weights[neuron] == sign) & heard.mask).sum()
            assert reached == end[neuron] == neuron - 2 + sign * count * value * strongest


@pytest.mark.parametrize("kind", [None, "max", "sum"])
@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("phase", list(Phase))
def test_both_ends_of_a_convolution_are_reached(kind, once, phase):
    """Behind pools whose regions do not overlap, with padding and scales: each neuron's worst image."""
    kernel = np.array([3, 9, 2])
    mask = np.random.default_rng(5).random(2 * 6 * 4) < 0.8
    heard = Input(48, 3, Spikes(once), mask, (2, 6, 4))
    pool = None if kind is None else Pool(kind, 2, source_shape=(2, 6, 4))
    shape = (2, 6, 4) if kind is None else pool.output_shape
    weights = np.random.default_rng(6).integers(-3, 4, (3, 2, 3, 3))
    group = Convolution(weights, shape, padding=1, pool=pool, scale=[1, 5], kernel=kernel)
    made = Layer(group, 3, phase, "never", initial=[4, -4, 0])
    network = Network(heard, made, Readout.POTENTIAL)
    low, high = potential_range(network, 0)
    flat = unrolled(network.layers[0].synapses[0])
    region = np.arange(48)[:, None] == np.arange(48)
    if pool is not None:
        places = np.arange(flat.heard_size).reshape(pool.output_shape)
        region = places.repeat(2, axis=1).repeat(2, axis=2).ravel()[:, None] == np.arange(flat.heard_size)
    for neuron in range(0, made.size, 5):
        for sign, end in ((1, high), (-1, low)):
            addresses = (region * (sign * flat.weights[neuron] > 0)).any(axis=1) & mask
            image = np.zeros((3, 48), bool)
            image[1 if once else slice(None)] = addresses
            assert golden.run(network, image).layers[0].potential[neuron] == end[neuron]


def test_a_probability_of_zero_brings_nothing():
    heard = Input(3, 1, Spikes())
    made = Dense([[1, 1, -1]], probability=Probability([[256, 0, 1]]))
    low, high = potential_range(Network(heard, Layer(made, 1, fires="never"), "potential"), 0)
    assert (low.item(), high.item()) == (-1, 1)


@pytest.mark.parametrize("weights, kernel, levels, scale, sentence", [
    ([[127] * 4], [1 << 23], 1 << 16, None,
     r"^a potential must stay below 140737488355328, not reach 0 to 279271692042240 "
     r"\(layer 'layer0', neuron 0\)$"),
    ([[1] * 4, [-1] * 4], 1 << 24, 1 << 16, 1 << 14,
     r"^a potential must stay below 140737488355328, not reach -?72056\d+ \(layer 'layer0', neuron [01]\)$"),
    ([[1] * 100], 1, 1 << 16, 1 << 24,
     r"^values times scales must add up to less than 70368744177664 in a step, not 1099\d+ "
     r"\(source 'input'\)$"),
])
def test_refuses_what_would_leave_64_bits(weights, kernel, levels, scale, sentence):
    """Also where the sums that say so could no longer be held by the integers at hand."""
    with pytest.raises(ValueError, match=sentence):
        Network(Input(len(weights[0]), 1, Direct(levels)),
                Layer(Dense(weights, kernel, scale=scale), 1, fires="never"), "potential")


def test_range_of_a_subtractive_reset_is_not_the_sum_of_all_input():
    """A neuron that sheds its threshold each time it fires cannot pile up what it has already shed."""
    heard = Input(4, 64, Spikes(once=False))
    layer = Layer(Dense(np.ones((1, 4), int)), 64, fires=Fires.MANY, threshold=4)
    low, high = potential_range(Network(heard, layer, Readout.COUNT), 0)
    assert (low.item(), high.item()) == (0, 3 + 4)


def test_once_sources_count_once_in_spite_of_a_leak():
    heard = Input(10, 64, Spikes(once=True))
    layer = Layer(Dense(np.ones((1, 10), int)), 64, threshold=5, leak=5)
    low, high = potential_range(Network(heard, layer), 0)
    assert (low.item(), high.item()) == (0, 10)


def test_layer_by_name_index_or_itself():
    network = random_network(np.random.default_rng(3))
    for index, layer in enumerate(network.layers):
        ranges = [potential_range(network, which) for which in (index, layer.name, layer)]
        assert all(np.array_equal(ranges[0], other) for other in ranges[1:])


@pytest.mark.parametrize("low, high, bits", [
    (0, 0, 1), (-1, 0, 1), (0, 1, 2), (-1, 1, 2), (-2, 1, 2), (-3, 0, 3), (-128, 127, 8), (-129, 0, 9),
    (5, 128, 9), (-7, -5, 4), (0, (1 << 47) - 1, 48), (1 - (1 << 47), 0, 48),
])
def test_width(low, high, bits):
    assert width(low, high) == bits
    assert -(1 << bits - 1) <= low and high < 1 << bits - 1
    assert bits == 1 or not (-(1 << bits - 2) <= low and high < 1 << bits - 2)
