"""Columns as a function from operations to spikes and final potentials; and the same in plain Python."""

import random
from dataclasses import dataclass, field
from itertools import pairwise

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from firstspike.rtl.event.column import Column
from firstspike.rtl.event.folded_column import FoldedColumn
from firstspike.rtl.event.forms import FoldedForm, ParallelForm
from firstspike.rtl.event.neuron import Neurons
from firstspike.rtl.event.op import Op, OpKind
from firstspike.rtl.streams.token import Kind, Token
from harness.amaranth import plain, simulate

__all__ = ["Case", "Chain", "Session", "Window", "lanes", "random_case", "run"]

TOP = 9     # of an operand


@dataclass
class Window:
    """``ends``: kind, step, tag and ``some`` of each, and the set of spikes since the one before it.

    A spike is (address, step), with (potential, dump) behind where the layer is read. ``final``: lane values.
    """

    ends: list = field(default_factory=list)
    final: dict = field(default_factory=dict)


def lanes(neurons, weights, ops, *, read, ordered):
    """What the neurons do with the operations, by the equations of :class:`Neurons`.

    A closing ``ADD`` is a ``FIRE`` of its step, then an ``ADD``.
    """
    count, half = len(neurons.start), 1 << neurons.width - 1
    result, window = [], Window()
    value, fired, spikes = list(neurons.start), set(), set()
    for op in ops:
        kind, step = op["kind"], op["step"]
        fires = kind is OpKind.FIRE or bool(op.get("closing"))
        some = False
        for n in range(count):
            if fires:
                if value[n] >= neurons.threshold[n][step] and not (neurons.once and n in fired):
                    fired.add(n)
                    spikes.add((n, step, value[n], 0) if read else (n, step))
                    some = True
                    value[n] = (neurons.reset_to[n][step] if neurons.reset_to
                                else value[n] + neurons.after_fire[n][step])
                else:
                    value[n] += neurons.after[n][step]
            if kind is OpKind.ADD:
                value[n] += op["operand"] if weights[op["address"]][n] else -op["operand"]
            elif kind is OpKind.LEAK:
                value[n] += neurons.bias[n] - (value[n] >> neurons.leak[n] if neurons.leak else 0)
            elif kind is OpKind.END and read:
                spikes.add((n, step, value[n], 1))
            assert -half <= value[n] < half, "the test's numbers must fit the width"
        if kind is OpKind.END or (fires and ordered):
            end = Kind.WINDOW if kind is OpKind.END else Kind.STEP
            window.ends.append(((end, step, op["tag"], some and read), spikes))
            spikes = set()
        if kind is OpKind.END:
            window.final = dict(enumerate(value))
            result.append(window)
            value, fired, window = list(neurons.start), set(), Window()
    return result


@dataclass
class Case:
    """Neurons, their weights, and how a layer of them is cut into columns.

    ``options``: those of :class:`ParallelForm`, where ``folds`` is 1.
    """

    neurons: Neurons
    weights: list
    window: int
    operand: int = 0
    tagged: bool = False
    read: bool = False
    ordered: bool = True
    closing: bool = False
    per_column: int = 100
    folds: int = 1
    options: dict = field(default_factory=dict)

    def chain(self):
        count = len(self.neurons.start)
        op = Op(len(self.weights), self.window, operand=self.operand, tagged=self.tagged,
                closing=self.closing)
        token = Token(count, self.window, tagged=self.tagged,
                      potential_bits=self.neurons.width if self.read else 0)
        make, form = (Column, ParallelForm(self.per_column, **self.options)) if self.folds == 1 else (
            FoldedColumn, FoldedForm(self.per_column, self.folds))
        bases = range(0, count, self.per_column)
        return Chain([make(
            op, token, self.neurons, [row[base:base + self.per_column] for row in self.weights], base=base,
            form=form, first=base == 0, last=base == bases[-1], ordered=self.ordered) for base in bases])

    def lanes(self, ops):
        return lanes(self.neurons, self.weights, ops, read=self.read, ordered=self.ordered)

    def random_window(self, rng, tag=0, most=5):
        """One window's operations: any adds, steps that may be left out, some closed by an add."""
        def op(kind, step=0):
            return {"kind": kind, "address": rng.randrange(len(self.weights)), "step": step,
                    "operand": rng.randint(1, TOP) if self.operand else 1, "tag": tag * self.tagged}
        ops = []
        for step in range(self.window):
            if rng.random() < 0.8:
                if self.neurons.leaks:
                    ops.append(op(OpKind.LEAK, step))
                ops += [op(OpKind.ADD, step) for _ in range(rng.randint(0, most))]
                if self.neurons.fires:
                    ops.append(op(OpKind.FIRE, step))
        result = []
        for one in [*ops, op(OpKind.END)]:
            if (self.closing and result and result[-1]["kind"] is OpKind.FIRE and one["kind"] is OpKind.ADD
                    and rng.random() < 0.7):
                one |= {"step": result.pop()["step"], "closing": 1}
            result.append(one)
        return result

    def random_windows(self, rng, count):
        """Windows one after the other, with alternating tags."""
        return [op for index in range(count) for op in self.random_window(rng, index & 1)]


