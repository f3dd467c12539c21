"""Where a conversion has nothing to round, the golden model's numbers are the quantised network's."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import batched, golden  # noqa: E402
from firstspike.quantize.convert.qcfs import ClipFloorShift  # noqa: E402
from firstspike.quantize.convert.rounding import round_network  # noqa: E402
from firstspike.quantize.convert.settings import Settings  # noqa: E402
from torch import nn  # noqa: E402


class Stepped(nn.Module):
    """A ReLU that knows the values ``unit * known`` only; ``half`` a unit is added before rounding down."""

    def __init__(self, unit, known, half):
        super().__init__()
        self.unit, self.known, self.half = unit, torch.as_tensor(known), half

    def forward(self, values):
        level = (values / self.unit + self.half).floor().clamp(0, len(self.known) - 1).long()
        return self.known[level].double() * self.unit


def stepped(network, units, known, half):
    """The network with its ReLUs replaced, one for each unit."""
    left = list(units)
    return nn.Sequential(*(Stepped(left.pop(0), known, half) if isinstance(module, nn.ReLU)
                           else copy.deepcopy(module) for module in network))


def whole(network, multiples, seed):
    """Weights from -3 to 3, each row with a 1, biases multiples of what is given for each layer: float64."""
    generator = torch.Generator().manual_seed(seed)
    layers = [module for module in network if isinstance(module, nn.Linear | nn.Conv2d)]
    for layer, multiple in zip(layers, multiples, strict=True):
        with torch.no_grad():
            layer.weight.copy_(torch.randint(-3, 4, layer.weight.shape, generator=generator))
            layer.weight.flatten(1)[:, 0] = 1
            layer.bias.copy_(torch.randint(-4, 8, layer.bias.shape, generator=generator) * multiple)
    return network.double().eval()


def dense(units):
    return whole(nn.Sequential(nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 7), nn.ReLU(), nn.Linear(7, 4)),
                 [1, *units], seed=3)


def planes(units, pool):
    """The average of four: the last layer's weights are quarters, on a grid all the same."""
    return whole(nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, stride=1), nn.ReLU(), pool, nn.Conv2d(3, 4, 2, groups=1), nn.ReLU(),
        nn.AvgPool2d(2, stride=1), nn.Flatten(), nn.Linear(4, 5)), [1, *units], seed=4)


def levels_of(count, size, levels, seed=5):
    return np.random.default_rng(seed).integers(0, levels, (count, size))


def converted(network, to, images, shape, **settings):
    """The network of integers, and what its outputs' potentials are worth."""
    made = round_network(network, to, images, shape, Settings(correct=False, scale=1.0, **settings))
    return made.network(), made.potential_worth(len(made.stages) - 1)[0]


def scores(network, images, shape):
    with torch.no_grad():
        return network(torch.as_tensor(images).double().reshape(-1, *shape)).numpy()


def check(network, reference, to, images, shape, **settings):
    """Image by image, by the golden model: potentials of the outputs, times their worth, are the scores."""
    result, worth = converted(network, to, images, shape, **settings)
    expected = scores(reference, images, shape)
    assert len(np.unique(expected, axis=0)) >= 3
    for image, row in zip(images, expected, strict=True):
        np.testing.assert_array_equal(golden.run(result, image).layers[-1].potential * worth, row)
    np.testing.assert_array_equal(batched.run(result, images).layers[-1].potential * worth, expected)
    return result


@pytest.mark.parametrize("rounding", ["nearest", "down"])
@pytest.mark.parametrize("encoding", ["latency", "direct", "bits"])
def test_relu_is_the_quantised_relu_network(rounding, encoding):
    """T = 16 levels a layer. 17 levels of the input make latency exact too."""
    units = [3, 15]
    network, images = dense(units), levels_of(40, 12, 17)
    reference = stepped(network, units, np.arange(17), 0.5 if rounding == "nearest" else 0)
    check(network, reference, "relu", images, (12,), units=units, window=16, levels=17, rounding=rounding,
          encoding=encoding)


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.AvgPool2d(2), nn.MaxPool2d(3, stride=2, padding=1)])
def test_relu_convolutions_and_pools(pool):
    """The maximum is the earliest spike, of values that are exact."""
    units = [4, 16]
    network, images = planes(units, pool), levels_of(15, 2 * 36, 9)
    reference = stepped(network, units, np.arange(9), 0.5)
    check(network, reference, "relu", images, (2, 6, 6), units=units, window=8, levels=9)


@pytest.mark.parametrize("rounding", ["nearest", "down"])
@pytest.mark.parametrize("window", [1, 3, 5])
def test_fs_is_the_truncated_binary_activation(rounding, window):
    """T spikes are the T digits of the level, cut off at 2**T - 1."""
    units = [3, 15]
    network, images = dense(units), levels_of(40, 12, 32)
    reference = stepped(network, units, np.arange(1 << window), 0.5 if rounding == "nearest" else 0)
    result = check(network, reference, "fs", images, (12,), units=units, window=window, levels=32,
                   rounding=rounding)
    first = stepped(network[:2], units, np.arange(1 << window), 0.5 if rounding == "nearest" else 0)
    spikes = batched.run(result, images).layers[0].spikes
    level = np.einsum("ctn,t->cn", spikes, 1 << np.arange(window)[::-1])
    np.testing.assert_array_equal(level * units[0], scores(first, images, (12,)))


def test_fs_with_average_pools():
    units = [4, 16]
    network, images = planes(units, nn.AvgPool2d(2)), levels_of(15, 2 * 36, 8)
    check(network, stepped(network, units, np.arange(8), 0.5), "fs", images, (2, 6, 6), units=units, window=3,
          levels=8)


