"""Windowed convolutional networks: in evaluation they are the golden model, at the border as inside."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import Input, Latency, batched, golden  # noqa: E402
from firstspike.quantize.train.input_tables import latency_table  # noqa: E402
from firstspike.quantize.train.kernels import Kernel  # noqa: E402
from firstspike.quantize.train.sign_weights import all_sign_weights  # noqa: E402
from firstspike.quantize.train.stages import stages  # noqa: E402
from firstspike.quantize.train.windowed_conv import WindowedConvNet  # noqa: E402
from harness.pruned import check_pruned  # noqa: E402


@pytest.mark.parametrize(("half", "kernel", "prune"), [
    (False, Kernel("linear", 6), 0.0), (True, Kernel("linear", 7), 0.3), (True, Kernel("two", 6), 0.0),
    (False, Kernel("two", 11), 0.2)])
@pytest.mark.parametrize("layers", ["5", "4,max2,6", "4x5/2,6x1,5/2", "sum2,5,sum3", "4,sum2,6,max2,5/2",
                                    "max2,7/2,max2"])
def test_evaluation_is_the_golden_model(layers, half, kernel, prune):
    generator = np.random.default_rng(len(layers))
    torch.manual_seed(len(layers))
    levels = generator.integers(0, 256, (40, 11 * 10)).astype(np.uint8)
    source = Input(110, kernel.window, Latency(latency_table(kernel.window, 40)))
    module = WindowedConvNet(source, (11, 10), stages(layers), 4, kernel, 1, levels[:30], half=half)
    for weights in all_sign_weights(module):
        weights.prune(prune)
    with torch.no_grad():
        for layer in module.hidden:
            layer.fold.gain.copy_(torch.randn(layer.fold.gain.shape) * kernel.stretch)
            layer.fold.shift.copy_(torch.randn(layer.fold.shift.shape))
        module.offset.copy_(torch.randn(4) * 9)
    network = module.network()
    with torch.no_grad():
        potentials = module.eval()(torch.tensor(levels)).numpy()
    gold = batched.run(network, levels)
    np.testing.assert_array_equal(gold.layers[-1].potential, potentials)
    np.testing.assert_array_equal(golden.run(network, levels[0].astype(np.int64)).layers[-1].potential,
                                  potentials[0])
    assert all(np.all(layer.threshold >= 1) for layer in network.layers[:-1])
    for layer in network.layers:
        check_pruned(layer.synapses[0].weights, prune)
    assert any(np.any(layer.fold.gain.detach().numpy() < 0) for layer in module.hidden)
    assert all(layer.spikes.any() for layer in gold.layers[:-1])


def test_padding_adds_nothing():
    """The fold at the border is the one inside: an image of nothing gives every position of a channel the
    same level."""
    source = Input(30, 4, Latency(latency_table(4, 40)))
    bright = np.full((3, 30), 255, np.uint8)
    module = WindowedConvNet(source, (5, 6), stages("6"), 2, Kernel("linear", 4), 1, bright)
    with torch.no_grad():
        module.hidden[0].fold.shift.fill_(2.5)
    network = module.network()
    layer = network.layers[0]
    assert layer.synapses[0].padding == (1, 1, 1, 1) and layer.shape == (6, 5, 6)
    for name in ("threshold", "initial"):
        assert np.ptp(getattr(layer, name).reshape(6, 30), axis=1).max() == 0
    spikes = batched.run(network, np.zeros((1, 30), int)).layers[0].spikes[0].reshape(4, 6, 30)
    assert np.ptp(spikes.astype(int), axis=2).max() == 0 and spikes.any()
