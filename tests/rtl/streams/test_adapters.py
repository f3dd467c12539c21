# amaranth: UnusedElaboratable=no
"""What changes the lanes of a stream, against models of its transfers, and held to the laws of streams."""

import random
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from firstspike.rtl.streams.bank_sorter import BankSorter
from firstspike.rtl.streams.banks import Banks
from firstspike.rtl.streams.buffer import Buffer
from firstspike.rtl.streams.narrow import Narrow
from firstspike.rtl.streams.token import Kind, Order, Token
from firstspike.rtl.streams.widen import Widen
from harness.amaranth import StreamMonitor, never, pauses, plain, simulate, stream_get, stream_put
from harness.spikes import flat, meaning, pack, payload, random_windows

WINDOW = 5


@dataclass
class Case:
    """An adapter, and the cycle by cycle model of what it does."""

    kind: type
    to: object
    lanes: int = 1
    order: Order = Order.STEP
    addresses: int = 11
    banks: Banks | None = None

    def adapter(self):
        source = Token(self.addresses, WINDOW, value_bits=3, tagged=True, order=self.order, lanes=self.lanes,
                       banks=self.banks)
        return self.kind(source) if self.to is None else self.kind(source, self.to)

    def model(self, adapter, transfers):
        """The transfers that leave, and for each that comes how many leave by it."""
        if self.kind is Narrow:
            return narrow(adapter, transfers)
        return gather(adapter, transfers)


def spikes_of(token, transfer):
    """A transfer's spikes as (address, step, value)."""
    return [one[1:4] for one in flat(token, [transfer | {"kind": Kind.SPIKE}])
            ] if token.lanes > 1 or transfer["kind"] is Kind.SPIKE else []


def narrow(adapter, transfers):
    """Each transfer's tokens, one after the other."""
    out, counts = [], []
    for transfer in transfers:
        tokens = [payload(adapter.token, {0: spike}, Kind.SPIKE, spike[1], transfer["tag"])
                  for spike in spikes_of(adapter.source, transfer)]
        for token, spike in zip(tokens, spikes_of(adapter.source, transfer), strict=True):
            token["step"] = spike[1]
        if transfer["kind"] is not Kind.SPIKE:
            tokens.append(payload(adapter.token, {}, transfer["kind"], transfer["step"], transfer["tag"]))
        out += tokens
        counts.append(len(tokens))
    return out, counts


@dataclass
class Held:
    """A transfer that is gathered."""

    step: int
    tag: int
    spikes: dict = field(default_factory=dict)
    kind: Kind = Kind.SPIKE


def gather(adapter, transfers):
    """Spikes join what is held where their lane is free; what can not join makes it leave."""
    token, out, counts, held, whole = adapter.token, [], [], None, False

    def lane(spike, spikes):
        if token.banks is not None:
            return token.banks.places[spike[0]][0]
        return min(set(range(token.lanes)) - set(spikes), default=0)

    for transfer in transfers:
        waits, emitted = spikes_of(adapter.source, transfer), 0
        kind, step, tag = transfer["kind"], transfer["step"], transfer["tag"]
        while True:
            if held is None or not (held.spikes or whole):
                held = Held(step, tag)
            joins = not whole and (token.order is not Order.STEP or step == held.step
                                   or (kind is Kind.WINDOW and not waits))
            left = []
            for spike in waits:
                place = lane(spike, held.spikes)
                if joins and place not in held.spikes:
                    held.spikes[place] = spike
                else:
                    left.append(spike)
            if joins and not left:
                held.kind, whole = kind, kind is not Kind.SPIKE or len(held.spikes) == token.lanes
                break
            out.append(payload(token, held.spikes, held.kind, held.step, held.tag))
            held, whole, waits, emitted = None, False, left, emitted + 1
        counts.append(emitted)
    assert whole, "a window's end is an end"
    out.append(payload(token, held.spikes, held.kind, held.step, held.tag))
    return out, counts


STEP, RASTER, NONE = Order
TABLE = Banks(11, 3, (0, 2, 1, 1, 0, 0, 0, 2, 2, 0, 1))
CASES = {
    **{f"widen {lanes} to {to}, {order.value}": Case(Widen, to, lanes, order)
       for lanes, to, order in [(1, 2, STEP), (1, 3, STEP), (1, 8, STEP), (2, 5, STEP), (1, 4, NONE),
                                (3, 4, NONE), (1, 3, RASTER), (2, 4, RASTER)]},
    **{f"{lanes} into {banks.banks} banks{' by table' * (banks.table is not None)}, {order.value}":
       Case(BankSorter, banks, lanes, order)
       for lanes, banks, order in [
           (1, Banks(11, 2), STEP), (1, Banks(11, 4), STEP), (1, Banks(11, 3), STEP), (1, TABLE, STEP),
           (1, Banks(11, 11), STEP), (2, Banks(11, 4), STEP), (4, Banks(11, 4), STEP), (4, TABLE, STEP),
           (5, Banks(11, 2), STEP), (1, Banks(11, 4), NONE), (4, Banks(11, 4), NONE), (3, TABLE, NONE)]},
    **{f"narrow {lanes}, {order.value}": Case(Narrow, None, lanes, order)
       for lanes, order in [(2, STEP), (5, STEP), (3, NONE), (4, RASTER)]},
    **{f"narrow {banks.banks} banks{' by table' * (banks.table is not None)}, {order.value}":
       Case(Narrow, None, banks.banks, order, banks=banks)
       for banks, order in [(Banks(11, 4), STEP), (TABLE, STEP), (Banks(11, 11), STEP),
                            (Banks(11, 3), NONE)]},
}
ALL = pytest.mark.parametrize("name", CASES)


