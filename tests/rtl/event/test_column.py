# amaranth: UnusedElaboratable=no
"""Columns, side by side and folded, against a model of their lanes."""

import random
from dataclasses import replace

import pytest
from amaranth.hdl import Assert, Module, Signal
from amaranth.lib import memory
from firstspike.rtl.event import folded_column, outbox
from firstspike.rtl.event.neuron import Neurons
from firstspike.rtl.event.op import OpKind
from firstspike.rtl.memory import Ram
from firstspike.rtl.streams.token import Kind
from harness.amaranth import StreamMonitor, pauses, simulate, stream_get, stream_put
from harness.columns import Case, Session, random_case, run

FOLDED = pytest.mark.parametrize("folded", [False, True], ids=["side by side", "folded"])


def check(run, wanted):
    assert len(run.windows) == len(wanted)
    for index, (got, window) in enumerate(zip(run.windows, wanted, strict=True)):
        assert got.ends == window.ends, f"window {index}"
        assert got.final == window.final, f"window {index}"


@FOLDED
@pytest.mark.parametrize("seed", range(20))
def test_spikes_and_potentials(folded, seed):
    rng = random.Random(f"{folded} {seed}")
    case = random_case(rng, folded=folded)
    ops = case.random_windows(rng, 5)
    gap, stall = [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.7)][seed % 4]
    (got,) = run(case.chain(), Session(ops, gap=gap, stall=stall, seed=seed))
    check(got, case.lanes(ops))


OPTIONS = [{"group": group, "queue": queue, "scan": scan, "fetch_registers": fetch, "zero_init": zero,
            "carry": carry}
           for group, queue, scan, fetch, zero, carry in [
               (3, False, False, 0, False, 1), (4, True, False, 0, True, 3), (5, False, True, 0, False, 4),
               (2, True, True, 0, True, 1), (3, False, False, 1, True, 4), (4, True, False, 2, False, 4),
               (1, False, True, 2, True, 3), (14, True, True, 1, False, 3)]]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ", ".join(
    name for name, value in options.items() if value))
@pytest.mark.parametrize("counts", [False, True], ids=["moves", "counts"])
def test_every_kind_of_column_does_the_same(options, counts):
    """Windows one upon the other, many spikes, the way out now free, now stalled."""
    rng = random.Random(5)
    neurons = None
    while neurons is None or not neurons.fires or neurons.moves == counts or len(neurons.start) < 8:
        case = random_case(rng, folded=False, counts=counts, read=False, ordered=True, per_column=6,
                           options=options, closing=counts)
        neurons = case.neurons
    ops = case.random_windows(rng, 6)
    assert any(op.get("closing") for op in ops) == counts
    sessions = [Session(ops, stall=stall, seed=1) for stall in (0, 0.5)]
    for got in run(case.chain(), *sessions):
        check(got, case.lanes(ops))


@FOLDED
@pytest.mark.parametrize("seed", range(6))
def test_begins_anew_after_a_reset(folded, seed):
    """In the middle of a window; the one after it is as if it were the first."""
    rng = random.Random(f"reset {folded} {seed}")
    case = random_case(rng, folded=folded)
    ops = case.random_windows(rng, 8)
    cut = [Session(ops, gap=0.1, stall=rng.choice([0, 0.5]), reset_at=rng.randint(1, 60), seed=seed)
           for _ in range(4)]
    last = case.random_windows(rng, 3)
    *before, got = run(case.chain(), *cut, Session(last, seed=seed))
    assert all(len(broken.windows) < 8 for broken in before)
    for broken in before:
        for window, wanted in zip(broken.windows, case.lanes(ops), strict=False):
            assert window.ends == wanted.ends
    check(got, case.lanes(last))


