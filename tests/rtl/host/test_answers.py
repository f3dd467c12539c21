# amaranth: UnusedElaboratable=no
"""The answers, byte by byte."""

import random

import pytest
from firstspike.rtl.host.answers import AnswerWriter
from firstspike.rtl.host.protocol import RESULT, Command
from harness.amaranth import never, pauses, simulate, stream_get
from harness.links import sample_facts

FACTS = sample_facts(outputs=300, output_window=1000)
IDENTITY = FACTS.identity(12_000_000)
RESULTS = (299, 1000, (1 << 25) - 2)
EXPECTED = {
    Command.IDENTIFY: b"\x80" + bytes([len(IDENTITY)]) + IDENTITY,
    Command.LEVELS: b"\x81\x08" + RESULT.pack(*RESULTS),
    Command.SPIKES: b"\x82\x08" + RESULT.pack(*RESULTS),
    Command.STOP_EARLY: b"\x83\0",
}


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_each_answer_byte_by_byte(stall):
    dut, rng = AnswerWriter(FACTS, clock_hz=12_000_000, cycle_bits=25), random.Random(stall)
    pause = pauses(rng, stall) if stall else never

    async def bench(ctx):
        ctx.set(dut.result, {"label": RESULTS[0], "step": RESULTS[1]})
        ctx.set(dut.cycles, RESULTS[2])
        for command in 2 * list(Command):
            ctx.set(dut.command, command.value)
            ctx.set(dut.active, 1)
            got = await stream_get(ctx, dut.answer, pause=pause, until=lambda byte: byte["last"])
            ctx.set(dut.active, 0)
            assert not ctx.get(dut.answer.valid)
            await ctx.tick()
            assert bytes(byte["byte"] for byte in got) == EXPECTED[command]

    simulate(dut, bench)


def test_a_byte_a_cycle_from_the_first_on_and_anew_after_a_break():
    dut = AnswerWriter(FACTS, clock_hz=12_000_000, cycle_bits=25)

    async def bench(ctx):
        ctx.set(dut.command, Command.IDENTIFY.value)
        ctx.set(dut.answer.ready, 1)
        for length in (3, len(EXPECTED[Command.IDENTIFY])):
            ctx.set(dut.active, 1)
            for byte in EXPECTED[Command.IDENTIFY][:length]:
                assert ctx.get(dut.answer.valid)
                assert ctx.get(dut.answer.payload.byte) == byte
                await ctx.tick()
            ctx.set(dut.active, 0)
            await ctx.tick()

    simulate(dut, bench)
