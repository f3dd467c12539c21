# amaranth: UnusedElaboratable=no
"""The sequencer, checked for all orders of tokens: each spike is added once, in its own step, and each step
fires when it should; a decided window is left out but for its end."""

from dataclasses import dataclass

import pytest
from amaranth.hdl import Assert, Assume, Const, Cover, Elaboratable, Module, Mux, ResetSignal, Signal
from firstspike.rtl.event.op import OpKind
from firstspike.rtl.event.sequencer import Sequencer
from firstspike.rtl.streams.token import Kind, Token
from harness.proofs import anything, assert_formal, refute_formal

WINDOW = 3


@dataclass(frozen=True)
class Shape:
    """The parameters of a sequencer that its operations depend on."""

    online: bool = True
    fires: bool = True
    leaks: bool = False
    every_step: bool = True
    fires_at_start: bool = False
    tagged: bool = False
    closing: bool = False

    def sequencer(self):
        return Sequencer(Token(2, WINDOW, tagged=self.tagged), WINDOW, [1] * WINDOW, online=self.online,
                         fires=self.fires, leaks=self.leaks, every_step=self.every_step,
                         fires_at_start=self.fires_at_start, closing=self.closing)


class Ordered(Elaboratable):
    """What a layer relies on, for every lawful stream of tokens.

    ``broken``: a promise that is not kept.
    """

    def __init__(self, shape, broken=None):
        self.shape = shape
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        m.submodules.dut = dut = shape.sequencer()
        token, op = dut.tokens.payload, dut.ops.payload
        anything(m, dut.tokens.valid, dut.tokens.payload, dut.ops.ready, dut.decided)
        taken, done = dut.tokens.valid & dut.tokens.ready, dut.ops.valid & dut.ops.ready
        spike, step, window = (token.kind == kind for kind in (Kind.SPIKE, Kind.STEP, Kind.WINDOW))
        add, leak, fire, end = (done & (op.kind == kind)
                                for kind in (OpKind.ADD, OpKind.LEAK, OpKind.FIRE, OpKind.END))

        # The source: holds what it offers; online, steps rise: a spike closes those before its own, an end of
        # step its own as well. No end of step has to come.
        pending, offered = Signal(), Signal.like(token.as_value())
        closed = Signal(range(WINDOW + 1))
        m.d.sync += pending.eq(dut.tokens.valid & ~dut.tokens.ready), offered.eq(token.as_value())
        m.d.comb += Assume(~pending | (dut.tokens.valid & (token.as_value() == offered)))
        m.d.comb += Assume(spike | step | window), Assume(token.step < WINDOW)
        if shape.online:
            m.d.comb += Assume(window | (token.step >= closed))
        else:
            m.d.comb += Assume(~step)
        with m.If(taken & spike):
            m.d.sync += closed.eq(token.step)
        with m.If(taken & step):
            m.d.sync += closed.eq(token.step + 1)
        with m.If(taken & window):
            m.d.sync += closed.eq(0)

        # What is decided stays so until the window's end.
        dropping, dropped = Signal(), Signal()
        if shape.tagged:
            m.d.comb += Assume(token.tag == 0), Assume(~dropped | dut.decided[0])
            m.d.comb += dropping.eq(dut.decided[0])
            m.d.sync += dropped.eq(dropping & ~(taken & window))

        m.d.comb += [
            Assert(end == (taken & window)),
            Assert(add == (taken & spike & ~dropping)),
            Assert(~add | (op.address == token.address)),
        ]
        # What fires does so in ``op.step``: by a FIRE, or by an ADD that closes, which fires first.
        closes = add & op.closing if shape.closing and self.broken != "an add closes nothing" else Const(0)
        m.d.comb += Assert(~(done & ~add & op.closing) if shape.closing else 1)
        fires, leaked = Signal(range(WINDOW + 1)), Signal()     # steps that have fired; the next had its leak
        added, added_step = Signal(), Signal(range(WINDOW))     # a spike was added since, and its step
        fired = Signal(range(WINDOW + 1))                       # the same, after what closes has
        m.d.comb += fired.eq(Mux(closes, op.step + 1, fires))
        with m.If(fire | closes):
            m.d.comb += Assert(~dropping)
            m.d.sync += fires.eq(op.step + 1), added.eq(0)
            if shape.every_step:
                m.d.comb += Assert(op.step == fires)
            elif shape.online:
                m.d.comb += Assert(op.step >= fires), Assert(~added | (op.step == added_step))
                m.d.comb += Assert(added | ((op.step == 0) & shape.fires_at_start))
        with m.If(add):
            m.d.sync += added.eq(1), added_step.eq(token.step)
            if shape.online and shape.fires:
                m.d.comb += Assert(fires == token.step if shape.every_step else fired <= token.step)
                if not shape.every_step:    # what was added before has fired, unless it is of the same step
                    m.d.comb += Assert(~added | closes | (added_step == token.step))
                    m.d.comb += Assert(~closes | (op.step < token.step))
                if shape.closing:           # and takes no cycle to do so
                    m.d.comb += Assert(~added | (closes == (added_step != token.step)))
                if shape.fires_at_start:
                    m.d.comb += Assert((token.step == 0) | (fired != 0))
            else:
                m.d.comb += Assert(fires == 0)
        if not shape.fires:
            m.d.comb += Assert(~fire)
        if shape.closing:
            m.d.comb += Assert(~(fire & taken & spike))
        with m.If(end):
            m.d.sync += fires.eq(0), added.eq(0)
            if shape.fires and shape.every_step:
                m.d.comb += Assert((fires == WINDOW) | (dropping & (self.broken != "a drop fires all")))
            elif shape.fires and shape.online:
                m.d.comb += Assert(~added | dropping)
                if shape.fires_at_start:
                    m.d.comb += Assert((fires != 0) | dropping)
        if shape.leaks:
            m.d.comb += Assert(~leak | ~leaked), Assert(leaked | ~(fire | add))
            m.d.sync += leaked.eq((leaked | leak) & ~(fire | end))
        else:
            m.d.comb += Assert(~leak)
        if self.broken == "a spike fires at once":
            m.d.comb += Assert(~added | ~taken | window | step)

        full, windows = Signal(), Signal(2)
        m.d.sync += full.eq((full | (add & (token.step == WINDOW - 1))) & ~end)
        with m.If(end & full):
            m.d.sync += windows.eq(windows + 1)
        m.d.comb += Cover(~ResetSignal() & (windows == 1) & end & full)
        if shape.closing:
            m.d.comb += Cover(closes & added & (token.step > added_step + 1))
        return m


