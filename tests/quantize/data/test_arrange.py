"""Arrays of images in the one shape that a network takes."""

from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Dense, Input, Latency, Layer, Network, Spikes
from firstspike.quantize.data.arrange import arranged

PATH = Path("x.npy")


def network(size, shape=None, spikes=False):
    encoding = Spikes(once=False) if spikes else Latency(np.arange(256) * 4 // 256)
    layer = Layer(Dense(np.ones((2, size), int)), 4, threshold=3)
    return Network(Input(size, 4, encoding, shape=shape), layer)


def levels(*shape):
    return np.random.default_rng(len(shape)).integers(0, 256, shape)


@pytest.mark.parametrize(("shape", "given"), [
    ((3, 4, 5), (7, 60)), ((3, 4, 5), (7, 3, 4, 5)), ((1, 4, 5), (7, 20)), ((1, 4, 5), (7, 4, 5)),
    ((1, 4, 5), (7, 1, 4, 5)), ((3, 3, 3), (7, 3, 3, 3)), (None, (7, 20)), (None, (7, 4, 5)),
    (None, (7, 1, 4, 5)), ((3, 4, 4), (1, 48)),
])
def test_taken(shape, given):
    """With the count, and one image without it."""
    array = levels(*given)
    net = network(int(np.prod(given[1:])), shape)
    flat = array.reshape(len(array), -1)
    np.testing.assert_array_equal(arranged(array, net, PATH), flat)
    np.testing.assert_array_equal(arranged(array[0], net, PATH), flat[:1])


def test_as_many_images_as_channels():
    """An array of three axes is three grey images for a network of one channel, one of three for another."""
    array = levels(3, 4, 5)
    np.testing.assert_array_equal(arranged(array, network(20, (1, 4, 5)), PATH), array.reshape(3, 20))
    np.testing.assert_array_equal(arranged(array, network(60, (3, 4, 5)), PATH), array.reshape(1, 60))


@pytest.mark.parametrize(("shape", "given", "said"), [
    ((3, 4, 5), (7, 4, 5, 3), "4 x 5 x 3 with the channels last (NHWC)"),
    ((1, 4, 5), (7, 4, 5, 1), "4 x 5 x 1 with the channels last (NHWC)"),
    ((3, 4, 5), (4, 5, 3), "4 x 5 x 3 with the channels last (NHWC)"),
    ((3, 4, 5), (7, 3, 5, 4), "3 x 5 x 4"),
    ((3, 4, 5), (7, 12, 5), "12 x 5"),
    ((1, 4, 5), (7, 5, 4), "5 x 4"),
    ((1, 4, 5), (7, 2, 2, 5), "2 x 2 x 5"),
])
def test_what_would_be_reinterpreted_is_refused(shape, given, said):
    with pytest.raises(FirstspikeError) as refused:
        arranged(levels(*given), network(int(np.prod(shape)), shape), PATH)
    by = " x ".join(map(str, shape))
    assert str(refused.value) == (
        f"x.npy holds images of the shape {said}, and the network takes {by} (channels, height, width; "
        f"NCHW), or rows of {np.prod(shape)} in that order; arrange them so")


@pytest.mark.parametrize(("given", "said"), [
    ((7, 4, 5, 3), "4 x 5 x 3 with the channels last (NHWC)"), ((7, 3, 4, 5), "3 x 4 x 5"),
    ((7, 4, 15, 1), "4 x 15 x 1 with the channels last (NHWC)"), ((7, 2, 2, 3, 5), "2 x 2 x 3 x 5")])
def test_channels_of_a_network_without_places_are_refused(given, said):
    with pytest.raises(FirstspikeError) as refused:
        arranged(levels(*given), network(60), PATH)
    assert str(refused.value) == (
        f"x.npy holds images of the shape {said}, and the network takes 60 inputs without places: rows of "
        "60, channel by channel, row by row; arrange them so")


@pytest.mark.parametrize(("shape", "given"), [
    (None, (7, 4, 20)), (None, (7, 4, 4, 5)), ((1, 4, 5), (7, 4, 4, 5)), ((1, 4, 5), (7, 4, 1, 4, 5)),
    ((2, 2, 5), (7, 4, 2, 2, 5))])
def test_spikes_have_their_steps_behind_the_count(shape, given):
    spikes = levels(*given) % 2
    net = network(20, shape, spikes=True)
    for array, expected in ((spikes, spikes.reshape(7, 4, 20)), (spikes[0], spikes[:1].reshape(1, 4, 20))):
        found = arranged(array, net, PATH)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == bool


def test_spikes_in_another_arrangement():
    with pytest.raises(FirstspikeError, match=r"2 x 5 x 2 with the channels last \(NHWC\), and the network "
                                              r"takes 2 x 2 x 5 \(channels"):
        arranged(levels(7, 4, 2, 5, 2) % 2, network(20, (2, 2, 5), spikes=True), PATH)


@pytest.mark.parametrize("given", [(), (3,), (7, 19), (7, 3, 20), (0, 20)])
def test_what_fits_in_no_way_is_left_for_the_network_to_refuse(given):
    array = levels(*given)
    np.testing.assert_array_equal(arranged(array, network(20), PATH), np.atleast_1d(array))
