"""The queue against a list: what comes in goes out, in order, once; its length and its latency."""

import random

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth_bench import StreamMonitor, simulate, stream_get, stream_put
from firstspike.rtl.queue import DEPTH, Queue


class Model:
    """A list, and whether it had room for more than two entries."""

    def __init__(self):
        self.entries, self.ready = [], True

    def cycle(self, put, get):
        self.ready = DEPTH - len(self.entries) > 2
        if get:
            self.entries.pop(0)
        if put is not None:
            self.entries.append(put)


@pytest.mark.parametrize("seed", range(4))
def test_queue(seed):
    """Cycle for cycle, with phases in which it fills and in which it empties, and a reset now and then."""
    rng = random.Random(seed)
    dut, reset, model = Queue(6), Signal(), Model()
    levels = set()

    async def testbench(ctx):
        nonlocal model
        offering = False
        for cycle in range(24 * DEPTH):
            filling = cycle // (3 * DEPTH) % 2
            if not offering:
                offering = rng.random() < (0.9 if filling else 0.3)
                ctx.set(dut.i.payload, rng.randrange(64))
            ctx.set(dut.i.valid, offering)
            ctx.set(dut.o.ready, rng.random() < (0.3 if filling else 0.9))
            ctx.set(reset, rng.random() < 0.1 / DEPTH)
            *_, put, payload, out, shown, get, cleared = await ctx.tick().sample(
                dut.i.ready, dut.i.payload, dut.o.valid, dut.o.payload, dut.o.ready, reset)
            levels.add(len(model.entries))
            assert put == model.ready
            assert out == bool(model.entries)
            assert not out or shown == model.entries[0]
            model.cycle(payload if put and offering else None, out and get)
            offering = offering and not put
            if cleared:
                model = Model()

    simulate(ResetInserter(reset)(dut), testbench)
    assert levels == set(range(DEPTH))


def test_latency_and_throughput():
    dut = Queue(6)
    monitor = StreamMonitor(dut.o)

    async def source(ctx):
        await stream_put(ctx, dut.i, range(2 * DEPTH))

    async def sink(ctx):
        await stream_get(ctx, dut.o, 2 * DEPTH)

    simulate(dut, source, sink, background=[monitor.watch])
    assert monitor.transfers == [(1 + n, n) for n in range(2 * DEPTH)]
