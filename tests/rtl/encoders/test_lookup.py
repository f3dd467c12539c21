# amaranth: UnusedElaboratable=no
"""The look-up table of the encoders: as logic and as ROM the same, and small where the table is simple."""

import random

import pytest
from firstspike.rtl.encoders.lookup import FAST, Lookup
from harness.amaranth import simulate


@pytest.mark.parametrize("block", [False, True], ids=["logic", "ROM"])
@pytest.mark.parametrize("rows, top", [(1, 5), (2, 1), (7, 0), (37, 9), (64, 1), (100, 2)])
def test_gives_the_word_a_cycle_later(block, rows, top):
    rng = random.Random(f"{rows} {top}")
    words = [rng.randint(0, top) for _ in range(rows)]
    cares = [rng.choice([~0, 1, 0]) for _ in range(rows)]
    lookup = Lookup(words, cares=cares, logic_limit=-1 if block else 10_000)
    assert lookup.block == block

    async def bench(ctx):
        expected = 0, 0
        for _ in range(4 * rows):
            address, enable = rng.randrange(rows), rng.random() < 0.7
            ctx.set(lookup.address, address)
            ctx.set(lookup.enable, enable)
            await ctx.tick()
            if enable:
                expected = words[address], cares[address]
            word, care = expected
            assert ctx.get(lookup.data) & care == word & care

    simulate(lookup, bench)


def test_stairs_cost_little_and_noise_much():
    stairs = [15 - (level >> 4) for level in range(256)]
    assert Lookup(stairs).cost <= 4, "each bit is an inverted address bit"
    assert not Lookup([min(level, 100) // 7 for level in range(256)]).block
    rng = random.Random(0)
    noise = [rng.randrange(32) for _ in range(256)]
    assert Lookup(noise).cost > 100
    assert Lookup(noise).block
    assert not Lookup(noise, logic_limit=FAST).block


def test_what_does_not_matter_costs_nothing():
    rng = random.Random(0)
    noise = [rng.randrange(32) for _ in range(256)]
    assert Lookup(noise, cares=[16 if level < 128 else 0 for level in range(256)]).cost < 32


def test_wrong_parameters():
    with pytest.raises(ValueError, match=r"^A table must be one or more non-negative integers$"):
        Lookup([])
    with pytest.raises(ValueError, match=r"^A table must be one or more non-negative integers$"):
        Lookup([1, -1])
    with pytest.raises(ValueError, match=r"^Cares must be as many as the 2 words, not 1$"):
        Lookup([1, 1], cares=[0])
