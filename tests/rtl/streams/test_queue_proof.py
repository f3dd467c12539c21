# amaranth: UnusedElaboratable=no
"""The queue, proven by induction: nothing is lost, doubled or changed, and what has its place kept fits."""

from types import SimpleNamespace

import pytest
from amaranth.hdl import Array, Assert, Assume, Cover, Elaboratable, Module, ResetSignal, Signal
from firstspike.rtl.streams import queue
from firstspike.rtl.streams.queue import DEPTH, Queue
from harness.proofs import OpenedUp, anything, assert_formal, holds, refute_formal


class OpenMemory(Elaboratable):
    """A memory whose rows the proof may speak of; any words at power-up."""

    def __init__(self, *, shape, depth, init):
        self.rows = [Signal(shape, name=f"row_{row}", reset_less=True) for row in range(depth)]
        self.write = SimpleNamespace(en=Signal(), addr=Signal(range(depth)), data=Signal(shape))
        self.read = SimpleNamespace(addr=Signal(range(depth)), data=Signal(shape))

    def write_port(self):
        return self.write

    def read_port(self, *, domain):
        assert domain == "comb"
        return self.read

    def elaborate(self, platform):
        m = Module()
        for place, row in enumerate(self.rows):
            with m.If(self.write.en & (self.write.addr == place)):
                m.d.sync += row.eq(self.write.data)
        m.d.comb += self.read.data.eq(Array(self.rows)[self.read.addr])
        return m


class Kept(Elaboratable):
    """Places are kept where there is room, and each put follows whenever it likes.

    Any one entry is followed from its put to its way out: it keeps its value, comes out when all before it
    have, and then once. ``careless``: places are kept without a look at the room; nothing leaves.
    """

    def __init__(self, careless=False):
        self.careless = careless

    def elaborate(self, platform):
        m = Module()
        dut = Queue(1)
        m.submodules.dut = opened = OpenedUp(dut)
        cells, kept = opened.submodule("cells"), opened["kept"]
        head, tail = cells.read.addr, cells.write.addr
        anything(m, dut.keep, dut.put, dut.entry, dut.o.ready)
        holds(m, dut.o)

        # What the queue is promised, and what it keeps count of.
        due, level = Signal(5), Signal(4)    # kept and not put; in memory
        m.d.sync += due.eq(due + dut.keep - dut.put)
        m.d.comb += [
            Assume(~dut.put | (due != 0)), level.eq(tail - head),
            Assert(kept == level + due), Assert(level + due <= DEPTH), Assert(dut.room == (kept != DEPTH)),
        ]
        if self.careless:   # the solver need not look for the way there
            m.d.comb += Assume(dut.keep & ~dut.o.ready & ~ResetSignal() & (dut.put == (due != 0)))
        else:
            m.d.comb += Assume(~dut.keep | dut.room)

        # One entry of all: its value, its row, and how many are before it.
        follow, follows = Signal(), Signal()
        value, row, before = Signal(), Signal(4), Signal(5)
        anything(m, follow)
        got = dut.o.valid & dut.o.ready
        m.d.sync += before.eq(before - got)
        with m.If(got & (before == 0)):
            m.d.sync += follows.eq(0)
        with m.If(dut.put & follow & ~follows):
            m.d.sync += [
                follows.eq(1), value.eq(dut.entry), row.eq(tail), before.eq(level + dut.o.valid - got)]
        waits = Signal(4)
        m.d.comb += waits.eq(row - head)
        with m.If(follows):
            m.d.comb += Assert(before < level + dut.o.valid)
            with m.If(before < dut.o.valid):
                m.d.comb += Assert(dut.o.payload == value)
            with m.Else():
                m.d.comb += Assert(Array(cells.rows)[row] == value), Assert(waits == before - dut.o.valid)
        m.d.comb += [
            Cover(~ResetSignal() & follows & (before == 0) & got & value),
            Cover(~ResetSignal() & follows & (before == 3) & (due == 2) & dut.keep & dut.put),
        ]
        return m


@pytest.fixture(autouse=True)
def _open(monkeypatch):
    monkeypatch.setattr(queue, "memory", SimpleNamespace(Memory=OpenMemory))


def test_nothing_is_lost():
    assert_formal(Kept(), "prove", 2)


def test_an_entry_comes_out():
    assert_formal(Kept(), "cover", 12)


def test_what_is_broken_is_seen():
    refute_formal(Kept(careless=True), "bmc", DEPTH + 4)
