# amaranth: UnusedElaboratable=no
"""The outbox against the batches that went in: all of them leave, in order, and nothing else does."""

import random
from dataclasses import dataclass
from itertools import pairwise, product

import pytest
from amaranth.hdl import Assert, ResetInserter, Signal
from firstspike.rtl.event import outbox
from firstspike.rtl.event.outbox import Outbox
from firstspike.rtl.streams.queue import DEPTH
from firstspike.rtl.streams.token import Token
from harness.amaranth import plain, simulate

WINDOW = 5


@dataclass
class Case:
    """An outbox, and how it is driven: each ``load`` comes ``delay`` cycles after ``enters``."""

    size: int = 7
    group: int = 3
    base: int = 4
    ordered: bool = True
    scan: bool = False
    queue: bool = False
    bits: int = 0
    tagged: bool = True
    delay: int = 2

    def outbox(self):
        token = Token(self.base + self.size + 2, WINDOW, tagged=self.tagged, potential_bits=self.bits)
        return Outbox(token, base=self.base, size=self.size, group=self.group, ordered=self.ordered,
                      scan=self.scan, queue=self.queue)

    def batch(self, rng, *, density=None, window=None):
        """What is loaded: the neurons that fired, all potentials, and the end."""
        density = rng.choice([0, 0.1, 0.5, 1]) if density is None else density
        return {
            "pending": [rng.random() < density for _ in range(self.size)],
            "potentials": [rng.randrange(1 << self.bits) for _ in range(self.size)],
            "window": rng.random() < 0.2 if window is None else window,
            "step": rng.randrange(WINDOW), "tag": rng.randrange(2) * self.tagged}

    def leave(self, batch):
        """Its tokens: (potential of each address, the end that follows or None)."""
        own = {"window": int(batch["window"]), "step": batch["step"], "tag": batch["tag"]}
        leave = bool(self.bits) or not batch["window"]
        spikes = {self.base + n: batch["potentials"][n]
                  for n, fired in enumerate(batch["pending"]) if fired and leave}
        return own, spikes, self.ordered or batch["window"]


def agree(case, tokens, batches):
    """Batch after batch: its spikes, each once, ascending in every group, then its end."""
    tokens = iter(tokens)
    for number, batch in enumerate(batches):
        own, spikes, ends = case.leave(batch)
        got = [next(tokens, None) for _ in spikes]
        assert None not in got, f"spikes of batch {number} are missing"
        for token in got:
            assert not token["end"] and {name: token[name] for name in own} == own, f"batch {number}: {token}"
        assert {token["address"]: token["potential"] for token in got} == spikes, f"batch {number}"
        places = [token["address"] for token in got]
        assert len(places) == len(set(places)), f"batch {number}: a spike twice"
        for start in range(case.base, case.base + case.size, case.group):
            members = [address for address in places if address in range(start, start + case.group)]
            assert members == sorted(members), f"batch {number}: a group out of order"
        if ends:
            end = next(tokens, None)
            assert end is not None and end["end"], f"batch {number}"
            assert {name: end[name] for name in own} == own, f"batch {number}"
    assert next(tokens, None) is None, "more than was loaded"


