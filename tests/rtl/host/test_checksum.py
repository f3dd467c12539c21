# amaranth: UnusedElaboratable=no
"""The checksum against that of zlib."""

import random
import zlib

import pytest
from amaranth.hdl import ResetInserter, Signal
from firstspike.rtl.host.checksum import Checksum
from harness.amaranth import pauses, simulate, stream_put


async def sum_up(ctx, dut, data, pause):
    """Put the bytes; give the checksum and whether it matches, when they mean something."""
    await stream_put(ctx, dut.bytes, data, pause)
    while not ctx.get(dut.bytes.ready):
        await ctx.tick()
    return ctx.get(dut.crc), ctx.get(dut.matches)


@pytest.mark.parametrize("probability", [0.0, 0.6])
def test_sums_up_as_zlib_does_and_knows_its_own(probability):
    dut, rng = Checksum(), random.Random(probability)
    pause = pauses(rng, probability, 12)

    async def bench(ctx):
        for length in (0, 1, 2, 30):
            data = rng.randbytes(length)
            crc = zlib.crc32(data)
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)
            assert (await sum_up(ctx, dut, data, pause))[0] == crc
            assert await sum_up(ctx, dut, crc.to_bytes(4, "little"), pause) == (0x2144DF1C, 1)
            assert not (await sum_up(ctx, dut, b"\0", pause))[1]

    simulate(dut, bench)


def test_takes_a_byte_every_nine_cycles():
    dut = Checksum()
    taken = []

    async def bench(ctx):
        ctx.set(dut.bytes.valid, 1)
        for cycle in range(40):
            if ctx.get(dut.bytes.ready):
                taken.append(cycle)
            await ctx.tick()

    simulate(dut, bench)
    assert taken == list(range(0, 40, 9))


@pytest.mark.parametrize("how", ["clear", "reset"])
def test_begins_anew_in_the_middle_of_a_byte(how):
    dut, reset = Checksum(), Signal()
    rng = random.Random(how)

    async def bench(ctx):
        for cycles in range(11):
            ctx.set(dut.bytes.payload, rng.randrange(256))
            ctx.set(dut.bytes.valid, 1)
            await ctx.tick().repeat(cycles + 1)
            signal = reset if how == "reset" else dut.clear
            ctx.set(signal, 1)
            await ctx.tick()
            ctx.set(signal, 0)
            ctx.set(dut.bytes.valid, 0)
            assert ctx.get(dut.bytes.ready)
            data = rng.randbytes(3)
            assert (await sum_up(ctx, dut, data, pauses(rng, 0)))[0] == zlib.crc32(data)

    simulate(ResetInserter(reset)(dut), bench)
