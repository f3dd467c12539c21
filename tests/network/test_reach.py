"""What one step can bring to a neuron is the sum of its weights of either sign, unrolled and added up."""

from dataclasses import replace

import numpy as np
import pytest
from firstspike.network import Convolution, Direct, Input, Layer, Limits, Network, Probability, unrolled
from firstspike.network.budget import Budget
from firstspike.network.reach import capacity, reach
from harness.strategies import ALL, random_network


def added_up(network, synapse):
    """The sums in Python's integers, of the dense weights."""
    dense, most = unrolled(synapse), capacity(network, synapse)
    weights = dense.weights.astype(object)
    if dense.probability is not None:
        weights = weights * (dense.probability.levels > 0)
    return (np.minimum(weights, 0) @ most.astype(object)).tolist(), (
        np.maximum(weights, 0) @ most.astype(object)).tolist()


def test_of_random_networks():
    rng = np.random.default_rng(3)
    kinds: set[str] = set()
    for _ in range(300):
        network = random_network(rng, ALL)
        for layer in network.layers:
            for synapse in layer.synapses:
                down, up = reach(network, synapse)
                assert (down.tolist(), up.tolist()) == added_up(network, synapse)
                if isinstance(synapse, Convolution):
                    planes = capacity(network, synapse).reshape(synapse.source_shape[0], -1)
                    kinds.add("level" if (planes == planes[:, :1]).all() else "uneven")
                else:
                    kinds.add("dense")
    assert kinds == {"level", "uneven", "dense"}


@pytest.mark.parametrize("groups", [1, 2])
def test_of_channels_that_are_level_beside_some_that_are_not(groups):
    rng = np.random.default_rng(4)
    scale = np.repeat([3, 1 << 20, 5, 7], 30)
    scale[40:45] = [9, 1, 4, 4, 1 << 24]
    mask = rng.random(120) < 0.8
    mask[:30] = mask[90:] = True
    weights = rng.integers(-128, 128, (6, 4 // groups, 3, 4))
    convolution = Convolution(weights, (4, 5, 6), (2, 1), (2, 1, 3, 2), (1, 2), groups, scale=scale,
                              probability=Probability(rng.integers(0, 2, weights.shape)))
    network = Network(Input(120, 2, Direct(9), mask, (4, 5, 6)), Layer(convolution, 2, threshold=1))
    assert [bound.tolist() for bound in reach(network, network.layers[0].synapses[0])] == list(
        added_up(network, network.layers[0].synapses[0]))


def test_uneven_channels_cost_their_connections(monkeypatch):
    monkeypatch.setattr(Limits, "RANGE_WORK", 10_000)
    convolution = Convolution(np.ones((2, 1, 3, 3), int), (1, 8, 8))
    heard = Input(64, 2, Direct(9), shape=(1, 8, 8))
    network = Network(heard, Layer(convolution, 2, threshold=1))
    budget = Budget()
    reach(network, network.layers[0].synapses[0], budget)
    assert not budget.spent
    masked = replace(heard, mask=np.arange(64) > 3)
    with pytest.raises(ValueError, match=r"^the ranges of the potentials must take at most 10000 additions"):
        Network(masked, Layer(convolution, 2, threshold=1))