def random_case(rng, *, folded, most=14, counts=None, **fixed) -> Case:
    """Neurons with some of all that they can do, in one column or several.

    ``counts``: whether potentials only go up or down by one (None: at random).
    """
    counts = rng.random() < 0.4 if counts is None else counts
    count, window, inputs = rng.randint(1, most), rng.randint(1, 5), rng.randint(1, 10)

    def row(low, high):
        return tuple(rng.randint(low, high) for _ in range(count))

    def table(low, high):
        match rng.randrange(3):
            case 0:
                return tuple((rng.choice([low, high]),) * window for _ in range(count))
            case 1:
                return (tuple(range(window, 0, -1)),) * count
        return tuple(tuple(rng.randint(low, high) for _ in range(window)) for _ in range(count))

    none = ((0,) * window,) * count
    fires = rng.random() < 0.85
    moves = not counts and rng.random() < 0.7
    neurons = Neurons(
        width=rng.choice([9, 10, 12]), start=row(-9, 9),
        threshold=table(-3, 5) if rng.random() < 0.6 else none,
        after=table(-4, 4) if moves else none, after_fire=table(-9, 3) if moves else none,
        reset_to=table(-5, 5) if fires and not counts and rng.random() < 0.3 else None,
        leak=row(0, 6) if not counts and rng.random() < 0.3 else None,
        bias=row(-3, 3) if not counts and rng.random() < 0.3 else (0,) * count,
        fires=fires, once=fires and rng.random() < 0.5)
    folds = rng.choice([4, 8]) if folded else 1
    may_close = fires and not folded and not neurons.moves and not neurons.leaks
    case = Case(
        neurons, [[rng.random() < 0.5 for _ in range(count)] for _ in range(inputs)], window,
        operand=0 if counts else rng.choice([0, 4]),
        tagged=rng.random() < 0.5, read=rng.random() < 0.4,
        ordered=rng.random() < 0.7, closing=may_close and rng.random() < 0.7, folds=folds,
        per_column=rng.randint(1, 3) * folds if folded else rng.randint(1, count + 2),
        options={} if folded else {
            "queue": rng.random() < 0.5, "group": rng.randint(1, 7), "scan": rng.random() < 0.5,
            "fetch_registers": rng.randrange(3), "zero_init": rng.random() < 0.5,
            "carry": rng.choice([1, 3, 4])})
    for name, value in fixed.items():
        setattr(case, name, value)
    case.ordered |= case.read
    return case


class Chain(wiring.Component):
    """Columns one behind the other, as in a layer, without its sequencer."""

    def __init__(self, columns):
        self.columns = columns
        super().__init__({"ops": In(stream.Signature(columns[0].op)), "decided": In(2),
                          "tokens": Out(stream.Signature(columns[0].token))})

    def elaborate(self, platform):
        m = Module()
        m.submodules += self.columns
        first, last = self.columns[0], self.columns[-1]
        wiring.connect(m, wiring.flipped(self.ops), first.ops)
        m.d.comb += first.decided.eq(self.decided)
        for column, following in pairwise(self.columns):
            wiring.connect(m, column.next_ops, following.ops)
            wiring.connect(m, column.tokens, following.before)
            m.d.comb += following.decided.eq(column.next_decided)
        wiring.connect(m, last.tokens, wiring.flipped(self.tokens))
        return m


