"""A small queue in LUTs, with places kept for what is on its way."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["DEPTH", "Queue"]

DEPTH = 15
"""Entries. One less than the smallest memory has rows, so that equal pointers mean that it is empty."""


class Queue(wiring.Component):
    """Queue of :data:`DEPTH` entries in a memory with asynchronous read, which becomes LUTs, and one more in
    the register that it is read into.

    A place is kept some cycles before its entry is put, so that nothing is put for which there is none.
    Latency 2 cycles from ``put``, throughput 1 entry a cycle.

    Parameters
    ----------
    shape : shape-like
        Shape of an entry.

    Members
    -------
    room : ``Out(1)``
        There is a place to keep.
    keep : ``In(1)``
        Keep it: only where there is one. Its ``put`` follows.
    put : ``In(1)``, entry : ``In(shape)``
    o : ``Out(stream.Signature(shape))``
    """

    def __init__(self, shape):
        self.shape = shape
        super().__init__({
            "room": Out(1), "keep": In(1), "put": In(1), "entry": In(shape),
            "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.cells = cells = memory.Memory(shape=self.shape, depth=DEPTH + 1, init=[])
        write, read = cells.write_port(), cells.read_port(domain="comb")
        head, tail = Signal(4), Signal(4)
        kept = Signal(range(DEPTH + 1))    # places with an entry, or with one that is on its way
        get = Signal()
        moves = Signal()
        m.d.comb += [
            write.en.eq(self.put), write.addr.eq(tail), write.data.eq(self.entry), read.addr.eq(head),
            moves.eq(self.o.ready | ~self.o.valid), get.eq((head != tail) & moves),
            self.room.eq(kept != DEPTH),
        ]
        with m.If(moves):
            m.d.sync += self.o.valid.eq(head != tail), self.o.payload.eq(read.data)

        def after(pointer):    # the next one, in fewer LUTs than a carry chain takes
            return Cat(~pointer[0], pointer[1] ^ pointer[0], pointer[2] ^ pointer[:2].all(),
                       pointer[3] ^ pointer[:3].all())

        with m.If(self.put):
            m.d.sync += tail.eq(after(tail))
        with m.If(get):
            m.d.sync += head.eq(after(head))
        with m.If(self.keep & ~get):
            m.d.sync += kept.eq(kept + 1)
        with m.Elif(get & ~self.keep):
            m.d.sync += kept.eq(kept - 1)
        return m
