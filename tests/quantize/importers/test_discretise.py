"""Real numbers to integers: exact on a grid, else rounded once; what measures it is the golden model."""

from dataclasses import replace

import numpy as np
import pytest
from firstspike.network import (
    Direct,
    Input,
    Latency,
    Network,
    Readout,
    Spikes,
    WeightKind,
    batched,
    golden,
)
from firstspike.quantize.graph.operations import Geometry
from firstspike.quantize.importers.discretise import discretise
from firstspike.quantize.importers.real_network import Group, RealLayer, RealNetwork
from firstspike.quantize.importers.report import imported
from harness.real_networks import layer, network, stated_spikes
from hypothesis import given, settings
from hypothesis import strategies as st


def agrees(stated: RealNetwork, made: Network, images: np.ndarray) -> None:
    """Hold every spike of the integers against the real numbers, by the golden model."""
    want = stated_spikes(stated, images)
    for number, image in enumerate(images):
        trace = golden.run(made, image)
        for item, spikes in zip(stated.layers, want, strict=True):
            np.testing.assert_array_equal(trace.layers[made.index(item.name)].spikes, spikes[number])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 8]), st.booleans(), st.booleans(), st.booleans())
def test_a_grid_is_exact(seed: int, bits: int, strict: bool, subtract: bool, leaks: bool) -> None:
    """Weights on a grid with a unit of its own for each neuron; thresholds between, on and off the grid."""
    rng = np.random.default_rng(seed)
    limit = max(1, (1 << bits - 1) - 1)
    whole = rng.integers(-limit, limit + 1, (5, 8)) if bits > 1 else rng.choice([-1, 1], (5, 8))
    whole[:, 0] = 1  # so that no unit is a multiple, of which a bias would be a third
    unit = 2.0 ** rng.integers(-9, 3, (5, 1))
    threshold = unit[:, 0] * rng.integers(1, 40, 5) / 4
    first = RealLayer("a", "a", (5,), (Group("input", whole * unit, (8,)),),
                      unit[:, 0] * rng.integers(-2, 3, 5), unit[:, 0] * rng.integers(-2, 3, 5) / 2,
                      np.full(5, 0.5 if leaks else 1.0), threshold, strict, subtract,
                      threshold if subtract else -unit[:, 0])
    last = RealLayer("b", "b", (3,), (Group("a", rng.choice([-0.375, 0.375], (3, 5)), (5,)),), np.zeros(3),
                     np.zeros(3), np.ones(3), np.full(3, 0.6), strict, True, np.full(3, 0.75))
    stated = RealNetwork(Input(8, 5, Spikes(once=False)), (first, last), Readout.COUNT)
    made, roundings = discretise(stated)
    assert all(rounding.exact for rounding in roundings)
    assert roundings[0].bits <= bits
    agrees(stated, made, rng.random((6, 5, 8)) < 0.5)


def test_signs_times_a_scale_take_one_bit() -> None:
    rng = np.random.default_rng(0)
    weights = rng.choice([-0.037, 0.037], (4, 3)).astype(np.float32)
    made, (rounding,) = discretise(network(layer(weights, 0.05, reset_value=np.zeros(4), subtract=False)))
    assert rounding.exact and made.layers[0].synapses[0].weight_kind is WeightKind.SIGN
    assert made.layers[0].threshold.tolist() == [2] * 4  # 0.05 is 1.35 weights


def test_each_neuron_may_have_a_unit_of_its_own_but_in_the_layer_that_is_read() -> None:
    weights = np.array([[0.3, -0.3, 0.3], [0.7, 0.7, -0.7]])
    stated = network(layer(weights, 0.35), layer(np.eye(2), name="b"), size=3)
    stated = RealNetwork(stated.input, (stated.layers[0], RealLayer(
        "b", "b", (2,), (Group("a", np.eye(2), (2,)),), np.zeros(2), np.zeros(2), np.ones(2), np.ones(2),
        False, True, np.ones(2))), Readout.COUNT)
    made, _ = discretise(stated)
    assert np.abs(made.layers[0].synapses[0].weights).tolist() == [[1] * 3] * 2
    made, (rounding,) = discretise(network(layer(weights, 0.35)))
    assert np.abs(made.layers[0].synapses[0].weights).tolist() == [[3] * 3, [7] * 3] and rounding.bits == 4


