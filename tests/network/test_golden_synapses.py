"""What synapses do on a spike's way: convolutions and pools against torch, the rest worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from firstspike.network import (
    Convolution,
    Dense,
    Direct,
    Fires,
    Input,
    Layer,
    Network,
    Phase,
    Pool,
    Probability,
    Readout,
    Spikes,
    unrolled,
)
from firstspike.network.golden import pooled, run
from firstspike.network.probability import draws, window_key
from harness.strategies import ALL, images_for, networks, random_convolution
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")


def potentials(synapses, spikes, index=0, **layer):
    """The final potentials of a layer that only integrates ``spikes``, of shape ``(window, size)``."""
    window, size = spikes.shape
    encoding = Spikes(once=False)
    if spikes.dtype != bool:
        assert window == 1
        encoding, spikes = Direct(1 << 8), spikes[0]
    made = Layer(synapses, window, **{"fires": "never", **layer})
    network = Network(Input(size, window, encoding), made, Readout.POTENTIAL)
    return run(network, spikes, index).layers[0].potential


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32 - 1))
def test_a_convolution_is_that_of_torch(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(side) for side in rng.integers(1, 8, 3))
    made = random_convolution(rng, shape)
    values = rng.integers(0, 256, (1, np.prod(shape)))
    top, bottom, left, right = made.padding
    padded = torch.nn.functional.pad(torch.tensor(values.reshape(1, *shape)), (left, right, top, bottom))
    expected = torch.nn.functional.conv2d(
        padded.double(), torch.tensor(made.weights).double(), stride=made.stride, dilation=made.dilation,
        groups=made.groups)
    assert expected.shape[1:] == made.output_shape
    assert potentials(made, values).tolist() == expected.flatten().long().tolist()


@pytest.mark.parametrize("channels, out, side, stride, padding, groups", [
    (1, 24, 3, 1, 1, 1), (24, 24, 3, 2, 1, 1), (16, 16, 3, 1, 1, 16), (12, 8, 5, 1, 2, 4),
    (32, 10, 7, 1, 0, 1),
])
def test_a_convolution_of_a_real_size_is_that_of_torch(channels, out, side, stride, padding, groups):
    rng = np.random.default_rng(channels)
    weights = rng.integers(-128, 128, (out, channels // groups, side, side))
    values = rng.integers(0, 256, (1, channels * 14 * 14))
    made = Convolution(weights, (channels, 14, 14), stride, padding, groups=groups)
    expected = torch.nn.functional.conv2d(
        torch.tensor(values.reshape(1, channels, 14, 14)), torch.tensor(weights), stride=stride,
        padding=padding, groups=groups)
    assert expected.dtype == torch.int64
    assert potentials(made, values).tolist() == expected.flatten().tolist()


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1))
def test_pools_are_those_of_torch(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(side) for side in rng.integers(1, 9, 3))
    size = [int(rng.integers(1, side + 1)) for side in shape[1:]]
    stride = [int(step) for step in rng.integers(1, 4, 2)]
    padding = [int(rng.integers(0, side // 2 + 1)) for side in size]  # torch takes no more
    values = rng.integers(0, 9, (3, np.prod(shape)))
    planes = torch.tensor(values.reshape(3, *shape)).double()
    for kind, expected in (
            ("max", torch.nn.functional.max_pool2d(planes, size, stride, padding)),
            ("sum", torch.nn.functional.avg_pool2d(planes, size, stride, padding, divisor_override=1))):
        pool = Pool(kind, size, stride, padding, shape)
        assert expected.shape[1:] == pool.output_shape
        assert pooled(pool, values, Fires.MANY).tolist() == expected.flatten(1).long().tolist()


def test_a_max_pool_passes_the_first_spike_of_a_source_that_fires_once():
    pool = Pool("max", 2, source_shape=(1, 2, 4))
    values = np.zeros((4, 8), np.int64)
    values[1, 0] = values[1, 5] = 1     # two of the left region in one step
    values[3, 4] = 1                    # a third, later
    values[2, 6] = 1                    # one of the right region
    assert pooled(pool, values, Fires.ONCE).tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]
    assert pooled(pool, values, Fires.MANY).tolist() == [[0, 0], [1, 0], [0, 1], [1, 0]]
    summed = replace(pool, kind="sum")
    assert pooled(summed, values, Fires.ONCE).tolist() == [[0, 0], [2, 0], [0, 1], [1, 0]]


def test_the_earliest_spike_of_a_region_in_a_network():
    """A max pool after a layer that fires once, and after one that fires in every step."""
    image = np.zeros((4, 4), bool)
    image[1, 2] = image[3, 0] = True
    for fires, passes in (("once", 1), ("many", 2)):
        first = Layer(Dense(np.eye(4, dtype=int)), 4, threshold=1, fires=fires)
        pool = Pool("max", 2, source_shape=(1, 2, 2))
        last = Layer(Dense([[1]], kernel=[8, 4, 2, 1], pool=pool), 4, Phase.WINDOWED, "never")
        done = run(Network(Input(4, 4, Spikes()), [first, last], "potential"), image)
        assert done.layers[0].spikes.sum() == 2
        assert done.layers[1].potential.tolist() == [4 if passes == 1 else 5]


def test_a_scale_multiplies_what_an_address_brings():
    spikes = np.ones((2, 3), bool)
    assert potentials(Dense([[1, 1, -1], [1, 0, 0]], scale=[1, 10, 100]), spikes).tolist() == [-178, 2]
    made = Convolution([[[[1]], [[-1]]]], (2, 1, 2), scale=[3, 5])
    assert potentials(made, np.array([[1, 2, 10, 20]])).tolist() == [3 - 50, 6 - 100]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_convolution_is_its_unrolled_dense(data):
    """With all that goes with it: the same draws, pools, scales, in every value of the whole network."""
    network = data.draw(networks(ALL))
    image = data.draw(images_for(network, 1))[0]
    layers = [replace(layer, synapses=[unrolled(group) for group in layer.synapses])
              for layer in network.layers]
    flat = Network(replace(network.input, shape=None), layers, network.readout)
    one, other = run(network, image, 7), run(flat, image, 7)
    assert (one.label, one.step) == (other.label, other.step)
    for a, b in zip(one.layers, other.layers, strict=True):
        assert np.array_equal(a.spikes, b.spikes) and np.array_equal(a.potential, b.potential)


def test_an_identity_beside_a_convolution_is_a_residual():
    rng = np.random.default_rng(3)
    shape = (3, 5, 5)
    first = Layer(Convolution(rng.choice([-1, 1], (3, 3, 3, 3)), shape, padding=1), 4, threshold=2, name="a")
    body = Convolution(rng.choice([-1, 1], (3, 3, 3, 3)), shape, padding=1, source="a")
    skip = Convolution(np.ones((3, 1, 1, 1), int), shape, groups=3, source="a")
    image = rng.random((4, 75)) < 0.3
    image &= np.cumsum(image, axis=0) == 1

    def last(synapses):
        made = Layer(synapses, 4, Phase.WINDOWED, "never", name="b")
        return run(Network(Input(75, 4, Spikes(), shape=shape), [first, made], "potential"), image)

    with_skip, without, hidden = last([body, skip]), last(body), last(body).layers[0].spikes
    assert hidden.any() and not hidden.all()
    added = with_skip.layers[1].potential - without.layers[1].potential
    assert added.tolist() == hidden.sum(axis=0).tolist()


class TestProbability:
    """Which spikes pass."""

    def test_never_and_always(self):
        weights = np.random.default_rng(0).integers(-8, 8, (5, 40))
        spikes = np.random.default_rng(1).random((6, 40)) < 0.5
        certain = potentials(Dense(weights), spikes)
        for draw in ("spike", "synapse"):
            never = Dense(weights, probability=Probability(0, 1, draw))
            always = Dense(weights, probability=Probability(256, 1, draw))
            assert not potentials(never, spikes).any()
            assert potentials(always, spikes).tolist() == certain.tolist()

    def test_a_draw_of_the_spike_is_shared_by_all_targets(self):
        """So levels in descending order pass a prefix."""
        levels = np.sort(np.random.default_rng(0).integers(0, 257, 50))[::-1]
        made = Dense(np.ones((50, 1), int), probability=Probability(levels[:, None], 3, "spike"))
        prefixes = set()
        for index in range(40):
            passed = potentials(made, np.ones((1, 1), bool), index)
            assert passed.tolist() == sorted(passed, reverse=True)
            prefixes.add(int(passed.sum()))
        assert len(prefixes) > 20

    def test_a_draw_of_the_synapse_is_its_own(self):
        made = Dense(np.ones((4000, 1), int), probability=Probability(128, 3))
        passed = potentials(made, np.ones((1, 1), bool))
        assert passed.sum() == 1971
        key = window_key(3, 0, 0, 0)
        assert passed.tolist() == (draws(key, 0, np.array(0), np.arange(4000)) < 128).astype(int).tolist()

    @pytest.mark.parametrize("draw", ["spike", "synapse"])
    def test_depends_on_all_that_it_says_and_nothing_else(self, draw):
        spikes = np.ones((6, 40), bool)
        weights = np.ones((5, 40), int)

        def of(seed=0, index=0):
            made = Dense(weights, 1 << np.arange(6), probability=Probability(100, seed, draw))
            return tuple(potentials(made, spikes, index).tolist())

        assert of() == of() and len({of(), of(1), of(2), of(0, 1), of(0, 2), of(0, (1 << 32) - 1)}) == 6
        fewer = spikes.copy()
        fewer[3] = False
        kept = potentials(Dense(weights, 1 << np.arange(6), probability=Probability(100, 0, draw)), fewer)
        alone = potentials(Dense(weights, [0, 0, 0, 8, 0, 0], probability=Probability(100, 0, draw)), spikes)
        assert tuple((kept + alone).tolist()) == of()

    def test_a_layer_and_a_group_draw_for_themselves(self):
        group = Dense(np.ones((1, 200), int), source="input", probability=Probability(128))
        network = Network(Input(200, 1, Spikes()), [
            Layer(group, 1, threshold=1, name="first"),
            Layer([group, Dense([[1]], source="first")], 1, threshold=1, name="second"),
            Layer([group, group, Dense([[1]], source="second")], 1, fires="never")], "potential")
        done = run(network, np.ones((1, 200), bool))
        first, second, third = (int(layer.potential[0]) for layer in done.layers)
        assert (first, second - 1, third - 1) == (102, 105, 210)

    def test_comes_after_the_pool(self):
        """A region has one draw for all its spikes of a step, under its own address."""
        pool = Pool("sum", (1, 2), source_shape=(1, 1, 600))
        made = Dense(np.ones((1, 300), int), pool=pool, probability=Probability(128, 9))
        behind = Dense(np.ones((1, 300), int), probability=Probability(128, 9), scale=2)
        passed = potentials(made, np.ones((1, 600), bool)).tolist()
        assert passed == potentials(behind, np.ones((1, 300), bool)).tolist() == [2 * 157]

    @pytest.mark.parametrize("index", [-1, 1 << 32])
    def test_refuses_an_index(self, index):
        network = Network(Input(1, 1, Spikes()), Layer(Dense([[1]]), 1, threshold=1))
        with pytest.raises(ValueError, match=r"^index must be (at most 4294967295|a non-negative integer)"):
            run(network, np.ones((1, 1), bool), index)