SHAPES = {
    "online, every step": Shape(),
    "online, leaks": Shape(leaks=True),
    "online, steps with spikes": Shape(every_step=False),
    "online, steps with spikes and the first": Shape(every_step=False, fires_at_start=True),
    "windowed": Shape(online=False),
    "windowed, never fires": Shape(online=False, fires=False, every_step=False),
    "online, never fires": Shape(fires=False, every_step=False),
    "online, closing adds": Shape(every_step=False, closing=True),
    "online, closing adds and the first step": Shape(every_step=False, fires_at_start=True, closing=True),
    "online, closing adds, early stop": Shape(every_step=False, closing=True, tagged=True),
    "online, early stop": Shape(tagged=True),
    "online, steps with spikes, early stop": Shape(every_step=False, tagged=True),
}


@pytest.mark.parametrize("name", SHAPES)
def test_order(name):
    assert_formal(Ordered(SHAPES[name]), "bmc", 12)
    assert_formal(Ordered(SHAPES[name]), "cover", 16)


@pytest.mark.parametrize("name, broken", [
    ("online, every step", "a spike fires at once"),
    ("windowed", "a spike fires at once"),
    ("online, early stop", "a drop fires all"),
    ("online, closing adds", "an add closes nothing"),
])
def test_what_is_broken_is_seen(name, broken):
    refute_formal(Ordered(SHAPES[name], broken), "bmc", 12)
