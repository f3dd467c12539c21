"""Groups of synapses: what follows from their values, what they fill in, what they refuse in which words."""

from dataclasses import replace

import firstspike as fs
import numpy as np
import pytest
from firstspike.network import (
    Convolution,
    Dense,
    Fires,
    Input,
    Layer,
    Network,
    Phase,
    Pool,
    PoolKind,
    Probability,
    Spikes,
    WeightKind,
    unrolled,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ONES = np.ones((4, 3, 3, 3), np.int8)
SHAPE = (3, 8, 6)


@pytest.mark.parametrize("values, kind, bits", [
    ([1, -1, -1], WeightKind.SIGN, 1), ([1, 1], WeightKind.SIGN, 1), ([1, 0, -1], WeightKind.TERNARY, 2),
    ([0, 0], WeightKind.TERNARY, 2), ([1, 0], WeightKind.TERNARY, 2), ([-2, 1], WeightKind.INTEGER, 2),
    ([2, 1], WeightKind.INTEGER, 3), ([3, -4], WeightKind.INTEGER, 3), ([-5, 1], WeightKind.INTEGER, 4),
    ([7, -8], WeightKind.INTEGER, 4), ([127, 0], WeightKind.INTEGER, 8), ([-128, 0], WeightKind.INTEGER, 8),
    ([-64, 63], WeightKind.INTEGER, 7), ([-65], WeightKind.INTEGER, 8), ([64], WeightKind.INTEGER, 8),
])
def test_the_kind_of_weights_follows_from_their_values(values, kind, bits):
    group = Dense([values])
    assert (group.weight_kind, group.weight_bits) == (kind, bits)
    assert group.weights.dtype == np.int8


@settings(max_examples=200)
@given(st.lists(st.integers(-128, 127), min_size=1, max_size=5))
def test_so_many_bits_hold_all_weights_and_fewer_do_not(values):
    bits = Dense([values]).weight_bits
    if Dense([values]).weight_kind is WeightKind.INTEGER:
        assert bits >= 2 and all(-(1 << bits - 1) <= value < 1 << bits - 1 for value in values)
        assert bits == 2 or not all(-(1 << bits - 2) <= value < 1 << bits - 2 for value in values)


def test_shapes_of_a_convolution():
    group = Convolution(ONES, SHAPE, stride=(2, 1), padding=(1, 0, 2, 1), dilation=(1, 2))
    # rows: (8 + 1 - 3) // 2 + 1; columns: 6 + 3 - 5 + 1
    assert group.output_shape == (4, 4, 5) and group.size == 80
    assert group.heard_shape == SHAPE and group.heard_size == group.source_size == 144
    assert group.connections == 4 * 3 * 9 * 20
    assert (group.stride, group.padding, group.dilation) == ((2, 1), (1, 0, 2, 1), (1, 2))
    assert Convolution(ONES, SHAPE, padding=1).padding == (1, 1, 1, 1)
    assert Convolution(ONES, SHAPE, padding=(1, 2)).padding == (1, 1, 2, 2)
    assert Convolution(ONES, np.array(SHAPE), np.int64(1)).source_shape == SHAPE
    depthwise = Convolution(np.ones((6, 1, 3, 3), int), SHAPE, groups=3)
    assert depthwise.output_shape == (6, 6, 4)


def test_shapes_of_a_pool():
    pool = Pool("max", 2, source_shape=SHAPE)
    assert pool.kind is PoolKind.MAX and pool.stride == (2, 2) and pool.output_shape == (3, 4, 3)
    assert Pool("sum", (3, 2), 1, (1, 0), SHAPE).output_shape == (3, 8, 5)
    group = Dense(np.ones((5, 36), int), pool=pool)
    assert (group.size, group.heard_size, group.source_size) == (5, 36, 144)
    assert (group.output_shape, group.heard_shape) == ((5,), (36,))
    assert Convolution(ONES, pool.output_shape, pool=pool).source_size == 144


def test_layers_have_the_shape_of_their_convolutions():
    made = Layer(Convolution(ONES, SHAPE, padding=1), 4, threshold=2)
    assert made.shape == (4, 8, 6) and made.size == 192
    assert Layer(Dense([[1, 1]]), 4, threshold=2).shape == (1,)
    both = Layer([Dense(np.ones((192, 7), int), source="a"), Convolution(ONES, SHAPE, padding=1, source="b")],
                 4, threshold=2)
    assert both.shape == (4, 8, 6)


def test_an_integer_for_each_channel_is_one_for_each_of_its_neurons():
    group = Convolution(ONES, SHAPE)
    made = Layer(group, 4, fires=Fires.MANY, threshold=[1, 2, 3, 4], initial=np.array([4, 3, 2, 1]),
                 leak=[0, 1, 2, 3], bias=[-1, 0, 1, 2], reset_value=[9, 8, 7, 6])
    assert made.threshold.tolist() == np.repeat([1, 2, 3, 4], 24).tolist()
    for name, values in {"initial": [4, 3, 2, 1], "leak": [0, 1, 2, 3], "bias": [-1, 0, 1, 2],
                         "reset_value": [9, 8, 7, 6]}.items():
        assert getattr(made, name).reshape(4, 24).T.tolist() == [values] * 24
    whole = np.arange(1, 97)
    assert Layer(group, 4, threshold=whole).threshold.tolist() == whole.tolist()
    with pytest.raises(ValueError, match=r"^threshold must be .* have the shape \(96,\), not \(3,\)$"):
        Layer(group, 4, threshold=[1, 2, 3])
    with pytest.raises(ValueError, match=r"^threshold must be a positive integer, not 0 \(neuron 24\)$"):
        Layer(group, 4, threshold=[1, 0, 3, 4])


def test_a_scale_for_each_channel_is_one_for_each_of_its_addresses():
    assert Convolution(ONES, SHAPE, scale=[1, 2, 3]).scale.tolist() == np.repeat([1, 2, 3], 48).tolist()
    assert Convolution(ONES, SHAPE, scale=5).scale.tolist() == [5] * 144
    assert Dense([[1, 1]], scale=[3, 4]).scale.tolist() == [3, 4]
    assert Dense([[1, 1]], scale=1).scale is None, "a scale of 1 says nothing"


def test_nothing_can_be_written():
    group = Convolution(ONES, SHAPE, scale=2, probability=Probability(7))
    for array in (group.weights, group.scale, group.probability.levels):
        with pytest.raises(ValueError, match="read-only"):
            array.flat[0] = 1


def test_normalising_twice_changes_nothing():
    pool = Pool("sum", 2, 1, (1, 0, 0, 1), SHAPE)
    group = Convolution(ONES, pool.output_shape, 2, 1, pool=pool, scale=[1, 2, 3],
                        probability=Probability(7, 1, "spike"))
    again = replace(group)
    assert replace(pool) == pool and again.pool == group.pool
    assert again.scale.tolist() == group.scale.tolist() and again.source_shape == group.source_shape
    heard = Input(144, 4, Spikes(), shape=SHAPE)
    digests = {Network(heard, Layer(one, 4, threshold=1)).digest for one in (group, again)}
    assert len(digests) == 1


def test_unrolled_holds_each_weight_at_each_position():
    group = Convolution([[[[1, -2, 3]]]], (1, 2, 4), padding=(0, 1))
    assert unrolled(group).weights.tolist() == [
        [-2, 3, 0, 0, 0, 0, 0, 0], [1, -2, 3, 0, 0, 0, 0, 0],
        [0, 1, -2, 3, 0, 0, 0, 0], [0, 0, 1, -2, 0, 0, 0, 0],
        [0, 0, 0, 0, -2, 3, 0, 0], [0, 0, 0, 0, 1, -2, 3, 0],
        [0, 0, 0, 0, 0, 1, -2, 3], [0, 0, 0, 0, 0, 0, 1, -2]]
    dense = Dense([[1, -1]])
    assert unrolled(dense) is dense
    with pytest.raises(ValueError, match=r"^unrolled synapses must be at most 134217728, not 53824 x 28800$"):
        unrolled(Convolution(np.ones((16, 8, 3, 3), int), (8, 60, 60)))


def test_a_network_connects_planes():
    heard = Input(144, 4, Spikes(), shape=SHAPE)
    first = Layer(Convolution(ONES, SHAPE, padding=1), 4, threshold=2, name="first")
    pool = Pool("max", 2, source_shape=(4, 8, 6))
    second = Layer(Convolution(np.ones((2, 4, 1, 1), int), pool.output_shape, pool=pool), 4, threshold=2)
    network = Network(heard, [first, second, Layer(Dense(np.ones((3, 24), int)), 4, threshold=1)])
    assert network.shape_of("input") == SHAPE and network.shape_of("first") == (4, 8, 6)
    assert network.shape_of("layer2") == (3,) and network.layers[1].shape == (2, 4, 3)
    assert [layer.synapses[0].source for layer in network.layers] == ["input", "first", "layer1"]
    without = Network(Input(144, 4, Spikes()), [first, second, Layer(Dense(np.ones((3, 24), int)), 4,
                                                                     threshold=1)])
    assert without.shape_of("input") == (144,) and without.digest != network.digest


def test_the_front_offers_them():
    for name in ("Convolution", "Dense", "Draw", "Pool", "Probability"):
        assert getattr(fs, name).__name__ == name


def layered(synapses, heard=None, **fields):
    return Network(heard or Input(144, 4, Spikes(), shape=SHAPE),
                   Layer(synapses, 4, **{"threshold": 1, "name": "a", **fields}))


@pytest.mark.parametrize("make, error, sentence", [
    (lambda: Convolution(np.ones((4, 3, 3)), SHAPE), TypeError,
     "weights must be integers from -128 to 127, not an array of float64"),
    (lambda: Convolution(np.ones((4, 3, 3), int), SHAPE), ValueError,
     "weights must have the shape (channels out, channels in / groups, height, width), not (4, 3, 3)"),
    (lambda: Convolution(200 * ONES.astype(int), SHAPE), ValueError,
     "weights must be at most 127, not 200 (channel 0, channel in 0, row 0, column 0)"),
    (lambda: Convolution(ONES, (4, 8, 6)), ValueError,
     "weights must have 4 channels in and a multiple of 1 channels out in 1 groups, "
     "not the shape (4, 3, 3, 3)"),
    (lambda: Convolution(ONES, SHAPE, groups=3), ValueError,
     "weights must have 3 channels in and a multiple of 3 channels out in 3 groups, "
     "not the shape (4, 3, 3, 3)"),
    (lambda: Convolution(ONES, 144), ValueError, "source_shape must be (channels, height, width), not 144"),
    (lambda: Convolution(ONES, (3, 8)), ValueError,
     "source_shape must be (channels, height, width), not (3, 8)"),
    (lambda: Convolution(ONES, (3, 8, 0)), ValueError, "source_shape must be a positive integer, not 0"),
    (lambda: Convolution(ONES, (3, 400, 400)), ValueError,
     "source_shape must have at most 131072 addresses, not 3 x 400 x 400"),
    (lambda: Convolution(ONES, SHAPE, 0), ValueError, "stride must be a positive integer, not 0"),
    (lambda: Convolution(ONES, SHAPE, 1.5), TypeError, "stride must be a positive integer, not 1.5"),
    (lambda: Convolution(ONES, SHAPE, "same"), TypeError, "stride must be a positive integer, not 'same'"),
    (lambda: Convolution(ONES, SHAPE, (1, 2, 3)), ValueError, "stride must have 2 entries, not 3"),
    (lambda: Convolution(ONES, SHAPE, padding=-1), ValueError,
     "padding must be a non-negative integer, not -1"),
    (lambda: Convolution(ONES, SHAPE, padding="same"), TypeError,
     "padding must be a non-negative integer, not 'same'"),
    (lambda: Convolution(ONES, SHAPE, padding=(1, 1, 1)), ValueError,
     "padding must have 2 or 4 entries, not 3"),
    (lambda: Convolution(ONES, SHAPE, padding=(0, 3)), ValueError,
     "padding must be less than the window, which is 3 wide, not 3"),
    (lambda: Convolution(ONES, SHAPE, dilation=(5, 1)), ValueError,
     "a window of 11 x 3 must fit into the padded source, which is 8 x 6"),
    (lambda: Convolution(np.ones((1, 1, 200, 200), np.int8), (1, 300, 400), padding=199), ValueError,
     "the padded source must have at most 524288 addresses, not 1 x 698 x 798"),
    (lambda: Convolution(np.ones((40, 1, 1, 1), int), (1, 64, 64)), ValueError,
     "a layer must have at most 131072 neurons, not 40 x 64 x 64"),
    (lambda: Convolution(np.ones((100, 64, 40, 40), np.int8), (64, 40, 40), padding=16), ValueError,
     "a convolution must make at most 8589934592 connections, not 11151360000"),
    (lambda: Convolution(ONES, SHAPE, pool=2), TypeError, "pool must be a Pool or None, not 2"),
    (lambda: Convolution(ONES, SHAPE, pool=Pool("max", 2, source_shape=SHAPE)), ValueError,
     "source_shape must be (3, 4, 3), that of the pool's regions, not (3, 8, 6)"),
    (lambda: Dense(np.ones((2, 144), int), pool=Pool("max", 2, source_shape=SHAPE)), ValueError,
     "weights must have 36 columns, one for each region of the pool, not 144"),
    (lambda: Dense([[1, 1]], scale=[1, 0]), ValueError,
     "scale must be a positive integer, not 0 (address 1)"),
    (lambda: Dense([[1, 1]], scale=0.5), TypeError, "scale must be made of 64-bit integers, not 0.5"),
    (lambda: Dense([[1, 1]], scale=[1, 2, 3]), ValueError,
     "scale must be a number or have the shape (2,), not (3,)"),
    (lambda: Pool("mean", 2, source_shape=SHAPE), ValueError,
     "kind must be one of 'max', 'sum', not 'mean' (pool)"),
    (lambda: Pool("max", 2), ValueError,
     "source_shape of a pool must be (channels, height, width), not None"),
    (lambda: Pool("max", 0, source_shape=SHAPE), ValueError, "size must be a positive integer, not 0"),
    (lambda: Pool("max", 2, 0, source_shape=SHAPE), ValueError, "stride must be a positive integer, not 0"),
    (lambda: Pool("max", 2, padding=2, source_shape=SHAPE), ValueError,
     "padding must be less than the window, which is 2 high, not 2"),
    (lambda: Pool("max", 9, source_shape=SHAPE), ValueError,
     "a window of 9 x 9 must fit into the padded source, which is 8 x 6"),
    (lambda: Input(144, 4, Spikes(), shape=(3, 8, 5)), ValueError,
     "shape must have 144 places, one for each input, not 3 x 8 x 5 (input)"),
    (lambda: layered(Convolution(ONES, (3, 6, 8))), ValueError,
     "source_shape must be that of 'input', (3, 8, 6), not (3, 6, 8) (layer 'a')"),
    (lambda: layered(Convolution(ONES, (3, 6, 6))), ValueError,
     "source_shape must be that of 'input', (3, 8, 6), not (3, 6, 6) (layer 'a')"),
    (lambda: layered(Convolution(ONES, (3, 6, 6)), Input(144, 4, Spikes())), ValueError,
     "source_shape must be that of 'input', (144,), not (3, 6, 6) (layer 'a')"),
    (lambda: layered(Dense(np.ones((2, 27), int), pool=Pool("max", 2, source_shape=(3, 6, 6)))), ValueError,
     "source_shape must be that of 'input', (3, 8, 6), not (3, 6, 6) (layer 'a')"),
    (lambda: layered([Convolution(ONES, SHAPE), Convolution(ONES.transpose(0, 1, 3, 2)[:, :, :1, :], SHAPE)]),
     ValueError, "weights must be of as many neurons in all synapses, not of [96, 128] (layer 'a')"),
    (lambda: layered([Convolution(np.ones((2, 3, 1, 6), int), SHAPE),
                      Convolution(np.ones((4, 3, 5, 6), int), SHAPE)]),
     ValueError, "convolutions must have one shape in all synapses, not [(2, 8, 1), (4, 4, 1)] (layer 'a')"),
])
def test_refuses(make, error, sentence):
    with pytest.raises(error) as refused:
        make()
    assert str(refused.value) == sentence


def test_a_network_of_a_real_size_fits_the_limits():
    """The widest layers of the field's networks for CIFAR: 128 channels of 32 x 32."""
    heard = Input(3 * 32 * 32, 4, Spikes(), shape=(3, 32, 32))
    first = Layer(Convolution(np.ones((128, 3, 3, 3), np.int8), (3, 32, 32), padding=1), 4, Phase.WINDOWED,
                  threshold=3)
    pool = Pool("max", 2, source_shape=first.shape)
    second = Layer(Convolution(np.ones((256, 128, 3, 3), np.int8), pool.output_shape, padding=1, pool=pool),
                   4, Phase.WINDOWED, threshold=3)
    last = Layer(Dense(np.ones((10, second.size), np.int8)), 4, Phase.WINDOWED, "never")
    network = Network(heard, [first, second, last], "potential")
    assert [layer.size for layer in network.layers] == [131072, 65536, 10]
