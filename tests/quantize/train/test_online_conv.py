"""Online convolutional networks: in evaluation they are the golden model, step for step."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import Input, Latency, batched, golden  # noqa: E402
from firstspike.quantize.train.evaluate import output_potentials  # noqa: E402
from firstspike.quantize.train.input_tables import latency_table  # noqa: E402
from firstspike.quantize.train.online import DecisionCost  # noqa: E402
from firstspike.quantize.train.online_conv import OnlineConvNet  # noqa: E402
from firstspike.quantize.train.sign_weights import all_sign_weights  # noqa: E402
from firstspike.quantize.train.stages import stages  # noqa: E402
from harness.pruned import check_pruned  # noqa: E402
from harness.training import made_levels  # noqa: E402


@pytest.mark.parametrize(("half", "prune"), [(False, 0.0), (True, 0.0), (False, 0.3)])
@pytest.mark.parametrize("layers", ["5", "max2,4,max2,6", "4x5/2,6x1,sum2", "sum2,5,5,max3"])
def test_online_evaluation_is_the_golden_model(layers, half, prune):
    generator = np.random.default_rng(len(layers))
    torch.manual_seed(len(layers))
    levels = made_levels(generator, 40, 11 * 10)
    source = Input(110, 6, Latency(latency_table(6, 40)))
    module = OnlineConvNet(source, (11, 10), stages(layers), 4, DecisionCost(), 1, half)
    for weights in all_sign_weights(module):
        weights.prune(prune)
    with torch.no_grad():
        for layer in module.hidden:
            layer.threshold.copy_(torch.rand(layer.threshold.shape) * 6 - 0.5)
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
    for layer in network.layers:
        check_pruned(layer.synapses[0].weights, prune)
    assert all(layer.spikes.any() for layer in gold.layers)
