# amaranth: UnusedElaboratable=no
"""Counters that share a carry chain against plain integers."""

import random

import pytest
from amaranth.hdl import Module, ResetInserter, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from firstspike.rtl.event.counter import Counters
from harness.amaranth import simulate


class Lanes(wiring.Component):
    """Counters as a column has them."""

    def __init__(self, starts, width, together):
        self.counters = Counters(starts, width, together)
        self.width = width
        super().__init__({"moves": In(1), "starts": In(1), "ups": In(len(starts))} | {
            f"value_{n}": Out(signed(width)) for n in range(len(starts))})

    def values(self):
        return [getattr(self, f"value_{n}") for n in range(len(self.ups))]

    def elaborate(self, platform):
        m = Module()
        self.counters.add(m, moves=self.moves, starts=self.starts, ups=self.ups)
        m.d.comb += [out.eq(value) for out, value in zip(self.values(), self.counters.values, strict=True)]
        return m


def wrapped(value, width):
    return (value + (1 << width - 1)) % (1 << width) - (1 << width - 1)


def play(starts, width, together, script):
    """What is shown in each cycle of a script of (moves, starts, ups, reset), and what should be."""
    dut, reset, shown, wanted = Lanes(starts, width, together), Signal(), [], []
    values = list(starts)

    async def testbench(ctx):
        nonlocal values
        for moves, again, ups, clears in script:
            ctx.set(dut.moves, moves)
            ctx.set(dut.starts, again)
            ctx.set(dut.ups, sum(up << n for n, up in enumerate(ups)))
            ctx.set(reset, clears)
            _, _, *sampled = await ctx.tick().sample(*dut.values())
            shown.append(sampled)
            wanted.append(values)
            if moves:
                values = [wrapped(value + (1 if up else -1), width)
                          for value, up in zip(values, ups, strict=True)]
            if again or clears:
                values = list(starts)

    simulate(ResetInserter(reset)(dut), testbench)
    return shown, wanted


@pytest.mark.parametrize("together", range(1, 6))
@pytest.mark.parametrize("seed", range(3))
def test_counts(together, seed):
    """Random starts and widths, with restarts, in cycles that move and in such that do not; and resets."""
    rng = random.Random(f"{together} {seed}")
    for _ in range(4):
        width, count = rng.randint(2, 12), rng.randint(1, 13)
        half = 1 << width - 1
        starts = [rng.randrange(-half, half) for _ in range(count)]
        script = [(rng.random() < 0.8, rng.random() < 0.03, [rng.random() < 0.5 for _ in starts],
                   rng.random() < 0.01) for _ in range(200)]
        shown, wanted = play(starts, width, together, script)
        assert shown == wanted


@pytest.mark.parametrize("together", range(1, 6))
@pytest.mark.parametrize("starts", [(-1, 0, -8, 7, 3), (0, -1, 7, -8, -2)])
def test_nothing_is_carried_from_one_to_the_next(together, starts):
    """Each value goes all the way round while its neighbours go the other way; an overflow stays its own."""
    for pattern in ([1, 0, 1, 0, 1], [0, 1, 0, 1, 0], [1, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]):
        shown, wanted = play(starts, 4, together, [(1, 0, pattern, 0)] * 35)
        assert shown == wanted
        assert all(len({row[n] for row in shown}) == 16 for n in range(5))


def test_a_start_goes_before_a_move():
    shown, wanted = play((2, -3, 5), 5, 3, [(1, 0, [1, 0, 1], 0), (1, 1, [1, 1, 0], 0), (0, 0, [1] * 3, 0)])
    assert shown == wanted == [[2, -3, 5], [3, -4, 6], [2, -3, 5]]