def test_what_needs_fractions_gets_binary_places() -> None:
    made, (rounding,) = discretise(network(layer([[1, -1, 1]], 2.625, bias=0.25)))
    assert rounding.exact and rounding.places == 3
    assert made.layers[0].synapses[0].kernel.tolist() == [8] * 4
    assert (made.layers[0].threshold, made.layers[0].reset_value, made.layers[0].bias) == (21, 21, 2)
    made, (rounding,) = discretise(network(layer([[1, -1, 1]], 2.625, bias=0.25)), places=1)
    assert not rounding.exact and rounding.neuron == pytest.approx(0.25 / 2.625)
    assert made.layers[0].synapses[0].kernel.tolist() == [2] * 4


def test_a_leak_is_exact_over_the_window_or_said_to_round() -> None:
    rng = np.random.default_rng(3)
    images = rng.random((20, 6, 3)) < 0.5
    stated = network(layer([[3, -1, 2]], 4.0, decay=0.75), window=6)
    made, (rounding,) = discretise(stated)
    assert rounding.exact and rounding.places == 10
    agrees(stated, made, images)
    _, (rounding,) = discretise(stated, places=0)
    assert rounding.leak and not rounding.exact
    _, (rounding,) = discretise(network(layer([[3, -1, 2]], 4.0, decay=0.75), window=20))
    assert rounding.leak and rounding.places == 8


@pytest.mark.parametrize(("kind", "bits", "wanted"), [
    ("sign", 8, WeightKind.SIGN), ("ternary", 8, WeightKind.TERNARY), ("integer", 4, WeightKind.INTEGER),
    ("auto", 8, WeightKind.INTEGER)])
def test_real_weights_are_rounded_and_counted(kind: str, bits: int, wanted: WeightKind) -> None:
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(6, 40))
    made, (rounding,) = discretise(network(layer(weights, 2.0), size=40), kind, bits)
    taken = made.layers[0].synapses[0]
    assert taken.weight_kind is wanted and taken.weight_bits <= bits
    assert rounding.changed > 200 and rounding.count == 240 and 0 < rounding.farthest < 1
    scale = made.layers[0].reset_value[0] / taken.kernel[0] / 2.0
    assert np.corrcoef((taken.weights / scale).ravel(), weights.ravel())[0, 1] > (0.75 if bits > 4 else 0.98)
    if kind == "auto":
        assert np.abs(taken.weights / scale - weights).max() <= 0.5001 / scale + 1e-3


def test_the_threshold_knows_strictness() -> None:
    for strict, threshold, expected in ((True, 2.0, 3), (False, 2.0, 2), (True, 2.5, 3), (False, 2.5, 3)):
        more = {"reset_value": np.zeros(1), "subtract": False, "strict": strict}
        made, (rounding,) = discretise(network(layer([[1, 1, 1]], threshold, **more)))
        assert rounding.exact and made.layers[0].threshold.tolist() == [expected]


@pytest.mark.parametrize(("wrong", "sentence"), [
    (layer([[1, 1, 1]], -1.0, reset_value=np.zeros(1)), r"a \(IF\): its threshold must be above 0"),
    (layer([[1, 1, 1]], decay=0.9), r"a \(IF\): its potential decays by the factor 0.9.*nearest is 0.875"),
    (layer([[1, 1, 1]], decay=1.5), "decay by a factor from 0 to 1, not 1.5"),
    (layer([[1, 1, 1], [1, 1, 1]], decay=[1.0, 0.5]), "some of its neurons keep their potential"),
])
def test_what_cannot_be_said_is_refused(wrong: RealLayer, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        discretise(network(wrong))


def test_every_layer_that_cannot_be_said_is_named() -> None:
    with pytest.raises(ValueError, match=r"^the network cannot be taken exactly: a .* b "):
        discretise(network(layer([[1, 1, 1]], decay=0.9), layer([[1, 1, 1]], decay=0.8, name="b")))


@pytest.mark.parametrize("options", [{"weights": "half"}, {"bits": 9}, {"bits": 1}, {"places": 30}])
def test_bad_options_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match=r"^(weights|bits|places) must be"):
        discretise(network(layer([[1, 1, 1]])), **options)


