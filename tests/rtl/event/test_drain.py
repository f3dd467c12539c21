"""The drain against a merge of lists: nothing lost, doubled, or moved over an end."""

import random

import pytest
from firstspike.rtl.event.drain import Drain
from firstspike.rtl.streams.token import Kind, Token
from harness.amaranth import StreamMonitor, never, pauses, plain, simulate, stream_get, stream_put

BASE, NEURONS, WINDOW = 5, 6, 4


def make(*, first=False, read=False, tagged=True):
    token = Token(BASE + NEURONS, WINDOW, tagged=tagged, potential_bits=7 if read else 0)
    return Drain(token, first=first)


def sections(rng, windows, *, most=5):
    """Ends of steps and windows: (step, window, tag, spikes before it of the others, and own)."""
    for index in range(windows):
        ends = [(step, False) for step in range(WINDOW) if rng.random() < 0.7]
        for step, window in [*ends, (0, True)]:
            yield step, window, index & 1, rng.randrange(most), rng.randrange(most)


def streams(rng, drain, windows):
    """Both sides, as payloads."""
    before, own = [], []
    tagged, read = drain.token.tagged, bool(drain.token.potential_bits)
    for step, window, tag, others, mine in sections(rng, windows):
        shared = {"step": step, "value": 0, "tag": tag * tagged}
        for _ in range(others):
            before.append({"kind": Kind.SPIKE, "address": rng.randrange(BASE), **shared})
            if read:
                before[-1] |= {"potential": rng.randint(-64, 63), "dump": int(window), "some": 0}
        before.append({"kind": Kind.WINDOW if window else Kind.STEP, "address": 0, **shared})
        if read:
            before[-1] |= {"potential": 0, "dump": 0, "some": int(others > 0 and not window)}
        shared = {"window": int(window), "step": step, "tag": tag * tagged}
        for index in rng.sample(range(NEURONS), mine):
            own.append({"end": 0, **shared, "address": BASE + index,
                        "potential": rng.randint(-64, 63) * read})
        own.append({"end": 1, **shared, "address": 0, "potential": 0})
    return before, own


def spike_of(drain, payload):
    """The token of an own spike."""
    read = drain.token.potential_bits
    return ({"kind": Kind.SPIKE, "address": payload["address"], "step": payload["step"], "value": 0,
             "tag": payload["tag"]}
            | ({"potential": payload["potential"], "dump": payload["window"]} if read else {}))


def drain(component, before, own, kept):
    """What comes out: for each end its kind, step, tag and ``some``, and the spikes since the one before.

    ``kept[n]``: whether the ``n``-th of ``own`` is kept if it is a spike.
    """
    others, mine, result = [], [], []
    before = iter(before)
    for payload, stays in zip(own, kept, strict=True):
        if not payload["end"]:
            mine += [spike_of(component, payload)] * stays
            continue
        some = any(not spike.get("dump", 0) for spike in mine)
        if not component.first:
            for token in before:
                if token["kind"] is not Kind.SPIKE:
                    some |= bool(token.get("some", 0))
                    break
                others.append({name: token[name] for name in token if name != "some"})
        kind = Kind.WINDOW if payload["window"] else Kind.STEP
        result.append(((kind, payload["step"], payload["tag"], some), others, mine))
        others, mine = [], []
    return result


def agree(component, tokens, wanted):
    """Hold the output against the model; spikes of each side keep their order."""
    read = component.token.potential_bits
    tokens = iter(tokens)
    for (kind, step, tag, some), others, mine in wanted:
        got = []
        for token in tokens:
            if token["kind"] is not Kind.SPIKE:
                break
            got.append({name: token[name] for name in token if name != "some"})
        else:
            raise AssertionError("an end is missing")
        assert (token["kind"], token["step"], token["tag"]) == (kind, step, tag)
        if read:
            assert token["some"] == some and not token["dump"]
        assert [spike for spike in got if spike["address"] < BASE] == others
        assert [spike for spike in got if spike["address"] >= BASE] == mine
    assert next(tokens, None) is None


def run(component, before, own, count, *, pause=never, before_pause=never, own_pause=never, decided=0):
    """The tokens that come out, and their cycles."""
    monitor, tokens = StreamMonitor(component.tokens), []

    async def others(ctx):
        ctx.set(component.decided, decided)
        if not component.first:
            await stream_put(ctx, component.before, before, before_pause)

    async def mine(ctx):
        await stream_put(ctx, component.own, own, own_pause)

    async def sink(ctx):
        tokens.extend(await stream_get(ctx, component.tokens, count, pause))
        for _ in range(6):
            await ctx.tick()
        assert not ctx.get(component.tokens.valid), "something came after the last end"

    simulate(component, others, mine, sink, background=[monitor.watch])
    return tokens, [cycle for cycle, _ in monitor.transfers]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("read", [True, False])