@FOLDED
def test_decided_drops_spikes_of_that_window_only(folded):
    """Ends and potentials stay; what is left of other windows' spikes is all of them."""
    dropped = 0
    for seed in range(6):
        rng = random.Random(f"decided {folded} {seed}")
        case = random_case(rng, folded=folded, tagged=True)
        ops = case.random_windows(rng, 8)
        (got,) = run(case.chain(), Session(ops, gap=0.2, stall=rng.choice([0, 0.4]), decided=0.04, seed=seed))
        for window, wanted, decided in zip(got.windows, case.lanes(ops), got.decided, strict=True):
            assert window.final == wanted.final
            if not decided:
                assert window.ends == wanted.ends
                continue
            assert [end[:3] for end, _ in window.ends] == [end[:3] for end, _ in wanted.ends]
            for (_, some), (_, whole) in zip(window.ends, wanted.ends, strict=True):
                assert some <= whole
                dropped += len(whole) - len(some)
    assert dropped > 20


@FOLDED
def test_nothing_comes_of_a_window_that_is_decided_from_the_start(folded):
    rng = random.Random(f"all {folded}")
    case = random_case(rng, folded=folded, tagged=True, read=True, per_column=4)
    ops = case.random_window(rng)
    (got,) = run(case.chain(), Session(ops, decided=1))
    assert all(not spikes for _, spikes in got.windows[0].ends)
    assert any(spikes for _, spikes in case.lanes(ops)[0].ends)


class PoisonedRam(Ram):
    """Any contents at power-up, and a word that is read while it is written is wrong in every bit."""

    def elaborate(self, platform):
        rng = random.Random(1)
        m = Module()
        width = len(self.read_data.as_value())
        m.submodules.cells = cells = memory.Memory(
            shape=width, depth=self.rows, init=[rng.randrange(1 << width) for _ in range(self.rows)])
        read, write = cells.read_port(), cells.write_port()
        poisoned = Signal(reset_less=True)
        with m.If(self.read_enable):
            m.d.sync += poisoned.eq(self.write_enable & (self.read_address == self.write_address))
        m.d.comb += [
            read.addr.eq(self.read_address), read.en.eq(self.read_enable),
            self.read_data.as_value().eq(read.data ^ poisoned.replicate(width)),
            write.addr.eq(self.write_address), write.data.eq(self.write_data.as_value()),
            write.en.eq(self.write_enable),
        ]
        return m


@pytest.mark.parametrize("seed", range(4))
def test_folds_never_use_a_word_that_is_being_written(seed, monkeypatch):
    monkeypatch.setattr(folded_column, "Ram", PoisonedRam)
    rng = random.Random(f"poison {seed}")
    case = random_case(rng, folded=True)
    ops = case.random_windows(rng, 4)
    (got,) = run(case.chain(), Session(ops, stall=0.3 * (seed % 2)))
    check(got, case.lanes(ops))


def strict(emitter):
    """The same emitter, which fails where it is loaded while it is not empty."""
    class Strict(emitter):
        def elaborate(self, platform):
            m = super().elaborate(platform)
            m.d.sync += Assert(~self.load | self.empty)
            return m
    return Strict


@FOLDED
@pytest.mark.parametrize("seed", range(4))
def test_emitters_are_loaded_while_they_are_empty(folded, seed, monkeypatch):
    for module, name in [(outbox, "PriorityEmitter"), (outbox, "ScanEmitter"),
                         (folded_column, "PriorityEmitter")]:
        monkeypatch.setattr(module, name, strict(getattr(module, name)))
    rng = random.Random(f"strict {folded} {seed}")
    case = random_case(rng, folded=folded, tagged=True)
    if not folded:
        case.options["queue"], case.options["scan"] = seed < 2, bool(seed & 1)
    ops = case.random_windows(rng, 5)
    plain, decided = run(case.chain(), Session(ops, stall=0.2), Session(ops, decided=0.05))
    check(plain, case.lanes(ops))
    assert [window.final for window in decided.windows] == [window.final for window in case.lanes(ops)]


def plain_case(count=4, *, window=4, folds=1, **options):
    """Neurons that count up, fire from 1 on, and stay there."""
    none = ((0,) * window,) * count
    neurons = Neurons(width=9, start=(0,) * count, threshold=((1,) * window,) * count, after=none,
                      after_fire=none, reset_to=None, leak=None, bias=(0,) * count, fires=True, once=False)
    return Case(neurons, [[True] * count] * 3, window, folds=folds,
                options=options)


def op(kind, step=0, address=0):
    return {"kind": kind, "address": address, "step": step, "operand": 1, "tag": 0}


