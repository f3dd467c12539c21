"""Online networks of dense layers: in evaluation they are the golden model, step for step."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import batched, golden  # noqa: E402
from firstspike.quantize.train.evaluate import output_potentials  # noqa: E402
from firstspike.quantize.train.online import DecisionCost, OnlineMlp  # noqa: E402
from firstspike.quantize.train.sign_weights import all_sign_weights  # noqa: E402
from harness.pruned import check_pruned  # noqa: E402
from harness.training import made_input, made_levels  # noqa: E402


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hidden", [(17,), (13, 11)])
@pytest.mark.parametrize(("half", "prune"), [(False, 0.0), (True, 0.0), (True, 0.1)])
def test_online(seed, hidden, half, prune):
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    module = OnlineMlp(made_input(generator), (*hidden, 4), DecisionCost(), seed, half)
    for weights in all_sign_weights(module):
        weights.prune(prune)
    levels = made_levels(generator, 64)
    with torch.no_grad():
        for layer in module.hidden:
            layer.threshold.copy_(torch.rand(layer.threshold.shape) * 5 - 0.5)
        module.offset.copy_(torch.randn(4) * 2)
        module.threshold.fill_(2.4)
        potentials, hidden_spikes = module.eval()(torch.tensor(levels))
    network = module.network()
    gold = batched.run(network, levels)
    np.testing.assert_array_equal(output_potentials(network, levels), potentials.transpose(0, 1).numpy())
    np.testing.assert_array_equal(sum(layer.spikes.sum(axis=(1, 2)) for layer in gold.layers[:-1]),
                                  hidden_spikes[-1].numpy())
    trace = golden.run(network, levels[0].astype(np.int64))
    np.testing.assert_array_equal(trace.layers[-1].potential, potentials[-1, 0].numpy())
    assert np.any(gold.step < 6)
    check_pruned(network.layers[0].synapses[0].weights[:, network.input.used], prune)
    for layer in network.layers[1:]:
        check_pruned(layer.synapses[0].weights, prune)
