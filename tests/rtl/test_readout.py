# amaranth: UnusedElaboratable=no
"""The readout against a function from a window's tokens to class and step."""

import random
from itertools import groupby

import pytest
from amaranth.hdl import ResetInserter, Signal
from firstspike.rtl.readout import Readout, ReadoutKind
from firstspike.rtl.streams.token import Kind, Token
from harness.amaranth import StreamMonitor, never, pauses, simulate, stream_get, stream_put

KINDS = pytest.mark.parametrize("kind", list(ReadoutKind), ids=lambda kind: kind.value)


def token(kind, address=0, step=0, potential=0, *, dump=0, some=0, tag=0):
    return {"kind": kind, "address": address, "step": step, "value": 0, "tag": tag,
            "potential": potential, "dump": dump, "some": some}


def random_window(rng, kind, classes, window, *, tag=0, density=None):
    """What a last layer sends: spikes with potentials, ends of steps, final potentials in any order."""
    density = rng.choice([0, 0.05, 0.3, 0.9]) if density is None else density
    top = rng.choice([0, 1, 30])     # few potentials, so that there are ties

    def spikes(step, some, dump=0):
        order = rng.sample(range(classes), classes)
        return [token(Kind.SPIKE, address, step, rng.randint(-top, top), dump=dump, tag=tag)
                for address in order if rng.random() < some]

    tokens = []
    if kind is not ReadoutKind.POTENTIAL:
        for step in range(window):
            if rng.random() < 0.8:
                fired = spikes(step, density)
                tokens += [*fired, token(Kind.STEP, step=step, some=int(bool(fired)), tag=tag)]
    return [*tokens, *spikes(0, 1, dump=1), token(Kind.WINDOW, tag=tag)]


def readout(kind, tokens, window):
    """Class and step of one window, and after which of its tokens a spike has decided (None: none did)."""
    spikes = [t for t in tokens if t["kind"] is Kind.SPIKE]
    final = {t["address"]: t["potential"] for t in spikes if t["dump"]}
    fired = [t for t in spikes if not t["dump"]]
    if kind is ReadoutKind.FIRST_SPIKE and fired:
        step = fired[0]["step"]
        scores = {t["address"]: t["potential"] for t in fired if t["step"] == step}
        end = next(i for i, t in enumerate(tokens) if t["kind"] is Kind.STEP and t["step"] == step)
        return min(scores, key=lambda n: (-scores[n], n)), step, end
    if kind is ReadoutKind.COUNT:
        counts = {n: sum(t["address"] == n for t in fired) for n in final}
        return min(final, key=lambda n: (-counts[n], -final[n], n)), window, None
    return min(final, key=lambda n: (-final[n], n)), window, None


def make(rng, kind, *, early_stop=False, tagged=True):
    classes, window = rng.randint(1, 7), rng.randint(1, 6)
    return Readout(Token(classes, window, tagged=tagged, potential_bits=6), kind, early_stop=early_stop)


def windows_for(rng, component, count):
    shape = component.token.addresses, component.token.window
    return [random_window(rng, component.kind, *shape, tag=(index & 1) * component.token.tagged)
            for index in range(count)]


class Watched:
    """What a readout did, by cycle: ``taken`` tokens, ``results``, ``decided``, ``over``."""

    def __init__(self, component, tokens, count, *, stop=0, pause=never, result_pause=never):
        self.decided, self.over = [], []
        monitor, entry = StreamMonitor(component.result), StreamMonitor(component.tokens)

        async def source(ctx):
            ctx.set(component.stop_early, stop)
            await stream_put(ctx, component.tokens, tokens, pause)

        async def sink(ctx):
            await stream_get(ctx, component.result, count, result_pause)

        async def watch(ctx):
            while True:
                *_, decided, over = await ctx.tick().sample(component.decided, component.over)
                self.decided.append(decided)
                self.over.append(over)

        async def settle(ctx):
            while len(monitor.transfers) < count or len(entry.transfers) < len(tokens):
                await ctx.tick()
            for _ in range(5):
                await ctx.tick()

        simulate(component, source, sink, settle, background=[watch, monitor.watch, entry.watch])
        assert len(monitor.transfers) == count
        self.results = [(payload["label"], payload["step"]) for _, payload in monitor.transfers]
        self.times = [cycle for cycle, _ in monitor.transfers]
        self.taken = [cycle for cycle, _ in entry.transfers]
        self.over = [cycle for cycle, over in enumerate(self.over) if over]