def test_t2fsnn_with_powers_of_two_passes_on_the_power_below():
    """Input of 9 levels in four steps: 0, 1, 2, 4 and 8, each level to the nearest, of two to the higher."""
    units = [3, 15]
    known = [0, 1, 2, 2, 4, 4, 4, 4, 8]
    network, images = dense(units), levels_of(40, 12, 9)
    heard = np.array([0, 1, 2, 4, 4, 4, 8, 8, 8])[images]
    reference = stepped(network, units, known, 0)
    result, worth = converted(network, "t2fsnn", images, (12,), units=units, window=4, levels=9, kernel="two",
                              rounding="down")
    np.testing.assert_array_equal(batched.run(result, images).layers[-1].potential * worth,
                                  scores(reference, heard, (12,)))
    check(network, reference, "t2fsnn", images, (12,), units=units, window=4, levels=9, kernel="two",
          rounding="down", encoding="direct")


def test_t2fsnn_with_an_exponential_table():
    """255 exp(-t / 2), rounded; where two entries are equal the later has no effect."""
    table = [255, 155, 94, 57, 35, 21, 13, 8]
    known = [max([value for value in table if value <= level], default=0) for level in range(256)]
    units = [1, 3]
    network, images = dense(units), levels_of(40, 12, 256)
    check(network, stepped(network, units, known, 0), "t2fsnn", images, (12,), units=units, window=8, tau=2.0,
          rounding="down", encoding="direct")


def shifted(levels, thresholds, deep):
    """A network of clip-floor-shift activations, whole numbers."""
    modules = [nn.Linear(12, 9), ClipFloorShift(levels, thresholds[0]), nn.Linear(9, 7)]
    if deep:
        modules += [ClipFloorShift(levels, thresholds[1]), nn.Linear(7, 4)]
    return whole(nn.Sequential(*modules), [1, *thresholds[:2 if deep else 1]], seed=3)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_qcfs_with_one_hidden_layer_is_its_network_at_every_length(steps):
    """The first layer's current is the same in every step, so T = L steps count what the activation says."""
    network, images = shifted(steps, [16], deep=False), levels_of(60, 12, 6)
    expected = scores(network, images, (12,))
    result, worth = converted(network, "qcfs", images, (12,), window=steps, levels=6)
    found = batched.run(result, images).layers[-1].potential
    np.testing.assert_array_equal(found * worth / steps, expected)
    np.testing.assert_array_equal(result.layers[0].initial, result.layers[0].threshold // 2)


def test_qcfs_is_its_network_in_one_step_at_any_depth():
    network, images = shifted(1, [16, 32], deep=True), levels_of(60, 12, 6)
    result, worth = converted(network, "qcfs", images, (12,), window=1, levels=6)
    expected = scores(network, images, (12,))
    assert len(np.unique(expected, axis=0)) > 10
    np.testing.assert_array_equal(batched.run(result, images).layers[-1].potential * worth, expected)


def test_qcfs_behind_uneven_spikes_is_not_its_network():
    """What the theory leaves open: counts of a deeper layer depend on when its spikes come."""
    network, images = shifted(4, [16, 32], deep=True), levels_of(60, 12, 6)
    result, worth = converted(network, "qcfs", images, (12,), window=4, levels=6)
    found = batched.run(result, images)
    expected = scores(network, images, (12,))
    first = found.layers[0].spikes.sum(axis=1) * 4.0
    np.testing.assert_array_equal(first, scores(network[:2], images, (12,)))
    assert (found.layers[-1].potential * worth / 4 != expected).any()


def test_qcfs_maximum_in_one_step():
    network = whole(nn.Sequential(nn.Conv2d(1, 3, 3), ClipFloorShift(1, 8.0), nn.MaxPool2d(2), nn.Flatten(),
                                  nn.Linear(12, 4)), [1, 8], seed=4)
    images = levels_of(40, 36, 4)
    result, worth = converted(network, "qcfs", images, (1, 6, 6), window=1, levels=4)
    expected = scores(network, images, (1, 6, 6))
    assert len(np.unique(expected, axis=0)) > 10
    np.testing.assert_array_equal(batched.run(result, images).layers[-1].potential * worth, expected)


def test_networks_trained_with_clip_floor_shift_are_relu_networks_of_as_many_levels():
    """Earliness instead of counts: exact at every depth, for every spike's value is heard at once."""
    network, images = shifted(8, [16, 32], deep=True), levels_of(60, 12, 6)
    check(network, network, "relu", images, (12,), window=8, levels=6, encoding="direct")


def test_biases_of_each_position():
    """A mean that is taken off the input is missing in the padding; each neuron has its own start."""
    units = [2, 8]
    network, images = planes(units, nn.MaxPool2d(2)), levels_of(10, 2 * 36, 9)
    reference = stepped(network, units, np.arange(9), 0.5)
    made = round_network(network, "relu", images, (2, 6, 6), Settings(
        correct=False, scale=1.0, mean=[4.0, 2.0], deviation=2.0, units=units, window=8, levels=9))
    result, worth = made.network(), made.potential_worth(2)[0]
    mean = np.repeat([4, 2], 36)
    expected = scores(reference, (images - mean) / 2, (2, 6, 6))
    np.testing.assert_array_equal(batched.run(result, images).layers[-1].potential * worth, expected)
    start = result.layers[0].initial.reshape(3, 6, 6)
    assert (start[:, 1:5, 1:5] == start[:, 1:2, 1:2]).all()
    assert (start[:, 0, 0] != start[:, 1, 1]).any()
