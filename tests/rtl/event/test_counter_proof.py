# amaranth: UnusedElaboratable=no
"""Counters that share a carry chain are each a counter of its own, proven by induction."""

import pytest
from amaranth.hdl import Assert, Cat, Cover, Elaboratable, Module, Mux, Signal, signed
from firstspike.rtl.event.counter import Counters
from harness.proofs import anything, assert_formal, refute_formal


class Alone(Elaboratable):
    """Each value is that of a register that goes up or down by one, whatever the others do.

    ``broken``: "carry": the lowest bit lets through what is carried; "restart": a move goes before it.
    """

    def __init__(self, starts, width, together, broken=None):
        self.starts = starts
        self.width = width
        self.together = together
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        moves, starts, ups = Signal(), Signal(), Signal(len(self.starts))
        anything(m, moves, starts, ups)
        counters = Counters(self.starts, self.width, self.together)
        if self.broken == "carry":      # the same bit in the minuend and, not inverted, in the subtrahend
            counters._odd, counters._even = counters._even, counters._odd
        counters.add(m, moves=moves, starts=starts if self.broken != "restart" else starts & ~moves, ups=ups)
        references = []
        for n, start in enumerate(self.starts):
            reference = Signal(signed(self.width), init=start, name=f"reference_{n}")
            with m.If(moves):
                m.d.sync += reference.eq(Mux(ups[n], reference + 1, reference - 1))
            with m.If(starts):
                m.d.sync += reference.eq(start)
            references.append(reference)
            m.d.comb += Assert(counters.values[n] == reference)
        top, bottom = (1 << self.width - 1) - 1, -(1 << self.width - 1)
        m.d.comb += [
            Assert(counters._odd != counters._even),
            Cover((references[0] == top) & ups[0] & moves & (references[1] < 0)),
            Cover((references[1] == bottom) & ~ups[1] & moves & ~starts & (references[0] != self.starts[0])),
            Cover(starts & moves & Cat(value != start for value, start in zip(
                references, self.starts, strict=True)).all()),
        ]
        return m


@pytest.mark.parametrize("together", range(1, 6))
def test_each_counts_alone(together):
    assert_formal(Alone((2, -1, 1, -4, 0), 3, together), "prove", 1)


def test_covers_are_reached():
    assert_formal(Alone((0, 1, -2), 3, 3), "cover", 12)


@pytest.mark.parametrize("broken", ["carry", "restart"])
def test_what_is_broken_is_seen(broken):
    refute_formal(Alone((2, -2, 1), 3, 3, broken), "bmc", 6)
