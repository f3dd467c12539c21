"""Encoders for a windowed first layer: spikes stream out as the levels come, in no order of steps.

The spikes of an image come in the order of its inputs. Nothing is stored, so a source is stalled as
soon as ``spikes`` is. A reset starts a new image.

Latency 2 cycles from a level to its first spike. A level that speaks takes a cycle for each of its
spikes, any other level one cycle; an image whose last level speaks takes one more, for ``WINDOW``.

``drop``: once it has been high, the rest of the window's spikes is left out (the one offered at that
moment is not taken back), and its levels are taken at one a cycle. It speaks of the window of the
token that is offered or, where none is, of the next one, and is not looked at while ``WINDOW`` is
offered.
"""

from amaranth.hdl import Const, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..streams.token import Kind, Token
from .levels import LevelReader, check_mask, check_positive, check_table

__all__ = ["WindowedBitsEncoder", "WindowedDirectEncoder", "WindowedLatencyEncoder"]


class _WindowedEncoder(wiring.Component):
    """The subclass says which spikes a level has."""

    def __init__(self, mask, window: int, level_bits: int, *, value_bits: int = 0, table=None,
                 block: bool | None = None):
        self.mask = mask
        self.size = len(mask)
        self.addresses = sum(mask)
        self.table = table
        self.level_bits = level_bits
        self.window = window
        self.value_bits = value_bits
        self.block = block
        super().__init__({
            "levels": In(stream.Signature(unsigned(self.level_bits))),
            "spikes": Out(stream.Signature(Token(self.addresses, window, value_bits=value_bits))),
            "drop": In(1),
        })

    def _unfold(self, m, event, accepted, over):
        """Step and value of the event's spike at hand, and whether it is the event's last one.

        ``accepted``: the spike at hand is taken. ``over``: so is the event.
        """
        raise NotImplementedError

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = reader = LevelReader(
            self.mask, levels=1 << self.level_bits, table=self.table, window=self.window, block=self.block)
        wiring.connect(m, wiring.flipped(self.levels), reader.levels)
        event, token = reader.events.payload, self.spikes.payload

        dropping = Signal()
        closing = Signal()      # the last level's spikes are out, WINDOW is not
        accepted = Signal()
        over = reader.events.valid & reader.events.ready
        step, value, final = self._unfold(m, event, accepted, over)

        heard = self.drop & ~(self.spikes.valid & (token.kind == Kind.WINDOW))
        silent = ~event.spike | dropping | heard
        with m.If(heard):
            m.d.sync += dropping.eq(1)

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
        Step of each level; -1 for silence.
    window : :class:`int`
        Number of steps.
    mask : sequence of :class:`bool`
        One for each input; those that are False are left out, the others numbered in order.
    block : :class:`bool`, optional
        Whether table and mask are ROMs; see :class:`~.lookup.Lookup`.

    Members
    -------
    levels : ``In(stream.Signature(unsigned(level_bits)))``
        All inputs of an image in order, masked ones too.
    spikes : ``Out(stream.Signature(Token(addresses, window)))``
    drop : ``In(1)``
    """

    def __init__(self, table, window: int, mask, *, block: bool | None = None):
        check_positive("Window", window)
        table = check_table(table, window)
        super().__init__(check_mask(mask), window, bits_for(len(table) - 1), table=table, block=block)

    def _unfold(self, m, event, accepted, over):
        return event.data, Const(0, 0), Const(1)


class WindowedDirectEncoder(_WindowedEncoder):
    """Direct code: a level ``a`` that is not 0 is a spike of value ``a`` in every step.

    Parameters
    ----------
    levels : :class:`int`
        Number of levels.
    window, mask, block
        As in :class:`WindowedLatencyEncoder`.

    Members
    -------
    levels : ``In(stream.Signature(range(levels)))``
        All inputs of an image in order, masked ones too.
    spikes : ``Out(stream.Signature(Token(addresses, window, value_bits=level_bits)))``
    drop : ``In(1)``
    """

    def __init__(self, levels: int, window: int, mask, *, block: bool | None = None):
        level_bits = bits_for(check_positive("Levels", levels) - 1)
        super().__init__(check_mask(mask), check_positive("Window", window), level_bits,
                         value_bits=level_bits, block=block)

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
    mask, block
        As in :class:`WindowedLatencyEncoder`.

    Members
    -------
    levels : ``In(stream.Signature(unsigned(width)))``
        All inputs of an image in order, masked ones too.
    spikes : ``Out(stream.Signature(Token(addresses, width)))``
    drop : ``In(1)``
    """

    def __init__(self, width: int, mask, *, block: bool | None = None):
        super().__init__(check_mask(mask), check_positive("Width", width), width, block=block)

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
