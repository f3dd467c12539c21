"""Direct and binary code for an online first layer: an image is stored and read once for every step.

Only the levels that are not 0 are stored, one after the other with their addresses. Tokens: the spikes
of a step in the order of inputs, then its ``STEP``; steps without spikes have none; last ``WINDOW``.

Latency: from an image's last level to its first token ``3 + read_latency`` cycles. Throughput: levels
are taken at one a cycle. With ``n`` stored levels each step takes ``n + 1`` cycles, silent ones too; the
last one takes another for ``WINDOW``, unless it is silent. With two buffers an image is taken while the
one before it is given; with one buffer, the next image is taken from the cycle in which ``WINDOW`` is
offered. A reset, which may come at any time, starts a new image.

``drop``: once it has been high, the rest of the window's spikes and steps is left out, but for a token
that was offered already. It speaks of the window of the token that is offered or, where none is, of the
next one, and is not looked at while ``WINDOW`` is offered.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, ceil_log2

from ..memory import Ram
from ..streams.token import Kind, Token
from .levels import LevelReader, check_mask, check_positive

__all__ = ["BitsEncoder", "DirectEncoder"]


class _ReplayEncoder(wiring.Component):
    """The subclass says what a level is in a step."""

    def __init__(self, mask, window: int, level_bits: int, *, value_bits: int, buffers: int,
                 read_latency: int):
        if buffers not in (1, 2):
            raise ValueError(f"Buffers must be 1 or 2, not {buffers!r}")
        if read_latency not in (1, 2):
            raise ValueError(f"Read latency must be 1 or 2, not {read_latency!r}")
        self.mask = check_mask(mask)
        self.size = len(self.mask)
        self.addresses = sum(self.mask)
        self.level_bits = level_bits
        self.window = window
        self.value_bits = value_bits
        self.buffers = buffers
        self.read_latency = read_latency
        super().__init__({
            "levels": In(stream.Signature(unsigned(level_bits))),
            "spikes": Out(stream.Signature(Token(self.addresses, window, value_bits=value_bits))),
            "drop": In(1),
        })

    def _spike(self, level, step):
        """Whether ``level`` is a spike in ``step``, and its value."""
        raise NotImplementedError

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = reader = LevelReader(
            self.mask, levels=1 << self.level_bits, block=False if self.read_latency == 2 else None)
        wiring.connect(m, wiring.flipped(self.levels), reader.levels)
        item = data.StructLayout({"address": range(self.addresses), "level": self.level_bits})
        place_bits = ceil_log2(self.addresses)
        m.submodules.items = items = Ram(item, self.buffers << place_bits)
        event, token = reader.events.payload, self.spikes.payload

        # A buffer belongs to the taking side until its image is complete, then to the giving side.
        into, outof = Signal(range(self.buffers)), Signal(range(self.buffers))
        complete = Signal(self.buffers)
        counts = Array(Signal(range(self.addresses + 1), name=f"count_{index}")
                       for index in range(self.buffers))

        stored = Signal(range(self.addresses + 1))
        taking = reader.events.valid & reader.events.ready
        m.d.comb += [
            reader.events.ready.eq(~complete.bit_select(into, 1)),
            items.write_address.eq(Cat(stored[:place_bits], into)),
            items.write_data.address.eq(event.address), items.write_data.level.eq(event.data),
            items.write_enable.eq(taking & event.spike),
        ]
        with m.If(taking):
            m.d.sync += stored.eq(stored + event.spike)
            with m.If(event.last):
                m.d.sync += [
                    stored.eq(0), counts[into].eq(stored + event.spike),
                    complete.bit_select(into, 1).eq(1), into.eq(into + (self.buffers > 1)),
                ]

        # Giving: items 0, 1, ... and an end mark, over and over until the window is at its end.
        place = Signal(range(self.addresses + 1))
        giving = complete.bit_select(outof, 1)
        advance = ~self.spikes.valid | self.spikes.ready
        at_end = place == counts[outof]
        valid, mark = [giving], [at_end]
        for stage in range(1, self.read_latency + 1):
            valid.append(Signal(name=f"valid_{stage}"))
            mark.append(Signal(name=f"mark_{stage}"))
            with m.If(advance):
                m.d.sync += valid[-1].eq(valid[-2]), mark[-1].eq(mark[-2])
        read = items.read_data
        if self.read_latency == 2:
            read = Signal(item)
            with m.If(advance):
                m.d.sync += read.eq(items.read_data)
        m.d.comb += [
            items.read_address.eq(Cat(place[:place_bits], outof)), items.read_enable.eq(advance),
        ]

        step = Signal(range(self.window))
        spoke = Signal()        # the step has had a spike
        closing = Signal()      # the last step is over, WINDOW is to come
        dropping = Signal()
        heard = self.drop & ~(self.spikes.valid & (token.kind == Kind.WINDOW))
        with m.If(heard):
            m.d.sync += dropping.eq(1)
        spike, value = self._spike(read.level, step)
        over = mark[-1] & (step == self.window - 1)
        with m.If(advance):
            m.d.sync += [
                place.eq(Mux(at_end | ~giving, 0, place + 1)), self.spikes.valid.eq(0),
                token.kind.eq(Mux(mark[-1], Kind.STEP, Kind.SPIKE)),
                token.address.eq(read.address), token.step.eq(step), token.value.eq(value),
            ]
            with m.If(valid[-1] & mark[-1]):
                m.d.sync += self.spikes.valid.eq(spoke), spoke.eq(0), step.eq(step + 1), closing.eq(over)
            with m.Elif(valid[-1] & spike):
                m.d.sync += self.spikes.valid.eq(1), spoke.eq(1)
            with m.If(giving & (dropping | heard | closing | (valid[-1] & over & ~spoke))):
                m.d.sync += [
                    self.spikes.valid.eq(1), token.kind.eq(Kind.WINDOW), Cat(valid[1:]).eq(0),
                    place.eq(0), step.eq(0), spoke.eq(0), closing.eq(0), dropping.eq(0),
                    complete.bit_select(outof, 1).eq(0), outof.eq(outof + (self.buffers > 1)),
                ]
        return m


class DirectEncoder(_ReplayEncoder):
    """Direct code, sorted: a level ``a`` that is not 0 is a spike of value ``a`` in every step.

    Parameters
    ----------
    levels : :class:`int`
        Number of levels.
    window : :class:`int`
        Number of steps.
    mask : sequence of :class:`bool`
        One for each input; those that are False are left out, the others numbered in order.
    buffers : :class:`int`
        1, or 2: an image is taken while the one before it is given.
    read_latency : :class:`int`
        1: the memory's output goes straight on, small. 2: a register follows it, fast.

    Members
    -------
    levels : ``In(stream.Signature(unsigned(level_bits)))``
        All inputs of an image in order, masked ones too.
    spikes : ``Out(stream.Signature(Token(addresses, window, value_bits=level_bits)))``
    drop : ``In(1)``
    """

    def __init__(self, levels: int, window: int, mask, *, buffers: int = 1, read_latency: int = 1):
        level_bits = bits_for(check_positive("Levels", levels) - 1)
        super().__init__(mask, check_positive("Window", window), level_bits, value_bits=level_bits,
                         buffers=buffers, read_latency=read_latency)

    def _spike(self, level, step):
        return Const(1), level


class BitsEncoder(_ReplayEncoder):
    """Binary digits, sorted: bit ``width - 1 - t`` of a level is a spike at step ``t``.

    Parameters
    ----------
    width : :class:`int`
        Bits of a level, and steps of the window.
    mask, buffers, read_latency
        As in :class:`DirectEncoder`.

    Members
    -------
    levels : ``In(stream.Signature(unsigned(width)))``
        All inputs of an image in order, masked ones too.
    spikes : ``Out(stream.Signature(Token(addresses, width)))``
    drop : ``In(1)``
    """

    def __init__(self, width: int, mask, *, buffers: int = 1, read_latency: int = 1):
        super().__init__(mask, check_positive("Width", width), width, value_bits=0,
                         buffers=buffers, read_latency=read_latency)

    def _spike(self, level, step):
        return Array(reversed(level))[step], Const(0, 0)
