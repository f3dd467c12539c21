"""Real networks as finely as integers can say them: the real numbers' own spikes, or None."""

from dataclasses import replace

import numpy as np
import pytest
from firstspike.network import Direct, Input, Readout, batched
from firstspike.quantize.graph.operations import Geometry
from firstspike.quantize.importers.finest import finest
from firstspike.quantize.importers.real_network import Group, RealLayer, RealNetwork
from harness.real_networks import layer, network, stated_spikes


def random_layer(rng: np.random.Generator, name: str, source: str, heard: int, size: int, decay: float,
                 subtract: bool, strict: bool) -> RealLayer:
    threshold = rng.uniform(0.5, 2, size)
    return RealLayer(name, name, (size,), (Group(source, rng.normal(size=(size, heard)), (heard,)),),
                     rng.normal(size=size) / 5, rng.normal(size=size) / 5, np.full(size, decay), threshold,
                     strict, subtract, threshold if subtract else rng.uniform(-0.5, 0.2, size))


def spikes_of(made, stated: RealNetwork, images: np.ndarray) -> list[np.ndarray]:
    done = batched.run(made, images)
    return [done.layers[made.index(item.name)].spikes for item in stated.layers]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("decay", [1.0, 0.5, 0.9375, 0.9, 0.8, 0.61803])
@pytest.mark.parametrize("subtract", [True, False])
def test_every_spike_is_that_of_the_real_numbers(decay: float, subtract: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = random_layer(rng, "a", "input", 12, 9, decay, subtract, strict=True)
    last = random_layer(rng, "b", "a", 9, 4, decay, True, strict=False)
    stated = network(first, last, window=8, size=12)
    images = rng.random((40, 8, 12)) < 0.4
    made = finest(stated)
    assert made is not None
    for found, wanted in zip(spikes_of(made, stated, images), stated_spikes(stated, images), strict=True):
        if decay in (1.0, 0.5, 0.9375):
            np.testing.assert_array_equal(found, wanted)
        assert (found != wanted).sum() <= 1  # of 1,280 or more: a schedule is rounded
        assert 0.05 < wanted.mean() < 0.95


@pytest.mark.parametrize("decay", [1.0, 0.75, 0.7])
def test_a_meeting_with_the_threshold_to_the_last_digit(decay: float) -> None:
    """Weights on a grid stay on one, so what meets its threshold in a step meets it."""
    images = np.random.default_rng(1).random((60, 4, 3)) < 0.5
    for strict in (False, True):
        stated = network(layer([[0.3, -0.1, 0.2], [0.1, 0.2, 0.3]], 0.3, decay=decay, strict=strict,
                               subtract=False, reset_value=np.zeros(2)))
        made = finest(stated)
        assert made is not None
        whole = replace(stated.layers[0], threshold=np.full(2, 3.0), groups=(
            replace(stated.layers[0].groups[0], weights=np.array([[3.0, -1, 2], [1, 2, 3]])),))
        (wanted,) = stated_spikes(replace(stated, layers=(whole,)), images)
        np.testing.assert_array_equal(spikes_of(made, stated, images)[0], wanted)


def test_convolutions_and_potentials() -> None:
    rng = np.random.default_rng(2)
    lie = Geometry((2, 1), (1, 0, 1, 1), (1, 1), 2)
    group = Group("input", rng.normal(size=(4, 1, 3, 3)), (2, 7, 6), lie)
    shape = (4, *lie.positions((3, 3), (2, 7, 6), "kernel"))
    size = int(np.prod(shape))
    hidden = RealLayer("a", "a", shape, (group,), np.repeat(rng.normal(size=4), size // 4), np.zeros(size),
                       np.full(size, 0.9), np.full(size, 1.5), False, True, np.full(size, 1.5))
    weights = rng.normal(size=(3, size))
    last = RealLayer("b", "b", (3,), (Group("a", weights, (size,)),), np.zeros(3), np.zeros(3),
                     np.full(3, 0.9))
    stated = RealNetwork(Input(84, 5, Direct(2), shape=(2, 7, 6)), (hidden, last), Readout.POTENTIAL)
    images = rng.integers(0, 2, (20, 84))
    made = finest(stated)
    assert made is not None
    every_step = np.repeat(images[:, None], 5, axis=1)
    (wanted,) = stated_spikes(replace(stated, layers=(hidden,)), every_step)
    np.testing.assert_array_equal(spikes_of(made, stated, images)[0], wanted)
    potential = np.zeros((20, 3))
    for step in range(5):
        potential = 0.9 * potential + wanted[:, step] @ weights.T
    done = batched.run(made, images)
    np.testing.assert_array_equal(done.label, potential.argmax(axis=1))
    found = done.layers[-1].potential
    np.testing.assert_allclose(found / found[0, 0], potential / potential[0, 0], rtol=2e-3, atol=2e-3)


def test_what_is_wider_than_potentials_is_said_more_coarsely() -> None:
    """A level of 65,535 in each of 200 inputs and 100 steps leaves no room for 22 bits."""
    rng = np.random.default_rng(3)
    wide = layer(rng.normal(size=(4, 200)), 1e5)
    made = finest(RealNetwork(Input(200, 100, Direct(1 << 16)), (wide,), Readout.COUNT))
    assert made is not None and len(made.layers[0].synapses) == 2
    fine = finest(RealNetwork(Input(200, 100, Direct(2)), (wide,), Readout.COUNT))
    assert fine is not None and len(fine.layers[0].synapses) == 3


@pytest.mark.parametrize("unsayable", [
    layer([[1, 1, 1], [1, 1, 1]], decay=[0.9, 0.8]), layer([[1, 1, 1]], decay=1.5),
    layer([[0.3, 2, 1.7]], 0.5, again=True)])
def test_what_no_integers_can_say_is_none(unsayable: RealLayer) -> None:
    assert finest(network(unsayable)) is None
    assert finest(network(layer([[1, 1, 1]], decay=0.3), window=20)) is None


def test_what_counts_the_steps_has_a_name_of_its_own() -> None:
    made = finest(network(layer([[0.3, 1, 1]], decay=0.9, bias=0.1, name="clock_0")))
    assert made is not None and made.names == ("clock_1", "clock_0")
    assert batched.run(made, np.zeros((1, 4, 3), bool)).layers[0].spikes.all()
