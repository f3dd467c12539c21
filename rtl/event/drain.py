"""Where a column's spikes join those of the columns before it."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..streams.buffer import Buffer
from ..streams.token import Kind, Token

__all__ = ["Drain", "OwnToken"]


class OwnToken(data.StructLayout):
    """Layout of what a column itself contributes: a spike, or where ``end`` the end of a step or ``window``.

    A spike has the step, window and tag of the end that follows it; one before the end of a window is no
    spike but a final potential.
    """

    def __init__(self, token: Token):
        super().__init__({
            "end": 1, "window": 1, "step": range(token.window), "tag": 1 if token.tagged else 0,
            "address": range(token.addresses), "potential": token.potential_bits,
        })


class Drain(wiring.Component):
    """Merges what a column contributes with the stream of the columns before it.

    Spikes pass as they come. An end passes when both sides have reached it: then it is *the* end of both,
    so nothing moves from one step to another. Spikes of a window that is decided are dropped.

    Latency 1 cycle, throughput 1 token a cycle.

    Parameters
    ----------
    token : :class:`~..streams.token.Token`
        Layout of the layer's output.
    first : :class:`bool`
        Whether there is no column before this one.

    Members
    -------
    before : ``In(stream.Signature(token))``
    own : ``In(stream.Signature(OwnToken(token)))``
    decided : ``In(2)``
    tokens : ``Out(stream.Signature(token))``
    """

    def __init__(self, token: Token, *, first: bool):
        self.token = token
        self.first = first
        super().__init__({
            "before": In(stream.Signature(token)),
            "own": In(stream.Signature(OwnToken(token))),
            "decided": In(2),
            "tokens": Out(stream.Signature(token)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = Buffer(self.token)
        wiring.connect(m, wiring.flipped(self.tokens), buffer.o)
        out, before = buffer.i.payload, self.before.payload
        read = bool(self.token.potential_bits)

        own, mine = self.own, self.own.payload
        before_spike = Signal()
        before_end = Signal(init=1)
        if not self.first:
            m.d.comb += [
                before_spike.eq(self.before.valid & (before.kind == Kind.SPIKE)),
                before_end.eq(self.before.valid & (before.kind != Kind.SPIKE)),
            ]
        dropped = Signal()
        if self.token.tagged:
            m.d.comb += dropped.eq(own.valid & ~mine.end & self.decided.bit_select(mine.tag, 1))

        m.d.comb += [
            out.kind.eq(Mux(~mine.end, Kind.SPIKE, Mux(mine.window, Kind.WINDOW, Kind.STEP))),
            out.address.eq(mine.address), out.step.eq(mine.step), out.tag.eq(mine.tag),
        ]
        if read:
            some = Signal()   # an own spike passed since the last end
            m.d.comb += [
                out.potential.eq(mine.potential), out.dump.eq(mine.window & ~mine.end),
                out.some.eq(mine.end & (some | (0 if self.first else before.some))),
            ]
            with m.If(own.valid & own.ready):
                m.d.sync += some.eq(~mine.end & ~mine.window & ~dropped)

        with m.If(before_spike):
            m.d.comb += [
                out.eq(before), buffer.i.valid.eq(1), self.before.ready.eq(buffer.i.ready),
                own.ready.eq(dropped),
            ]
        with m.Elif(dropped):
            m.d.comb += own.ready.eq(1)
        with m.Elif(~mine.end | before_end):
            m.d.comb += [
                buffer.i.valid.eq(own.valid), own.ready.eq(buffer.i.ready),
                self.before.ready.eq(buffer.i.ready & own.valid & mine.end),
            ]
        return m
