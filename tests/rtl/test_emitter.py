# amaranth: UnusedElaboratable=no
"""Both emitters against models of their every cycle."""

import random

import pytest
from amaranth_bench import simulate
from firstspike.rtl.emitter import Emitter, PriorityEmitter, ScanEmitter


class PriorityModel:
    """Indices wait in order; whenever nothing is on offer, or it is taken, the next is put out."""

    def __init__(self, size):
        self.pending, self.offer, self.loaded = [], None, False

    @property
    def quiet(self):
        return not self.pending and self.offer is None and not self.loaded

    def cycle(self, load, taken, drop):
        if taken or self.offer is None:
            self.offer = self.pending.pop(0) if self.pending else None
        if load is not None:
            self.pending = [index for index, bit in enumerate(load) if bit]
        self.loaded = load is not None and not drop
        if drop:
            self.pending, self.offer = [], None


class ScanModel:
    """A finger moves over the bits, one a cycle, and waits at those that are set until they are taken."""

    def __init__(self, size):
        self.bits, self.finger, self.loaded = [], 0, False

    @property
    def quiet(self):
        return not any(self.bits[self.finger:]) and not self.loaded

    @property
    def offer(self):
        set_ = self.finger < len(self.bits) and self.bits[self.finger]
        return self.finger if set_ else None

    def cycle(self, load, taken, drop):
        if taken or self.offer is None:
            self.finger += 1
        if load is not None:
            self.bits, self.finger = load, 0
        self.loaded = load is not None and not drop
        if drop:
            self.bits, self.finger = [], 0


KINDS = {"priority": (PriorityEmitter, PriorityModel), "scan": (ScanEmitter, ScanModel)}


def emit(emitter, script):
    """Drive an emitter with one (load or None, extras, taken, drop) a cycle; gives what it shows in each."""
    shown = []

    async def testbench(ctx):
        for load, extras, taken, drop in script:
            ctx.set(emitter.load, load is not None)
            ctx.set(emitter.pending, sum(bit << i for i, bit in enumerate(load or [])))
            ctx.set(emitter.extras, sum(word << i * emitter.extra for i, word in enumerate(extras)))
            ctx.set(emitter.taken, taken)
            ctx.set(emitter.drop, drop)
            *_, valid, index, data, quiet = await ctx.tick().sample(
                emitter.valid, emitter.index, emitter.data, emitter.quiet)
            shown.append((bool(valid), index, data, bool(quiet)))

    simulate(emitter, testbench)
    return shown


def agree(shown, script, model):
    """Hold every cycle against the model; gives how many indices were taken."""
    extras, taken_count = None, 0
    for cycle, ((valid, index, data, quiet), (load, words, taken, drop)) in enumerate(
            zip(shown, script, strict=True)):
        assert quiet == model.quiet, f"cycle {cycle}"
        assert valid == (model.offer is not None), f"cycle {cycle}"
        if valid:
            assert index == model.offer, f"cycle {cycle}"
            assert not extras or data == extras[index], f"cycle {cycle}"
            taken_count += taken
        extras = words if load is None else extras
        model.cycle(load, taken, drop)
    return taken_count


@pytest.mark.parametrize("kind, extra", [("priority", 0), ("priority", 5), ("scan", 0)])
@pytest.mark.parametrize("size", [1, 2, 3, 8, 19])
def test_emits(kind, extra, size):
    make, model = KINDS[kind]
    rng = random.Random(f"{kind} {extra} {size}")
    emitter = make(size, extra) if extra else make(size)
    plan, script = model(size), []
    extras = [0] * size
    fresh = False
    for _ in range(800):
        load = None
        density = rng.choice([0, 0.1, 0.5, 1])
        if plan.quiet and rng.random() < 0.6:
            load = [rng.random() < density for _ in range(size)]
        if fresh:
            extras = [rng.randrange(1 << extra) for _ in range(size)]
        fresh = load is not None
        action = load, extras, rng.random() < 0.7, rng.random() < 0.03
        script.append(action)
        plan.cycle(load, *action[2:])
    assert agree(emit(emitter, script), script, model(size)) > 60


def lone(kind, bits, ready=lambda cycle: True, cycles=40, drop=None, then=None):
    """One load in cycle 0, one in ``then``: cycle and index of all that was taken, and when it is quiet."""
    script = [(bits if cycle in (0, then) else None, [], ready(cycle), cycle == drop)
              for cycle in range(cycles)]
    shown = emit(KINDS[kind][0](len(bits)), script)
    taken = [(cycle, index) for cycle, (valid, index, *_) in enumerate(shown) if valid and ready(cycle)]
    return taken, [cycle for cycle, (*_, quiet) in enumerate(shown) if quiet]


BITS = [False, True, False, False, True, True, False, True]


def test_priority_skips():
    taken, quiet = lone("priority", BITS)
    assert taken == [(2, 1), (3, 4), (4, 5), (5, 7)], "the first after 2 cycles, then one a cycle"
    assert quiet[:2] == [0, 6], "from the cycle after the last on"


def test_scan_takes_a_cycle_a_neuron():
    taken, quiet = lone("scan", BITS)
    assert taken == [(1 + index, index) for index in (1, 4, 5, 7)]
    assert quiet[:2] == [0, 9]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_set_is_quiet_after_two_cycles(kind):
    taken, quiet = lone(kind, [False] * 6)
    assert taken == [] and quiet == [0, *range(2, 40)]


@pytest.mark.parametrize("kind, first", [("priority", 2), ("scan", 1)])
def test_a_load_may_follow_at_once(kind, first):
    """One set: offered for as long as it is not taken; the next load comes with the first quiet cycle."""
    taken, quiet = lone(kind, [True, False, False], ready=lambda cycle: cycle >= 5, then=6)
    assert taken == [(5, 0), (6 + first, 0)]
    assert quiet[:3] == [0, 6, 7 + first]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("drop", [0, 1, 2, 4])
def test_drop_forgets(kind, drop):
    """Whatever is pending or offered, it is gone in the next cycle, and the next load is whole."""
    whole, _ = lone(kind, BITS)
    taken, quiet = lone(kind, BITS, drop=drop, then=drop + 1)
    before = [(cycle, index) for cycle, index in whole if cycle <= drop]
    assert taken == before + [(cycle + drop + 1, index) for cycle, index in whole]
    assert drop + 1 in quiet


@pytest.mark.parametrize("make, size", [
    (Emitter, 0), (PriorityEmitter, 0), (ScanEmitter, -1), (PriorityEmitter, 2.0), (ScanEmitter, "3")])
def test_wrong_size(make, size):
    with pytest.raises(ValueError) as caught:
        make(size)
    assert str(caught.value) == f"Size must be a positive integer, not {size!r}"
