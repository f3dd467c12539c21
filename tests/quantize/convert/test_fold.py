"""Torch networks read part by part, and folded: the same values, or a refusal that names the module."""

import re

import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.convert.fold import fold  # noqa: E402
from firstspike.quantize.graph.operations import (  # noqa: E402
    Activation,
    Affine,
    Flat,
    Gain,
    Pooling,
)
from firstspike.quantize.graph.torch_reader import read_chain  # noqa: E402
from torch import nn  # noqa: E402

RELU = {nn.ReLU: lambda module: Activation("relu")}


def chain(network, images, **options):
    """What the folded stages give for images of the network's shape, in float64."""
    shape = tuple(images.shape[1:])
    amounts = images.double().flatten(1)
    for stage in fold(read_chain(network, shape, RELU), **options):
        amounts = stage.linear(amounts) + stage.bias
        if stage.activation:
            amounts = amounts.clamp(min=0)
    return amounts


def lively(network, seed=0):
    """The network in float64, its batch statistics and gains random, some gains negative."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator) * 0.3)
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
            if module.affine:
                with torch.no_grad():
                    module.weight.copy_(torch.randn(module.num_features, generator=generator) + 0.2)
                    module.bias.copy_(torch.randn(module.num_features, generator=generator))
    return network.double().eval()


def rising(norm):
    with torch.no_grad():
        norm.weight.abs_().add_(0.1)
    return norm


NETWORKS = {
    "dense": lambda: nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5),
                                            nn.Linear(6, 3, bias=False)),
    "norm behind the activation": lambda: nn.Sequential(
        nn.BatchNorm1d(8), nn.Linear(8, 6), nn.ReLU(inplace=True), nn.BatchNorm1d(6, affine=False),
        nn.Linear(6, 3)),
}
PLANES = {
    "conv": lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2, padding=(1, 2), bias=False), nn.ReLU(), nn.AvgPool2d(2, stride=1),
        nn.Flatten(), nn.Linear(6 * 1 * 2, 5)),
    "nested, grouped, dilated, uneven": lambda: nn.Sequential(
        nn.Sequential(nn.Conv2d(2, 4, (2, 4), padding="same"), nn.Sequential(nn.ReLU(), nn.Identity())),
        nn.Conv2d(4, 4, 3, dilation=2, padding=2, groups=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3)),
    "norm before a padded convolution": lambda: nn.Sequential(
        nn.BatchNorm2d(2), nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(3),
        nn.Conv2d(3, 4, 3, padding=2, groups=1), nn.ReLU(), nn.Flatten(), nn.BatchNorm1d(4 * 64),
        nn.Linear(4 * 64, 3)),
    "norm before pooling": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.AvgPool2d(2), nn.BatchNorm2d(3), nn.Flatten(),
        nn.Linear(12, 3)),
    "maximum before the activation": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.MaxPool2d(3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 2)),
    "average with padding and a divisor": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.AvgPool2d(2, padding=1), nn.Conv2d(3, 2, 1), nn.ReLU(),
        nn.AvgPool2d(3, divisor_override=5, ceil_mode=True), nn.Flatten(), nn.Linear(2, 2)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_dense_folds_to_the_same_values(name):
    torch.manual_seed(1)
    network = lively(NETWORKS[name]())
    images = torch.randn(20, 8, dtype=torch.float64)
    torch.testing.assert_close(chain(network, images), network(images), rtol=1e-11, atol=1e-11)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", PLANES)
def test_convolutions_fold_to_the_same_values(name):
    torch.manual_seed(2)
    size = 7 if name == "conv" else 6
    network = lively(PLANES[name]())
    images = torch.randn(10, 2, size, size, dtype=torch.float64)
    expected = network(images).flatten(1)
    assert expected.std() > 0.01
    torch.testing.assert_close(chain(network, images), expected, rtol=1e-10, atol=1e-10)


def test_maximum_before_a_rising_norm():
    network = lively(nn.Sequential(nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.BatchNorm2d(3), nn.ReLU(),
                                   nn.Flatten(), nn.Linear(12, 2)))
    rising(network[2])
    images = torch.randn(10, 1, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(chain(network, images), network(images), rtol=1e-11, atol=1e-11)


def test_scaling_of_the_input_goes_into_the_weights():
    """Padding is 0 of the scaled image, so at the border the mean is missing."""
    network = lively(PLANES["conv"]())
    levels = torch.randint(0, 256, (10, 2, 7, 7)).double()
    gain, shift = torch.tensor([0.01, 0.02]).double(), torch.tensor([-0.5, 1.5]).double()
    expected = network(levels * gain.view(1, 2, 1, 1) + shift.view(1, 2, 1, 1))
    found = chain(network, levels, gain=gain.tolist(), shift=shift.tolist())
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    with pytest.raises(ValueError, match="one for each of its 2 channels"):
        chain(network, levels, gain=[1.0, 2.0, 3.0])


def test_parts_in_order_with_their_places_and_shapes():
    network = nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)), nn.ReLU(), nn.AvgPool2d(2),
                            nn.Flatten(), nn.Dropout(), nn.Linear(8, 3))
    nodes = read_chain(network, (1, 6, 6), RELU).nodes
    assert [type(node.operation) for node in nodes] == [Affine, Gain, Activation, Pooling, Flat, Affine]
    assert [node.place.name for node in nodes] == ["0.0", "0.1", "1", "2", "3", "5"]
    assert [node.shape for node in nodes] == [(2, 4, 4), (2, 4, 4), (2, 4, 4), (2, 2, 2), (8,), (3,)]
    assert nodes[2].operation.what == "relu"
    assert str(nodes[0].place) == "0.0 (Conv2d)"


def test_a_module_that_stands_twice_is_read_twice():
    relu, linear = nn.ReLU(), nn.Linear(4, 4)
    network = nn.Sequential(linear, relu, linear, relu, nn.Linear(4, 2)).double()
    images = torch.randn(5, 4, dtype=torch.float64)
    torch.testing.assert_close(chain(network, images), network(images), rtol=1e-12, atol=1e-12)


class Own(nn.Module):
    def forward(self, images):
        return images + 1


class OwnSequence(nn.Sequential):
    def forward(self, images):
        return super().forward(images) + 1


class OwnLinear(nn.Linear):
    pass


def hooked(module):
    module.register_forward_hook(lambda *arguments: None)
    return module


def infinite():
    linear = nn.Linear(6, 6)
    with torch.no_grad():
        linear.weight[0, 0] = torch.inf
    return linear


@pytest.mark.parametrize(("modules", "said"), [
    ([nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2)],
     r"0 \(Conv2d\): padding_mode must be 'zeros', not 'reflect'$"),
    ([nn.Conv2d(1, 2, 1, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2)],
     r"0 \(Conv2d\): its padding must be less than its kernel, which is 1 by 1, not 1; give less"),
    ([nn.BatchNorm2d(1, track_running_stats=False), nn.Flatten(), nn.Linear(36, 2)],
     r"0 \(BatchNorm2d\): it has no running statistics.*track_running_stats=True$"),
    ([nn.Flatten(), nn.Linear(36, 3), nn.GELU(), nn.Linear(3, 3), nn.Softmax(1)],
     r"2 \(GELU\): there is no exact form of it; taken are Linear.* and ReLU; 4 \(Softmax\): there is no"),
    ([nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Flatten(), nn.Linear(8, 2)],
     r"2 \(MaxPool2d\): ceil_mode must be False where 3 by 3 regions do not tile 2 by 4 by 4$"),
    ([nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2, dilation=2), nn.Flatten(), nn.Linear(8, 2)],
     r"2 \(MaxPool2d\): dilation must be 1, not 2"),
    ([nn.AvgPool2d(2, padding=1, count_include_pad=False), nn.Flatten(), nn.Linear(16, 2)],
     r"0 \(AvgPool2d\): count_include_pad must be True"),
    ([nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, 2)],
     r"0 \(AdaptiveAvgPool2d\): its regions differ in size.*give an AvgPool2d$"),
    ([nn.Flatten(0), nn.Linear(36, 2)], r"0 \(Flatten\): it must flatten everything but the first dimension"),
    ([nn.Linear(36, 2)],
     r"0 \(Linear\): it takes 36 features, and what comes is 1 by 6 by 6; flatten it first"),
    ([nn.Conv2d(3, 2, 3)],
     r"0 \(Conv2d\): it takes 3 channels of pixels, and what comes is 1 by 6 by 6; check"),
    ([nn.Conv2d(1, 2, 9)], r"0 \(Conv2d\): its kernel is larger than what comes, 1 by 6 by 6"),
    ([nn.Flatten(), nn.MaxPool2d(2)],
     r"1 \(MaxPool2d\): it takes channels of pixels, and what comes is 36 feat"),
    ([nn.Flatten(), nn.BatchNorm1d(35), nn.Linear(36, 2)],
     r"1 \(BatchNorm1d\): it takes 35 features, and what c"),
    ([Own(), nn.Flatten(), nn.Linear(36, 2), nn.Tanh()],
     r"0.forward, line \d+ \(add\): it adds something else than what two modules give.*; 3 \(Tanh\)"),
    ([nn.Flatten(), OwnLinear(36, 2)], r"1 \(OwnLinear\): there is no exact form of it"),
    ([OwnSequence(nn.Flatten()), nn.Flatten(), nn.Linear(36, 2)],
     r"0.forward, line \d+ \(add\): it adds something else than what two modules give"),
    ([nn.Flatten(), hooked(nn.Linear(36, 2))], r"1 \(Linear\): it has hooks"),
    ([nn.Flatten(), nn.Linear(36, 6), nn.ReLU(), infinite()],
     r"3 \(Linear\): its weight holds numbers that are not"),
    ([nn.Flatten(), nn.Linear(36, 4), nn.Linear(4, 2)],
     r"2 \(Linear\): it follows 1 \(Linear\) with no activation.*; put a ReLU there, or multiply the two$"),
    ([nn.Flatten(), nn.ReLU(), nn.Linear(36, 2)], r"1 \(ReLU\): it has no weights before it"),
    ([nn.Flatten(), nn.Linear(36, 2), nn.ReLU()],
     r"2 \(ReLU\): the network must end in a Linear or a Conv2d"),
    ([nn.Conv2d(1, 2, 3), nn.AvgPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)],
     r"1 \(AvgPool2d\): it stands between weights and their activation; put it behind the activation"),
    ([nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(2, 2)],
     r"3 \(AvgPool2d\): it follows 2 \(MaxPool2d\) with no weights between; join the two"),
    ([nn.Flatten()], "it has no Linear and no Conv2d$"),
])
def test_what_cannot_be_taken_is_named(modules, said):
    with pytest.raises(ValueError, match=r"^the network cannot be taken exactly: ") as refused:
        fold(read_chain(nn.Sequential(*modules).eval(), (1, 6, 6), RELU))
    assert re.search(said, str(refused.value))


def test_norms_that_turn_a_maximum_round():
    falling = nn.BatchNorm2d(2)
    with torch.no_grad():
        falling.weight[1] = -1
    after = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), falling, nn.ReLU(), nn.Flatten(),
                          nn.Linear(8, 2))
    with pytest.raises(ValueError, match=r"2 \(BatchNorm2d\): channel 1 has a gain of 0 or less behind"):
        fold(read_chain(after, (1, 6, 6), RELU))
    before = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), falling, nn.MaxPool2d(2), nn.Flatten(),
                           nn.Linear(8, 2))
    with pytest.raises(ValueError, match=r"3 \(MaxPool2d\): what comes was scaled by a negative gain"):
        fold(read_chain(before, (1, 6, 6), RELU))
    neurons = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
                            nn.Linear(8, 2))
    with pytest.raises(ValueError, match=r"1 \(MaxPool2d\): it stands before 2 \(ReLU\); put it behind it"):
        fold(read_chain(neurons, (1, 6, 6), RELU), rises=lambda what: False)
