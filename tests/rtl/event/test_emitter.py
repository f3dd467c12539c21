# amaranth: UnusedElaboratable=no
"""Both emitters against models of their every cycle."""

import random

import pytest
from firstspike.rtl.event.emitter import Emitter, PriorityEmitter, ScanEmitter
from harness.amaranth import simulate


class PriorityModel:
    """Addresses wait in order; whenever nothing is on offer, or it is taken, the next is put out."""

    def __init__(self):
        self.pending, self.offer, self.empty = [], None, True

    def cycle(self, load, taken):
        self.empty = not self.pending and load is None
        if taken or self.offer is None:
            self.offer = self.pending.pop(0) if self.pending else None
        if load is not None:
            self.pending = [address for address, bit in load.items() if bit]


class ScanModel:
    """A finger moves over the bits, one a cycle, and waits at those that are set until they are taken."""

    def __init__(self):
        self.bits, self.empty = [], True

    @property
    def offer(self):
        return self.bits[0][0] if self.bits and self.bits[0][1] else None

    def cycle(self, load, taken):
        self.empty = not any(bit for _, bit in self.bits) and load is None
        if taken or self.offer is None:
            self.bits = self.bits[1:]
        if load is not None:
            self.bits = [*load.items()]


KINDS = {"priority": (PriorityEmitter, PriorityModel), "scan": (ScanEmitter, ScanModel)}


def emit(emitter, script):
    """Drive an emitter with one (load or None, extras, taken) a cycle; gives what it shows in each."""
    shown = []

    async def testbench(ctx):
        for load, extras, taken in script:
            ctx.set(emitter.load, load is not None)
            bits = (load or {}).items()
            ctx.set(emitter.pending, sum(bit << address - emitter.base for address, bit in bits))
            ctx.set(emitter.extras, sum(word << i * emitter.extra for i, word in enumerate(extras)))
            ctx.set(emitter.taken, taken)
            *_, valid, address, data, empty = await ctx.tick().sample(
                emitter.valid, emitter.address, emitter.data, emitter.empty)
            shown.append((bool(valid), address, data, bool(empty)))

    simulate(emitter, testbench)
    return shown


@pytest.mark.parametrize("kind, extra", [("priority", 0), ("priority", 5), ("scan", 0)])
@pytest.mark.parametrize("size, base", [(1, 0), (1, 5), (2, 3), (3, 0), (8, 8), (19, 1), (18, 47)])
def test_emits(kind, extra, size, base):
    """Cycle for cycle; each address that was loaded is taken once, in order, with what it brings along."""
    make, model = KINDS[kind]
    rng = random.Random(f"{kind} {extra} {size}")
    emitter = make(size, extra, base=base) if extra else make(size, base=base)
    plan, script, wanted, held = model(), [], [], 0
    extras, fresh = [0] * size, False
    for _ in range(800):
        load = None
        density = rng.choice([0, 0.1, 0.5, 1])
        held += plan.empty and plan.offer is not None
        if plan.empty and (not extra or plan.offer is None) and rng.random() < 0.6:
            load = {base + n: rng.random() < density for n in range(size)}
            wanted += [address for address, bit in load.items() if bit]
        if fresh:   # in the cycle after the load, and looked at until all is taken
            extras = [rng.randrange(1 << extra) for _ in range(size)]
        fresh = load is not None
        script.append((load, extras, plan.offer is not None and rng.random() < 0.7))
        plan.cycle(load, script[-1][2])

    shown, model, taken = emit(emitter, script), model(), []
    for cycle, ((valid, address, now, empty), (load, words, take)) in enumerate(
            zip(shown, script, strict=True)):
        assert empty == model.empty, f"cycle {cycle}"
        assert valid == (model.offer is not None), f"cycle {cycle}"
        if valid:
            assert address == model.offer, f"cycle {cycle}"
            assert not extra or now == words[address - base], f"cycle {cycle}"
        if take:
            taken.append(address)
        model.cycle(load, take)
    assert taken == wanted[:len(taken)] and len(wanted) - size - 1 <= len(taken) and len(taken) > 60
    assert held > 10 or kind == "scan" or extra, "loads come while an address is on offer"


def lone(kind, bits, ready=lambda cycle: True, cycles=40, then=None):
    """One load in cycle 0, one in ``then``: cycle and address of all that was taken, and when it is empty."""
    load = dict(enumerate(bits))
    make, model = KINDS[kind]
    plan, script = model(), []
    for cycle in range(cycles):
        script.append((load if cycle in (0, then) else None, [], plan.offer is not None and ready(cycle)))
        plan.cycle(script[-1][0], script[-1][2])
    shown = emit(make(len(bits)), script)
    taken = [(cycle, address) for cycle, ((valid, address, *_), (*_, take)) in enumerate(
        zip(shown, script, strict=True)) if valid and take]
    return taken, [cycle for cycle, (*_, empty) in enumerate(shown) if empty]


BITS = [False, True, False, False, True, True, False, True]


def test_priority_skips():
    taken, empty = lone("priority", BITS)
    assert taken == [(2, 1), (3, 4), (4, 5), (5, 7)], "the first after 2 cycles, then one a cycle"
    assert empty[:2] == [0, 6], "all is on offer in cycle 5, which the register tells in the next"


def test_scan_takes_a_cycle_a_neuron():
    taken, empty = lone("scan", BITS)
    assert taken == [(1 + address, address) for address in (1, 4, 5, 7)]
    assert empty[:2] == [0, 10], "the last is gone in cycle 9, which the register tells in the next"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_set_is_empty_after_two_cycles(kind):
    taken, empty = lone(kind, [False] * 6)
    assert taken == [] and empty == [0, *range(2, 40)]


def test_priority_may_be_loaded_while_an_address_is_on_offer():
    """It is empty from the cycle after on in which that came on offer; the next follows when it is taken."""
    taken, empty = lone("priority", [True, False, False], ready=lambda cycle: cycle >= 8, then=3)
    assert taken == [(8, 0), (9, 0)]
    assert empty[:3] == [0, 3, 10]


def test_scan_is_empty_when_the_last_is_taken():
    taken, empty = lone("scan", [True, False, False], ready=lambda cycle: cycle >= 5, then=7)
    assert taken == [(5, 0), (8, 0)]
    assert empty[:3] == [0, 7, 10]


@pytest.mark.parametrize("make, size", [
    (Emitter, 0), (PriorityEmitter, 0), (ScanEmitter, -1), (PriorityEmitter, 2.0), (ScanEmitter, "3")])
def test_wrong_size(make, size):
    with pytest.raises(ValueError) as caught:
        make(size)
    assert str(caught.value) == f"Size must be a positive integer, not {size!r}"


@pytest.mark.parametrize("make", [PriorityEmitter, ScanEmitter])
def test_an_address_brings_nothing_along_unless_asked(make):
    emitter = make(3)
    assert len(emitter.extras) == len(emitter.data) == 0
    assert emitter.base == 0 and len(emitter.address) == 2
