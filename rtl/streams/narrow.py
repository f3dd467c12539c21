"""From several lanes to one."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .token import Kind, Order, Token

__all__ = ["Narrow"]


class Narrow(wiring.Component):
    """Gives the spikes of a transfer one after the other, those of lower lanes first, and then its end.

    The transfer stays on offer until its last token is taken; ``sent`` are the lanes whose spikes were.

    Latency 0 cycles, throughput one token a cycle; a transfer without spikes and end takes one as well. The
    paths from ``i`` to ``o``, and back from ``o.ready`` to ``i.ready``, are combinational; a
    :class:`~.buffer.Buffer` on either side cuts them.

    Parameters
    ----------
    source : :class:`~.token.Token`
        Layout of the input: several lanes, with or without banks.

    Members
    -------
    i : ``In(stream.Signature(source))``
    o : ``Out(stream.Signature(source.with_lanes(1)))``
    """

    def __init__(self, source: Token):
        if source.lanes == 1:
            raise ValueError("Lanes must be more than 1, to become one")
        self.source = source
        self.token = source.with_lanes(1)
        super().__init__({"i": In(stream.Signature(source)), "o": Out(stream.Signature(self.token))})

    def elaborate(self, platform):
        m = Module()
        i, o, coming, token = self.i, self.o, self.i.payload, self.o.payload
        spikes = self.source.spikes(coming)
        sent = Signal(len(spikes))
        waits = Signal(len(spikes))
        below = Signal(len(spikes))     # flips the lowest bit that is set and all below it
        ends = coming.kind != Kind.SPIKE
        spike = waits.any()
        m.d.comb += [
            waits.eq(Cat(spike.valid for spike in spikes) & ~sent), below.eq(waits - 1),
            o.valid.eq(i.valid & (spike | ends)),
            i.ready.eq(Mux(spike, o.ready & ~ends & ~(waits & below).any(), o.ready | ~ends)),
            token.kind.eq(Mux(spike, Kind.SPIKE, coming.kind)), token.tag.eq(coming.tag),
        ]
        if self.source.order is Order.STEP:
            m.d.comb += token.step.eq(coming.step)
        for lane, one in reversed([*enumerate(spikes)]):
            with m.If(waits[lane]):
                m.d.comb += token.address.eq(one.address), token.step.eq(one.step), token.value.eq(one.value)
        with m.If(i.valid & i.ready):
            m.d.sync += sent.eq(0)
        with m.Elif(o.valid & o.ready):
            m.d.sync += sent.eq(sent | (waits & ~below))
        return m
