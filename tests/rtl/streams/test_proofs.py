# amaranth: UnusedElaboratable=no
"""What the spikes of a layer pass through, proven by induction, so for any number of cycles."""

import pytest
from amaranth.hdl import Assert, Assume, Cover, Elaboratable, Module, Signal
from firstspike.rtl.event.drain import Drain
from firstspike.rtl.streams.buffer import Buffer
from firstspike.rtl.streams.token import Kind, Token
from harness.proofs import OpenedUp, anything, assert_formal, holds, refute_formal


class Queue(Elaboratable):
    """A buffer is a queue of two: what comes in goes out, unchanged, in order, once."""

    def __init__(self, buffer, room=2):
        self.buffer = buffer
        self.room = room

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = opened = OpenedUp(self.buffer)
        i, o = self.buffer.i, self.buffer.o
        anything(m, i.valid, i.payload, o.ready)
        holds(m, o)
        put, got = i.valid & i.ready, o.valid & o.ready
        count, first, second = Signal(2), Signal(4), Signal(4)
        m.d.sync += count.eq(count + put - got)
        with m.If(put & (count == got)):
            m.d.sync += first.eq(i.payload)
        with m.Elif(got):
            m.d.sync += first.eq(second)
        with m.If(put):
            m.d.sync += second.eq(i.payload)
        m.d.comb += [
            Assert(count <= self.room), Assert(o.valid == (count != 0)), Assert(i.ready == (count != 2)),
            Assert(~o.valid | (o.payload == first)), Assert((count != 2) | (opened["spare"] == second)),
            Assert(opened["spare_valid"] == (count == 2)),
            Cover((count == 2) & got & (first != second)),
        ]
        return m


def test_buffer():
    assert_formal(Queue(Buffer(4)), "prove", 3)
    assert_formal(Queue(Buffer(4)), "cover", 6)
    refute_formal(Queue(Buffer(4), room=1), "bmc", 6)


class Merged(Elaboratable):
    """A drain puts into its buffer, in each cycle, just what it takes: a spike of either side, or both ends.

    ``first``: whether it should be the first of its chain, which has only its own side.
    """

    def __init__(self, drain, first):
        self.drain = drain
        self.first = first

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = opened = OpenedUp(self.drain)
        before, own, out = self.drain.before, self.drain.own, opened.submodule("buffer").i
        anything(m, before.valid, before.payload, own.valid, own.payload, self.drain.decided,
                 self.drain.tokens.ready)
        holds(m, self.drain.tokens)
        mine = own.payload
        dropped = self.drain.decided.bit_select(mine.tag, 1) & ~mine.end
        other = before.valid & before.ready & (not self.first)
        self_spike = own.valid & own.ready & ~mine.end & ~dropped
        self_end = own.valid & own.ready & mine.end
        other_spike = other & (before.payload.kind == Kind.SPIKE)
        other_end = other & (before.payload.kind != Kind.SPIKE)
        if self.first:
            other_end = self_end
        put = out.valid & out.ready
        m.d.comb += [
            Assert(put == (self_spike | self_end | other_spike)),
            Assert(self_spike + self_end + other_spike <= 1),
            Assert(self_end == other_end),
        ]
        with m.If(other_spike):
            m.d.comb += Assert(out.payload.as_value() == before.payload.as_value())
        with m.If(self_spike):
            m.d.comb += [
                Assert(out.payload.kind == Kind.SPIKE), Assert(out.payload.step == mine.step),
                Assert(out.payload.address == mine.address),
                Assert(out.payload.tag == mine.tag),
            ]
        with m.If(self_end):
            m.d.comb += [
                Assert((out.payload.kind == Kind.WINDOW) == mine.window),
                Assert((out.payload.kind == Kind.STEP) == ~mine.window),
                Assert(out.payload.step == mine.step), Assert(out.payload.tag == mine.tag),
            ]

        if self.drain.token.potential_bits:     # a layer that is read
            began, window = Signal(), Signal()  # own spikes have the window of their end
            passed, lost = Signal(), Signal()   # since the last own end spikes have passed; were dropped
            m.d.comb += [Assume(~began | (mine.window == window)), Assert((opened["some"] == passed) | lost),
                         Assert(began | ~(passed | lost)), Assert(~(passed & window))]
            with m.If(own.valid & own.ready):
                m.d.sync += [
                    began.eq(~mine.end), window.eq(mine.window), lost.eq(~mine.end & (lost | dropped)),
                    passed.eq(~mine.end & (passed | (~mine.window & ~dropped))),
                ]
            with m.If(self_spike):
                m.d.comb += Assert(out.payload.potential == mine.potential.as_signed())
                m.d.comb += Assert(out.payload.dump == mine.window)
            with m.If(self_end):
                some = 0 if self.first else before.payload.some
                m.d.comb += Assert((out.payload.some == (passed | some)) | lost)
                m.d.comb += Cover(passed & ~some & ~lost)

        # And it takes what it can: nothing waits but for the buffer, a spike of the other side, or its end.
        spike = before.valid & (before.payload.kind == Kind.SPIKE) & (not self.first)
        end = (before.valid & (before.payload.kind != Kind.SPIKE)) | self.first
        m.d.comb += [
            Assert(other_spike | ~(spike & out.ready)),
            Assert((own.valid & own.ready) | ~(own.valid & dropped)),
            Assert(self_spike | ~(own.valid & ~mine.end & ~dropped & ~spike & out.ready)),
            Assert(self_end | ~(own.valid & mine.end & end & out.ready)),
            Cover(self_end), Cover(self_spike), Cover(own.valid & dropped),
        ]
        if not self.first:
            m.d.comb += Cover(other_spike & own.valid & mine.end)
        return m


@pytest.mark.parametrize("bits", [0, 3], ids=["", "read"])
@pytest.mark.parametrize("first", [False, True])
def test_drain(first, bits):
    def drain(first):
        return Drain(Token(6, 3, tagged=True, potential_bits=bits), first=first)

    assert_formal(Merged(drain(first), first), "prove", 3)
    assert_formal(Merged(drain(first), first), "cover", 6)
    refute_formal(Merged(drain(not first), first), "bmc", 6)
