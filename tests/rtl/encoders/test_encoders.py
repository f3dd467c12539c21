# amaranth: UnusedElaboratable=no
"""All encoders against plain models, under random stalls, drops and resets."""

import random

import pytest
from firstspike.rtl.encoders import (
    BitsEncoder,
    DirectEncoder,
    LatencyEncoder,
    WindowedBitsEncoder,
    WindowedDirectEncoder,
    WindowedLatencyEncoder,
)
from harness.encoders import Session, bits_spikes, check, direct_spikes, encode, latency_spikes


def random_mask(rng, longest=20):
    mask = [rng.random() < 0.75 for _ in range(rng.randint(1, longest))]
    mask[rng.randrange(len(mask))] = True
    return mask


class Case:
    """An encoder of random parameters, its model, and images for it; ``online``, ``values`` as in check."""

    def __init__(self, kind, rng):
        self.rng = rng
        self.mask = random_mask(rng)
        self.kind, _, variant = kind.partition(" ")
        self.online = variant != "windowed"
        self.values = self.kind == "direct"
        options = {} if not self.online else {
            "buffers": int(variant[0]), "read_latency": int(variant[2])}
        self.levels, self.window = rng.randint(1, 40), rng.randint(1, 6)
        self.silence = rng.choice([0.2, 0.6, 0.95])
        if self.kind == "latency":
            self.table = [-1] + [rng.randrange(-1, self.window) for _ in range(self.levels - 1)]
            make = LatencyEncoder if self.online else WindowedLatencyEncoder
            self.encoder = make(self.table, self.window, self.mask, **options)
        elif self.kind == "direct":
            make = DirectEncoder if self.online else WindowedDirectEncoder
            self.encoder = make(self.levels, self.window, self.mask, **options)
        else:
            self.levels = 1 << self.window
            make = BitsEncoder if self.online else WindowedBitsEncoder
            self.encoder = make(self.window, self.mask, **options)

    def images(self, count):
        return [[0 if self.rng.random() < self.silence else self.rng.randrange(self.levels)
                 for _ in self.mask] for _ in range(count)]

    def spikes(self, image):
        if self.kind == "latency":
            return latency_spikes(image, self.mask, self.table)
        if self.kind == "direct":
            return direct_spikes(image, self.mask, self.window)
        return bits_spikes(image, self.mask, self.window)

    def check(self, images, run):
        assert len(run.windows) == len(images)
        for image, window in zip(images, run.windows, strict=True):
            check(window, self.spikes(image), online=self.online, values=self.values)


KINDS = ["latency windowed", "direct windowed", "bits windowed"] + [
    f"{kind} {buffers}x{latency}" for kind in ("direct", "bits") for buffers in (1, 2) for latency in (1, 2)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_encodes(kind, seed):
    case = Case(kind, random.Random(f"{kind} {seed}"))
    sent = [case.images(4) for _ in range(4)]
    stalls = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4)]
    sessions = [Session(images, gap=gap, stall=stall, seed=seed)
                for images, (gap, stall) in zip(sent, stalls, strict=True)]
    for images, run in zip(sent, encode(case.encoder, *sessions), strict=True):
        case.check(images, run)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pulse", [False, True])
def test_drops(kind, pulse):
    rng = random.Random(f"{kind} {pulse}")
    dropped = 0
    for seed in range(4):
        case = Case(kind, rng)
        images = case.images(10)
        (run,) = encode(case.encoder, Session(images, gap=0.1, stall=0.3, drop=0.05, pulse=pulse, seed=seed))
        case.check(images, run)
        dropped += sum(window.kept is not None for window in run.windows)
    assert dropped > 4


@pytest.mark.parametrize("kind", KINDS)
def test_begins_anew_after_a_reset(kind):
    rng = random.Random(kind)
    for seed in range(2):
        case = Case(kind, rng)
        cut, last = [case.images(8) for _ in range(8)], case.images(3)
        sessions = [Session(images, stall=0.2, drop=0.02, pulse=True, seed=seed,
                            reset_at=rng.randint(0, 3 * len(case.mask))) for images in cut]
        runs = encode(case.encoder, *sessions, Session(last, gap=0.2, stall=0.2, seed=seed))
        for images, run in zip(cut, runs, strict=False):
            case.check(images[:len(run.windows)], run)
        case.check(last, runs[-1])


