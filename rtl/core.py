"""The core: encoder, layers and readout behind stream ports."""

from collections.abc import Sequence
from itertools import pairwise

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .readout import Readout, Result
from .streams.buffer import Buffer
from .streams.join import Join
from .streams.token import Kind, Token

__all__ = ["Core"]


class Core(wiring.Component):
    """A whole network.

    Windows come in through ``spikes`` or, where there is an encoder, as levels; each gives one result, in
    the order in which they came. They follow each other without a gap: while a layer works on one window,
    its source takes the next.

    Parameters
    ----------
    spikes : :class:`~.streams.token.Token`
        Layout of the input spikes, untagged.
    encoder : component or None
        With ``levels``, ``spikes`` and ``drop``; its tokens are laid out as ``spikes``.
    layers : sequence of :class:`~amaranth.lib.wiring.Component`
        One a layer, each with the streams ``i`` and ``o``, ``decided``, and ``source`` and ``token``, the
        layouts of the two streams. Where a layer hears on other lanes than the one before it speaks on, a
        :class:`~.streams.join.Join` stands between them.
    readout : :class:`~.readout.Readout`

    Members
    -------
    spikes : ``In(stream.Signature(spikes))``
        Sorted spikes. The tag field, if any, is not looked at.
    levels : ``In(stream.Signature(...))``
        The encoder's input.
    stop_early : ``In(1)``
        Only with early stop. Stable while windows are on their way.
    decided : ``Out(1)``
        Only with early stop. The window that is entering is decided: its source had better end it.
    result : ``Out(stream.Signature(Result(...)))``
    """

    def __init__(self, spikes: Token, encoder, layers: Sequence[wiring.Component], readout: Readout):
        self.spike_token = spikes
        self.encoder = encoder
        self.layers = tuple(layers)
        self.readout = readout
        self.early_stop = readout.early_stop
        members = {
            "spikes": In(stream.Signature(spikes)),
            "result": Out(stream.Signature(Result(readout.token.addresses, readout.token.window))),
        }
        if encoder is not None:
            members["levels"] = In(stream.Signature(encoder.levels.payload.shape()))
        if self.early_stop:
            members |= {"stop_early": In(1), "decided": Out(1)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        for index, layer in enumerate(self.layers):
            m.submodules[f"layer_{index}"] = layer
        m.submodules.readout = readout = self.readout
        entry, first = self.layers[0].i, self.layers[0].source
        if first.lanes > 1:
            m.submodules.entry = join = Join(first.with_lanes(1), first)
            wiring.connect(m, join.o, entry)
            entry = join.i
        tag = Signal()

        allowed = Signal(init=1)   # windows on their way carry different tags
        ends = Signal()
        m.d.comb += ends.eq(entry.valid & entry.ready & (entry.payload.kind == Kind.WINDOW))
        if self.early_stop:
            behind = Signal(range(3))   # windows that have entered and are not over
            over = Signal()             # a cycle late, so that all have seen that it is not decided any more
            m.d.sync += over.eq(readout.over), behind.eq(behind + ends - over)
            m.d.comb += allowed.eq(behind < 2)
            with m.If(ends):
                m.d.sync += tag.eq(~tag)
            m.d.comb += [
                readout.stop_early.eq(self.stop_early),
                self.decided.eq(readout.decided.bit_select(tag, 1) & allowed),
            ]

        def enter(source):
            m.d.comb += [
                entry.valid.eq(source.valid & allowed), source.ready.eq(entry.ready & allowed),
                *(entry.payload[field].eq(source.payload[field])
                  for field in ("kind", "address", "step", "value")),
                entry.payload.tag.eq(tag),
            ]

        if self.encoder is None:
            enter(self.spikes)
        else:
            m.submodules.encoder = encoder = self.encoder
            wiring.connect(m, wiring.flipped(self.levels), encoder.levels)
            inside = Signal()     # in the middle of a window, which comes
            direct = Signal()     # from the port rather than from the encoder
            chosen = Signal()
            if self.early_stop:   # the encoder may be ahead, with the window after one from the port
                m.d.comb += encoder.drop.eq(self.decided & inside & ~direct)
            with m.If(inside):
                m.d.comb += chosen.eq(direct)
            with m.Else():
                m.d.comb += chosen.eq(~encoder.spikes.valid)
            with m.If(entry.valid):
                m.d.sync += inside.eq(~ends), direct.eq(chosen)
            with m.If(chosen):
                enter(self.spikes)
            with m.Else():
                enter(encoder.spikes)

        for layer in self.layers:
            m.d.comb += layer.decided.eq(readout.decided)
        for index, (layer, following) in enumerate(pairwise(self.layers)):
            lanes = max(layer.token.lanes, following.source.lanes)   # no path spans two layers
            buffer = Buffer(layer.token) if lanes == 1 else Join(layer.token, following.source)
            m.submodules[f"buffer_{index}"] = buffer
            wiring.connect(m, layer.o, buffer.i)
            wiring.connect(m, buffer.o, following.i)
        wiring.connect(m, self.layers[-1].o, readout.tokens)
        wiring.connect(m, readout.result, wiring.flipped(self.result))
        return m
