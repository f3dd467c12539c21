"""A fixed table behind a register: as logic where that is small, as a block ROM where it is not."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ..memory import Rom

__all__ = ["FAST", "SMALL", "Lookup"]

SMALL = 64
"""LUTs above which a ROM is smaller than the logic."""

FAST = 512
"""LUTs above which a ROM is also faster than the logic, which has become deep. A table of 256 levels and
256 steps never takes as many; one of thousands of levels would take minutes to simulate."""


class Lookup(wiring.Component):
    """``data`` becomes ``words[address]`` one cycle after ``enable``, and keeps it while that is low.

    As logic, each bit of the word is a reduced decision diagram over the address, most significant bit
    first: what does not change the word costs nothing, so a table that rises or falls in equal stairs
    comes down to a few comparisons.

    Parameters
    ----------
    words : sequence of :class:`int`
        The table, unsigned. Addresses beyond it give any word.
    cares : sequence of :class:`int`, optional
        For each word the bits that matter; the others may come out as they like. All, if left out.
    logic_limit : :class:`int`
        Most LUTs of it as logic; where that would take more it is a ROM.

    Members
    -------
    address : ``In(range(len(words)))``
    enable : ``In(1)``
    data : ``Out(width)``

    Attributes
    ----------
    cost : :class:`int`
        Estimate of its 4-input LUTs as logic.
    block : :class:`bool`
        Whether it is a ROM.
    """

    def __init__(self, words, *, cares=None, logic_limit: int = SMALL):
        self.words = tuple(int(word) for word in words)
        if not self.words or min(self.words) < 0:
            raise ValueError("A table must be one or more non-negative integers")
        self.width = max(word.bit_length() for word in self.words)
        everything = (1 << self.width) - 1
        self.cares = tuple(everything if care is None else int(care)
                           for care in (cares if cares is not None else [None] * len(self.words)))
        if len(self.cares) != len(self.words):
            raise ValueError(f"Cares must be as many as the {len(self.words)} words, not {len(self.cares)}")
        self._address_bits = ceil_log2(len(self.words))
        self._functions = [self._column(bit) for bit in range(self.width)]
        self.cost = _count_luts(self._functions)
        self.block = self.cost > logic_limit
        super().__init__({"address": In(self._address_bits), "enable": In(1), "data": Out(self.width)})

    def _column(self, bit):
        column = [word >> bit & 1 if care >> bit & 1 else None
                  for word, care in zip(self.words, self.cares, strict=True)]
        return _reduce(tuple(column + [None] * ((1 << self._address_bits) - len(column))))

    def elaborate(self, platform):
        m = Module()
        if self.block:
            m.submodules.rom = rom = Rom(self.width, self.words)
            m.d.comb += rom.address.eq(self.address), rom.enable.eq(self.enable), self.data.eq(rom.data)
            return m

        nodes = {}

        def build(function):
            if len(function) == 1:
                return Const(function[0], 1)
            if function not in nodes:
                half = len(function) // 2
                low, high = build(_reduce(function[:half])), build(_reduce(function[half:]))
                nodes[function] = node = Signal(name=f"node_{len(nodes)}")
                m.d.comb += node.eq(Mux(self.address[ceil_log2(len(function)) - 1], high, low))
            return nodes[function]

        for bit, function in enumerate(self._functions):
            if len(function) == 1:
                m.d.comb += self.data[bit].eq(function[0])
            else:
                value = Signal(name=f"data_{bit}")
                m.d.comb += self.data[bit].eq(value)
                with m.If(self.enable):
                    m.d.sync += value.eq(build(function))
        return m


def _reduce(function):
    """Leave out leading address bits that do not matter; None fits anything."""
    values = {value for value in function if value is not None}
    if len(values) < 2:
        return (values.pop() if values else 0,)
    half = len(function) // 2
    halves = list(zip(function[:half], function[half:], strict=True))
    if all(low is None or high is None or low == high for low, high in halves):
        return _reduce(tuple(high if low is None else low for low, high in halves))
    return function


def _count_luts(functions):
    seen = set()

    def visit(function):
        if len(function) <= 2 or function in seen:
            return
        seen.add(function)
        if len(function) > 16:
            half = len(function) // 2
            visit(_reduce(function[:half]))
            visit(_reduce(function[half:]))

    for function in functions:
        visit(function)
    return len(seen)
