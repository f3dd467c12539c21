"""Images that are the negative of what a network was trained on."""

from dataclasses import replace

import numpy as np
import pytest
from firstspike.models import DEMO_IMAGES, find, shipped
from firstspike.network import Input, Network, Spikes
from firstspike.network.file.reading import load
from firstspike.quantize.data.idx import load_idx
from firstspike.quantize.data.inverted import looks_inverted, negative

MNIST = sorted(name for name in shipped() if name.startswith("mnist") and "-conv-" not in name)


@pytest.mark.parametrize("name", MNIST)
def test_the_demo_images_and_their_negatives(name):
    network = load(find(name))
    with np.load(DEMO_IMAGES, allow_pickle=False) as demo:
        images = demo["images"]
    assert not looks_inverted(network, images) and looks_inverted(network, negative(network, images))
    np.testing.assert_array_equal(negative(network, images), 255 - images)
    assert negative(network, images).dtype == np.uint8


@pytest.mark.parametrize(("name", "folder"), [("mnist-784-128-10-windowed", "mnist"),
                                              ("fashion-784-600-10-windowed", "fashion_mnist")])
def test_any_twenty_of_the_test_set(name, folder, shared_data):
    if not (shared_data / folder).is_dir():
        pytest.skip(f"{shared_data / folder} is not there")
    network, levels = load(find(name)), load_idx(shared_data / folder, "test").levels
    for start in range(0, 600, 20):
        images = levels[start:start + 20]
        assert not looks_inverted(network, images) and looks_inverted(network, 255 - images)


def test_without_a_calibration_or_levels_nothing_is_known():
    network = load(find("mnist-784-128-10-windowed"))
    dark = np.full((5, 784), 255, np.uint8)
    assert looks_inverted(replace(network, calibration={"mean_spikes": [1.0] * 3}), dark)
    assert not looks_inverted(replace(network, calibration={}), dark)
    assert not looks_inverted(replace(network, calibration={"mean_spikes": [float(1 << 29)] * 3}), dark)
    assert not looks_inverted(replace(network, calibration={"mean_spikes": [0.0] * 3}), dark)
    spikes = Network(Input(784, network.input.window, Spikes()), network.layers, network.readout, {},
                     {"mean_spikes": [1.0] * 3})
    assert not looks_inverted(spikes, np.zeros((5, network.input.window, 784), bool))
