"""Windowed networks of dense layers: in evaluation they are the golden model."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import batched, golden  # noqa: E402
from firstspike.quantize.train.kernels import Kernel  # noqa: E402
from firstspike.quantize.train.sign_weights import all_sign_weights  # noqa: E402
from firstspike.quantize.train.windowed import WindowedMlp  # noqa: E402
from harness.pruned import check_pruned  # noqa: E402
from harness.training import made_input, made_levels  # noqa: E402


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hidden", [(17,), (13, 11)])
@pytest.mark.parametrize(("kernel", "prune"), [
    (Kernel("linear", 5), 0.0), (Kernel("linear", 8), 0.4),
    (Kernel("two", 6), 0.0), (Kernel("two", 12), 0.25)])
def test_windowed(seed, hidden, kernel, prune):
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    source = made_input(generator, window=kernel.window)
    module = WindowedMlp(source, (*hidden, 4), kernel, seed)
    for weights in all_sign_weights(module):
        weights.prune(prune)
    levels = made_levels(generator, 64)
    with torch.no_grad():
        for layer in module.hidden:
            layer.fold.gain.copy_(torch.randn(layer.fold.gain.shape) * kernel.stretch)
            layer.fold.shift.copy_(torch.randn(layer.fold.shift.shape))
        module.offset.copy_(torch.randn(4) * 9)
        module.train()
        for _ in range(20):
            module(torch.tensor(levels))
        module.eval()
        potentials = module(torch.tensor(levels)).numpy()
    network = module.network()
    assert all(np.all(np.asarray(layer.threshold) >= 1) for layer in network.layers[:-1])
    gold = batched.run(network, levels)
    np.testing.assert_array_equal(gold.layers[-1].potential, potentials)
    np.testing.assert_array_equal(golden.run(network, levels[0].astype(np.int64)).layers[-1].potential,
                                  potentials[0])
    assert gold.layers[0].spikes.any()
    check_pruned(network.layers[0].synapses[0].weights[:, network.input.used], prune)
    for layer in network.layers[1:]:
        check_pruned(layer.synapses[0].weights, prune)
