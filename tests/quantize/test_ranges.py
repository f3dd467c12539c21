"""Ranges: nothing leaves them, and where addresses are free of each other nothing narrower would do."""

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
    Reset,
    Spikes,
)
from firstspike.quantize.ranges import potential_range, width
from firstspike.sim import golden
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import images_for, networks, random_images, random_network


def micro_range(network, index, heard, order):
    """Lowest and highest potential of a layer at any moment, add by add in the order that ``order`` draws."""
    layer = network.layers[index]
    potential = layer.initial.copy()
    seen = [potential.copy()]

    def add(step_of_source):
        spikes = [(synapse, step, address)
                  for synapse, steps in step_of_source
                  for step in steps for address in np.flatnonzero(heard[synapse.source][step])]
        for synapse, step, address in order(spikes):
            value = heard[synapse.source][step][address]
            potential[:] += value * synapse.weights[:, address] * synapse.kernel[step]
            seen.append(potential.copy())

    if layer.phase is Phase.WINDOWED:
        add([(synapse, range(len(synapse.kernel))) for synapse in layer.synapses])
    fired = np.zeros(layer.size, bool)
    for step in range(layer.window):
        if layer.leak is not None:
            potential -= potential >> layer.leak
            seen.append(potential.copy())
        potential += layer.bias
        seen.append(potential.copy())
        if layer.phase is Phase.ONLINE:
            add([(synapse, [step]) for synapse in layer.synapses])
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