def test_a_level_beyond_the_table_is_silent():
    for make in (LatencyEncoder, WindowedLatencyEncoder):
        (run,) = encode(make([0, 1, 2], 3, [True] * 4), Session([[3, 2, 3, 0]]))
        spikes = [token[1:3] for token in run.windows[0].tokens if token[0].name == "SPIKE"]
        assert sorted(spikes) == [(1, 2), (3, 0)]


@pytest.mark.parametrize("make, step_of", [
    (lambda mask: WindowedLatencyEncoder([3, 2, 1, 0], 4, mask), 1),
    (lambda mask: WindowedDirectEncoder(16, 5, mask), 5),
    (lambda mask: WindowedBitsEncoder(4, mask), 4),
])
def test_windowed_takes_a_cycle_a_spike(make, step_of):
    size = 12
    encoder = make([True] * size)
    loud = (1 << encoder.level_bits) - 1
    (run,) = encode(encoder, Session([[loud] * size] * 3))
    window = run.windows[0]
    assert window.cycles == list(range(2, 2 + size * step_of)), "two cycles to the first, then one each"
    for index, window in enumerate(run.windows):
        assert window.end == 1 + (index + 1) * (size * step_of + 1)


def test_windowed_takes_a_cycle_a_silent_level():
    size = 30
    encoder = WindowedLatencyEncoder([-1, 0], 4, [i % 3 != 0 for i in range(size)])
    (run,) = encode(encoder, Session([[0] * size, [1] + [0] * (size - 1)] * 3))
    assert run.levels == list(range(6 * size)), "masked and silent levels cost a cycle each, WINDOW nothing"
    assert [window.end for window in run.windows] == [1 + size * (i + 1) for i in range(6)]


@pytest.mark.parametrize("latency", [1, 2])
def test_replay_takes_a_cycle_a_level_and_step(latency):
    size, window = 20, 4
    image = [3] * 5 + [0] * (size - 5)
    encoder = DirectEncoder(4, window, [True] * size, read_latency=latency)
    (run,) = encode(encoder, Session([image, image]))
    first, second = run.windows
    assert first.cycles[0] == size - 1 + 3 + latency
    assert first.cycles == list(range(first.cycles[0], first.cycles[0] + window * 6))
    assert first.end == first.cycles[-1] + 1
    assert run.levels[size + 1:] == list(range(first.end, first.end + size - 1))
    assert second.cycles[0] == run.levels[-1] + 3 + latency


@pytest.mark.parametrize("latency", [1, 2])
def test_replay_with_two_buffers_never_stops_taking(latency):
    size, window = 40, 3
    image = [1] * 10 + [0] * (size - 10)
    encoder = DirectEncoder(2, window, [True] * size, buffers=2, read_latency=latency)
    (run,) = encode(encoder, Session([image] * 5))
    assert run.levels == list(range(5 * size))


@pytest.mark.parametrize("make", [
    lambda **options: LatencyEncoder([0], 1, [True], **options),
    lambda **options: DirectEncoder(4, 2, [True], **options),
    lambda **options: BitsEncoder(4, [True], **options),
])
def test_wrong_memory(make):
    with pytest.raises(ValueError, match=r"^Buffers must be 1 or 2, not 3$"):
        make(buffers=3)
    with pytest.raises(ValueError, match=r"^Read latency must be 1 or 2, not 0$"):
        make(read_latency=0)


def test_wrong_parameters():
    with pytest.raises(ValueError, match=r"^Width must be a positive integer, not 0$"):
        BitsEncoder(0, [True])
    with pytest.raises(ValueError, match=r"^Levels must be a positive integer, not -1$"):
        DirectEncoder(-1, 2, [True])
    with pytest.raises(TypeError, match=r"^Window must be a positive integer, not True$"):
        WindowedDirectEncoder(4, True, [True])
    with pytest.raises(ValueError, match=r"^Mask must leave in at least one of 2 inputs$"):
        WindowedBitsEncoder(4, [False, False])
    with pytest.raises(ValueError, match=r"^Step must be -1 or in 0 ... 1, not -2 \(level 0\)$"):
        WindowedLatencyEncoder([-2], 2, [True])