class Play:
    """Drives an outbox as a column does; keeps ``tokens``, the cycle in which each ``left``, ``entered``.

    ``gap``: probability that nothing enters though there is room; ``stall``: that nothing is taken.
    ``hold``: cycles in which nothing is taken at all. ``careless``: it does not look at ``room``. It ends
    ``rest`` cycles after the last batch's last token, or in cycle ``stop``.
    """

    def __init__(self, case, dut, batches, *, gap=0.0, stall=0.0, hold=0, stop=None, rest=12, seed=0,
                 careless=False):
        self.case, self.dut, self.batches = case, dut, batches
        self.gap, self.stall, self.hold, self.stop, self.rest = gap, stall, hold, stop, rest
        self.careless = careless
        self.rng = random.Random(seed)
        self.tokens, self.left, self.entered, self.loaded = [], [], [], []

    async def run(self, ctx):
        case, dut, rng = self.case, self.dut, self.rng
        expected = sum(len(spikes) + ends for _, spikes, ends in map(case.leave, self.batches))
        waiting, on_way, held, rest, cycle = self.batches[::-1], [None] * case.delay, None, self.rest, 0
        while rest and cycle != self.stop:
            enter = waiting and (self.careless or ctx.get(dut.room)) and rng.random() >= self.gap
            on_way.append(waiting.pop() if enter else None)
            if enter:
                self.entered.append(cycle)
            ctx.set(dut.enters, bool(enter))
            load = on_way.pop(0)
            if load is not None:
                self.loaded.append(cycle)
            now = load or case.batch(rng)
            ctx.set(dut.load, load is not None)
            ctx.set(dut.pending, sum(bit << n for n, bit in enumerate(now["pending"])))
            ctx.set(dut.potentials, sum(word << n * case.bits for n, word in enumerate(now["potentials"])))
            for name in ("window", "step", "tag"):
                ctx.set(getattr(dut, name), now[name])
            ctx.set(dut.own.ready, cycle >= self.hold and rng.random() >= self.stall)
            *_, valid, ready, token = await ctx.tick().sample(dut.own.valid, dut.own.ready, dut.own.payload)
            token = plain(token) if valid else None
            assert held is None or token == held, f"{held} was offered and became {token} in cycle {cycle}"
            held = None if ready else token
            if valid and ready:
                self.tokens.append(token)
                self.left.append(cycle)
            rest -= not waiting and not any(on_way) and len(self.tokens) >= expected
            cycle += 1
        ctx.set(dut.enters, 0)
        ctx.set(dut.load, 0)


def play(case, batches, **options):
    """One play on its own, held against what went in."""
    dut = case.outbox()
    played = Play(case, dut, batches, **options)
    simulate(dut, played.run, deadline=20_000)
    agree(case, played.tokens, batches)
    return played


def strict(emitter):
    """The same emitter, which fails where it is loaded while it is not empty."""
    class Strict(emitter):
        def elaborate(self, platform):
            m = super().elaborate(platform)
            m.d.sync += Assert(~self.load | self.empty)
            return m
    return Strict


@pytest.fixture(autouse=True)
def _strict(monkeypatch):
    """Emitters are loaded while they are empty."""
    for name in ("PriorityEmitter", "ScanEmitter"):
        monkeypatch.setattr(outbox, name, strict(getattr(outbox, name)))


def random_case(rng, *, read, scan, queued):
    size = rng.randint(1, 12)
    return Case(size=size, group=rng.randint(1, size + 2), base=rng.choice([0, 1, 8, 13]),
                ordered=read or rng.random() < 0.6, scan=scan, queue=queued,
                bits=5 if read else 0, tagged=rng.random() < 0.7,
                delay=rng.randint(1, 5))


KINDS = [kind for kind in product([False, True], repeat=3) if not kind[0] or not kind[2]]


