# amaranth: UnusedElaboratable=no
"""The memories against lists of words: latency, enable, reset, hints for synthesis, what is refused."""

import random

import pytest
from amaranth.back import rtlil
from amaranth.hdl import ResetInserter, Signal, signed
from amaranth.lib import data
from firstspike.rtl.memory import BLOCK_BITS, Ram, Rom
from harness.amaranth import plain, simulate


def rom(words, addresses, enables):
    """What a ROM shows in the cycle after each address; None before the first word."""
    shown, word = [], None
    for address, enable in zip(addresses, enables, strict=True):
        word = words[address] if enable else word
        shown.append(word)
    return shown


@pytest.mark.parametrize("width, rows", [(1, 1), (1, 2), (3, 5), (17, 16), (40, 33), (1, 100)])
def test_rom(width, rows):
    rng = random.Random(width * rows)
    words = [rng.randrange(1 << width) for _ in range(rows)]
    addresses = [*range(rows), *(rng.randrange(rows) for _ in range(60))]
    enables = [1] * rows + [rng.randrange(2) for _ in range(60)]
    dut, shown = Rom(width, iter(words)), []

    async def testbench(ctx):
        for address, enable in zip(addresses, enables, strict=True):
            ctx.set(dut.address, address)
            ctx.set(dut.enable, enable)
            await ctx.tick()
            shown.append(ctx.get(dut.data))

    simulate(dut, testbench)
    assert shown == rom(words, addresses, enables)


def test_rom_that_is_left_alone_reads():
    dut = Rom(4, [3, 9])

    async def testbench(ctx):
        for address, word in enumerate([3, 9]):
            ctx.set(dut.address, address)
            await ctx.tick()
            assert ctx.get(dut.data) == word

    simulate(dut, testbench)


def ram(rows, actions):
    """What a RAM shows in the cycle after each (read row or None, written row or None, word)."""
    words, shown, word = [0] * rows, [], None
    for read, write, new in actions:
        word = word if read is None else words[read]
        if write is not None:
            words[write] = new
        shown.append(word)
    return shown


def random_actions(rng, rows, words, count):
    """A write to each row, then reads and writes that never meet on a row."""
    actions = [(None, row, next(words)) for row in range(rows)]
    for _ in range(count):
        read = rng.choice([None, *range(rows)])
        others = [row for row in range(rows) if row != read]
        actions.append((read, rng.choice([None, *others]), next(words)))
    return actions


async def act(ctx, dut, actions):
    shown = []
    for read, write, word in actions:
        ctx.set(dut.read_enable, read is not None)
        ctx.set(dut.write_enable, write is not None)
        if read is not None:
            ctx.set(dut.read_address, read)
        if write is not None:
            ctx.set(dut.write_address, write)
            ctx.set(dut.write_data, word)
        await ctx.tick()
        shown.append(plain(ctx.get(dut.read_data)))
    return shown


def agree(shown, wanted):
    assert len(shown) == len(wanted)
    assert all(want in (None, got) for got, want in zip(shown, wanted, strict=True))


@pytest.mark.parametrize("rows", [1, 2, 5, 8, 33])
def test_ram(rows):
    rng = random.Random(rows)
    actions = random_actions(rng, rows, iter(lambda: rng.randint(-16, 15), None), 100)
    dut = Ram(signed(5), rows)

    async def testbench(ctx):
        agree(await act(ctx, dut, actions), ram(rows, actions))

    simulate(dut, testbench)


def test_ram_of_structures():
    shape = data.StructLayout({"values": data.ArrayLayout(signed(4), 3), "fired": 3})
    rng = random.Random(1)

    def words():
        while True:
            yield {"values": [rng.randint(-8, 7) for _ in range(3)], "fired": rng.randrange(8)}

    actions = random_actions(rng, 4, words(), 60)
    dut = Ram(shape, 4)

    async def testbench(ctx):
        agree(await act(ctx, dut, actions), ram(4, actions))

    simulate(dut, testbench)


def test_ram_that_is_left_alone_reads_and_does_not_write():
    dut = Ram(8, 4)

    async def testbench(ctx):
        await act(ctx, dut, [(None, row, 10 + row) for row in range(4)])
        ctx.set(dut.write_enable, dut.write_enable.init)
        ctx.set(dut.read_enable, dut.read_enable.init)
        for row in range(4):
            ctx.set(dut.read_address, row)
            ctx.set(dut.write_address, (row + 1) % 4)
            await ctx.tick()
            assert ctx.get(dut.read_data) == 10 + row

    simulate(dut, testbench)


def test_a_reset_leaves_the_contents():
    reset = Signal()
    dut = Ram(8, 4)

    async def testbench(ctx):
        await act(ctx, dut, [(None, row, 10 + row) for row in range(4)])
        ctx.set(dut.write_enable, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        assert (await act(ctx, dut, [(row, None, 0) for row in range(4)])) == [10, 11, 12, 13]

    simulate(ResetInserter(reset)(dut), testbench)


@pytest.mark.parametrize("width, rows, block", [
    (8, BLOCK_BITS // 8, True), (8, BLOCK_BITS // 8 - 1, False), (BLOCK_BITS, 1, True)])
def test_large_roms_ask_for_block_ram(width, rows, block):
    text = rtlil.convert(Rom(width, [1] * rows), emit_src=False)
    assert ('attribute \\ram_style "block"' in text) == block


def test_rams_need_no_logic_for_collisions():
    assert "attribute \\no_rw_check" in rtlil.convert(Ram(8, 16), emit_src=False)


@pytest.mark.parametrize("make, message", [
    (lambda: Rom(3, []), "Rows must be a positive integer, not 0"),
    (lambda: Rom(3, [7, 8]), "Row 1 must fit in 3 bits, not be 8"),
    (lambda: Rom(3, [-1]), "Row 0 must fit in 3 bits, not be -1"),
    (lambda: Ram(3, 0), "Rows must be a positive integer, not 0"),
    (lambda: Ram(3, -2), "Rows must be a positive integer, not -2"),
    (lambda: Ram(3, 2.0), "Rows must be a positive integer, not 2.0"),
])
def test_what_is_refused(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == message
