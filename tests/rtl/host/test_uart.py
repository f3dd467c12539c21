# amaranth: UnusedElaboratable=no
"""The serial line, against a far end whose clock, phase and line are not ideal."""

import random

import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.sim import Simulator
from firstspike.rtl.host.uart import Uart, UartReceiver, UartTransmitter
from harness.amaranth import simulate

CYCLE = 1e-6


def line_levels(data, *, bit=1.0, gap=0.0):
    """The line's (duration, level) pieces for bytes; ``bit`` and the ``gap`` after a byte in bits."""
    for byte in data:
        yield bit, 0
        for place in range(8):
            yield bit, byte >> place & 1
        yield bit + gap, 1


def receive(pieces, divisor, *, jitter=0.0, seed=0, glitches=False):
    """What a receiver makes of a line: bytes, and None for each framing error."""
    dut = UartReceiver(divisor)
    rng = random.Random(seed)
    seen = []
    ended = False

    async def drive(ctx):
        nonlocal ended
        ctx.set(dut.rx, 1)
        await ctx.delay((2 + rng.random()) * divisor * CYCLE)
        now = due = 0.0
        for duration, level in pieces:
            ctx.set(dut.rx, level)
            due += duration * divisor * CYCLE
            wait = due + rng.uniform(-jitter, jitter) * divisor * CYCLE - now
            if glitches and wait > 4 * CYCLE:
                # A quarter of the way into the bit, or on its middle, one cycle of the wrong level.
                before = wait * rng.uniform(0.3, 0.55)
                await ctx.delay(before)
                ctx.set(dut.rx, 1 - level)
                await ctx.delay(0.9 * CYCLE)
                ctx.set(dut.rx, level)
                await ctx.delay(wait - before - 0.9 * CYCLE)
            else:
                await ctx.delay(wait)
            now += wait
        ctx.set(dut.rx, 1)
        await ctx.delay(20 * divisor * CYCLE)
        ended = True

    async def watch(ctx):
        while not ended:
            _, _, valid, byte, error = await ctx.tick().sample(
                dut.bytes.valid, dut.bytes.payload, dut.framing_error)
            assert not (valid and error)
            if valid:
                seen.append(byte)
            if error:
                seen.append(None)

    simulator = Simulator(dut)
    simulator.add_clock(CYCLE)
    simulator.add_testbench(drive)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    return seen


@pytest.mark.parametrize("divisor", [6, 8.33, 12, 25.4])
@pytest.mark.parametrize("speed", [0.97, 1.0, 1.03])
def test_receiver_takes_any_phase_and_a_far_end_three_percent_off(divisor, speed):
    rng = random.Random(divisor + speed)
    data = [0x00, 0xFF, 0x55, 0xAA, 0x80, 0x01, *rng.randbytes(14)]
    assert receive(line_levels(data, bit=speed), divisor, seed=1) == data


def test_receiver_takes_jitter_of_a_tenth_of_a_bit():
    data = list(random.Random(3).randbytes(40))
    assert receive(line_levels(data), 12, jitter=0.1) == data


def test_receiver_ignores_glitches_of_one_cycle():
    data = list(random.Random(4).randbytes(30))
    assert receive(line_levels(data), 24, glitches=True, seed=5) == data


def test_receiver_ignores_a_low_pulse_shorter_than_half_a_bit():
    assert receive([(0.3, 0), (3, 1), *line_levels([0x5C])], 20) == [0x5C]


def test_receiver_reports_a_missing_stop_bit_and_a_break_once():
    broken = [(1, 0), *[(1, 1)] * 8, (1, 0), (2, 1)]
    assert receive([*broken, *line_levels([0x12])], 10) == [None, 0x12]
    assert receive([(35, 0), (1, 1), *line_levels([0x34])], 10) == [None, 0x34]


