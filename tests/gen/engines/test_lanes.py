"""Lane values are potentials less an offset: firing, reset and width as the equation has them."""

import numpy as np
import pytest
from firstspike.gen.engines.lanes import lane_model
from firstspike.network import Fires, Phase, golden
from firstspike.network.ranges import potential_range, width
from harness.strategies import Wanted, random_images, random_network


def run(model, adds):
    """A neuron's life by the rule of :class:`Neurons`: ``adds[step]`` is what its spikes bring."""
    neurons = model.neurons
    value, fired, spikes = list(neurons.start), set(), []
    for step, brought in enumerate(adds):
        for n in range(len(value)):
            if neurons.leaks:
                value[n] += neurons.bias[n] - (value[n] >> neurons.leak[n] if neurons.leak else 0)
            value[n] += int(brought[n])
            if not neurons.fires:
                continue
            if value[n] >= neurons.threshold[n][step] and not (neurons.once and n in fired):
                fired.add(n)
                spikes.append((step, n))
                value[n] = (neurons.reset_to[n][step] if neurons.reset_to
                            else value[n] + neurons.after_fire[n][step])
            else:
                value[n] += neurons.after[n][step]
    return value, spikes


@pytest.mark.parametrize("seed", range(40))
def test_lanes_do_what_the_golden_model_does(seed):
    """Spikes and final potentials of online layers, from what the golden model's layers hear in each step."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, Wanted(residual=False))
    image = random_images(rng, network, 1)[0]
    trace = golden.run(network, image)
    heard = trace.input_spikes
    for layer, did in zip(network.layers, trace.layers, strict=True):
        group = layer.synapses[0]
        if layer.phase is Phase.ONLINE:
            model = lane_model(network, layer)
            adds = (heard * group.kernel[:, None]) @ group.weights.T.astype(np.int64)
            value, spikes = run(model, adds)
            assert sorted(spikes) == [tuple(at) for at in np.argwhere(did.spikes).tolist()]
            assert (np.array(value) + model.offset == did.potential).all()
        heard = did.spikes.astype(np.int64)


@pytest.mark.parametrize("seed", range(20))
def test_the_width_holds_every_lane_value(seed):
    rng = np.random.default_rng(100 + seed)
    network = random_network(rng, Wanted(residual=False))
    for layer in network.layers:
        model = lane_model(network, layer)
        low, high = potential_range(network, layer)
        assert model.neurons.width >= width(int((low - model.offset).min()), int((high - model.offset).max()))
        half = 1 << model.neurons.width - 1
        assert all(-half <= start < half for start in model.neurons.start)
        if layer is network.output or layer.leak is not None or layer.fires is Fires.NEVER:
            assert not model.offset.any()
