# amaranth: UnusedElaboratable=no
"""The sequencer against a function from tokens to operations, cycle for cycle."""

import random
from dataclasses import dataclass, replace

import pytest
from amaranth.hdl import ResetInserter, Signal, signed, unsigned
from firstspike.rtl.event.op import OpKind
from firstspike.rtl.event.sequencer import Sequencer, operand_shape
from firstspike.rtl.streams.token import Kind, Token
from harness.amaranth import StreamMonitor, never, pauses, plain, simulate, stream_get, stream_put


@dataclass(frozen=True)
class Case:
    """What a sequencer is made for."""

    online: bool = True
    fires: bool = True
    leaks: bool = False
    every_step: bool = False
    fires_at_start: bool = False
    closing: bool = False
    window: int = 5
    source_window: int = 5
    kernel: tuple[int, ...] = (1,) * 5
    value_bits: int = 0
    tagged: bool = False
    addresses: int = 9

    def sequencer(self):
        source = Token(self.addresses, self.source_window, value_bits=self.value_bits, tagged=self.tagged)
        return Sequencer(source, self.window, self.kernel, online=self.online, fires=self.fires,
                         leaks=self.leaks, every_step=self.every_step, fires_at_start=self.fires_at_start,
                         closing=self.closing)


BEHAVIOURS = [
    {"online": True, "fires": fires, "leaks": leaks, "every_step": every_step, "fires_at_start": at_start}
    for fires in (True, False) for leaks in (True, False) for every_step in (True, False)
    for at_start in ((True, False) if fires and not every_step else (False,)) if every_step or not leaks
] + [
    {"online": True, "fires": True, "fires_at_start": at_start, "closing": True} for at_start in (True, False)
] + [
    {"online": False, "fires": fires, "every_step": every_step}
    for fires in (True, False) for every_step in ((True, False) if fires else (False,))
]


def name_of(behaviour):
    return ", ".join(name for name, value in behaviour.items() if value) or "windowed"


def random_case(rng, behaviour):
    window = rng.randint(1, 6)
    source_window = window if behaviour["online"] else rng.randint(1, 6)
    kernel = rng.choice([
        [1] * source_window, [source_window - t for t in range(source_window)],
        [rng.randint(-3, 9) for _ in range(source_window)]])
    return Case(**behaviour, window=window, source_window=source_window, kernel=tuple(kernel),
                value_bits=rng.choice([0, 0, 3]), tagged=rng.random() < 0.5, addresses=rng.randint(1, 20))


def random_window(rng, case, tag=0):
    """One window's tokens; ends of steps by chance."""
    tokens = []
    heard = [step for step in range(case.source_window) if rng.random() < 0.6]
    for step in range(case.source_window):
        count = rng.randint(1, 4) if step in heard else 0
        tokens += [(Kind.SPIKE, rng.randrange(case.addresses), step,
                    rng.randrange(1, 1 << case.value_bits) if case.value_bits else 0) for _ in range(count)]
        if case.online and rng.random() < 0.4:
            tokens.append((Kind.STEP, 0, step, 0))
    if not case.online:
        rng.shuffle(tokens)
    tokens.append((Kind.WINDOW, 0, 0, 0))
    return [dict(zip(("kind", "address", "step", "value", "tag"), (*token, tag * case.tagged), strict=True))
            for token in tokens]


def operations(case, tokens):
    """One window's operations: for each token a list of what it causes, None being a cycle without one."""
    if not case.online:
        due = [] if not case.fires else range(case.window) if case.every_step else [0]
    elif case.every_step:
        due = range(case.window)
    else:
        heard = {token["step"] for token in tokens if token["kind"] is Kind.SPIKE}
        due = sorted(heard | {0} if case.fires_at_start else heard) if case.fires else []
    due, leaked, result = list(due), -1, []
    for token in tokens:
        kind, step = token["kind"], token["step"]
        closed = {Kind.SPIKE: step - 1, Kind.STEP: step, Kind.WINDOW: case.window - 1}[kind]
        caused, closing = [], ()
        if case.closing and kind is Kind.SPIKE and due and due[0] < step:
            closing = (due.pop(0),)
        while due and due[0] <= closed and (case.online or kind is Kind.WINDOW):
            if case.leaks and leaked < due[0]:
                caused.append((OpKind.LEAK, due[0]))
            caused.append((OpKind.FIRE, due[0]) if case.fires else None)
            leaked = due.pop(0)
        if kind is Kind.SPIKE:
            if case.leaks and leaked < step:
                caused.append((OpKind.LEAK, step))
                leaked = step
            caused.append((OpKind.ADD, token["address"], case.kernel[step] * (token["value"] or 1), *closing))
        elif kind is Kind.WINDOW:
            caused.append((OpKind.END,))
        result.append(caused or [None])
    return result


