# amaranth: UnusedElaboratable=no
"""The latency encoder of an online first layer against a plain model, cycle by cycle."""

import random

import pytest
from firstspike.rtl.encoders.latency import LatencyEncoder
from harness.encoders import Session, check, encode, latency_spikes
from harness.memories import Careless

SHAPES = [(buffers, latency) for buffers in (1, 2) for latency in (1, 2)]


def random_case(rng, **options):
    """An encoder of random size, mask and table, and a function that makes images for it."""
    size, window, levels = rng.randint(1, 24), rng.randint(1, 9), rng.randint(1, 20)
    mask = [rng.random() < 0.8 for _ in range(size)]
    mask[rng.randrange(size)] = True
    silence = rng.choice([0.0, 0.3, 0.9])
    table = [-1 if rng.random() < silence else rng.randrange(window) for _ in range(levels)]
    encoder = LatencyEncoder(table, window, mask, **options)

    def images(count):
        return [[rng.randrange(levels) for _ in range(size)] for _ in range(count)]

    return encoder, images


def check_all(encoder, images, run):
    assert len(run.windows) == len(images)
    for image, window in zip(images, run.windows, strict=True):
        check(window, latency_spikes(image, encoder.mask, encoder.table), online=True)


@pytest.mark.parametrize("buffers, latency", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_sorts(buffers, latency, seed, platform=None):
    rng = random.Random(f"{buffers} {latency} {seed}")
    encoder, images = random_case(rng, buffers=buffers, read_latency=latency)
    sent = [images(4) for _ in range(4)]
    stalls = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4)]
    sessions = [Session(batch, gap=gap, stall=stall, seed=seed)
                for batch, (gap, stall) in zip(sent, stalls, strict=True)]
    for batch, run in zip(sent, encode(encoder, *sessions, platform=platform), strict=True):
        check_all(encoder, batch, run)


@pytest.mark.parametrize("buffers, latency", SHAPES)
@pytest.mark.parametrize("pulse", [False, True])
def test_drop(buffers, latency, pulse, platform=None):
    rng = random.Random(f"{buffers} {latency} {pulse}")
    dropped = 0
    for seed in range(4):
        encoder, images = random_case(rng, buffers=buffers, read_latency=latency)
        batch = images(12)
        session = Session(batch, stall=0.3, drop=0.05, pulse=pulse, seed=seed)
        (run,) = encode(encoder, session, platform=platform)
        check_all(encoder, batch, run)
        dropped += sum(window.kept is not None for window in run.windows)
    assert dropped > 4


@pytest.mark.parametrize("buffers, latency", SHAPES)
def test_reset_in_the_middle(buffers, latency, platform=None):
    rng = random.Random(f"{buffers} {latency}")
    for seed in range(3):
        encoder, images = random_case(rng, buffers=buffers, read_latency=latency)
        cut = [images(6) for _ in range(8)]
        last = images(3)
        sessions = [Session(batch, stall=0.2, reset_at=rng.randint(0, 3 * encoder.size), seed=seed)
                    for batch in cut]
        runs = encode(encoder, *sessions, Session(last, gap=0.2, stall=0.2, seed=seed), platform=platform)
        for batch, run in zip(cut, runs, strict=False):
            check_all(encoder, batch[:len(run.windows)], run)
        check_all(encoder, last, runs[-1])


@pytest.mark.parametrize("latency", [1, 2])
def test_latency_and_throughput_with_one_buffer(latency):
    size, window = 40, 8
    table = [-1, 7, 6, 5, 4, 3, 2, 1, 0]
    encoder = LatencyEncoder(table, window, [True] * size, read_latency=latency)
    dense = [1 + i % 8 for i in range(size)]            # five spikes in every step
    late = [1] + [0] * (size - 1)                       # one spike, in the last step
    (settled, run) = encode(encoder, Session([dense]), Session([dense, late, dense]))

    assert settled.levels[0] == 0
    assert settled.levels[1] == window + latency
    first, second, third = run.windows
    assert run.levels[:size] == list(range(size)), "one level a cycle"
    assert first.cycles[0] == size - 1 + 3 + 2 * latency
    assert first.cycles == list(range(first.cycles[0], first.cycles[0] + 48)), "one token a cycle"
    assert first.end == first.cycles[-1] + 1
    assert run.levels[size + 1] == first.end, "the next image is taken from then on"
    assert run.levels[size + 1:2 * size] == list(range(first.end, first.end + size - 1))
    assert second.cycles[0] == run.levels[2 * size - 1] + 3 + 2 * latency + 7
    assert second.end == second.cycles[0] + 2
    assert third.cycles[0] == run.levels[-1] + 3 + 2 * latency


@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("levels_a_step", [1, 3])
def test_two_buffers_take_a_level_every_cycle(latency, levels_a_step):
    size, window, count = 60, 16, 6
    table = [-1, *(15 - level // levels_a_step for level in range(15 * levels_a_step))]
    encoder = LatencyEncoder(table, window, [True] * size, buffers=2, read_latency=latency)
    rng = random.Random(levels_a_step)
    images = [[rng.randrange(len(table)) if rng.random() < 0.4 else 0 for _ in range(size)]
              for _ in range(count)]
    _, run = encode(encoder, Session(images[:1]), Session(images))
    check_all(encoder, images, run)
    assert run.levels == list(range(count * size))


@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("spikes", [0, 1, 4, 10, 11, 12, 43, 44])
def test_a_drop_goes_straight_to_the_end(latency, spikes):
    size = 40
    encoder = LatencyEncoder([0, 1, 2, 3], 4, [True] * size, read_latency=latency)
    image = [i % 4 for i in range(size)]
    (whole,) = encode(encoder, Session([image]))
    begin = whole.windows[0].cycles[0]
    (run,) = encode(encoder, Session([image, image], drop_at=begin + spikes, pulse=True))
    window, following = run.windows
    assert len(window.tokens) == min(spikes + 1, 44)
    assert window.end == window.cycles[-1] + 1
    assert len(following.tokens) == 44


@pytest.mark.parametrize("buffers, latency", SHAPES)
def test_does_not_mind_what_a_read_gives_that_meets_a_write(buffers, latency):
    test_sorts(buffers, latency, 0, Careless())
    test_drop(buffers, latency, False, Careless())
    test_reset_in_the_middle(buffers, latency, Careless())


def test_wrong_parameters():
    with pytest.raises(ValueError, match=r"^Buffers must be 1 or 2, not 3$"):
        LatencyEncoder([0], 1, [True], buffers=3)
    with pytest.raises(ValueError, match=r"^Read latency must be 1 or 2, not 0$"):
        LatencyEncoder([0], 1, [True], read_latency=0)
    with pytest.raises(ValueError, match=r"^Window must be a positive integer, not 0$"):
        LatencyEncoder([0], 0, [True])
    with pytest.raises(TypeError, match=r"^Window must be a positive integer, not 1.5$"):
        LatencyEncoder([0], 1.5, [True])
    with pytest.raises(ValueError, match=r"^Step must be -1 or in 0 ... 3, not 4 \(level 1\)$"):
        LatencyEncoder([0, 4], 4, [True])
    with pytest.raises(ValueError, match=r"^Mask must leave in at least one of 2 inputs$"):
        LatencyEncoder([0], 1, [False, False])
    with pytest.raises(ValueError, match=r"^Table must have at least one level$"):
        LatencyEncoder([], 1, [True])