@pytest.mark.parametrize("read, scan, queued", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_batches(read, scan, queued, seed):
    """With and without gaps and stalls; a queue fills when what leaves is slow."""
    rng = random.Random(f"{read} {scan} {queued} {seed}")
    case = random_case(rng, read=read, scan=scan, queued=queued)
    batches = [case.batch(rng) for _ in range(90)]
    gap, stall = [(0, 0), (0, 0.5), (0.5, 0), (0.3, 0.8)][seed]
    play(case, batches, gap=gap, stall=stall, seed=seed)


@pytest.mark.parametrize("scan", [False, True])
@pytest.mark.parametrize("delay", [1, 3, 5])
@pytest.mark.parametrize("density", [0, 0.5, 1])
def test_no_more_enter_than_fit(delay, scan, density):
    """One enters in every cycle with room, and nothing leaves until all that can be has entered."""
    rng = random.Random(f"{delay} {scan} {density}")
    case = Case(scan=scan, queue=True, delay=delay)
    batches = [case.batch(rng, density=density, window=False) for _ in range(3 * DEPTH)]
    played = play(case, batches, hold=100)
    entered = [cycle for cycle in played.entered if cycle < 100]
    assert entered[:DEPTH] == [*range(DEPTH)]
    assert 16 < len(entered) <= 16 + 4, "those that are not at the emitters, or at the way out, all wait"


@pytest.mark.parametrize("delay", [1, 3])
def test_what_enters_where_there_is_no_room_is_lost(delay):
    """So that the room that is kept is not larger than it needs to be."""
    rng = random.Random(delay)
    case = Case(queue=True, delay=delay)
    batches = [case.batch(rng, density=0.5, window=False) for _ in range(3 * DEPTH)]
    with pytest.raises((AssertionError, TimeoutError)):
        play(case, batches, hold=100, careless=True)


@pytest.mark.parametrize("read, scan", [(False, False), (False, True), (True, False)])
@pytest.mark.parametrize("delay", [1, 2, 3])
def test_without_a_queue_one_at_a_time(read, scan, delay):
    """``room`` falls with ``enters``; the next enters when the end of the one before is settled."""
    rng = random.Random(f"{read} {scan} {delay}")
    case = Case(scan=scan, bits=5 * read, delay=delay)
    batches = [case.batch(rng, density=0.5) for _ in range(30)]
    played = play(case, batches)
    ends = [cycle for cycle, token in zip(played.left, played.tokens, strict=True) if token["end"]]
    assert all(after > entered + delay for entered, after in pairwise(played.entered))
    assert played.entered[1:] == ends[:-1], "as soon as the end is in the buffer at the way out"


@pytest.mark.parametrize("read, scan, queued, first", [
    (False, False, False, 3), (True, False, False, 3), (False, True, False, 2),
    (False, False, True, 5), (False, True, True, 4)])
@pytest.mark.parametrize("group", [7, 3])
def test_latency(read, scan, queued, first, group):
    """One batch of which all fired: the first spike, then one a cycle, and the end."""
    case = Case(scan=scan, queue=queued, bits=5 * read, group=group)
    played = play(case, [case.batch(random.Random(1), density=1, window=False)])
    assert [token["address"] for token in played.tokens[:7]] == [*range(4, 11)] or group == 3
    spikes = [first + case.delay + n for n in range(7)]
    assert played.left[:7] == spikes
    assert 1 <= played.left[7] - spikes[-1] <= 3


@pytest.mark.parametrize("scan", [False, True])
@pytest.mark.parametrize("queued", [False, True])
def test_scan_takes_a_cycle_a_neuron(scan, queued):
    """And a priority emitter none for those that did not fire."""
    case = Case(scan=scan, queue=queued, group=7)
    batch = case.batch(random.Random(1), density=0, window=False)
    batch["pending"] = [n in (2, 6) for n in range(7)]
    first, second = play(case, [batch]).left[:2]
    start = case.delay + 2 * queued
    assert (first, second) == ((start + 4, start + 8) if scan else (start + 3, start + 4))


@pytest.mark.parametrize("scan", [False, True])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("group", [7, 3])
@pytest.mark.parametrize("spikes", range(8))
def test_a_queued_batch_follows_the_one_before(scan, ordered, group, spikes):
    """Batches that wait in a queue leave in a fixed time each, and that is no more than it should be."""
    case = Case(queue=True, scan=scan, group=group, ordered=ordered)
    batch = case.batch(random.Random(spikes), density=0, window=False)
    batch["pending"] = [n < spikes for n in range(7)]
    played = play(case, [batch] * 8)
    firsts = played.left[::spikes + ordered] if spikes or ordered else []
    alone = group < spikes and spikes % group == 1       # the last group has one, and is not the only one
    period = spikes + (3 if scan and spikes else 1 if alone and not scan else 2)
    assert [after - before for before, after in pairwise(firsts)] == [period] * max(0, len(firsts) - 1)


@pytest.mark.parametrize("read, scan, queued", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_begins_anew_after_a_reset(read, scan, queued, seed):
    rng = random.Random(f"reset {read} {scan} {queued} {seed}")
    case = random_case(rng, read=read, scan=scan, queued=queued)
    dut, reset = case.outbox(), Signal()
    batches = [case.batch(rng) for _ in range(40)]
    cut = [Play(case, dut, batches, stall=0.3, stop=rng.randint(1, 80), seed=index) for index in range(5)]
    last = Play(case, dut, batches, stall=0.2)

    async def testbench(ctx):
        for one in cut:
            await one.run(ctx)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
        await last.run(ctx)

    simulate(ResetInserter(reset)(dut), testbench, deadline=20_000)
    agree(case, last.tokens, batches)


def test_potentials_have_no_queue():
    with pytest.raises(ValueError) as caught:
        Case(queue=True, bits=4).outbox()
    assert str(caught.value) == "An outbox of spikes with potentials must have no queue"
