# amaranth: UnusedElaboratable=no
"""The core driver, proven by induction: what ends a window waits for the request's ``END``."""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Cover, Elaboratable, Module, ResetSignal, Signal
from firstspike.rtl.host.driver import CoreDriver
from firstspike.rtl.host.frames import PartKind
from firstspike.rtl.host.protocol import Command
from firstspike.rtl.streams.token import Kind
from harness.links import sample_facts
from harness.proofs import anything, assert_formal, refute_formal


class HeldBack(Elaboratable):
    """For any request in the order of its parts, any core, and an ``open`` that falls at any time, and where
    the request is refused.

    Neither an image's last level nor an end of window is offered before ``END``; each comes at most once
    after it, and nothing after that. What is offered to the core stays until it is taken or the core is in
    reset. Nothing is answered before ``END``.

    ``broken``: the request goes on after its last byte, or no end of window is to come.
    """

    def __init__(self, broken=None):
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        facts = sample_facts(size=2, levels=3, window=2, addresses=2, outputs=2, output_window=2)
        m.submodules.dut = dut = CoreDriver(facts, clock_hz=6_000_000, cycle_bits=8)
        part, token = dut.request.payload, dut.spikes.payload
        anything(m, dut.open, dut.request.valid, part, dut.answer.ready, dut.levels.ready, dut.spikes.ready,
                 dut.result.valid, dut.result.payload)

        # What framing promises.
        comes, last, levels, windows = Signal(PartKind), Signal(), Signal(), Signal()
        ended, gone = Signal(), Signal()        # END has come; the word that it set free is gone
        handed = dut.request.valid & dut.request.ready
        refused = Signal()
        m.d.sync += refused.eq(dut.refused)
        m.d.comb += Assume(~refused | ~dut.open)
        m.d.comb += Assume(~dut.request.valid | (dut.open & ~ended))
        with m.If(dut.request.valid):
            m.d.comb += Assume(part.kind == comes)
        with m.If(handed):
            with m.Switch(part.kind):
                with m.Case(PartKind.COMMAND):
                    m.d.sync += comes.eq(PartKind.LENGTH)
                    m.d.sync += levels.eq(part.byte[:2] == Command.LEVELS)
                    m.d.sync += windows.eq(part.byte[:2] == Command.SPIKES)
                with m.Case(PartKind.LENGTH):
                    m.d.sync += comes.eq(PartKind.DATA)
                    with m.If(part.left == 0):
                        m.d.sync += comes.eq(PartKind.END)
                with m.Case(PartKind.DATA):
                    with m.If(part.left == 1):
                        m.d.sync += last.eq(1)
                        if self.broken != "goes on":
                            m.d.sync += comes.eq(PartKind.END)
                with m.Case(PartKind.END):
                    m.d.sync += ended.eq(1)
        with m.If(~dut.open | dut.core_reset):
            m.d.sync += comes.eq(PartKind.COMMAND), last.eq(0), ended.eq(0), gone.eq(0)

        offered = dut.levels.valid | dut.spikes.valid
        taken = (dut.levels.valid & dut.levels.ready) | (dut.spikes.valid & dut.spikes.ready)
        with m.If(offered & ~dut.core_reset):
            m.d.comb += [
                Assert(~gone), Assert(~(dut.levels.valid & dut.spikes.valid)),
                Assert(~dut.levels.valid | levels), Assert(~dut.spikes.valid | windows),
                Assert(~(dut.levels.valid & last) | ended),
                Assert(~(dut.spikes.valid & ended) | (token.kind == Kind.WINDOW)),
                Assert(~dut.levels.valid | (dut.levels.payload < facts.levels) | ~dut.open),
            ]
            if self.broken != "lawful":
                m.d.comb += Assert(~(dut.spikes.valid & (token.kind == Kind.WINDOW)) | ended)
            else:
                m.d.comb += Assert(~(dut.spikes.valid & (token.kind == Kind.WINDOW)))
            with m.If(taken & ended & dut.open):
                m.d.sync += gone.eq(1)
        with m.If(dut.answer.valid & ~dut.core_reset):
            m.d.comb += Assert(ended | ~dut.open)

        # How the driver keeps it.
        looked_at = Signal(2)       # the word: fresh, judged
        m.d.sync += looked_at.eq(Cat(handed & (part.kind == PartKind.DATA), looked_at[0]))
        with m.If(~dut.core_reset):
            with m.If(last & levels & ~looked_at.any() & ~ended):
                m.d.comb += Assert((dut.levels.payload < facts.levels) | ~dut.open)
            m.d.comb += Assert(~gone | (ended & ~dut.pending)), Assert(~ended | (comes == PartKind.END))
            m.d.comb += Assert(ended | ~(dut.running | dut.answering))
            m.d.comb += Assert(~last | (comes == PartKind.END)) if self.broken != "goes on" else []
            with m.If(levels & (comes == PartKind.END) & ~last):     # an image without levels is refused
                m.d.comb += Assert(dut.refused | ~dut.open)
            with m.If(ended & ~gone & (levels | windows)):
                m.d.comb += Assert(dut.pending & dut.running)
            with m.If(comes != PartKind.COMMAND):
                m.d.comb += Assert(levels == (dut.command == Command.LEVELS))
                m.d.comb += Assert(windows == (dut.command == Command.SPIKES))

        waits, level, word = Signal(), Signal.like(dut.levels.payload), Signal.like(token)
        m.d.sync += [
            waits.eq(offered & ~taken & ~dut.core_reset), level.eq(dut.levels.payload), word.eq(token)]
        with m.If(waits & ~dut.core_reset):
            m.d.comb += Assert(offered), Assert(~dut.levels.valid | (dut.levels.payload == level))
            m.d.comb += Assert(~dut.spikes.valid | (token.as_value() == word.as_value()))

        m.d.comb += Cover(~ResetSignal() & gone & levels & dut.answer.valid & dut.answer.ready)
        return m


def test_what_ends_a_window_is_held_back():
    assert_formal(HeldBack(), "prove", 5)


def test_it_can_be_seen():
    assert_formal(HeldBack(), "cover", 20)


@pytest.mark.parametrize("broken", ["goes on", "lawful"])
def test_what_is_broken_is_seen(broken):
    refute_formal(HeldBack(broken), "bmc", 16)