@pytest.mark.parametrize("divisor", [6, 7.5, 33.3, 100])
def test_transmitter_bit_times_are_exact_to_a_cycle_and_loop_back(divisor):
    m = Module()
    m.submodules.transmitter = transmitter = UartTransmitter(divisor)
    m.submodules.receiver = receiver = UartReceiver(divisor)
    m.d.comb += receiver.rx.eq(transmitter.tx)
    data = list(random.Random(6).randbytes(10))
    levels, seen = [], []

    async def send(ctx):
        for byte in data:
            ctx.set(transmitter.bytes.payload, byte)
            ctx.set(transmitter.bytes.valid, 1)
            await ctx.tick().until(transmitter.bytes.ready)
        ctx.set(transmitter.bytes.valid, 0)
        await ctx.tick().repeat(int(12 * divisor))

    async def watch(ctx):
        while True:
            _, _, level, valid, byte = await ctx.tick().sample(
                transmitter.tx, receiver.bytes.valid, receiver.bytes.payload)
            levels.append(level)
            if valid:
                seen.append(byte)

    simulator = Simulator(m)
    simulator.add_clock(CYCLE)
    simulator.add_testbench(send)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    assert seen == data
    start = 0
    for byte in data:
        start = levels.index(0, start)
        bits = [level for _, level in line_levels([byte])]
        for place, bit in enumerate(bits[:9]):
            first, last = start + place * divisor, start + (place + 1) * divisor
            inner = levels[round(first + 1):round(last - 1)]
            assert set(inner) == {bit}, (byte, place)
        start = round(start + 9.5 * divisor)


@pytest.mark.parametrize("divisor, error, message", [
    ("8", TypeError, r"^Divisor must be a number of clock cycles per bit, not '8'$"),
    (True, TypeError, r"^Divisor must be a number of clock cycles per bit, not True$"),
    (5.9, ValueError, r"^Divisor must be from 6 to 1048576 clock cycles per bit, not 5\.9$"),
])
@pytest.mark.parametrize("component", [UartReceiver, UartTransmitter])
def test_divisor_is_checked(component, divisor, error, message):
    with pytest.raises(error, match=message):
        component(divisor)


def test_both_directions_and_a_byte_that_is_not_taken():
    dut = Uart(8)
    m = Module()
    m.submodules.dut = dut
    m.d.comb += dut.rx.eq(dut.tx)
    taken, lost = [], []

    async def bench(ctx):
        for ready, byte in ((1, 0x5A), (0, 0xC3), (1, 0x0F)):
            ctx.set(dut.received.ready, ready)
            ctx.set(dut.sent.payload, byte)
            ctx.set(dut.sent.valid, 1)
            for cycle in range(100):
                if ctx.get(dut.received.valid):
                    (taken if ready else lost).append(ctx.get(dut.received.payload))
                assert ctx.get(dut.lost) == (ctx.get(dut.received.valid) and not ready)
                assert not ctx.get(dut.damaged)
                await ctx.tick()
                if cycle == 0:
                    ctx.set(dut.sent.valid, 0)

    simulate(m, bench)
    assert (taken, lost) == ([0x5A, 0x0F], [0xC3])


@pytest.mark.parametrize("cycles", range(1, 160, 7))
def test_after_a_reset_the_next_byte_is_as_if_it_were_the_first(cycles):
    """In any part of a byte: the transmitter lets the line go high, the receiver waits for an edge."""
    dut, reset = Uart(8), Signal()
    m = Module()
    m.submodules.dut = dut
    m.d.comb += dut.rx.eq(dut.tx)
    taken = []

    async def bench(ctx):
        ctx.set(dut.received.ready, 1)
        ctx.set(dut.sent.payload, 0x35)
        ctx.set(dut.sent.valid, 1)
        await ctx.tick().repeat(cycles)
        ctx.set(dut.sent.valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        await ctx.tick().repeat(4)
        ctx.set(dut.sent.payload, 0xA7)
        ctx.set(dut.sent.valid, 1)
        await ctx.tick()
        ctx.set(dut.sent.valid, 0)
        for _ in range(100):
            if ctx.get(dut.received.valid):
                taken.append(ctx.get(dut.received.payload))
            await ctx.tick()

    simulate(ResetInserter(reset)(m), bench)
    assert taken == [0xA7]
