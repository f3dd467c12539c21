"""What all encoders share: images come in as levels, inputs that speak go on as events."""

from amaranth.hdl import Module, Mux, Shape, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from .lookup import SMALL, Lookup
from .parameters import check_mask, check_table

__all__ = ["Event", "LevelReader"]


class Event(data.StructLayout):
    """Layout of what one level comes to.

    Parameters
    ----------
    addresses : :class:`int`
        Number of inputs that the mask leaves in.
    shape : shape-like
        Shape of ``data``.

    Members
    -------
    spike : ``1``
        Whether the input speaks at all; only then ``address`` and ``data`` mean something.
    last : ``1``
        It is the image's last level.
    address : ``range(addresses)``
        The input's number among those.
    data : ``shape``
        The level, or its step.
    """

    def __init__(self, addresses: int, shape):
        self.addresses = addresses
        super().__init__({"spike": 1, "last": 1, "address": range(addresses), "data": shape})


class LevelReader(wiring.Component):
    """Counts the levels of an image, leaves out masked and silent inputs, numbers the others.

    Latency 1 cycle, throughput 1 level a cycle: every level becomes one event. A reset starts a new image.

    Parameters
    ----------
    mask : sequence of :class:`bool`
        One for each input, in order; an event of an input that is False does not speak.
    levels : :class:`int`
        Number of levels, where the event carries the level itself; it speaks where that is not 0.
    table : sequence of :class:`int`
        Step of each level (-1: silent), where the event carries a step. A level beyond it is silent.
    window : :class:`int`
        Number of steps, with ``table``.
    logic_limit : :class:`int`
        Most LUTs of table and mask as logic; see :class:`~.lookup.Lookup`.

    Members
    -------
    levels : ``In(stream.Signature(unsigned(level_bits)))``
    events : ``Out(stream.Signature(Event(addresses, ...)))``
    """

    def __init__(self, mask, *, levels: int | None = None, table=None, window: int | None = None,
                 logic_limit: int = SMALL):
        self.mask = check_mask(mask)
        self.size = len(self.mask)
        self.addresses = sum(self.mask)
        self.table = None if table is None else check_table(table, window)
        self.level_bits = bits_for((levels if table is None else len(self.table)) - 1)
        self.logic_limit = logic_limit
        shape = unsigned(self.level_bits) if table is None else Shape.cast(range(window))
        super().__init__({
            "levels": In(stream.Signature(unsigned(self.level_bits))),
            "events": Out(stream.Signature(Event(self.addresses, shape))),
        })

    def elaborate(self, platform):
        m = Module()
        event = self.events.payload
        advance = ~self.events.valid | self.events.ready
        m.d.comb += self.levels.ready.eq(advance)

        index = Signal(range(self.size))
        is_last = index == self.size - 1
        with m.If(advance):
            m.d.sync += self.events.valid.eq(self.levels.valid), event.last.eq(is_last)
            with m.If(self.levels.valid):
                m.d.sync += index.eq(Mux(is_last, 0, index + 1))

        if self.table is None:
            sounds = Signal()
            with m.If(advance):
                m.d.sync += event.data.eq(self.levels.payload), sounds.eq(self.levels.payload.any())
        else:
            table = self.table + (-1,) * ((1 << self.level_bits) - len(self.table))
            m.submodules.steps = steps = Lookup(
                [step << 1 | 1 if step >= 0 else 0 for step in table],
                cares=[None if step >= 0 else 1 for step in table], logic_limit=self.logic_limit)
            m.d.comb += steps.address.eq(self.levels.payload), steps.enable.eq(advance)
            m.d.comb += event.data.eq(steps.data[1:])
            sounds = steps.data[:1]

        if all(self.mask):
            m.d.comb += event.spike.eq(sounds)
            with m.If(advance):
                m.d.sync += event.address.eq(index)
        else:
            m.submodules.mask = mask = Lookup(self.mask, logic_limit=self.logic_limit)
            m.d.comb += [
                mask.address.eq(index), mask.enable.eq(advance),
                event.spike.eq(sounds & mask.data),
            ]
            with m.If(self.events.valid & self.events.ready):
                m.d.sync += event.address.eq(Mux(event.last, 0, event.address + mask.data))
        return m