def flat(windows):
    return [token for window in windows for token in window]


@KINDS
@pytest.mark.parametrize("stall", [0, 0.5])
def test_results(kind, stall):
    rng = random.Random(f"{kind} {stall}")
    for _ in range(4):
        component = make(rng, kind, tagged=rng.random() < 0.5)
        windows = windows_for(rng, component, 25)
        got = Watched(component, flat(windows), 25, pause=pauses(rng, stall), result_pause=pauses(rng, stall))
        wanted = [readout(kind, window, component.token.window) for window in windows]
        assert got.results == [(label, step) for label, step, _ in wanted]
        assert not any(got.decided)


@KINDS
def test_a_token_a_cycle_and_the_result_in_the_cycle_after(kind):
    rng = random.Random(1)
    component = make(rng, kind)
    windows = windows_for(rng, component, 8)
    got = Watched(component, flat(windows), 8)
    ends = [index for index, t in enumerate(flat(windows)) if t["kind"] is Kind.WINDOW]
    assert got.taken == list(range(len(flat(windows))))
    assert got.times == [end + 1 for end in ends]
    assert got.over == ends


TIES = {
    "the lower index": (ReadoutKind.POTENTIAL, [], [(2, 4), (1, 4), (0, 3)], (1, 3)),
    "negative potentials": (ReadoutKind.POTENTIAL, [], [(2, -4), (1, -5), (0, -4)], (0, 3)),
    "the earlier spike": (ReadoutKind.FIRST_SPIKE, [(0, 2, 9), (1, 0, 1)], [(0, 9), (1, 0), (2, 0)], (1, 0)),
    "higher in its step": (ReadoutKind.FIRST_SPIKE, [(0, 1, 3), (2, 1, 5)], [(1, 9), (0, 0), (2, 0)], (2, 1)),
    "a tie in its step": (ReadoutKind.FIRST_SPIKE, [(2, 1, 5), (1, 1, 5)], [(0, 9), (1, 0), (2, 8)], (1, 1)),
    "no spike": (ReadoutKind.FIRST_SPIKE, [], [(0, -9), (2, -1), (1, -1)], (1, 3)),
    "more spikes": (ReadoutKind.COUNT, [(2, 0, 0), (0, 1, 0), (2, 2, 0)], [(0, 9), (1, 9), (2, -9)], (2, 3)),
    "as many spikes": (ReadoutKind.COUNT, [(2, 0, 0), (0, 1, 0)], [(0, 1), (1, 9), (2, 2)], (2, 3)),
    "as many, as high": (ReadoutKind.COUNT, [(2, 0, 0), (0, 1, 0)], [(2, 1), (1, 9), (0, 1)], (0, 3)),
}


@pytest.mark.parametrize("name", TIES)
def test_ties(name):
    """Twice in a row, so that nothing is left of the first."""
    kind, spikes, final, wanted = TIES[name]
    tokens = []
    spikes = sorted(spikes, key=lambda spike: spike[1])
    for step, group in groupby(spikes, key=lambda spike: spike[1]):
        tokens += [token(Kind.SPIKE, n, step, potential) for n, _, potential in group]
        tokens.append(token(Kind.STEP, step=step, some=1))
    tokens += [token(Kind.SPIKE, n, 0, potential, dump=1) for n, potential in final]
    tokens.append(token(Kind.WINDOW))
    assert readout(kind, tokens, 3)[:2] == wanted
    component = Readout(Token(3, 3, tagged=True, potential_bits=6), kind, early_stop=False)
    assert Watched(component, tokens * 2, 2).results == [wanted] * 2