def transfers_of(rng, adapter, windows, most=6):
    return pack(rng, adapter.source, random_windows(rng, adapter.source, windows, most))


def run(adapter, transfers, count, pause=never, ready_pause=never):
    """What leaves, its cycles, and those in which a transfer was taken."""
    came, left = StreamMonitor(adapter.i), StreamMonitor(adapter.o)

    async def source(ctx):
        await stream_put(ctx, adapter.i, transfers, pause)

    async def sink(ctx):
        await stream_get(ctx, adapter.o, count, ready_pause)
        ctx.set(adapter.o.ready, 1)
        for _ in range(5):
            await ctx.tick()

    simulate(adapter, source, sink, background=[came.watch, left.watch])
    return ([one for _, one in left.transfers], [cycle for cycle, _ in left.transfers],
            [cycle for cycle, _ in came.transfers])


def cleared(token, transfers):
    """Transfers without what says nothing: the lanes without a spike, the step of an end of window alone."""
    result = []
    for one in transfers:
        one = dict(one)
        if token.lanes > 1:
            one["spikes"] = [spike if spike["valid"] else None for spike in one["spikes"]]
            if one["kind"] is Kind.WINDOW and not any(one["spikes"]):
                one["step"] = None
        elif one["kind"] is Kind.WINDOW:
            one = {"kind": Kind.WINDOW, "tag": one["tag"]}
        elif one["kind"] is Kind.STEP:
            one = {"kind": Kind.STEP, "tag": one["tag"], "step": one["step"]}
        result.append(one)
    return result


@ALL
@pytest.mark.parametrize("stall", [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.7)], ids=str)
def test_transfers_and_laws(name, stall):
    """Just the transfers of the model; nothing is lost, doubled or moved, and each window ends once."""
    rng = random.Random(f"{name} {stall}")
    case = CASES[name]
    adapter = case.adapter()
    transfers = transfers_of(rng, adapter, 6)
    wanted, _ = case.model(adapter, transfers)
    got, *_ = run(adapter, transfers, len(wanted), *(pauses(rng, one) if one else never for one in stall))
    assert cleared(adapter.token, got) == cleared(adapter.token, wanted)
    came, went = flat(adapter.source, transfers), flat(adapter.token, got)
    assert meaning(went) == meaning(came)
    if case.kind is not BankSorter:
        assert went == came, "order stays"
    closed = -1
    for kind, _, step, _, _ in went if case.order is Order.STEP else ():
        assert kind is Kind.WINDOW or step > closed or (kind is Kind.SPIKE and step == closed)
        closed = -1 if kind is Kind.WINDOW else step - (kind is Kind.SPIKE)


@ALL
def test_throughput_and_latency(name):
    """Each in its cycle, windows without a gap: one a cycle, but where more leaves than comes."""
    rng = random.Random(f"throughput {name}")
    case = CASES[name]
    adapter = case.adapter()
    transfers = transfers_of(rng, adapter, 6)
    wanted, counts = case.model(adapter, transfers)
    _, left, came = run(adapter, transfers, len(wanted))
    lasts = [max(1, count) for count in counts]
    starts = [0, *accumulate(lasts)]
    assert came == [end - 1 for end in starts[1:]]
    cycles = [start + place for start, count in zip(starts, counts, strict=False) for place in range(count)]
    assert left == cycles + [starts[-1]] * (case.kind is not Narrow)


@ALL
def test_an_end_waits_for_nothing(name):
    """All that came up to an end of a step or window has left in the cycle after, though nothing follows."""
    rng = random.Random(f"end {name}")
    case = CASES[name]
    adapter = case.adapter()
    tokens = random_windows(rng, adapter.source, 4)
    ends = [place for place, token in enumerate(tokens) if token[0] is not Kind.SPIKE]
    monitor = StreamMonitor(adapter.o)

    async def testbench(ctx):
        ctx.set(adapter.o.ready, 1)
        for first, end in pairwise([-1, *ends]):
            await stream_put(ctx, adapter.i, pack(rng, adapter.source, tokens[first + 1:end + 1]))
            for _ in range(2):
                await ctx.tick()
            left = [one for _, one in monitor.transfers]
            assert meaning(flat(adapter.token, left)) == meaning(tokens[:end + 1])

    simulate(adapter, testbench, background=[monitor.watch])


