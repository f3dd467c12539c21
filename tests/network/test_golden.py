"""The golden model against the equation, written out neuron by neuron, and against cases worked by hand."""

import numpy as np
import pytest
from firstspike.network import Bits, Dense, Direct, Input, Latency, Layer, Network, Readout, Spikes
from firstspike.network.golden import encode, run
from firstspike.network.images import check_images
from harness.equation import layer_by_hand
from harness.strategies import ALL, images_for, networks
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_follows_the_equation(data):
    assert_by_hand(data.draw(networks()), data, 0)


@settings(deadline=None, max_examples=250)
@given(st.data(), st.integers(0, (1 << 32) - 1))
def test_follows_the_equation_with_all_that_a_network_can_have(data, index):
    assert_by_hand(data.draw(networks(ALL)), data, index)


def assert_by_hand(network, data, index):
    image = data.draw(images_for(network, 1))[0]
    trace = run(network, image, index)
    places = np.argwhere(trace.input_spikes).tolist()
    heard = {"input": {(t, i): int(trace.input_spikes[t, i]) for t, i in places}}
    for place, (layer, done) in enumerate(zip(network.layers, trace.layers, strict=True)):
        spikes, potential = layer_by_hand(network, place, heard, index)
        assert {tuple(place) for place in np.argwhere(done.spikes).tolist()} == set(spikes)
        assert done.potential.tolist() == potential
        assert done.spikes.dtype == bool and done.potential.dtype == np.int64
        heard[layer.name] = spikes


def spikes_at(window, *places):
    """An image of ready-made spikes: (step, address) pairs, over as many inputs as these need."""
    image = np.zeros((window, 1 + max(address for _, address in places)), bool)
    for place in places:
        image[place] = True
    return image


def one_layer(weights, window, readout=Readout.FIRST_SPIKE, once=True, kernel=1, **fields):
    weights = np.array(weights)
    return Network(Input(weights.shape[1], window, Spikes(once)),
                   Layer(Dense(weights, kernel), fields.pop("own_window", window), **fields), readout)


def test_a_neuron_that_fires_once_goes_on_integrating():
    network = one_layer([[1, 1, -1]], 4, threshold=2)
    trace = run(network, spikes_at(4, (0, 0), (1, 1), (3, 2)))
    assert trace.layers[0].spikes[:, 0].tolist() == [False, True, False, False]
    assert trace.layers[0].potential.tolist() == [1]
    assert (trace.label, trace.step) == (0, 1)


def test_what_is_left_above_threshold_fires_again():
    network = one_layer([[1] * 5], 4, fires="many", threshold=2)
    trace = run(network, spikes_at(4, *[(0, address) for address in range(5)]))
    assert trace.layers[0].spikes[:, 0].tolist() == [True, True, False, False]
    assert trace.layers[0].potential.tolist() == [1]


def test_reset_to_a_value():
    network = one_layer([[1] * 5], 4, fires="many", threshold=3, reset="to", reset_value=-1, bias=2)
    trace = run(network, spikes_at(4, (0, 0), (3, 1), (3, 2), (3, 3), (3, 4)))
    # 0 + 2 + 1 = 3 fires, -1; +2 = 1; +2 = 3 fires, -1; +2 + 4 = 5 fires, -1
    assert trace.layers[0].spikes[:, 0].tolist() == [True, False, True, True]
    assert trace.layers[0].potential.tolist() == [-1]


def test_a_leak_rounds_to_minus_infinity():
    network = one_layer([[1]], 3, Readout.POTENTIAL, fires="never", initial=-5, leak=1)
    # -5 - (-3) = -2, -2 - (-1) = -1, -1 - (-1) = 0
    assert run(network, np.zeros((3, 1), bool)).layers[0].potential.tolist() == [0]
    network = one_layer([[1]], 3, Readout.POTENTIAL, fires="never", initial=-5, leak=3)
    # -5 - (-1) = -4, -4 - (-1) = -3, -3 - (-1) = -2
    assert run(network, np.zeros((3, 1), bool)).layers[0].potential.tolist() == [-2]


def test_leak_comes_before_the_adds_and_once_a_step():
    network = one_layer([[1] * 8], 2, Readout.POTENTIAL, fires="never", leak=1)
    trace = run(network, spikes_at(2, *[(0, address) for address in range(7)], (1, 7)))
    assert trace.layers[0].potential.tolist() == [7 - 3 + 1]