@pytest.mark.parametrize("stop", [0, 1])
@pytest.mark.parametrize("stall", [0, 0.5])
def test_early_stop(stop, stall):
    """The result comes after the end of the deciding step; the window is decided from then to its end."""
    rng = random.Random(f"stop {stop} {stall}")
    for _ in range(4):
        component = make(rng, ReadoutKind.FIRST_SPIKE, early_stop=True)
        windows = windows_for(rng, component, 20)
        got = Watched(component, flat(windows), 20, stop=stop, pause=pauses(rng, stall),
                      result_pause=pauses(rng, stall))
        wanted, decided, first, sent = [], [0] * len(got.decided), 0, []
        for window in windows:
            label, step, deciding = readout(component.kind, window, component.token.window)
            wanted.append((label, step))
            last = first + len(window) - 1
            if stop and deciding is not None:
                for cycle in range(got.taken[first + deciding] + 1, got.taken[last] + 1):
                    decided[cycle] |= 1 << window[0]["tag"]
                sent.append(got.taken[first + deciding] + 1)
            else:
                sent.append(got.taken[last] + 1)
            first = last + 1
        assert got.results == wanted
        assert got.decided == decided
        if not stall:
            assert got.times == sent
        assert got.over == [cycle for cycle, t in zip(got.taken, flat(windows), strict=True)
                            if t["kind"] is Kind.WINDOW]


@KINDS
def test_a_result_waits(kind):
    """Until it is taken, unchanged; spikes of the next window go on, its first end waits."""
    rng = random.Random(3)
    component = make(rng, kind)
    windows = windows_for(rng, component, 3)
    entry = StreamMonitor(component.tokens)
    wanted = [readout(kind, window, component.token.window)[:2] for window in windows]
    fits = len(windows[0]) + next(i for i, t in enumerate(windows[1]) if t["kind"] is not Kind.SPIKE)
    got = []

    async def source(ctx):
        await stream_put(ctx, component.tokens, flat(windows))

    async def sink(ctx):
        for _ in range(100):
            await ctx.tick()
        assert len(entry.transfers) == fits
        result = ctx.get(component.result.payload)
        assert ctx.get(component.result.valid) and (result.label, result.step) == wanted[0]
        got.extend(await stream_get(ctx, component.result, 3))

    simulate(component, source, sink, background=[entry.watch, StreamMonitor(component.result).watch])
    assert [(result["label"], result["step"]) for result in got] == wanted


@KINDS
def test_begins_anew_after_a_reset(kind):
    rng = random.Random(f"reset {kind}")
    for _ in range(4):
        component, reset = make(rng, kind, early_stop=kind is ReadoutKind.FIRST_SPIKE), Signal()
        broken, windows = flat(windows_for(rng, component, 2)), windows_for(rng, component, 3)
        broken = broken[:rng.randint(1, len(broken) - 1)]

        async def source(ctx, component=component, reset=reset, broken=broken, windows=windows):
            ctx.set(component.stop_early, rng.randrange(2))
            ctx.set(component.result.ready, 1)
            await stream_put(ctx, component.tokens, broken)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            assert not ctx.get(component.result.valid) and not ctx.get(component.decided)
            ctx.set(component.result.ready, 0)
            got = []
            for window in windows:
                await stream_put(ctx, component.tokens, window)
                got += await stream_get(ctx, component.result, 1)
            assert [(result["label"], result["step"]) for result in got] == [
                readout(component.kind, window, component.token.window)[:2] for window in windows]

        simulate(ResetInserter(reset)(component), source)


@pytest.mark.parametrize("options, message", [
    ({"potential_bits": 0}, "A readout's tokens must carry potentials"),
    ({"tagged": False, "early_stop": True}, "Early stop needs a first-spike readout and tagged windows"),
    ({"kind": ReadoutKind.COUNT, "early_stop": True},
     "Early stop needs a first-spike readout and tagged windows"),
    ({"kind": "fastest"}, "'fastest' is not a valid ReadoutKind"),
])
def test_what_is_refused(options, message):
    options = {"kind": "first_spike", "early_stop": False, "potential_bits": 6, "tagged": True} | options
    with pytest.raises(ValueError) as caught:
        Readout(Token(3, 4, tagged=options["tagged"], potential_bits=options["potential_bits"]),
                options["kind"], early_stop=options["early_stop"])
    assert str(caught.value) == message