def test_nearest_leaks_are_taken_when_asked_and_measured() -> None:
    rng = np.random.default_rng(5)
    images = rng.random((30, 8, 3)) < 0.5
    stated = network(layer([[3, -1, 2], [1, 2, 3]], 4.0, decay=0.9), window=8)
    made = imported("test", stated, images, approximate=True)
    assert made.report.layers[0].remarks == ("a decay of 0.9 taken as 0.875",) and not made.report.exact
    (want,) = stated_spikes(stated, images)
    have = batched.run(made.network, images)
    measured = made.report.measured
    assert measured is not None and measured.changed == (want != have.layers[0].spikes).sum() > 0
    assert measured.images == 30 and measured.spikes == want.sum()


def test_a_convolution_is_what_it_states() -> None:
    rng = np.random.default_rng(2)
    weights = rng.integers(-2, 3, (4, 1, 3, 3)).astype(float)
    lie = Geometry((2, 1), (1, 0, 1, 1), (1, 1), 2)
    group = Group("input", weights, (2, 7, 6), lie)
    shape = (4, *lie.positions((3, 3), (2, 7, 6), "kernel"))
    size = int(np.prod(shape))
    stated = RealNetwork(Input(84, 3, Spikes(once=False), shape=(2, 7, 6)), (RealLayer(
        "a", "a", shape, (group,), np.zeros(size), np.zeros(size), np.ones(size), np.full(size, 2.0), False,
        True, np.full(size, 2.0)),), Readout.COUNT)
    made, (rounding,) = discretise(stated)
    assert rounding.exact
    agrees(stated, made, rng.random((5, 3, 84)) < 0.3)


def test_a_neuron_that_hears_nothing_costs_no_places() -> None:
    weights = np.array([[1.0, -1, 1], [0, 0, 0]])
    stated = RealNetwork(Input(3, 4, Spikes(once=False)), (
        layer(weights, 1.3, subtract=False, reset_value=np.zeros(2)),
        RealLayer("b", "b", (1,), (Group("a", np.ones((1, 2)), (2,)),), np.zeros(1), np.zeros(1), np.ones(1),
                  np.ones(1), reset_value=np.ones(1))), Readout.COUNT)
    made, (first, _) = discretise(replace(stated, layers=(
        replace(stated.layers[0], subtract=True, reset_value=np.array([2.0, 1.3])), stated.layers[1])))
    assert first.exact and first.places == 0 and made.layers[0].threshold.tolist() == [2, 1]


def test_numbers_beyond_all_measure_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a \(IF\): its threshold, reset or bias is 1e\+30 times"):
        discretise(network(layer([[1, 1, 1]], 1e30)))


def test_images_are_checked() -> None:
    made = imported("test", network(layer([[1, 1, 1]])))
    with pytest.raises(TypeError, match="spikes must be an array of bool"):
        made.on(np.zeros((2, 4, 3), int))
    with pytest.raises(ValueError, match=r"must have the shape \(steps, inputs\) = \(4, 3\)"):
        made.on(np.zeros((2, 5, 3), bool))
    with pytest.raises(ValueError, match="labels must be one for each of the 2 images"):
        made.on(np.zeros((2, 4, 3), bool), [1])
    levels = RealNetwork(Input(3, 4, Direct(4)), (layer([[1, 1, 1]]),), Readout.COUNT)
    with pytest.raises(ValueError, match="a level must be from 0 to 3"):
        imported("test", levels, np.full((1, 3), 4))
    latency = RealNetwork(Input(3, 4, Latency([-1, 1])), (layer([[1, 1, 1]]),), Readout.COUNT)
    assert imported("test", latency, np.ones((1, 3), int)).network.calibration["mean_spikes"] == [3.0, 3.0]


def test_accuracy_is_told_where_labels_are() -> None:
    images = np.ones((4, 4, 3), bool)
    made = imported("test", network(layer([[1, 1, 1], [-1, -1, -1]])), images, np.array([0, 0, 1, 0]))
    assert made.report.measured is not None
    assert (made.report.measured.right_before, made.report.measured.right_after) == (3, 3)
    assert made.report.measured.loss == 0
    assert made.network.provenance["exact"] is True
    assert "exact" in str(made.report) and "75.00% before" in str(made.report)