def test_merges(first, read):
    rng = random.Random(f"{first} {read}")
    for tagged in (True, False, True):
        component = make(first=first, read=read, tagged=tagged)
        before, own = streams(rng, component, 4)
        count = len(own) if first else len(own) + sum(token["kind"] is Kind.SPIKE for token in before)
        pause, before_pause, own_pause = (pauses(rng, rng.choice([0, 0.3, 0.6])) for _ in range(3))
        tokens, *_ = run(component, before, own, count, pause=pause, before_pause=before_pause,
                         own_pause=own_pause)
        agree(component, tokens, drain(component, before, own, [1] * len(own)))


@pytest.mark.parametrize("first, read", [(True, False), (False, False), (True, True), (False, True)])
@pytest.mark.parametrize("decided", range(4))
def test_decided_drops_own_spikes_of_its_tag(first, read, decided):
    """Ends pass, and the spikes of the columns before, which these have dropped themselves if need be."""
    rng = random.Random(f"{first} {read} {decided}")
    component = make(first=first, read=read)
    before, own = streams(rng, component, 4)
    kept = [not decided >> payload["tag"] & 1 for payload in own]
    wanted = drain(component, before, own, kept)
    count = sum(1 + len(others) + len(mine) for _, others, mine in wanted)
    stall = [pauses(rng, 0.3) for _ in range(3)]
    tokens, *_ = run(component, before, own, count, pause=stall[0], before_pause=stall[1],
                       own_pause=stall[2], decided=decided)
    agree(component, tokens, wanted)


@pytest.mark.parametrize("first", [True, False])
def test_decided_counts_in_the_cycle_of_the_transfer(first):
    rng = random.Random(first)
    component = make(first=first)
    before, own = streams(rng, component, 12)
    tokens, kept = [], []

    async def sink(ctx):
        rest = 20     # cycles after the last own token
        while rest:
            rest -= len(kept) == len(own)
            ctx.set(component.tokens.ready, rng.random() < 0.7)
            *_, valid, ready, payload = await ctx.tick().sample(
                component.tokens.valid, component.tokens.ready, component.tokens.payload)
            if valid and ready:
                tokens.append(plain(payload))

    async def mine(ctx):
        await stream_put(ctx, component.own, own, pauses(rng, 0.3))

    async def others(ctx):
        if not first:
            await stream_put(ctx, component.before, before, pauses(rng, 0.3))

    async def decide(ctx):
        while True:
            value = rng.randrange(4)
            ctx.set(component.decided, value)
            *_, valid, ready, tag = await ctx.tick().sample(
                component.own.valid, component.own.ready, component.own.payload.tag)
            if valid and ready:
                kept.append(not value >> tag & 1)

    simulate(component, sink, mine, others, background=[decide])
    assert 0 < sum(kept) < len(own)
    agree(component, tokens, drain(component, before, own, kept))


def test_what_is_dropped_waits_for_nothing():
    """Neither for the spikes of the other side, nor for the way out."""
    component = make()
    before = [{"kind": Kind.SPIKE, "address": 0, "step": 0, "value": 0, "tag": 0}] * 30
    own = [{"end": 0, "window": 0, "step": 0, "tag": 1, "address": 0, "potential": 0}] * 20
    monitor = StreamMonitor(component.own)

    async def mine(ctx):
        ctx.set(component.decided, 2)
        await stream_put(ctx, component.own, own)

    async def others(ctx):
        await stream_put(ctx, component.before, before)

    simulate(component, mine, background=[others, monitor.watch])
    assert [cycle for cycle, _ in monitor.transfers] == list(range(20))


@pytest.mark.parametrize("first", [True, False])
def test_latency_and_throughput(first):
    """A spike leaves in the cycle after, of either side, and so does the next."""
    component = make(first=first)
    own = [{"end": 0, "window": 0, "step": 0, "tag": 0, "address": BASE + n % NEURONS, "potential": 0}
           for n in range(20)]
    _, cycles = run(component, [], own, 20)
    assert cycles == [*range(1, 21)]
    if not first:
        component = make()
        before = [{"kind": Kind.SPIKE, "address": n % BASE, "step": 0, "value": 0, "tag": 0}
                  for n in range(20)]
        _, cycles = run(component, before, [], 20)
        assert cycles == [*range(1, 21)]


@pytest.mark.parametrize("first, waiting", [(True, 2), (False, 0)])
def test_an_end_waits_for_that_of_the_other_side(first, waiting):
    """Without one to wait for, the buffer at the way out takes two."""
    component = make(first=first)
    monitor = StreamMonitor(component.own)

    async def mine(ctx):
        await stream_put(ctx, component.own, [
            {"end": 1, "window": 0, "step": 0, "tag": 0, "address": 0, "potential": 0}] * 5)

    async def wait(ctx):
        for _ in range(20):
            await ctx.tick()

    simulate(component, wait, background=[mine, monitor.watch])
    assert len(monitor.transfers) == waiting