ADD, FIRE, END = (op(kind) for kind in (OpKind.ADD, OpKind.FIRE, OpKind.END))


@pytest.mark.parametrize("folds", [1, 4, 8])
def test_an_operation_is_taken_every_cycle(folds):
    """Folded: two at once, into the buffer at the entry, then one in as many cycles as there are folds."""
    (got,) = run(plain_case(2 * folds, folds=folds).chain(), Session([ADD] * 20 + [END]))
    if folds == 1:
        assert got.taken == list(range(21))
    else:
        assert got.taken == [0, 1, *range(2, 2 + 19 * folds, folds)]


@pytest.mark.parametrize("fetch_registers, cycles", [(0, 2), (1, 3), (2, 4)])
def test_an_operation_is_carried_out_a_fixed_time_after_it_was_taken(fetch_registers, cycles):
    """The potentials show it in the cycle after; in that of an ``END`` they are the final ones."""
    chain = plain_case(1, fetch_registers=fetch_registers).chain()
    column, shown, ended = chain.columns[0], [], []

    async def testbench(ctx):
        for operation in [ADD, ADD, END, ADD, *[None] * 5]:
            ctx.set(chain.ops.valid, operation is not None)
            if operation is not None:
                ctx.set(chain.ops.payload, operation)
            *_, ready, final, end = await ctx.tick().sample(chain.ops.ready, column.final, column.ended)
            assert ready
            shown.append(final)
            ended.append(end)

    simulate(chain, testbench)
    assert ended == [cycle == 2 + cycles for cycle in range(9)]
    assert shown == ([0] * (1 + cycles) + [1, 2, 0, 1] + [1] * 9)[:9]


@pytest.mark.parametrize("options, cycles", [
    ({}, 7), ({"queue": True}, 9), ({"scan": True}, 6), ({"queue": True, "scan": True}, 8),
    ({"fetch_registers": 0}, 6), ({"fetch_registers": 2}, 8), ({"fetch_registers": 2, "carry": 4}, 8)])
@pytest.mark.parametrize("columns", [1, 3])
def test_a_spike_leaves_a_fixed_time_after_its_fire_was_taken(options, cycles, columns):
    case = plain_case(4 * columns, **options)
    case.per_column = 4
    (got,) = run(case.chain(), Session([ADD, FIRE, END]))
    left = {token["address"]: cycle for cycle, token in got.left if token["kind"] is Kind.SPIKE}
    fired = got.taken[1]
    if columns == 1:
        assert [left[n] for n in range(4)] == [fired + cycles + n for n in range(4)]
    else:
        assert min(left.values()) == fired + cycles + columns - 1
        assert sorted(left.values()) == list(range(min(left.values()), min(left.values()) + 4 * columns))


@pytest.mark.parametrize("folds", [4, 8])
@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_a_fold_takes_two_cycles_more_than_it_has_spikes(folds, lanes):
    """The first leaves 8 cycles after its ``FIRE`` was taken, and one more for each fold before it."""
    case = plain_case(lanes * folds, folds=folds)
    for only in (None, 0, 1, folds - 1):
        case.neurons = replace(case.neurons, start=tuple(
            int(only is None or n % folds == only) for n in range(lanes * folds)))
        (got,) = run(case.chain(), Session([FIRE, END]))
        left = [(token["address"], cycle) for cycle, token in got.left if token["kind"] is Kind.SPIKE]
        assert left == [
            (lane * folds + fold, 8 + (fold * (lanes + 2) if only is None else only) + lane)
            for fold in range(folds) for lane in range(lanes) if only in (None, fold)]
        ends = [cycle for cycle, token in got.left if token["kind"] is Kind.STEP]
        assert ends == [max(left[-1][1] + 1, 5 + folds)]


@FOLDED
def test_only_what_stands_behind_a_fire_waits_for_its_spikes(folded):
    """Nothing leaves: adds go on until the next ``FIRE``, and one more fits behind it in the buffer."""
    chain = plain_case(8, folds=4 if folded else 1).chain()
    monitor = StreamMonitor(chain.ops)

    async def source(ctx):
        await stream_put(ctx, chain.ops, [ADD, FIRE, *[ADD] * 10, FIRE, *[ADD] * 10])

    async def wait(ctx):
        for _ in range(150):
            await ctx.tick()

    simulate(chain, wait, background=[source, monitor.watch])
    assert len(monitor.transfers) == 14


