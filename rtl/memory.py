"""The one way to a memory: synchronous reads, a stated collision policy, one place for a macro."""

from amaranth.hdl import Module, Shape, ShapeCastable
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

__all__ = ["BLOCK_BITS", "Ram", "Rom"]

BLOCK_BITS = 1024
"""Size from which on a read-only memory is worth a block RAM."""


def _check_rows(rows):
    if not isinstance(rows, int) or rows < 1:
        raise ValueError(f"Rows must be a positive integer, not {rows!r}")


class Rom(wiring.Component):
    """Read-only memory with a synchronous read.

    Latency 1 cycle from ``address`` to ``data``; the word is undefined before the first read. From
    :data:`BLOCK_BITS` bits on it asks for block RAM; below, it becomes logic as the synthesiser sees fit.

    Parameters
    ----------
    width : :class:`int`
        Bits of a word.
    rows : iterable of :class:`int`
        The words, unsigned.

    Members
    -------
    address : ``In(range(len(rows)))``
    enable : ``In(1)``
        Where low, ``data`` keeps its word. High if it is left alone.
    data : ``Out(width)``
    """

    def __init__(self, width: int, rows):
        self.width = width
        self.rows = tuple(int(row) for row in rows)
        _check_rows(len(self.rows))
        for index, row in enumerate(self.rows):
            if not 0 <= row < 1 << width:
                raise ValueError(f"Row {index} must fit in {width} bits, not be {row}")
        super().__init__({
            "address": In(ceil_log2(len(self.rows))), "enable": In(1, init=1), "data": Out(width),
        })

    def elaborate(self, platform):
        m = Module()
        block = len(self.rows) * self.width >= BLOCK_BITS
        m.submodules.memory = cells = memory.Memory(
            shape=self.width, depth=len(self.rows), init=self.rows,
            attrs={"ram_style": "block"} if block else {})
        port = cells.read_port()
        m.d.comb += port.addr.eq(self.address), port.en.eq(self.enable), self.data.eq(port.data)
        return m


class Ram(wiring.Component):
    """Memory with one synchronous read port and one write port that never meet on a row.

    Latency 1 cycle from ``read_address`` to ``read_data``. Reading a row in the cycle in which it is
    written gives an undefined word; whoever uses this memory shows that it does not happen, or that the
    word is not used. So no synthesiser needs to build the logic that would define it. Contents are not
    touched by a reset.

    Parameters
    ----------
    shape : shape-like
        Shape of a row.
    rows : :class:`int`

    Members
    -------
    read_address : ``In(range(rows))``
    read_enable : ``In(1)``
        Where low, ``read_data`` keeps its word. High if it is left alone.
    read_data : ``Out(shape)``
    write_address : ``In(range(rows))``
    write_data : ``In(shape)``
    write_enable : ``In(1)``
    """

    def __init__(self, shape, rows: int):
        _check_rows(rows)
        self.shape = shape if isinstance(shape, ShapeCastable) else Shape.cast(shape)
        self.rows = rows
        super().__init__({
            "read_address": In(ceil_log2(rows)), "read_enable": In(1, init=1), "read_data": Out(self.shape),
            "write_address": In(ceil_log2(rows)), "write_data": In(self.shape), "write_enable": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = cells = memory.Memory(
            shape=self.shape, depth=self.rows, init=[], attrs={"no_rw_check": 1})
        read, write = cells.read_port(), cells.write_port()
        m.d.comb += [
            read.addr.eq(self.read_address), read.en.eq(self.read_enable), self.read_data.eq(read.data),
            write.addr.eq(self.write_address), write.data.eq(self.write_data),
            write.en.eq(self.write_enable),
        ]
        return m