def seen(case, sequencer, op):
    """An operation with what matters of it: an ``END`` has no step, an ``ADD`` that which it closes."""
    closing = case.closing and op["closing"]
    match op["kind"]:
        case OpKind.ADD:
            return (OpKind.ADD, op["address"], op["operand"] if sequencer.op["operand"].width else 1,
                    *[op["step"]] * closing)
        case OpKind.LEAK | OpKind.FIRE:
            assert not closing
            return op["kind"], op["step"]
    return (OpKind.END,)


def opened(op):
    """A closing ``ADD`` as a ``FIRE`` and an ``ADD``."""
    return [(OpKind.FIRE, op[3]), op[:3]] if len(op) == 4 else [op]


def flat(caused):
    return [op for ops in caused for op in ops if op is not None]


def run(sequencer, tokens, count, pause, ready_pause):
    """The operations that come out, and their cycles."""
    monitor, got = StreamMonitor(sequencer.ops), []

    async def source(ctx):
        await stream_put(ctx, sequencer.tokens, tokens, pause)

    async def sink(ctx):
        got.extend(await stream_get(ctx, sequencer.ops, count, ready_pause))
        ctx.set(sequencer.ops.ready, 1)
        for _ in range(5):
            assert not ctx.get(sequencer.ops.valid), "an operation after the last end"
            await ctx.tick()

    simulate(sequencer, source, sink, background=[monitor.watch])
    return got, [cycle for cycle, _ in monitor.transfers]


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=name_of)
@pytest.mark.parametrize("stall", [0, 0.4])
def test_operations(behaviour, stall):
    """Without stalls each in its cycle: a token takes one cycle an operation, or one where it causes none."""
    rng = random.Random(name_of(behaviour))
    for _ in range(2):
        case = random_case(rng, behaviour)
        windows = [random_window(rng, case, index & 1) for index in range(5)]
        tokens = [token for window in windows for token in window]
        caused = [ops for window in windows for ops in operations(case, window)]
        tags = [token["tag"] for token, ops in zip(tokens, caused, strict=True) for op in ops if op]
        sequencer = case.sequencer()
        stalls = [pauses(rng, stall) if stall else never for _ in range(2)]
        got, cycles = run(sequencer, tokens, len(tags), *stalls)
        assert [seen(case, sequencer, op) for op in got] == flat(caused)
        assert [op["tag"] for op in got] == tags
        if not stall:
            slots = [op for ops in caused for op in ops]
            assert cycles == [cycle for cycle, op in enumerate(slots) if op is not None]


@pytest.mark.parametrize("at_start", [False, True])
def test_a_closing_add_is_a_fire_and_then_an_add(at_start):
    """What it says one by one is what a sequencer without them says; it takes a cycle less for each."""
    rng = random.Random(at_start)
    closed = 0
    for _ in range(12):
        case = random_case(rng, {"online": True, "fires": True, "fires_at_start": at_start})
        tokens = [token for index in range(6) for token in random_window(rng, case, index & 1)]
        counts, results = [], []
        for closing in (False, True):
            this = replace(case, closing=closing)
            sequencer, got = this.sequencer(), []
            monitor = StreamMonitor(sequencer.ops)

            async def source(ctx, sequencer=sequencer, tokens=tokens):
                ctx.set(sequencer.ops.ready, 1)
                await stream_put(ctx, sequencer.tokens, tokens)

            simulate(sequencer, source, background=[monitor.watch])
            for _, op in monitor.transfers:
                got += [(*one, op["tag"]) for one in opened(seen(this, sequencer, op))]
            counts.append(len(monitor.transfers))
            results.append(got)
        assert results[0] == results[1]
        closed += counts[0] - counts[1]
    assert closed > 30, "or it shows nothing"


@pytest.mark.parametrize("behaviour", [one for one in BEHAVIOURS if one["online"]], ids=name_of)
def test_ends_of_steps_are_optional(behaviour):
    """All of them, none of them or some: the operations are the same, but for which of them close."""
    rng = random.Random(f"optional {name_of(behaviour)}")
    case = random_case(rng, behaviour)
    for _ in range(4):
        window = random_window(rng, case)
        spikes = [token for token in window if token["kind"] is not Kind.STEP]
        steps = [{"kind": Kind.STEP, "address": 0, "step": step, "value": 0, "tag": 0}
                 for step in range(case.window)]
        full = sorted([*spikes[:-1], *steps], key=lambda token: (token["step"], token["kind"].value))
        results = []
        for tokens in (spikes, window, [*full, spikes[-1]]):
            sequencer = case.sequencer()
            got, _ = run(sequencer, tokens, len(flat(operations(case, tokens))), never, never)
            results.append([one for op in got for one in opened(seen(case, sequencer, op))])
        assert results[0] == results[1] == results[2]


