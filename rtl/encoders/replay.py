"""Direct and binary code for an online first layer: an image is stored and read once for every step.

Only the levels that are not 0 are stored, one after the other with their addresses. Tokens: the spikes
of a step in the order of inputs, then its ``STEP``; steps without spikes have none; last ``WINDOW``.

Latency: from an image's last level to its first token ``3 + read_latency`` cycles. Throughput: levels
are taken at one a cycle. With ``n`` stored levels each step takes ``n + 1`` cycles, silent ones too; the
last one takes another for ``WINDOW``, unless it is silent. With two buffers an image is taken while the
one before it is given; with one buffer, the next image is taken from the cycle in which ``WINDOW`` is
offered.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.utils import bits_for, ceil_log2

from ..memory import Ram
from ..streams.token import Kind
from .encoder import Encoder, hear_drop
from .levels import LevelReader
from .lookup import FAST, SMALL
from .parameters import check_one_or_two, check_positive

__all__ = ["BitsEncoder", "DirectEncoder"]


class _ReplayEncoder(Encoder):
    """The subclass says what a level is in a step."""

    def __init__(self, mask, window: int, level_bits: int, *, value_bits: int, buffers: int,
                 read_latency: int):
        self.buffers = check_one_or_two("Buffers", buffers)
        self.read_latency = check_one_or_two("Read latency", read_latency)
        super().__init__(mask, window, level_bits, value_bits=value_bits)

    def _spike(self, level, step):
        """Whether ``level`` is a spike in ``step``, and its value."""
        raise NotImplementedError

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = reader = LevelReader(
            self.mask, levels=1 << self.level_bits, logic_limit=FAST if self.read_latency == 2 else SMALL)
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
        dropping, heard = hear_drop(m, self.drop, self.spikes)
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
    window, mask
        As in :class:`~.encoder.Encoder`.
    buffers : :class:`int`
        1, or 2: an image is taken while the one before it is given.
    read_latency : :class:`int`
        1: the memory's output goes straight on, small. 2: a register follows it, fast.
    """

    def __init__(self, levels: int, window: int, mask, *, buffers: int = 1, read_latency: int = 1):
        level_bits = bits_for(check_positive("Levels", levels) - 1)
        super().__init__(mask, window, level_bits, value_bits=level_bits,
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
    """

    def __init__(self, width: int, mask, *, buffers: int = 1, read_latency: int = 1):
        super().__init__(mask, check_positive("Width", width), width, value_bits=0,
                         buffers=buffers, read_latency=read_latency)

    def _spike(self, level, step):
        return Array(reversed(level))[step], Const(0, 0)
