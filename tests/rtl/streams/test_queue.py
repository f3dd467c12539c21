# amaranth: UnusedElaboratable=no
"""The queue against a list: what comes in goes out, in order, once; its room, its length and its latency."""

import random

import pytest
from amaranth.hdl import ResetInserter, Signal
from firstspike.rtl.streams.queue import DEPTH, Queue
from harness.amaranth import StreamMonitor, never, pauses, simulate, stream_get


class Model:
    """Entries, how many more have a place kept, and what is on offer."""

    def __init__(self):
        self.entries, self.due, self.offer = [], 0, None

    @property
    def room(self):
        return len(self.entries) + self.due < DEPTH

    def cycle(self, keep, put, ready):
        if ready or self.offer is None:
            self.offer = self.entries.pop(0) if self.entries else None
        self.due += keep
        if put is not None:
            self.due -= 1
            self.entries.append(put)


@pytest.mark.parametrize("seed", range(6))
def test_queue(seed):
    """Cycle for cycle, with phases in which it fills and in which it empties, and a reset now and then.

    An entry is put when it likes to, after its place was kept: at most ``longest`` may be on their way.
    """
    rng = random.Random(seed)
    longest = [1, 2, 4, 8, DEPTH, DEPTH][seed]
    dut, reset, model = Queue(6), Signal(), Model()
    seen = set()

    async def testbench(ctx):
        nonlocal model
        for cycle in range(100 * DEPTH):
            wish, leaves = [(0.3, 0.9), (0.9, 0.15), (0.9, 0.9), (1, 0)][cycle // (5 * DEPTH) % 4]
            assert ctx.get(dut.room) == model.room
            put = rng.randrange(64) if model.due and (model.due == longest or rng.random() < 0.6) else None
            keep = model.room and model.due - (put is not None) < longest and rng.random() < wish
            ctx.set(dut.keep, keep)
            ctx.set(dut.put, put is not None)
            ctx.set(dut.entry, rng.randrange(64) if put is None else put)
            ctx.set(dut.o.ready, rng.random() < leaves)
            ctx.set(reset, rng.random() < 0.02 / DEPTH)
            *_, valid, shown, ready, cleared = await ctx.tick().sample(
                dut.o.valid, dut.o.payload, dut.o.ready, reset)
            seen.add((len(model.entries), model.due))
            assert valid == (model.offer is not None)
            assert not valid or shown == model.offer
            model.cycle(keep, put, ready)
            if cleared:
                model = Model()

    simulate(ResetInserter(reset)(dut), testbench)
    assert {entries for entries, _ in seen} == set(range(DEPTH + 1))
    assert {due for _, due in seen} == set(range(longest + 1))


def test_as_many_are_kept_as_fit():
    """Nothing leaves, none is put: a place for each entry; then all are, and one goes on its way out."""
    dut = Queue(8)

    async def testbench(ctx):
        for _ in range(DEPTH):
            assert ctx.get(dut.room)
            ctx.set(dut.keep, 1)
            await ctx.tick()
        ctx.set(dut.keep, 0)
        assert not ctx.get(dut.room)
        for entry in range(DEPTH):
            ctx.set(dut.put, 1)
            ctx.set(dut.entry, entry)
            await ctx.tick()
            assert ctx.get(dut.room) == (entry > 0)
        ctx.set(dut.put, 0)
        ctx.set(dut.keep, 1)
        await ctx.tick()
        ctx.set(dut.keep, 0)
        assert not ctx.get(dut.room)
        assert (await stream_get(ctx, dut.o, DEPTH)) == [*range(DEPTH)]
        assert ctx.get(dut.room) and not ctx.get(dut.o.valid)

    simulate(dut, testbench)


@pytest.mark.parametrize("stall", [0, 0.6])
def test_latency_and_throughput(stall):
    """On offer 2 cycles after it was put, and one a cycle; so long as there is room."""
    dut = Queue(6)
    monitor = StreamMonitor(dut.o)
    rng = random.Random(1)

    async def source(ctx):
        sent = 0
        kept = 0
        while sent < 40:
            keep = ctx.get(dut.room)
            ctx.set(dut.keep, keep)
            ctx.set(dut.put, kept)
            ctx.set(dut.entry, sent)
            await ctx.tick()
            sent, kept = sent + kept, keep
        ctx.set(dut.put, 0)
        ctx.set(dut.keep, 0)

    async def sink(ctx):
        await stream_get(ctx, dut.o, 40, pauses(rng, stall) if stall else never)

    simulate(dut, source, sink, background=[monitor.watch])
    assert [entry for _, entry in monitor.transfers] == [*range(40)]
    if not stall:
        assert [cycle for cycle, _ in monitor.transfers] == [1 + 2 + n for n in range(40)]