def run_decided(case, windows, rng):
    """For each window whether it was decided, and the operation, in the cycle of each."""
    sequencer, got = case.sequencer(), [[] for _ in windows]
    tokens, ops = sequencer.tokens, sequencer.ops

    async def testbench(ctx):
        for index, window in enumerate(windows):
            decided, tag = False, index & 1
            for token in window:
                ctx.set(tokens.payload, token)
                ctx.set(tokens.valid, 1)
                taken = False
                while not taken:
                    decided |= rng.random() < 0.06
                    ctx.set(sequencer.decided, decided << tag | rng.randrange(2) << 1 - tag)
                    ctx.set(ops.ready, rng.random() < 0.6)
                    *_, taken, valid, ready, op = await ctx.tick().sample(
                        tokens.ready, ops.valid, ops.ready, ops.payload)
                    if valid and ready:
                        got[index].append((decided, seen(case, sequencer, plain(op))))
                        assert op.tag == tag
                    assert taken or not decided or token["kind"] is Kind.WINDOW, "one token a cycle"

    simulate(sequencer, testbench)
    return got


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=name_of)
def test_a_decided_window_is_dropped(behaviour):
    """From the cycle on in which it is decided there is nothing of it but its end; others are whole."""
    rng = random.Random(f"drop {name_of(behaviour)}")
    cut = 0
    for _ in range(2):
        case = replace(random_case(rng, behaviour), tagged=True)
        windows = [random_window(rng, case, index & 1) for index in range(16)]
        for window, ops in zip(windows, run_decided(case, windows, rng), strict=True):
            whole = flat(operations(case, window))
            before = [op for decided, op in ops if not decided]
            after = [op for decided, op in ops if decided]
            assert before == whole[:len(before)]
            assert after == [(OpKind.END,)] * (len(before) < len(whole))
            cut += len(ops) < len(whole)
    assert cut


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=name_of)
def test_begins_anew_after_a_reset(behaviour):
    rng = random.Random(f"reset {name_of(behaviour)}")
    case = random_case(rng, behaviour)
    sequencer, reset = case.sequencer(), Signal()
    got, wanted = [], []

    async def testbench(ctx):
        for _ in range(6):
            half = random_window(rng, case)
            half = half[:rng.randint(0, len(half) - 1)]
            ctx.set(sequencer.ops.ready, 1)
            await stream_put(ctx, sequencer.tokens, half)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            window = random_window(rng, case)
            wanted.extend(flat(operations(case, window)))
            for token in window:
                ctx.set(sequencer.tokens.payload, token)
                ctx.set(sequencer.tokens.valid, 1)
                taken = False
                while not taken:
                    *_, taken, valid, op = await ctx.tick().sample(
                        sequencer.tokens.ready, sequencer.ops.valid, sequencer.ops.payload)
                    if valid:
                        got.append(seen(case, sequencer, plain(op)))
                ctx.set(sequencer.tokens.valid, 0)

    simulate(ResetInserter(reset)(sequencer), testbench)
    assert got == wanted


@pytest.mark.parametrize("kernel, value_bits, shape", [
    ([1, 1, 1], 0, unsigned(0)), ([1, 2], 0, unsigned(2)), ([0, 0], 0, unsigned(1)), ([8, 1], 0, unsigned(4)),
    ([1, 1], 4, unsigned(4)), ([3, 1], 2, unsigned(4)), ([-1, 1], 0, signed(2)), ([-2], 2, signed(4)),
])
def test_operand_is_as_wide_as_it_needs(kernel, value_bits, shape):
    assert operand_shape(kernel, value_bits) in (shape, shape.width)


@pytest.mark.parametrize("options, message", [
    ({"window": 4}, "An online layer's window must be its source's, 5, not 4"),
    ({"leaks": True}, "Leak and bias must come with an online layer that takes every step"),
    ({"leaks": True, "every_step": True, "online": False},
     "Leak and bias must come with an online layer that takes every step"),
    *[({"closing": True} | wrong,
       "Closing must come with an online layer that fires, and not take every step")
      for wrong in ({"every_step": True}, {"fires": False}, {"online": False})],
])
def test_what_is_refused(options, message):
    with pytest.raises(ValueError) as caught:
        Case(**options).sequencer()
    assert str(caught.value) == message