@ALL
def test_a_stalled_sink_stalls_the_source(name):
    """Nothing leaves: only what one transfer can hold is taken, and it is all there when it goes on."""
    rng = random.Random(f"stalled {name}")
    case = CASES[name]
    adapter = case.adapter()
    transfers = transfers_of(rng, adapter, 6)
    wanted, counts = case.model(adapter, transfers)
    monitor, got = StreamMonitor(adapter.i), []

    async def source(ctx):
        await stream_put(ctx, adapter.i, transfers)

    async def sink(ctx):
        for _ in range(60):
            await ctx.tick()
        first = next(place for place, count in enumerate(counts) if count)
        assert len(monitor.transfers) == first
        got.extend(await stream_get(ctx, adapter.o, len(wanted)))

    simulate(adapter, source, sink, background=[monitor.watch])
    assert cleared(adapter.token, got) == cleared(adapter.token, wanted)


@ALL
def test_begins_anew_after_a_reset(name):
    """In the middle of a window, or of a transfer; the next window is as if it were the first."""
    rng = random.Random(f"reset {name}")
    case = CASES[name]
    adapter, reset = case.adapter(), Signal()
    whole = transfers_of(rng, adapter, 3)
    wanted, _ = case.model(adapter, whole)
    got = []

    async def testbench(ctx):
        for _ in range(8):
            waiting = transfers_of(rng, adapter, 3)[::-1]
            for _ in range(rng.randint(1, 25)):
                ctx.set(adapter.i.payload, waiting[-1])
                ctx.set(adapter.i.valid, 1)
                ctx.set(adapter.o.ready, rng.random() < 0.5)
                *_, ready = await ctx.tick().sample(adapter.i.ready)
                if ready:
                    waiting.pop()
                if not waiting:
                    break
            ctx.set(adapter.i.valid, 0)
            ctx.set(adapter.o.ready, 0)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
        waiting = whole[::-1]
        while len(got) < len(wanted):
            ctx.set(adapter.i.valid, bool(waiting))
            ctx.set(adapter.i.payload, waiting[-1] if waiting else whole[0])
            ctx.set(adapter.o.ready, 1)
            *_, ready, valid, one = await ctx.tick().sample(
                adapter.i.ready, adapter.o.valid, adapter.o.payload)
            if waiting and ready:
                waiting.pop()
            if valid:
                got.append(plain(one))

    simulate(ResetInserter(reset)(adapter), testbench, deadline=3000)
    assert cleared(adapter.token, got) == cleared(adapter.token, wanted)


class There(wiring.Component):
    """Some adapters one behind the other, with a buffer between two."""

    def __init__(self, *adapters):
        self.adapters = adapters
        super().__init__({"i": In(stream.Signature(adapters[0].source)),
                          "o": Out(stream.Signature(adapters[-1].token))})

    def elaborate(self, platform):
        m = Module()
        last = wiring.flipped(self.i)
        for place, adapter in enumerate(self.adapters):
            m.submodules[f"adapter_{place}"] = adapter
            m.submodules[f"buffer_{place}"] = buffer = Buffer(adapter.token)
            wiring.connect(m, last, adapter.i)
            wiring.connect(m, adapter.o, buffer.i)
            last = buffer.o
        wiring.connect(m, last, wiring.flipped(self.o))
        return m


@pytest.mark.parametrize("stall", [0, 0.4])
def test_there_and_back(stall):
    """Through lanes and banks to one lane again: the same windows, and in each step the same spikes."""
    rng = random.Random(stall)
    source = Token(11, WINDOW, value_bits=3, tagged=True)
    widen = Widen(source, 3)
    sort = BankSorter(widen.token, Banks(11, 4))
    there = There(widen, sort, Narrow(sort.token))
    tokens = random_windows(rng, source, 12)
    got, *_ = run(there, pack(rng, source, tokens), len(tokens),
                  *(pauses(rng, stall) if stall else never for _ in range(2)))
    assert meaning(flat(source, got)) == meaning(tokens)


def test_what_is_refused():
    one, raster = Token(8, 4), Token(8, 4, order=Order.RASTER)
    banked = one.with_lanes(4, Banks(8, 4))
    for make, message in [
            (lambda: Widen(one, 1), "Lanes must be more than the input's 1, not 1"),
            (lambda: Widen(one.with_lanes(4), 3), "Lanes must be more than the input's 4, not 3"),
            (lambda: Widen(one, 2.0), "Lanes must be more than the input's 1, not 2.0"),
            (lambda: Widen(banked, 8), "What is widened must not be sorted into banks"),
            (lambda: Narrow(one), "Lanes must be more than 1, to become one"),
            (lambda: BankSorter(banked, Banks(8, 2)), "What is sorted into banks must not be so already"),
            (lambda: BankSorter(raster, Banks(8, 2)),
             "What is sorted into banks must not be a raster, whose order it would lose")]:
        with pytest.raises(ValueError) as caught:
            make()
        assert str(caught.value) == message
