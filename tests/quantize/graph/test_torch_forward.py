"""Modules with a forward of their own: followed to the same values, or refused by the line."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import firstspike as fs  # noqa: E402
from firstspike.quantize.convert.fold import fold  # noqa: E402
from firstspike.quantize.graph.operations import Activation  # noqa: E402
from firstspike.quantize.graph.torch_reader import read_chain  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

RELU = {nn.ReLU: lambda module: Activation("relu")}


class Functions(nn.Module):
    """As most people write it: functions, a shared ReLU, lengths of the images."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
        self.last = nn.Conv2d(4, 6, 3, padding=1)
        self.relu, self.dropout = nn.ReLU(), nn.Dropout()
        self.head = nn.Linear(24, 3)

    def forward(self, x, scores=None, *, scale=None):
        if scores is not None or scale:
            raise RuntimeError("never")
        x = functional.max_pool2d(functional.relu(self.norm(self.conv(x))), 2)
        x = self.relu(self.last(x))
        x = x.view(x.size(0), x.size(1) * x.shape[2] * x.size(-1))
        x = functional.dropout(x, 0.5, self.training).contiguous()
        return self.head(self.dropout(self.relu(x) if self.training else x))


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x):
        return self.conv(x).relu()


class Blocks(nn.Module):
    """Modules in modules, in a list, in an nn.Sequential."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(1), Block(1)])
        self.tail = nn.Sequential(Block(1), nn.Identity())
        self.head = nn.Linear(9, 3)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        x = functional.adaptive_avg_pool2d(self.tail(x), output_size=(3, 3))
        return self.head(torch.flatten(x, 1))


class Subclass(nn.Sequential):
    def forward(self, x):
        return super().forward(x.reshape(-1, 36))


OWN = {"functions": Functions, "blocks": Blocks,
       "a sequence": lambda: Subclass(nn.Linear(36, 5), nn.ReLU(), nn.Linear(5, 3)),
       "averages": lambda: Called(lambda self, x: functional.avg_pool2d(
           functional.relu6(self.conv(x)), 2, stride=1).flatten(1), scores=18)}


class Called(nn.Module):
    """A forward of one line, and with ``scores`` a Linear behind it."""

    def __init__(self, line, scores=0):
        super().__init__()
        self.line = line
        self.conv, self.linear, self.relu = nn.Conv2d(1, 2, 3), nn.Linear(36, 36), nn.ReLU()
        self.head = nn.Linear(scores, 3) if scores else None

    def forward(self, x):
        x = self.line(self, x)
        return x if self.head is None else self.head(x)


def folded(network, images):
    amounts = images.flatten(1)
    taken = {**RELU, nn.ReLU6: lambda module: Activation("relu6")}
    for stage in fold(read_chain(network, tuple(images.shape[1:]), taken)):
        amounts = stage.linear(amounts) + stage.bias
        if stage.activation:
            amounts = amounts.clamp(0, 6 if stage.activation == "relu6" else None)
    return amounts


@pytest.mark.parametrize("name", OWN)
def test_a_forward_of_one_s_own_gives_the_same_values(name):
    torch.manual_seed(1)
    network = OWN[name]()
    if name == "averages":  # of a 4 by 4 plane, regions of 2 by 2: 3 by 3 of each channel
        network.head = nn.Linear(18, 3)
    network = network.double()
    images = torch.randn(9, 1, 6, 6, dtype=torch.float64)
    assert network.training
    found = folded(network, images)
    assert network.training and all(module.training for module in network.modules())
    torch.testing.assert_close(found, network.eval()(images), rtol=1e-11, atol=1e-11)


def test_places_are_those_of_the_modules():
    network = Blocks()
    places = [str(node.place) for node in read_chain(network, (1, 6, 6), RELU).nodes]
    assert [re.sub(r"\d+ ", "N ", place) for place in places] == [
        "blocks.0.conv (Conv2d)", "blocks.0.forward, line N (ReLU)", "blocks.1.conv (Conv2d)",
        "blocks.1.forward, line N (ReLU)", "tail.0.conv (Conv2d)", "tail.0.forward, line N (ReLU)",
        "forward, line N (AdaptiveAvgPool2d)", "forward, line N (Flatten)", "head (Linear)"]


def test_nothing_is_left_behind_in_the_module():
    network = Called(lambda self, x: self.relu(self.linear(x.flatten(1))) * torch.ones(36))
    before = set(vars(network))
    with pytest.raises(ValueError, match="mul"):
        read_chain(network, (1, 6, 6), RELU)
    assert set(vars(network)) == before


def in_place(self, x):
    x = self.linear(x.flatten(1))
    x.relu_()
    return self.linear(x)


def in_place_too(self, x):
    x = way = self.linear(x.flatten(1))
    x += self.relu(x)
    return self.linear(x) + way


@pytest.mark.parametrize(("line", "said"), [
    (lambda self, x: self.linear(x.flatten(1)).tanh(), r"<lambda>, line \d+ \(tanh\): there is no exact"),
    (lambda self, x: functional.gelu(self.linear(x.flatten(1))) @ self.linear.weight,
     r"line \d+ \(gelu\): there is no exact form of it; use modules of torch, or x \+ y"),
    (lambda self, x: self.linear(x.flatten(1)) * 2, r"\(mul\): there is no exact form"),
    (lambda self, x: torch.cat([self.linear(x.flatten(1)), x.flatten(1)], 1), r"\(cat\): there is no exact"),
    (lambda self, x: self.linear(x.flatten(1)) + x.flatten(1), r"\(add\): it adds up two ways, and only a"),
    (lambda self, x: self.linear(x.flatten(1)) + 1, r"\(add\): it adds something else than what two modules"),
    (lambda self, x: self.linear(x.flatten(1)) + self.conv(x).flatten(1),
     r"adds the shapes \(36,\) and \(32,\)"),
    (lambda self, x: self.linear(x.flatten(1))[:, :3], r"\(getitem\): it takes a part of the values"),
    (lambda self, x: self.linear(x[0].flatten(1)), r"\(getitem\): it takes a part of the values"),
    (lambda self, x: self.linear(x.view(36, -1)), r"\(view\): it must keep the images apart"),
    (lambda self, x: self.linear(torch.flatten(x)), r"\(Flatten\): it must flatten everything but the first"),
    (lambda self, x: self.conv(x.view(-1, 4, 3, 3)), r"\(view\): it makes planes .* the shape 4,3,3 from"),
    (lambda self, x: functional.dropout(self.linear(x.flatten(1))), r"\(dropout\): it drops values in eval"),
    (lambda self, x: functional.max_pool2d(self.conv(x), 2, colour=3), r"cannot be followed \("),
    (lambda self, x: self.linear(x.flatten(1)) if x.sum() > 0 else x, r"its forward cannot be followed \("),
    (lambda self, x: (self.linear(x.flatten(1)), x),
     r"the whole \(Called\): its forward must give one tensor"),
    (in_place, r"in_place, line \d+ \(relu_\): it changes in place what is used again behind it; use what"),
    (in_place_too, r"in_place_too, line \d+ \(iadd\): it changes in place what is used again behind it"),
    (lambda self, x: 3, r"the whole \(Called\): its forward must give one tensor"),
    (lambda self, x: self.relu(3), r"relu \(ReLU\): what comes to it is no signal"),
])
def test_what_cannot_be_followed_is_named(line, said):
    with pytest.raises(ValueError, match=r"^the network cannot be taken exactly: ") as refused:
        read_chain(Called(line), (1, 6, 6), RELU)
    assert re.search(said, str(refused.value)), refused.value


def test_everything_that_cannot_be_taken_is_named_at_once():
    network = nn.Sequential(nn.Flatten(), Called(lambda self, x: self.linear(x).tanh()), nn.GELU(),
                            nn.Linear(36, 2), nn.Softmax(1))
    with pytest.raises(ValueError, match=r"1.<lambda>, line \d+ \(tanh\).*; 2 \(GELU\).*; 4 \(Softmax\)"):
        read_chain(network, (1, 6, 6), RELU)


@pytest.mark.parametrize("to", ["relu", "t2fsnn", "qcfs", "opi"])
def test_conversion_of_a_forward_is_that_of_the_same_chain(to):
    """Functions or modules, the network of integers is the same, but for the modules' names."""
    torch.manual_seed(3)
    own = Called(lambda self, x: functional.relu(self.conv(x)).flatten(1), scores=32)
    chain = nn.Sequential(own.conv, nn.ReLU(), nn.Flatten(), own.head)
    levels = np.random.default_rng(1).integers(0, 256, (60, 6, 6))
    first, second = (fs.convert(module, to, levels, bound=1.0) for module in (own, chain))
    assert fs.Network(first.network.input, first.network.layers, first.network.readout).digest == \
        fs.Network(second.network.input, second.network.layers, second.network.readout).digest
    assert first.report.agreement == second.report.agreement > 0.5


def test_images_have_the_shape_that_the_module_takes():
    """Its modules are no help where they are made in another order than they are called in."""
    class Late(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.conv = nn.Linear(32, 3), nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return self.head(self.conv(x).relu().flatten(1))

    levels = np.random.default_rng(1).integers(0, 256, (30, 6, 6))
    assert fs.convert(Late(), "relu", levels, bound=1.0).network.input.shape == (1, 6, 6)


def test_what_a_forward_does_besides_is_found_out():
    """A forward may do on the side what is not seen in its calls; its scores tell."""
    class Odd(Called):
        turns = 0

        def forward(self, x):
            Odd.turns += 1
            x = self.relu(self.linear(x.flatten(1)))
            return self.linear(x if Odd.turns % 2 else -x)

    levels = np.random.default_rng(1).integers(0, 256, (30, 6, 6))
    with pytest.raises(ValueError, match=r"there is no exact form|other scores than its modules"):
        fs.convert(Odd(None), "relu", levels)