@pytest.mark.parametrize("fetch_registers", [0, 1, 2])
def test_with_a_queue_some_steps_do_not_wait(fetch_registers):
    """Nothing leaves; so many ``FIRE`` are taken, one a cycle, and then none."""
    chain = plain_case(8, queue=True, fetch_registers=fetch_registers).chain()
    monitor = StreamMonitor(chain.ops)

    async def source(ctx):
        await stream_put(ctx, chain.ops, [ADD, *[FIRE] * 60])

    async def wait(ctx):
        for _ in range(150):
            await ctx.tick()

    simulate(chain, wait, background=[source, monitor.watch])
    cycles = [cycle for cycle, _ in monitor.transfers]
    assert 16 <= len(cycles) - 3 <= 20, "an ADD, and two in the buffer at the entry"
    assert cycles == [*range(len(cycles))]


@pytest.mark.parametrize("carry", [1, 3, 4])
def test_a_closing_add_costs_no_cycle(carry):
    """With a queue, and few spikes: two adds a step, one a cycle. Neurons fire before they add."""
    case = plain_case(5, window=12, queue=True, carry=carry, fetch_registers=2)
    case.closing = True
    case.neurons = replace(case.neurons, once=True, start=(0, -1, 0, -3, 1),
                           threshold=tuple((t,) * 12 for t in (1, 3, 9, 6, 1)))
    case.weights = [[True, True, True, True, False], [False, True, True, True, True]]
    ops = [ADD, op(OpKind.ADD, 0, 1)]
    for step in range(11):
        ops += [op(OpKind.ADD, step) | {"closing": 1}, op(OpKind.ADD, step, 1)]
    ops += [op(OpKind.FIRE, 11), END]
    (got,) = run(case.chain(), Session(ops * 3))
    assert got.taken == [*range(len(ops) * 3)]
    check(got, case.lanes(ops * 3))
    fired = {spike for _, spikes in got.windows[0].ends for spike in spikes}
    assert fired == {(4, 0), (1, 1), (2, 4), (3, 4)}


@FOLDED
def test_operations_are_handed_on_in_the_next_cycle(folded):
    """Unchanged, and no faster than the next column takes them."""
    rng = random.Random(folded)
    case = plain_case(12, folds=4 if folded else 1)
    case.per_column = 8
    ops = case.random_windows(rng, 4)
    for stall in (0, 0.6):
        chain = case.chain()
        entered, left = StreamMonitor(chain.ops), StreamMonitor(chain.columns[0].next_ops)

        async def source(ctx, chain=chain):
            await stream_put(ctx, chain.ops, ops)

        async def sink(ctx, chain=chain, stall=stall):
            await stream_get(ctx, chain.tokens, None, pauses(rng, stall), done)

        ends = iter(range(4))

        def done(token, ends=ends):
            return token["kind"] is Kind.WINDOW and next(ends) == 3

        simulate(chain, source, sink, background=[entered.watch, left.watch])
        assert [op for _, op in left.transfers] == [op for _, op in entered.transfers]
        assert [(op["kind"], op["address"], op["step"]) for _, op in left.transfers] == [
            (op["kind"], op["address"], op["step"]) for op in ops]
        waits = [out - into for (out, _), (into, _) in zip(left.transfers, entered.transfers, strict=True)]
        assert min(waits) == waits[0] == 1


@pytest.mark.parametrize("carry", [1, 4])
def test_zero_init_powers_up_at_zero(carry):
    """And at the initial values one cycle later; otherwise it is these from the first cycle on."""
    for zero_init in (False, True):
        case = plain_case(1, carry=carry)
        case.neurons = replace(case.neurons, start=(5,))
        case.options |= {"zero_init": zero_init}
        chain = case.chain()

        async def testbench(ctx, chain=chain, zero_init=zero_init):
            for cycle in range(3):
                *_, final = await ctx.tick().sample(chain.columns[0].final)
                assert final == (0 if zero_init and cycle == 0 else 5)

        simulate(chain, testbench)
