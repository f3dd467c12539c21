"""Where a column's spikes join those of the columns before it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .buffer import Buffer
from .stream import Kind, Token

__all__ = ["Drain", "Mark", "OwnSpike"]


class Mark(data.StructLayout):
    """Layout of the end that a column has reached: of a step or, where ``window``, of the window."""

    def __init__(self, token: Token):
        super().__init__({"window": 1, "step": range(token.window), "tag": 1 if token.tagged else 0})


class OwnSpike(data.StructLayout):
    """Layout of a column's own spike: its address and, where the layer is read, its potential."""

    def __init__(self, token: Token):
        super().__init__({"address": range(token.addresses), "potential": token.potential_bits})


class Drain(wiring.Component):
    """Merges a column's own spikes with the stream of the columns before it.

    Spikes pass as they come. An end passes when both sides have reached it: then it is *the* end of both,
    so nothing moves from one step to another. In an unordered stream (``ordered`` false) ends of steps are
    swallowed and only the window is a barrier.

    Latency 1 cycle, throughput 1 token a cycle; all outputs but ``before.ready``, ``spike.ready`` and
    ``mark.ready`` are registers.

    Parameters
    ----------
    token : :class:`~.stream.Token`
    first : :class:`bool`
        Whether there is no column before this one.
    ordered : :class:`bool`

    Members
    -------
    before : ``In(stream.Signature(token))``
    spike : ``In(stream.Signature(OwnSpike(token)))``
    quiet : ``In(1)``
        Whether no own spike is left of those that belong before the mark.
    mark : ``In(stream.Signature(Mark(token)))``
        Valid from the cycle on in which the spikes before it can be on offer or ``quiet`` is low.
    tokens : ``Out(stream.Signature(token))``
    """

    def __init__(self, token: Token, *, first: bool, ordered: bool):
        self.token = token
        self.first = first
        self.ordered = ordered
        super().__init__({
            "before": In(stream.Signature(token)),
            "spike": In(stream.Signature(OwnSpike(token))),
            "quiet": In(1),
            "mark": In(stream.Signature(Mark(token))),
            "tokens": Out(stream.Signature(token)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = Buffer(self.token)
        wiring.connect(m, wiring.flipped(self.tokens), buffer.o)
        out, before, mark = buffer.i.payload, self.before.payload, self.mark.payload
        read = bool(self.token.potential_bits)

        before_spike = Signal()
        before_end = Signal()
        if self.first:
            m.d.comb += before_end.eq(1)
        else:
            m.d.comb += [
                before_spike.eq(self.before.valid & (before.kind == Kind.SPIKE)),
                before_end.eq(self.before.valid & (before.kind != Kind.SPIKE)),
            ]
        some = Signal()   # an own spike passed since the last end

        with m.If(before_spike):
            m.d.comb += buffer.i.valid.eq(1), out.eq(before), self.before.ready.eq(buffer.i.ready)
        with m.Elif(self.spike.valid):
            m.d.comb += [
                buffer.i.valid.eq(1), self.spike.ready.eq(buffer.i.ready),
                out.kind.eq(Kind.SPIKE), out.address.eq(self.spike.payload.address),
                out.step.eq(mark.step), out.tag.eq(mark.tag),
            ]
            if read:
                m.d.comb += out.potential.eq(self.spike.payload.potential), out.dump.eq(mark.window)
            with m.If(buffer.i.ready):
                m.d.sync += some.eq(~mark.window)
        with m.Elif(self.mark.valid & self.quiet):
            swallow = Signal()
            if not self.ordered:
                m.d.comb += swallow.eq(~mark.window)
            with m.If(swallow):
                m.d.comb += self.mark.ready.eq(1)
            with m.Elif(before_end):
                m.d.comb += [
                    buffer.i.valid.eq(1), self.mark.ready.eq(buffer.i.ready),
                    self.before.ready.eq(buffer.i.ready),
                    out.step.eq(mark.step), out.tag.eq(mark.tag),
                ]
                with m.If(mark.window):
                    m.d.comb += out.kind.eq(Kind.WINDOW)
                with m.Else():
                    m.d.comb += out.kind.eq(Kind.STEP)
                if read:
                    m.d.comb += out.some.eq(some | (0 if self.first else before.some))
                with m.If(buffer.i.ready):
                    m.d.sync += some.eq(0)
        return m
