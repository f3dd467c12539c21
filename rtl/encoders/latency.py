"""Latency code for an online first layer: an image's spikes sorted by step."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.utils import bits_for

from ..streams.token import Kind
from .encoder import Encoder
from .levels import LevelReader
from .lookup import FAST, SMALL
from .parameters import check_one_or_two, check_positive, check_table
from .sort import SpikeSorter

__all__ = ["LatencyEncoder"]


class LatencyEncoder(Encoder):
    """A level is one spike at ``table[level]``, or silent; the spikes of an image come sorted by step.

    Tokens: the spikes of a step in any order, then its ``STEP``; steps without spikes have none; last
    ``WINDOW``.

    Latency: from an image's last level to its first token ``3 + 2 * read_latency`` cycles, and one for
    each silent step before it. Throughput: levels are taken at one a cycle and tokens given at one a
    cycle, of which every step of the window, silent or not, costs at least one. With two buffers both go
    on side by side, so that images follow each other every ``size`` cycles where ``spikes`` can take
    that; with one buffer, one after the other. After a reset, which may come at any time, a new image
    starts; its second level is taken ``window + read_latency`` cycles later at the most.

    Parameters
    ----------
    table : sequence of :class:`int`
        Step of each level; -1 for silence. A level beyond it is silent.
    window, mask
        As in :class:`~.encoder.Encoder`.
    buffers : :class:`int`
        1, or 2: an image is taken while the one before it is given.
    read_latency : :class:`int`
        1: small. 2: a register behind each memory, for a fast clock; table and mask are logic where that
        is not large.
    """

    def __init__(self, table, window: int, mask, *, buffers: int = 1, read_latency: int = 1):
        self.table = check_table(table, check_positive("Window", window))
        self.buffers = check_one_or_two("Buffers", buffers)
        self.read_latency = check_one_or_two("Read latency", read_latency)
        super().__init__(mask, window, bits_for(len(self.table) - 1))

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = reader = LevelReader(
            self.mask, table=self.table, window=self.window,
            logic_limit=FAST if self.read_latency == 2 else SMALL)
        wiring.connect(m, wiring.flipped(self.levels), reader.levels)
        events, spikes = reader.events, self.spikes

        into, outof = Signal(range(self.buffers)), Signal(range(self.buffers))   # whose turn it is
        if self.buffers > 1:
            with m.If(events.valid & events.ready & events.payload.last):
                m.d.sync += into.eq(~into)
            with m.If(spikes.valid & spikes.ready & (spikes.payload.kind == Kind.WINDOW)):
                m.d.sync += outof.eq(~outof)

        sorters = [SpikeSorter(self.addresses, self.window, read_latency=self.read_latency)
                   for _ in range(self.buffers)]
        for index, sorter in enumerate(sorters):
            m.submodules[f"sorter_{index}"] = sorter
            m.d.comb += [
                sorter.events.payload.eq(events.payload),
                sorter.events.valid.eq(events.valid & (into == index)),
                sorter.spikes.ready.eq(spikes.ready & (outof == index)),
                sorter.drop.eq(self.drop & (outof == index)),
            ]
        m.d.comb += [
            events.ready.eq(Array(sorter.events.ready for sorter in sorters)[into]),
            spikes.valid.eq(Array(sorter.spikes.valid for sorter in sorters)[outof]),
            spikes.payload.eq(Mux(outof, sorters[-1].spikes.payload, sorters[0].spikes.payload)),
        ]
        return m
