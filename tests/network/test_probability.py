"""Draws: the published mix, as good as chance in every direction, with exact counts."""

import numpy as np
import pytest
from firstspike.network import Dense, Draw, Probability
from firstspike.network.probability import CERTAIN, draws, mix, window_key
from harness.equation import jenkins

COUNT = 1 << 16


def along(axis: str, count: int = COUNT, seed: int = 1) -> np.ndarray:
    """Draws of ``count`` neighbours along one axis, everything else fixed."""
    place = np.arange(count)
    key = window_key(seed, 5, 2, 0)
    match axis:
        case "target":
            return draws(key, 3, np.array(9), place)
        case "address":
            return draws(key, 3, place, np.array(7))
        case "spike":
            return draws(key, 3, place)
        case "step":
            return np.concatenate([draws(key, step, np.arange(count >> 10)) for step in range(1 << 10)])
        case "image":
            return draws(window_key(seed, place, 2, 0), 3, np.array(9))
        case _:
            return np.concatenate([draws(window_key(seed, 5, 2, 0), 3, np.arange(count >> 10))
                                   for seed in range(1 << 10)])


AXES = ["target", "address", "spike", "step", "image", "seed"]


def chi_square(counts: np.ndarray) -> float:
    """How far ``counts`` are from all the same, in standard deviations of what chance would give."""
    expected = counts.sum() / counts.size
    degrees = counts.size - 1
    return float((((counts - expected) ** 2).sum() / expected - degrees) / np.sqrt(2 * degrees))


def test_is_the_published_mix():
    words = np.random.default_rng(0).integers(0, 1 << 32, 2000)
    assert mix(words).tolist() == [jenkins(int(word)) for word in words]
    assert mix(0).item() == jenkins(0) == 0x6B4ED927
    assert mix(words).dtype == np.uint32


def test_nothing_that_differs_falls_together():
    words = np.arange(1 << 20) * 4093
    assert len(np.unique(mix(words))) == len(words)


@pytest.mark.parametrize("axis", AXES)
def test_each_value_as_often(axis):
    """Chi square over the 256 values; chance leaves 4 standard deviations once in 30,000 times."""
    counts = np.bincount(along(axis), minlength=256)
    assert len(counts) == 256 and abs(chi_square(counts)) < 4


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("apart", [1, 2, 3, 4, 8, 28, 64, 256, 784, 4096])
def test_neighbours_are_independent(axis, apart):
    """Chi square over the pairs of the highest, and of the lowest, four bits of draws that are ``apart``."""
    drawn = along(axis)
    for half in (drawn >> 4, drawn & 15):
        pairs = half[:-apart] << 4 | half[apart:]
        assert abs(chi_square(np.bincount(pairs, minlength=256))) < 4.5


@pytest.mark.parametrize("axis", AXES)
def test_every_bit_is_half_the_time_one_and_independent_of_the_others(axis):
    drawn = along(axis)
    bits = np.stack([drawn >> place & 1 for place in range(8)]).astype(int)
    count = drawn.size
    together = bits @ bits.T
    sigma = np.sqrt(count) / 2
    assert (np.abs(np.diag(together) - count / 2) < 4 * sigma).all()
    off = ~np.eye(8, dtype=bool)
    assert (np.abs(together[off] - count / 4) < 4 * np.sqrt(count * 3 / 16)).all()


def test_one_changed_bit_of_any_input_changes_each_bit_half_the_time():
    """Avalanche, over all inputs of a draw: from 43 to 57 percent of 1,024 tries."""
    rng = np.random.default_rng(2)
    seeds, images, layers, addresses, steps, targets = (
        rng.integers(0, high, COUNT >> 6) for high in (1 << 32, 1 << 32, 256, 1 << 17, 1 << 12, 1 << 17))

    def of(seed, image, layer, address, step, target):
        drawn = [draws(window_key(s, i, n, 0), t, a, j) for s, i, n, a, t, j
                 in zip(seed, image, layer, address, step, target, strict=True)]
        return np.array(drawn)

    base = [seeds, images, layers, addresses, steps, targets]
    whole = of(*base)
    for place, bits in enumerate((32, 32, 8, 17, 12, 17)):
        for bit in (0, 1, bits // 2, bits - 1):
            other = list(base)
            other[place] = base[place] ^ (1 << bit)
            flipped = whole ^ of(*other)
            share = [(flipped >> which & 1).mean() for which in range(8)]
            assert min(share) > 0.43 and max(share) < 0.57, (place, bit)


@pytest.mark.parametrize("level, passed", [
    (0, 0), (1, 258), (64, 16141), (128, 32473), (255, 65280), (256, 65536)])
def test_a_level_passes_its_share_of_spikes(level, passed):
    """Exactly so many of 65,536 neighbouring synapses: within 3 standard deviations of level / 256."""
    assert (along("target") < level).sum() == passed
    share = level / CERTAIN
    assert abs(passed - COUNT * share) <= 3 * np.sqrt(COUNT * share * (1 - share))


@pytest.mark.parametrize("make, error, sentence", [
    (lambda: Probability(128, -1), ValueError, "seed must be a non-negative integer, not -1 (probability)"),
    (lambda: Probability(128, 1 << 32), ValueError,
     "seed must be at most 4294967295, not 4294967296 (probability)"),
    (lambda: Probability(128, draw="row"), ValueError,
     "draw must be one of 'synapse', 'spike', not 'row' (probability)"),
    (lambda: Dense([[1, 1]], probability=Probability(257)), ValueError,
     "levels of a probability must be at most 256, not 257"),
    (lambda: Dense([[1, 1]], probability=Probability(0.5)), TypeError,
     "levels of a probability must be made of 64-bit integers, not 0.5"),
    (lambda: Dense([[1, 1]], probability=Probability([1, 2])), ValueError,
     "levels of a probability must be a number or have the shape (1, 2), not (2,)"),
    (lambda: Dense([[1, 1]], probability=0.5), TypeError,
     "probability must be a Probability or None, not 0.5"),
])
def test_refuses(make, error, sentence):
    with pytest.raises(error) as refused:
        make()
    assert str(refused.value) == sentence


def test_fills_in_what_was_left_out():
    probability = Dense([[1, 1], [1, -1]], probability=Probability(128)).probability
    assert probability.levels.tolist() == [[128, 128], [128, 128]] and probability.levels.dtype == np.int16
    assert probability.seed == 0 and probability.draw is Draw.SYNAPSE
    with pytest.raises(ValueError, match="read-only"):
        probability.levels[0] = 1