def test_schedules_are_of_their_own_steps():
    """K by the source's step, G and R by the layer's own."""
    network = one_layer([[1, 1]], 3, Readout.COUNT, kernel=[5, 3, 1], own_window=4, phase="windowed",
                        fires="many", threshold=2, threshold_schedule=[4, 2, 1, 1], reset_value=1,
                        reset_schedule=[0, 3, 1, 7])
    trace = run(network, spikes_at(3, (0, 0), (2, 1)))
    # V = 6; 6 < 8; 6 >= 4 -> 3; 3 >= 2 -> 2; 2 >= 2 -> -5
    assert trace.layers[0].spikes[:, 0].tolist() == [False, True, True, True]
    assert trace.layers[0].potential.tolist() == [-5]


def test_a_windowed_layer_hears_all_before_it_fires():
    network = one_layer([[1, -1]], 2, phase="windowed", threshold=1)
    trace = run(network, spikes_at(2, (0, 0), (1, 1)))
    assert not trace.layers[0].spikes.any() and trace.step == 2
    online = one_layer([[1, -1]], 2, threshold=1)
    assert run(online, spikes_at(2, (0, 0), (1, 1))).layers[0].spikes.any()


def test_a_spike_is_heard_downstream_in_its_own_step():
    network = Network(Input(1, 3, Spikes()), [
        Layer(Dense([[1]]), 3, threshold=1), Layer(Dense([[1]]), 3, threshold=1)])
    trace = run(network, spikes_at(3, (2, 0)))
    assert [np.argwhere(layer.spikes).tolist() for layer in trace.layers] == [[[2, 0]], [[2, 0]]]


class TestReadout:
    """Who wins, rule after rule."""

    def test_the_earliest_step_wins(self):
        trace = run(one_layer([[1, 1], [-1, 1]], 3, threshold=[2, 1], initial=[0, 1]),
                    spikes_at(3, (0, 0), (1, 1)))
        assert (trace.label, trace.step) == (0, 1)

    def test_then_the_higher_potential_before_reset(self):
        trace = run(one_layer([[1], [1], [1]], 2, fires="many", threshold=1, initial=[0, 5, 9],
                              reset_value=[0, 100, 0]), spikes_at(2, (0, 0)))
        assert trace.step == 0 and trace.label == 2
        trace = run(one_layer([[1], [1], [1]], 2, fires="many", threshold=[1, 1, 20], initial=[0, 5, 9],
                              reset_value=[0, 100, 0]), spikes_at(2, (0, 0)))
        assert trace.step == 0 and trace.label == 1, "silent neurons do not take part, resets do not count"

    def test_then_the_lower_index(self):
        trace = run(one_layer([[1], [1], [1]], 2, threshold=1, initial=[0, 2, 2]), spikes_at(2, (0, 0)))
        assert trace.label == 1

    def test_adds_after_the_deciding_step_do_not_count(self):
        network = one_layer([[1, -1], [1, 1]], 2, threshold=1, initial=[1, 0])
        trace = run(network, spikes_at(2, (0, 0), (1, 1)))
        assert (trace.label, trace.step) == (0, 0)

    def test_no_spike_leaves_it_to_the_potential_after_the_last_step(self):
        network = one_layer([[1, -1], [1, 1]], 2, threshold=100, initial=[1, 0])
        trace = run(network, spikes_at(2, (0, 0), (1, 1)))
        assert (trace.label, trace.step) == (1, 2)

    def test_potential(self):
        network = one_layer([[1], [1], [-1]], 2, Readout.POTENTIAL, fires="never", initial=[-4, -3, -3])
        trace = run(network, spikes_at(2, (0, 0)))
        assert (trace.label, trace.step) == (1, 2)
        assert (run(network, np.zeros((2, 1), bool)).label) == 1

    def test_count_then_final_potential_then_index(self):
        fields = {"fires": "many", "reset": "to", "threshold": 1, "initial": [0, 9, 0]}
        network = one_layer([[1, 1]] * 3, 2, Readout.COUNT, **fields, reset_value=[0, -5, 3])
        assert run(network, spikes_at(2, (0, 0), (1, 1))).label == 2
        network = one_layer([[1, 1]] * 3, 2, Readout.COUNT, **fields, reset_value=[3, -5, 3])
        trace = run(network, spikes_at(2, (0, 0), (1, 1)))
        assert (trace.label, trace.step) == (0, 2)

    def test_count_of_none_is_a_count_too(self):
        network = one_layer([[1], [1]], 2, Readout.COUNT, fires="many", threshold=50, initial=[3, 4])
        assert run(network, np.zeros((2, 1), bool)).label == 1


