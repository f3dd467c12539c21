# amaranth: UnusedElaboratable=no
"""The readout, proven by induction: each window has one result, and it is the one that its tokens ask for."""

import pytest
from amaranth.hdl import (
    Array,
    Assert,
    Assume,
    Cat,
    Const,
    Cover,
    Elaboratable,
    Module,
    Mux,
    ResetSignal,
    Signal,
)
from firstspike.rtl.readout import Readout, ReadoutKind
from firstspike.rtl.streams.token import Kind, Token
from harness.proofs import OpenedUp, anything, assert_formal, holds, refute_formal

CLASSES, WINDOW = 3, 2


class Decides(Elaboratable):
    """The result is looked up at the end, among all that was heard; the readout keeps only the best so far.

    ``broken``: "tie": the higher index is wanted; "late": what fires after the deciding step takes part.
    """

    def __init__(self, kind, early_stop=False, broken=None):
        self.kind = kind
        self.early_stop = early_stop
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        dut = Readout(Token(CLASSES, WINDOW, tagged=self.early_stop, potential_bits=2), self.kind,
                      early_stop=self.early_stop)
        m.submodules.dut = opened = OpenedUp(dut)
        token, result = dut.tokens.payload, dut.result.payload
        anything(m, dut.tokens.valid, dut.tokens.payload, dut.result.ready, dut.stop_early)
        holds(m, dut.result)
        first_spike, count = self.kind is ReadoutKind.FIRST_SPIKE, self.kind is ReadoutKind.COUNT

        # What came of the window: potentials of those that fired in the first step with spikes, or, in its
        # place, at the window's end; spikes of each class.
        heard = [Signal(name=f"heard_{n}") for n in range(CLASSES)]
        potentials = [Signal.like(token.potential, name=f"potential_{n}") for n in range(CLASSES)]
        spikes = Array(Signal(range(WINDOW + 1), name=f"spikes_{n}") for n in range(CLASSES))
        open_ = Signal()        # spikes of a step that has not ended
        dumps = Signal()        # final potentials come
        settled, sent = Signal(), Signal()
        valid, label, step = Signal(), Signal(range(CLASSES)), Signal(range(WINDOW + 1))

        # A lawful source: a spike's step ends before any final potential; all of these come unless a spike
        # has decided; ends say whether there were spikes; one tag a window.
        is_spike, is_step, is_window = (token.kind == kind for kind in (Kind.SPIKE, Kind.STEP, Kind.WINDOW))
        fires, dump = is_spike & ~token.dump, is_spike & token.dump
        taken = Signal()
        m.d.comb += [
            taken.eq(dut.tokens.valid & dut.tokens.ready),
            Assume(is_spike | is_step | is_window), Assume(token.address < CLASSES),
            Assume(token.step < WINDOW), Assume(~(fires | is_step) | ~dumps),
            Assume(~open_ | ~(dump | is_window)), Assume(~is_step | (token.some == open_)),
            Assume(~is_window | Cat(heard).all() | settled),
            Assume(~fires | (spikes[token.address] != WINDOW)),
        ]
        if self.kind is ReadoutKind.POTENTIAL:
            m.d.comb += Assume(~fires)
        with m.If(taken & is_spike):
            if first_spike and self.broken != "late":
                takes_part = ~settled
            else:
                takes_part = Const(1) if first_spike else token.dump
            m.d.sync += open_.eq(fires), dumps.eq(dump)
            m.d.sync += spikes[token.address].eq(spikes[token.address] + fires)
            for n in range(CLASSES):
                with m.If(takes_part & (token.address == n)):
                    m.d.comb += Assume(~heard[n] | settled)
                    m.d.sync += heard[n].eq(1), potentials[n].eq(token.potential)

        # The best of all, the lower index last of all.
        best = Const(0, range(CLASSES))
        for n in range(1, CLASSES):
            more, as_many = Const(0), Const(1)
            if count:
                more, as_many = spikes[n] > spikes[best], spikes[n] == spikes[best]
            there, theirs = Array(heard)[best], Array(potentials)[best]
            higher = potentials[n] >= theirs if self.broken == "tie" else potentials[n] > theirs
            following = Signal(range(CLASSES), name=f"best_{n}")
            m.d.comb += following.eq(Mux(heard[n] & (~there | more | (as_many & higher)), n, best))
            best = following

        # When it goes out, and what.
        tag = token.tag[0] if self.early_stop else Const(0)
        decides, begun, whose = Signal(), Signal(), Signal()
        with m.If(valid & dut.result.ready):
            m.d.sync += valid.eq(0)
        m.d.sync += begun.eq(Mux(taken, ~is_window, begun))
        with m.If(taken):
            m.d.comb += Assume(~begun | (tag == whose))
            m.d.sync += whose.eq(tag)
        with m.If(taken & is_step):
            m.d.sync += open_.eq(0)
            if first_spike:
                with m.If(open_ & ~settled):
                    m.d.sync += settled.eq(1), label.eq(best), step.eq(token.step)
                    if self.early_stop:
                        m.d.comb += decides.eq(dut.stop_early)
                        m.d.sync += sent.eq(dut.stop_early)
        with m.If(taken & is_window):
            m.d.comb += decides.eq(~sent)
            with m.If(~settled):
                m.d.sync += label.eq(best), step.eq(WINDOW)
            m.d.sync += [Cat(heard).eq(0), Cat(*spikes).eq(0), dumps.eq(0), settled.eq(0), sent.eq(0)]
        with m.If(decides):
            m.d.comb += Assert(~valid | dut.result.ready)
            m.d.sync += valid.eq(1)
        m.d.comb += [
            Assert(dut.result.valid == valid),
            Assert(~(valid | (settled & ~sent)) | ((result.label == label) & (result.step == step))),
            Assert(dut.over == (taken & is_window)),
            Assert(dut.decided == Mux(sent, Mux(whose, 2, 1), 0)), Assert(~sent | settled),
            # Nothing waits but an end, and that only for a result before it.
            Assert(dut.tokens.ready | (~is_spike & valid & ~dut.result.ready)),
        ]

        # What the readout keeps: the best so far.
        m.d.comb += [
            Assert(opened["found"] == Cat(heard).any()), Assert(opened["settled"] == settled),
            Assert(opened["sent"] == sent), Assert(begun | ~sent),
        ]
        if first_spike:
            m.d.comb += Assert(opened["found"] | ~(open_ | settled))
        else:
            m.d.comb += Assert(opened["found"] == dumps), Assert(~settled)
        with m.If(opened["found"]):
            m.d.comb += Assert(opened["best"] == best)
            m.d.comb += Assert(opened["best_score"] == Array(potentials)[best])
        if count:
            m.d.comb += [Assert(opened[f"count_{n}"] == spikes[n]) for n in range(CLASSES)]
            m.d.comb += Assert(~opened["found"] | (opened["best_count"] == spikes[best]))

        # A tie; a result that waits while the next window comes to its end; a spike after the early stop.
        same = Cat(potential == potentials[0] for potential in potentials).all() & Cat(heard).all()
        running = ~ResetSignal() & dut.tokens.valid
        m.d.comb += [
            Cover(running & decides & same & (potentials[0] == -2)),
            Cover(running & valid & ~dut.result.ready & is_window & (label == 1) & (best == 2)),
        ]
        if self.early_stop:
            m.d.comb += Cover(running & sent & fires & (label == 2) & whose)
        return m


WAYS = pytest.mark.parametrize("kind, early_stop", [
    (ReadoutKind.FIRST_SPIKE, False), (ReadoutKind.FIRST_SPIKE, True), (ReadoutKind.POTENTIAL, False),
    (ReadoutKind.COUNT, False)], ids=["first spike", "early stop", "potential", "count"])


@WAYS
def test_each_window_has_its_result(kind, early_stop):
    assert_formal(Decides(kind, early_stop), "prove", 2)
    assert_formal(Decides(kind, early_stop), "cover", 14)


@pytest.mark.parametrize("kind, early_stop, broken", [
    (ReadoutKind.POTENTIAL, False, "tie"), (ReadoutKind.COUNT, False, "tie"),
    (ReadoutKind.FIRST_SPIKE, True, "late")])
def test_what_is_broken_is_seen(kind, early_stop, broken):
    refute_formal(Decides(kind, early_stop, broken), "bmc", 8)
