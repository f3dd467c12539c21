"""Tables indexed by a step: every value of every table, each from the circuit that it deserves."""

import random
import re

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2
from firstspike.rtl.schedule import lookup, shape_of
from harness.amaranth import simulate


class Lookup(wiring.Component):
    """A table as a component."""

    def __init__(self, table):
        self.table = table
        super().__init__({"index": In(ceil_log2(len(table))), "value": Out(shape_of(table))})

    def elaborate(self, platform):
        m = Module()
        value = lookup(self.table, self.index)
        assert value.shape().width <= shape_of(self.table).width
        m.d.comb += self.value.eq(value)
        return m


def looked_up(table):
    """What the circuit says of each index."""
    dut, values = Lookup(table), []

    async def testbench(ctx):
        for index in range(len(table)):
            ctx.set(dut.index, index)
            await ctx.delay(1e-7)
            values.append(ctx.get(dut.value))

    simulate(dut, testbench)
    return values


def cells(table):
    """Kinds of cells in the circuit, and whether it branches (a table in logic)."""
    text = rtlil.convert(Lookup(table), emit_src=False)
    return set(re.findall(r"^\s*cell \$(\w+)", text, re.MULTILINE)), "switch" in text


CHEAP = {
    "constant": ([5] * 7, set()),
    "constant, one step": ([3], set()),
    "constant, negative": ([-2] * 4, set()),
    "rising": (list(range(3, 16)), {"add"}),
    "rising through zero": (list(range(-3, 6)), {"add"}),
    "falling": (list(range(11, 0, -1)), {"sub"}),
    "falling below zero": (list(range(4, -9, -1)), {"sub"}),
    "falling, long": (list(range(254, 0, -1)), {"sub"}),
    "powers, rising": ([1 << t for t in range(9)], {"shl"}),
    "powers, falling": ([1 << 8 - t for t in range(9)], {"shr"}),
}


@pytest.mark.parametrize("name", CHEAP)
def test_cheap_tables(name):
    table, wanted = CHEAP[name]
    assert looked_up(table) == table
    kinds, branches = cells(table)
    assert not branches, "a cheap form is no table"
    assert kinds <= wanted | {"pos"}, "nothing but its one operator, no multiplier above all"
    assert kinds >= wanted


NEAR = {
    "a line with a bend": [4, 3, 2, 2],
    "a steeper line": [0, 2, 4, 6],
    "powers from 2 on": [2, 4, 8, 16],
    "powers that stop": [1, 2, 4, 4],
    "two values": [0, 9],
    "squares with signs": [-4, -1, 0, 1, 4, 9],
}


@pytest.mark.parametrize("name", NEAR)
def test_other_tables(name):
    table = NEAR[name]
    assert looked_up(table) == table
    kinds, branches = cells(table)
    assert kinds == {"mux"} and not branches, "no case statement, of which a synthesiser could make a memory"


def random_table(rng):
    length = rng.randint(1, 20)
    low, high = rng.choice([(0, 1), (-1, 0), (-8, 7), (0, 300), (-300, -299)])
    start, slope = rng.randint(-9, 9), rng.choice([-1, 1])
    return rng.choice([
        [rng.randint(low, high) for _ in range(length)],
        [start + slope * t for t in range(length)],
        [1 << t for t in range(length)][::slope],
        [start] * length,
    ])


@pytest.mark.parametrize("seed", range(30))
def test_random_tables(seed):
    table = random_table(random.Random(seed))
    assert looked_up(table) == table


@pytest.mark.parametrize("values, shape", [
    ([0], unsigned(0)), ([1, 0], unsigned(1)), ([7, 8], unsigned(4)), ([255], unsigned(8)),
    ([-1], signed(1)), ([-1, 0], signed(1)), ([-1, 1], signed(2)), ([-4, 3], signed(3)), ([-5, 0], signed(4)),
    ([-1, 4], signed(4)),
])
def test_shape(values, shape):
    assert shape_of(values) == shape


def test_every_shape_is_the_narrowest():
    def fits(width, is_signed, value):
        return -1 << width - 1 <= value < 1 << width - 1 if is_signed else value < 1 << width

    for low in range(-17, 18):
        for high in range(low, 18):
            shape = shape_of([high, low])
            assert shape.signed == (low < 0)
            assert all(fits(shape.width, shape.signed, value) for value in (low, high))
            if shape.width > shape.signed:
                assert not all(fits(shape.width - 1, shape.signed, value) for value in (low, high))
