"""A small queue for where a column's spikes wait."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["DEPTH", "Queue"]

DEPTH = 31
"""Entries. One row less than the smallest memory, since the pointers are shift registers that skip 0."""


class Queue(wiring.Component):
    """Stream queue of :data:`DEPTH` entries in a memory with asynchronous read, which becomes LUTs.

    Latency 1 cycle, throughput 1 entry a cycle. ``i.ready`` is a register, and so falls while there is still
    room for two entries.

    Parameters
    ----------
    shape : shape-like
        Shape of an entry.

    Members
    -------
    i : ``In(stream.Signature(shape))``
    o : ``Out(stream.Signature(shape))``
    """

    def __init__(self, shape):
        self.shape = shape
        super().__init__({
            "i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.cells = cells = memory.Memory(shape=self.shape, depth=DEPTH + 1, init=[])
        write, read = cells.write_port(), cells.read_port(domain="comb")
        head, tail = Signal(5, init=1), Signal(5, init=1)   # shift registers with all states but 0
        level = Signal(range(DEPTH + 1))
        roomy = Signal(init=1)
        put, get = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(roomy), put.eq(self.i.valid & roomy),
            self.o.valid.eq(level != 0), get.eq(self.o.valid & self.o.ready),
            write.en.eq(put), write.addr.eq(tail), write.data.eq(self.i.payload),
            read.addr.eq(head), self.o.payload.eq(read.data),
        ]
        with m.If(put):
            m.d.sync += tail.eq(Cat(tail[4] ^ tail[2], tail[:4]))
        with m.If(get):
            m.d.sync += head.eq(Cat(head[4] ^ head[2], head[:4]))
        with m.If(put & ~get):
            m.d.sync += level.eq(level + 1)
        with m.Elif(get & ~put):
            m.d.sync += level.eq(level - 1)
        m.d.sync += roomy.eq(level < DEPTH - 2)
        return m
