"""Rounded layers in torch: integer for integer the golden model."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import Fires, batched, golden  # noqa: E402
from firstspike.quantize.convert.rounding import round_network  # noqa: E402
from firstspike.quantize.convert.settings import Settings  # noqa: E402
from torch import nn  # noqa: E402

NETWORKS = {
    "dense": (lambda: nn.Sequential(nn.Linear(30, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Linear(20, 15),
                                    nn.ReLU(), nn.Linear(15, 6)), (30,)),
    "average": (lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2, padding=(1, 0), groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 5)),
        (1, 6, 6)),
    "maximum": (lambda: nn.Sequential(
        nn.Conv2d(1, 4, 2, dilation=2, padding="same"), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(36, 5)), (1, 6, 6)),
}
WAYS = [
    ("relu", {}), ("relu", {"window": 5, "encoding": "bits", "rounding": "down"}), ("t2fsnn", {}),
    ("t2fsnn", {"kernel": "two", "window": 6}), ("fs", {}), ("qcfs", {}), ("qcfs", {"readout": "count"}),
    ("opi", {"window": 2}), ("qcfs", {"window": 1}),
]
EXACT_MAXIMUM = [way for way in WAYS if way[0] in ("relu", "t2fsnn") or way[1].get("window") == 1]


@pytest.mark.parametrize("bits", [1, 3, 8])
@pytest.mark.parametrize(("name", "to", "settings"), [
    (name, *way) for name in NETWORKS for way in (EXACT_MAXIMUM if name == "maximum" else WAYS)], ids=str)
def test_rounded_layers_are_the_golden_model(name, to, settings, bits):
    """Every spike and every potential, of every kind of network, code and weight."""
    make_network, shape = NETWORKS[name]
    torch.manual_seed(1)
    images = np.random.default_rng(2).integers(0, 256, (40, int(np.prod(shape))))
    made = round_network(make_network().eval(), to, images, shape, Settings(bits=bits, **settings))
    network = made.network()
    assert all(synapse.weight_bits <= bits for layer in network.layers for synapse in layer.synapses)
    found = batched.run(network, images)
    amounts = made.input.amounts(images)
    for index, (layer, trace) in enumerate(zip(network.layers, found.layers, strict=True)):
        rounded = made.rounded.layers[index]
        with torch.no_grad():
            sums = rounded.sums(amounts).numpy()
            amounts = rounded(amounts)
        if layer.fires is Fires.NEVER:
            total = sums if sums.ndim == 2 else sums.sum(axis=0)
            np.testing.assert_array_equal(trace.potential, total)
        elif sums.ndim == 2:
            np.testing.assert_array_equal(np.einsum("ctn,t->cn", trace.spikes, rounded.code.schedule),
                                          amounts.numpy())
        else:
            np.testing.assert_array_equal(trace.spikes.transpose(1, 0, 2), amounts.numpy())
    for image, label in zip(images[:3], found.label, strict=False):
        assert golden.run(network, image).label == label
