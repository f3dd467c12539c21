"""Torch modules read into a graph, for conversion and import alike."""

import firstspike as fs
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import Input, Spikes  # noqa: E402
from firstspike.quantize.graph.graph import INPUT  # noqa: E402
from firstspike.quantize.graph.neurons import Neuron  # noqa: E402
from firstspike.quantize.graph.operations import Activation  # noqa: E402
from firstspike.quantize.graph.torch_reader import read_chain, read_spiking  # noqa: E402
from torch import nn  # noqa: E402


class Fire(nn.Module):
    """Stands for the spiking neuron of a package; it is never run."""

    def __init__(self, threshold=1.0):
        super().__init__()
        self.threshold = threshold


Fire.__module__ = "package"
FIRE = {Fire: lambda module: Neuron(module.threshold, True, True, module.threshold)}
RELU = {nn.ReLU: lambda module: Activation("relu")}


@pytest.mark.parametrize(("module", "sentence"), [
    (lambda: nn.Conv2d(1, 2, 3, stride=0), r"0 \(Conv2d\): its stride must be at least 1, not 0"),
    (lambda: nn.Conv2d(1, 2, 3, stride=(1, 0)), r"0 \(Conv2d\): its stride must be at least 1, not 0"),
    (lambda: nn.Conv2d(1, 2, 3, dilation=0), r"0 \(Conv2d\): its dilation must be at least 1, not 0"),
    (lambda: nn.Conv2d(1, 2, 1, padding=1), r"0 \(Conv2d\): its padding must be less than its kernel, which"),
    (lambda: nn.AvgPool2d(2, (0, 1)), r"0 \(AvgPool2d\): its stride must be at least 1, not 0"),
    (lambda: nn.AvgPool2d(0, 1), r"0 \(AvgPool2d\): its region must be at least 1 by 1, not 0 by 0"),
    (lambda: nn.AdaptiveAvgPool2d(0), r"0 \(AdaptiveAvgPool2d\): its regions differ in size"),
])
def test_a_geometry_that_is_none_is_refused_where_it_stands(module, sentence):
    with pytest.raises(ValueError, match=rf"exactly: {sentence}"):
        read_spiking(nn.Sequential(module(), Fire()), (1, 8, 8), FIRE, 3)
    with pytest.raises(ValueError, match=rf"exactly: {sentence}"):
        read_chain(nn.Sequential(module(), nn.ReLU()), (1, 8, 8), RELU)


def test_a_stride_of_0_is_not_the_size_of_the_regions():
    class Own(nn.Module):
        def forward(self, x):
            return nn.functional.avg_pool2d(x, 2, 0)

    with pytest.raises(ValueError, match=r"line \d+ \(AvgPool2d\): its stride must be at least 1, not 0"):
        read_chain(Own(), (1, 8, 8), RELU)


def test_numbers_of_neurons_lie_as_torch_lays_them():
    """One a channel has two more dimensions; one a column has none more."""
    conv = nn.Conv2d(1, 2, 3)
    with pytest.raises(ValueError, match=r"1 \(Fire\): its threshold must be one number, or numb"):
        read_spiking(nn.Sequential(conv, Fire(np.array([1.0, 2.0]))), (1, 8, 8), FIRE, 3)
    for threshold in (np.array([1.0, 2.0]).reshape(2, 1, 1), np.arange(6.0), 3.0):
        graph = read_spiking(nn.Sequential(conv, Fire(threshold)), (1, 8, 8), FIRE, 3)
        assert [node.shape for node in graph.nodes] == [(2, 6, 6)] * 2


def test_nodes_go_by_number():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.input, self.a, self.b = nn.Linear(4, 4), Fire(), Fire()

        def forward(self, x):
            x = self.a(self.input(x))
            return self.b(x + x)

    graph = read_spiking(Two(), (4,), FIRE, 3)
    assert [node.sources for node in graph.nodes] == [(INPUT,), (0,), (1, 1), (2,)]
    assert graph.output == 3 and graph.labels()[0] == "input_2" and graph.labels()[1] == "a"


@pytest.mark.parametrize("reshaping", [lambda x: x.flatten(1), lambda x: x.reshape(x.size(0), -1),
                                       lambda x: nn.functional.dropout(x, training=False).flatten(1)])
def test_what_computes_nothing_behind_the_last_neuron_is_no_layer(reshaping):
    snntorch = pytest.importorskip("snntorch", reason="snntorch is not installed (pip install -e '.[dev]')")

    class Net(nn.Module):
        def __init__(self, line):
            super().__init__()
            self.conv, self.lif = nn.Conv2d(1, 2, 3), snntorch.Leaky(beta=1.0, init_hidden=True)
            self.line = line

        def forward(self, x):
            return self.line(self.lif(self.conv(x)))

    torch.manual_seed(1)
    bare, more = Net(lambda x: x), Net(reshaping)
    more.load_state_dict(bare.state_dict())
    heard = Input(64, 3, Spikes(once=False), shape=(1, 8, 8))
    one, two = (fs.import_snntorch(module, heard).network for module in (bare, more))
    assert one.digest == two.digest and two.readout == "count"
