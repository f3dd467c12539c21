"""The stream helpers of the tests themselves: they carry everything, and see a broken stream."""

import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from firstspike.rtl.streams.buffer import Buffer
from firstspike.rtl.streams.token import Kind, Token
from harness.amaranth import StreamMonitor, never, pauses, simulate, stream_get, stream_put


@pytest.mark.parametrize("in_pause, out_pause", [(0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5)])
def test_everything_comes_through(in_pause, out_pause):
    rng = random.Random(1)
    dut = Buffer(Token(8, 4))
    sent = [{"kind": rng.choice(list(Kind)), "address": rng.randrange(8), "step": rng.randrange(4),
             "value": 0, "tag": 0} for _ in range(50)]
    monitor = StreamMonitor(dut.o)
    taken = []

    async def source(ctx):
        await stream_put(ctx, dut.i, sent, pauses(rng, in_pause) if in_pause else never)

    async def sink(ctx):
        taken.extend(await stream_get(ctx, dut.o, len(sent), pauses(rng, out_pause) if out_pause else never))

    simulate(dut, source, sink, background=[monitor.watch])
    assert taken == sent
    assert [payload for _, payload in monitor.transfers] == sent
    if not in_pause and not out_pause:
        assert [cycle for cycle, _ in monitor.transfers] == list(range(1, 51))


class Fickle(wiring.Component):
    """Changes its payload, or takes back its offer, in the third cycle."""

    o: Out(stream.Signature(8))
    withdraw: In(1)

    def elaborate(self, platform):
        m = Module()
        age = Signal(8)
        m.d.sync += age.eq(age + 1)
        third = age == 2
        m.d.comb += self.o.valid.eq(~(self.withdraw & third)), self.o.payload.eq(~self.withdraw & third)
        return m


@pytest.mark.parametrize("withdraw, message", [(0, "payload changed from 0 to 1"), (1, "valid fell")])
def test_a_broken_stream_is_seen(withdraw, message):
    dut = Fickle()

    async def wait(ctx):
        ctx.set(dut.withdraw, withdraw)
        for _ in range(6):
            await ctx.tick()

    with pytest.raises(AssertionError, match=message):
        simulate(dut, wait, background=[StreamMonitor(dut.o).watch])


def test_a_deadline_ends_what_hangs():
    dut = Buffer(4)

    async def forever(ctx):
        await stream_get(ctx, dut.o, 1)

    with pytest.raises(TimeoutError, match=r"^the bench was not done after 20 cycles$"):
        simulate(dut, forever, deadline=20)