@dataclass
class Session:
    """What to do to a chain: send ``ops``, take tokens until all their windows have ended.

    ``gap``, ``stall``: probability of an idle cycle at either end. ``reset_at``: the cycle in which a reset
    cuts the session off. ``decided``: probability that in a cycle the window that leaves is decided, until it
    is over; then, as in a core, at most two windows are on their way.
    """

    ops: list
    gap: float = 0.0
    stall: float = 0.0
    reset_at: int | None = None
    decided: float = 0.0
    seed: int = 0
    deadline: int = 5000


@dataclass
class Run:
    """``windows`` that ended; the cycle in which each op was ``taken``, each token ``left``."""

    windows: list[Window] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    left: list[tuple[int, dict]] = field(default_factory=list)
    decided: list[bool] = field(default_factory=list)


def run(chain, *sessions) -> list[Run]:
    """Run the sessions one after the other, each but the last ended by a reset or by its end."""
    reset, runs = Signal(), []

    async def testbench(ctx):
        for session in sessions:
            runs.append(await _run(ctx, chain, reset, session))

    simulate(ResetInserter(reset)(chain), testbench, deadline=sum(s.deadline for s in sessions))
    return runs


async def _run(ctx, chain, reset, session) -> Run:
    rng = random.Random(session.seed)
    result, finals, ended = Run(), [], [0] * len(chain.columns)
    waiting, entered, held = session.ops[::-1], 0, None
    expected = sum(op["kind"] is OpKind.END for op in session.ops)
    window, spikes, decided = Window(), set(), False
    ctx.set(chain.decided, 0)
    taps = [tap for column in chain.columns for tap in (column.ended, column.final, (
        chain.ops.valid if column.final_fold is None else column.final_fold))]
    for cycle in range(session.deadline):
        if cycle == session.reset_at:
            ctx.set(chain.ops.valid, 0)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            return result
        if len(result.windows) == expected:
            for ended_window, final in zip(result.windows, finals, strict=True):
                ended_window.final = final
            return result
        allowed = not session.decided or entered - len(result.windows) < 2
        if not ctx.get(chain.ops.valid) and waiting and allowed and rng.random() >= session.gap:
            ctx.set(chain.ops.payload, waiting[-1])
            ctx.set(chain.ops.valid, 1)
        ctx.set(chain.tokens.ready, rng.random() >= session.stall)
        if session.decided:
            decided = decided or rng.random() < session.decided
            ctx.set(chain.decided, decided << (len(result.windows) & 1))
        *_, took, ready, valid, leaves, token, (*values,) = await _sample(ctx, chain, taps)
        if took and ready:
            op = waiting.pop()
            entered += op["kind"] is OpKind.END
            result.taken.append(cycle)
            ctx.set(chain.ops.valid, 0)
        for place, column in enumerate(chain.columns):
            now, final, fold = values[3 * place:3 * place + 3]
            if now:
                _keep(finals, ended, place, column, final, fold)
        token = plain(token) if valid else None
        assert held is None or token == held, f"{held} was offered and became {token} in cycle {cycle}"
        held = None if leaves else token
        if token is None or not leaves:
            continue
        result.left.append((cycle, token))
        if token["kind"] is not Kind.SPIKE:
            end = token["kind"], token["step"], token["tag"], bool(token.get("some", 0))
            window.ends.append((end, spikes))
            spikes = set()
            if token["kind"] is Kind.WINDOW:
                result.windows.append(window)
                result.decided.append(decided)
                window, decided = Window(), False
            continue
        spike = token["address"], token["step"]
        if "potential" in token:
            spike += token["potential"], token["dump"]
        assert spike not in spikes, f"{spike} came twice"
        spikes.add(spike)
    raise AssertionError(f"not done after {session.deadline} cycles, with {len(result.windows)} windows")


async def _sample(ctx, chain, taps):
    sampled = await ctx.tick().sample(chain.ops.valid, chain.ops.ready, chain.tokens.valid,
                                      chain.tokens.ready, chain.tokens.payload, *taps)
    return *sampled[2:7], sampled[7:]


def _keep(finals, ended, place, column, final, fold):
    width, folds = column.neurons.width, getattr(column, "folds", 1)
    fold = fold if folds > 1 else 0
    while len(finals) <= ended[place]:
        finals.append({})
    for lane, neuron in enumerate(range(fold, len(column.weights[0]), folds)):
        value = final >> lane * width & (1 << width) - 1
        assert column.base + neuron not in finals[ended[place]], "a final potential was shown twice"
        finals[ended[place]][column.base + neuron] = value - (value >> width - 1 << width)
    ended[place] += fold == folds - 1