class TestEncoding:
    """What becomes of a level."""

    def test_latency(self):
        heard = Input(4, 3, Latency([-1, 2, 2, 0]))
        assert encode(heard, np.array([0, 1, 2, 3])).tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]]

    def test_direct(self):
        heard = Input(3, 2, Direct(6))
        assert encode(heard, np.array([0, 1, 5])).tolist() == [[0, 1, 5], [0, 1, 5]]

    def test_bits(self):
        heard = Input(3, 3, Bits(3))
        assert encode(heard, np.array([1, 6, 7])).tolist() == [[0, 1, 1], [0, 1, 1], [1, 0, 1]]

    def test_spikes(self):
        image = spikes_at(2, (0, 0), (1, 1))
        assert encode(Input(2, 2, Spikes()), image).tolist() == [[1, 0], [0, 1]]

    def test_masked_inputs_are_silent(self):
        heard = Input(3, 2, Direct(6), [True, False, True])
        assert encode(heard, np.array([4, 4, 4], np.uint8)).tolist() == [[4, 0, 4], [4, 0, 4]]
        network = Network(heard, Layer(Dense([[1, 1, 1]]), 2, fires="never"), Readout.POTENTIAL)
        trace = run(network, [4, 5, 4])
        assert trace.input_spikes.tolist() == [[4, 0, 4], [4, 0, 4]]
        assert trace.layers[0].potential.tolist() == [16]


@pytest.mark.parametrize("heard, images, error, sentence", [
    (Input(2, 2, Direct(4)), [[1, 4]], ValueError, "a level must be from 0 to 3, not 4 (image 0, input 1)"),
    (Input(2, 2, Direct(4)), [[1, 1], [-1, 0]], ValueError,
     "a level must be from 0 to 3, not -1 (image 1, input 0)"),
    (Input(2, 2, Direct(4)), [[1, 2, 3]], ValueError, "an image must have the shape (2,), not (3,)"),
    (Input(2, 2, Direct(4)), [[[1], [2]]], ValueError, "an image must have the shape (2,), not (2, 1)"),
    (Input(2, 2, Direct(4)), np.zeros((0, 2), int), ValueError, "there must be at least one image, not none"),
    (Input(2, 2, Direct(4)), [[1.0, 2.0]], TypeError, "an image must be made of integers, not of float64"),
    (Input(2, 2, Direct(4)), [[True, False]], TypeError, "an image must be made of integers, not of bool"),
    (Input(2, 2, Spikes()), [[1, 2]], TypeError, "spikes must be an array of bool, not of int64"),
    (Input(2, 3, Spikes()), np.zeros((1, 2, 3), bool), ValueError,
     "spikes must have the shape (steps, inputs) = (3, 2) for each image, not (2, 3)"),
    (Input(2, 3, Spikes()), np.ones((1, 3, 2), bool), ValueError,
     "an input must spike at most once in a window, not 3 times (image 0, input 0)"),
])
def test_refuses_images(heard, images, error, sentence):
    with pytest.raises(error) as refused:
        check_images(heard, images)
    assert str(refused.value) == sentence


def test_takes_images_at_the_limits():
    assert len(check_images(Input(2, 2, Latency(np.zeros(256, int))), np.array([[0, 255]], np.uint8))) == 1
    many = np.ones((1, 3, 2), bool)
    assert check_images(Input(2, 3, Spikes(once=False)), many) is many
    left_out = Input(2, 3, Spikes(), [True, False])
    image = np.zeros((1, 3, 2), bool)
    image[0, :, 1] = True
    assert run(Network(left_out, Layer(Dense([[1, 1]]), 3, threshold=1)), image[0]).input_spikes.sum() == 0
