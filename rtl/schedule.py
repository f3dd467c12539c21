"""A table of integers indexed by a step, as the cheapest circuit that gives it."""

from itertools import pairwise

from amaranth.hdl import Const, Mux, Shape, Value, signed, unsigned

__all__ = ["lookup", "shape_of"]


def shape_of(values) -> Shape:
    """The narrowest shape that holds all of ``values``: unsigned, or signed where one is negative."""
    values = [int(value) for value in values]
    low, high = min(values), max(values)
    if low < 0:
        return signed(max((-low - 1).bit_length(), max(high, 0).bit_length()) + 1)
    return unsigned(high.bit_length())


def lookup(table, index):
    """Value of ``table[index]`` (combinational).

    A constant table costs nothing, a falling or rising line an adder (a step counter stands behind
    ``index``), powers of two in either direction a shift; anything else a table in logic, which for
    up to 16 steps is one LUT a bit. An index past the end is not allowed.

    Parameters
    ----------
    table : sequence of :class:`int`
    index : value-like
        In ``range(len(table))``.
    """
    table = [int(value) for value in table]
    shape = shape_of(table)
    if len(set(table)) == 1:
        return Const(table[0], shape)
    slope = table[1] - table[0]
    if abs(slope) == 1 and all(b - a == slope for a, b in pairwise(table)):
        line = table[0] + index if slope > 0 else table[0] - index
        return line[:shape.width].as_signed() if shape.signed else line[:shape.width]
    last = len(table) - 1
    if table == [1 << t for t in range(len(table))]:
        return (Const(1, 1) << index)[:shape.width]
    if table == [1 << (last - t) for t in range(len(table))]:
        return (Const(1 << last) >> index)[:shape.width]
    tree = _choose([Const(value, shape) for value in table], Value.cast(index))
    return tree.as_signed() if shape.signed else tree


def _choose(constants, index):
    """A tree of multiplexers: unlike a case statement, no synthesiser makes a block RAM of it."""
    if len({constant.value for constant in constants}) == 1:
        return constants[0]
    bit = (len(constants) - 1).bit_length() - 1
    half = 1 << bit
    return Mux(index[bit], _choose(constants[half:], index), _choose(constants[:half], index))
