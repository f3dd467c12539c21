"""A network in words: what its synapses are is said where it is more than dense signs."""

import numpy as np
import pytest
from firstspike.network import Convolution, Dense, Input, Layer, Network, Pool, Probability, Spikes
from firstspike.report.facts import (
    layer_facts,
    network_facts,
    neuron_words,
    notes_facts,
    synapse_words,
    weight_bits,
)
from harness.strategies import ALL, networks
from hypothesis import given, settings

POOL = Pool("max", 3, 2, 1, (2, 8, 8))


@pytest.mark.parametrize("synapse, words", [
    (Dense([[1, -1]]), ""),
    (Dense([[1, 0, 0, 0]]), "ternary weights, 75% of them 0"),
    (Dense([[1, 7]], scale=[1, 3]), "weights of 4 bits, inputs scaled by 1 to 3"),
    (Dense([[1, 1]], probability=Probability([[64, 128]])),
     "probability 0.25 to 0.5, drawn for each synapse"),
    (Dense(np.ones((1, 32), int), pool=POOL, probability=Probability(256, draw="spike")),
     "max pool 3 x 3 stride 2 padding 1, probability 1 to 1, drawn for each spike"),
    (Dense(np.ones((1, 32), int), pool=Pool("sum", 2, source_shape=(2, 8, 8))), "sum pool 2 x 2"),
    (Convolution(np.ones((4, 2, 3, 3), int), (2, 8, 8)), "convolution 3 x 3 to 4 x 6 x 6"),
    (Convolution(np.ones((4, 1, 3, 3), int), (2, 8, 8), (2, 1), (1, 1, 0, 0), 2, 2),
     "convolution 3 x 3 stride 2 x 1 padding 1 x 1 x 0 x 0 dilation 2 in 2 groups to 4 x 3 x 4"),
])
def test_words_of_synapses(synapse, words):
    assert synapse_words(synapse) == words


def test_each_source_of_a_residual_is_named():
    skip = Dense([[1] * 4] * 3, source="input")
    heard = Input(4, 2, Spikes())
    plain = Network(heard, [Layer(Dense(np.ones((4, 4), int)), 2, threshold=1, name="a"),
                            Layer([Dense([[1] * 4] * 3), skip], 2, threshold=1)])
    assert neuron_words(plain.output) == ""
    odd = Network(heard, [plain.layers[0], Layer([Dense([[0] * 4] * 3), skip], 2, threshold=1, leak=2)])
    assert neuron_words(odd.output) == ("from a: ternary weights, 100% of them 0, from input: dense signs, "
                                        "leak 1/2^(2)")


def test_bits_count_what_a_weight_takes():
    network = Network(Input(8, 2, Spikes(), shape=(2, 2, 2)), [
        Layer(Convolution(np.ones((3, 2, 1, 1), int), (2, 2, 2)), 2, threshold=1),
        Layer(Dense(np.zeros((2, 12), int)), 2, threshold=1), Layer(Dense([[5, -3]]), 2, threshold=1)])
    assert weight_bits(network) == 3 * 2 + 2 * 24 + 2 * 4
    facts = network_facts(network)
    assert facts["Input"] == "8 inputs, 2 x 2 x 2 over 2 steps" and facts["Weight bits"] == "62"


@settings(deadline=None, max_examples=100)
@given(networks(ALL))
def test_every_network_can_be_described(network):
    facts = [network_facts(network), *(layer_facts(network, layer) for layer in network.layers),
             notes_facts(network.provenance)]
    assert all(isinstance(text, str) and text for entry in facts for text in entry.values())
    for layer in network.layers:
        words = neuron_words(layer)
        assert ("convolution" in words) == any(isinstance(group, Convolution) for group in layer.synapses)
        assert ("probability" in words) == any(group.probability is not None for group in layer.synapses)
