"""Encoders for a windowed first layer: spikes stream out as the levels come, in no order of steps.

The spikes of an image come in the order of its inputs. Nothing is stored, so a source is stalled as
soon as ``spikes`` is.

Latency 2 cycles from a level to its first spike. A level that speaks takes a cycle for each of its
spikes, any other level one cycle; an image whose last level speaks takes one more, for ``WINDOW``.
After a drop the levels of the rest are taken at one a cycle.
"""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import wiring
from amaranth.utils import bits_for

from ..streams.token import Kind
from .encoder import Encoder, hear_drop
from .levels import LevelReader
from .parameters import check_positive, check_table

__all__ = ["WindowedBitsEncoder", "WindowedDirectEncoder", "WindowedLatencyEncoder"]


class _WindowedEncoder(Encoder):
    """The subclass says which spikes a level has."""

    def __init__(self, mask, window: int, level_bits: int, *, value_bits: int = 0, table=None):
        self.table = table
        super().__init__(mask, window, level_bits, value_bits=value_bits)

    def _unfold(self, m, event, accepted, over):
        """Step and value of the event's spike at hand, and whether it is the event's last one.

        ``accepted``: the spike at hand is taken. ``over``: so is the event.
        """
        raise NotImplementedError

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = reader = LevelReader(
            self.mask, levels=1 << self.level_bits, table=self.table, window=self.window)
        wiring.connect(m, wiring.flipped(self.levels), reader.levels)
        event, token = reader.events.payload, self.spikes.payload

        closing = Signal()      # the last level's spikes are out, WINDOW is not
        accepted = Signal()
        over = reader.events.valid & reader.events.ready
        step, value, final = self._unfold(m, event, accepted, over)

        dropping, heard = hear_drop(m, self.drop, self.spikes)
        silent = ~event.spike | dropping | heard

        with m.If(~self.spikes.valid | self.spikes.ready):
            m.d.sync += [
                self.spikes.valid.eq(0), token.kind.eq(Kind.SPIKE),
                token.address.eq(event.address), token.step.eq(step), token.value.eq(value),
            ]
            with m.If(closing):
                m.d.sync += closing.eq(0)
            with m.Elif(reader.events.valid):
                m.d.comb += accepted.eq(~silent), reader.events.ready.eq(silent | final)
                m.d.sync += self.spikes.valid.eq(~silent), closing.eq(final & event.last & ~silent)
            with m.If(closing | (reader.events.valid & silent & event.last)):
                m.d.sync += self.spikes.valid.eq(1), token.kind.eq(Kind.WINDOW), dropping.eq(0)
        return m


class WindowedLatencyEncoder(_WindowedEncoder):
    """Latency code, unsorted: a level is one spike at ``table[level]``, or silent.

    Parameters
    ----------
    table : sequence of :class:`int`
        Step of each level; -1 for silence. A level beyond it is silent.
    window, mask
        As in :class:`~.encoder.Encoder`.
    """

    def __init__(self, table, window: int, mask):
        table = check_table(table, check_positive("Window", window))
        super().__init__(mask, window, bits_for(len(table) - 1), table=table)

    def _unfold(self, m, event, accepted, over):
        return event.data, Const(0, 0), Const(1)


class WindowedDirectEncoder(_WindowedEncoder):
    """Direct code: a level ``a`` that is not 0 is a spike of value ``a`` in every step.

    Parameters
    ----------
    levels : :class:`int`
        Number of levels.
    window, mask
        As in :class:`~.encoder.Encoder`.
    """

    def __init__(self, levels: int, window: int, mask):
        level_bits = bits_for(check_positive("Levels", levels) - 1)
        super().__init__(mask, window, level_bits, value_bits=level_bits)

    def _unfold(self, m, event, accepted, over):
        step = Signal(range(self.window))
        final = step == self.window - 1
        with m.If(accepted):
            m.d.sync += step.eq(step + 1)
        with m.If(over):
            m.d.sync += step.eq(0)
        return step, event.data, final


class WindowedBitsEncoder(_WindowedEncoder):
    """Binary digits: bit ``width - 1 - t`` of a level is a spike at step ``t``.

    Parameters
    ----------
    width : :class:`int`
        Bits of a level, and steps of the window.
    mask
        As in :class:`~.encoder.Encoder`.
    """

    def __init__(self, width: int, mask):
        super().__init__(mask, check_positive("Width", width), width)

    def _unfold(self, m, event, accepted, over):
        sent = Signal(self.window)
        rest = Signal(self.window)
        first = Signal(self.window)     # the highest bit of the rest, and all above it
        step = Signal(range(self.window))
        m.d.comb += rest.eq(event.data & ~sent)
        for t in range(self.window):
            m.d.comb += first[self.window - 1 - t].eq(~rest[self.window - t:].any())
        for t in reversed(range(self.window)):
            with m.If(rest[self.window - 1 - t]):
                m.d.comb += step.eq(t)
        final = ~(rest & ~first).any()
        with m.If(accepted):
            m.d.sync += sent.eq(sent | first)
        with m.If(over):
            m.d.sync += sent.eq(0)
        return step, Const(0, 0), final
