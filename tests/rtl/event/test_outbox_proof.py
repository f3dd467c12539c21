# amaranth: UnusedElaboratable=no
"""The outbox, proven by induction: batch after batch leaves it, each spike once, before the batch's end."""

from dataclasses import dataclass

import pytest
from amaranth.hdl import Assert, Assume, Cat, Cover, Elaboratable, Module, Mux, ResetSignal, Signal
from firstspike.rtl.event.outbox import Outbox
from firstspike.rtl.streams.token import Token
from harness.proofs import OpenedUp, anything, assert_formal, holds, refute_formal

BASE = 1


@dataclass(frozen=True)
class Shape:
    """The parameters of an outbox that its behaviour depends on."""

    size: int = 3
    group: int = 2
    ordered: bool = True
    scan: bool = False
    queue: bool = False
    bits: int = 0

    def outbox(self):
        token = Token(BASE + self.size, 2, tagged=True, potential_bits=self.bits)
        return Outbox(token, base=BASE, size=self.size, group=self.group, ordered=self.ordered,
                      scan=self.scan, queue=self.queue)


class Emptied(Elaboratable):
    """Of at most two batches inside, the older one's spikes leave, each once, then its end; then the other's.

    What leaves does so into the buffer at the way out, and what comes, where there is a queue, comes out of
    it: both are proven for themselves. Whatever a reset interrupts, nothing is inside after it. And with a
    sink that takes what it is offered, something leaves every ``patience`` cycles.

    ``broken``: a part of the outbox that does not what it should, or a promise to it that is not kept.
    """

    def __init__(self, shape, broken=None):
        self.shape = shape
        self.broken = broken
        self.patience = shape.group + 1 if shape.scan else 3

    def elaborate(self, platform):
        m = Module()
        shape, broken = self.shape, self.broken
        dut = shape.outbox()
        m.submodules.dut = opened = OpenedUp(dut)
        out = opened.submodule("buffer").i
        own = out.payload
        anything(m, dut.enters, dut.load, dut.pending, dut.potentials, dut.window, dut.step, dut.tag,
                 dut.own.ready)
        holds(m, dut.own)

        # What a column promises: that it looks at the room, and that each operation that enters is loaded.
        due = Signal(5)
        m.d.sync += due.eq(due + dut.enters - dut.load)
        m.d.comb += Assume((due != 0) | ~dut.load)
        if broken != "careless":
            m.d.comb += Assume(~dut.enters | dut.room)

        # What comes to the emitters, and what leaves.
        comes = Signal()
        batch = {"pending": dut.pending, "end": Cat(dut.window, dut.step, dut.tag)}
        if shape.queue:
            queue = opened.submodule("queue")
            m.d.comb += [
                comes.eq(queue.o.valid & queue.o.ready), Assert(queue.o.ready | opened["marked"]),
                Assert(dut.room == queue.room),
                Assert(queue.keep == dut.enters), Assert(queue.put == dut.load),
                Assert(queue.entry.as_value() == Cat(batch.values())),
            ]
            taken = queue.o.payload
            batch = {"pending": taken.pending, "end": taken.end.as_value()}
            window = taken.end.window
        else:
            m.d.comb += comes.eq(dut.load)
            window = dut.window
        fired = batch["pending"] if shape.bits else Mux(window, 0, batch["pending"])
        puts = Signal()
        m.d.comb += puts.eq(out.valid & out.ready)

        # The two batches: spikes that are left, the end. The older one is over when its end has left, or,
        # where that is not sent, when the outbox says so.
        count = Signal(range(3))
        left = [Signal(shape.size, name=f"left_{place}") for place in range(2)]
        end = [Signal(len(batch["end"]), name=f"end_{place}") for place in range(2)]
        words = [Signal(shape.bits, name=f"word_{n}") for n in range(shape.size)]
        sent, over, rest = Signal(shape.size), Signal(), Signal(shape.size)
        sends_end = 1 if shape.ordered else end[0][0]
        m.d.comb += [
            sent.eq(Cat(puts & ~own.end & (own.address == BASE + n) for n in range(shape.size))),
            rest.eq(left[0] & ~sent),
            over.eq(Mux(sends_end, puts & own.end, opened["closed"])),
            Assert(over == opened["closed"]),
        ]
        with m.If(puts):
            m.d.comb += Assert(count != 0), Assert(Cat(own.window, own.step, own.tag) == end[0])
            with m.If(own.end):
                m.d.comb += Assert(left[0] == 0), Assert(sends_end)
            with m.Else():
                m.d.comb += Assert((left[0] & sent) != 0)
                m.d.comb += [Assert(~sent[n] | (own.potential == word)) for n, word in enumerate(words)]
        with m.If(over):
            m.d.comb += Assert(count != 0), Assert(rest == 0)
            m.d.sync += left[0].eq(left[1]), end[0].eq(end[1])
        with m.Else():
            m.d.sync += left[0].eq(rest)
        after = Signal(range(3))
        m.d.comb += after.eq(count - over)
        m.d.sync += count.eq(after + comes)
        with m.If(comes):
            m.d.comb += Assert(after != 2)
            with m.Switch(after):
                for place in range(2):
                    with m.Case(place):
                        m.d.sync += left[place].eq(fired), end[place].eq(batch["end"])
            m.d.sync += Cat(words).eq(dut.potentials)
        if not shape.queue:
            m.d.comb += Assert(due + count <= 1), Assert(dut.room == (due + count == 0))

        self._kept(m, opened, comes, count, left, end, words)

        # Something leaves, or is over, unless the sink keeps it from that.
        waited = Signal(range(self.patience + 1))
        with m.If((count == 0) | comes | puts | over):
            m.d.sync += waited.eq(0)
        with m.Elif(~out.valid):
            m.d.sync += waited.eq(waited + 1)
        m.d.comb += Assert(waited < self.patience)

        m.d.comb += Cover(~ResetSignal() & (count == 1) & over & own.window & (own.step == 1))
        if shape.queue and not shape.scan:
            m.d.comb += Cover(~ResetSignal() & rest.any() & left[1].all() & puts & (end[0] != end[1]))
        if shape.bits:
            m.d.comb += Cover(~ResetSignal() & puts & own.window & ~own.end & own.potential.all())
        return m

    def _kept(self, m, opened, comes, count, left, end, words):
        """How the outbox keeps them: the older one, where its end is near, as what is still on offer."""
        shape = self.shape
        marked, ending, old = opened["marked"], opened["ending"], opened["old"]
        m.d.comb += [
            Assert(count == marked + ending), Assert(ending | (old == 0)),
            Assert(~ending | (opened["last_end"] == end[0])),
            Assert(~marked | (opened["its_end"] == Mux(ending, end[1], end[0]))),
        ]
        if shape.bits:
            m.d.comb += Assert((count == 0) | (opened["held"] == Cat(words)))
        olds, news = [], []
        for group in range(len(old)):
            emitter, inside = opened.submodule(f"emitter_{group}"), opened.open(f"emitter_{group}")
            waits = inside["pending"]
            if self.broken == "empty":  # it says so in the cycle of a load as well
                inside.elaborate(None).d.comb += emitter.empties.eq(waits == 0)
            members = range(emitter.size)
            offer = Cat(emitter.valid & (emitter.address == emitter.base + n) for n in members)
            m.d.comb += [
                Assert(emitter.valid == offer.any()), Assert(emitter.valid | ~old[group]),
                Assert((waits == 0) | ~(comes | opened["spent"])),
            ]
            m.d.comb += [Assert(~offer[n] | (emitter.data == words[emitter.base - BASE + n]))
                         for n in members]
            if shape.scan:              # the first of those that wait is on offer
                m.d.comb += Assert(~old[group])
                m.d.comb += [Assert(~waits[n] | (emitter.address + n < emitter.base + emitter.size))
                             for n in members]
                waits = Cat(Cat(waits[n - place] & (emitter.address == emitter.base + place)
                                for place in range(n + 1)).any() for n in members)
            else:
                m.d.comb += Assert(old[group] | ((offer & waits) == 0))
            olds.append(Mux(ending, Mux(old[group], offer, 0), 0))
            news.append(waits | Mux(ending & old[group], 0, offer))
        olds, news = Cat(olds), Cat(news)
        if self.broken == "step":       # what is old leaves with the end of what is new
            own = opened.submodule("buffer").i.payload
            opened.elaborate(None).d.comb += own.step.eq(opened["its_end"][1])
        with m.If(ending):
            m.d.comb += Assert(left[0] == olds), Assert(news == Mux(marked, left[1], 0))
        with m.Else():
            m.d.comb += Assert(news == Mux(marked, left[0], 0))


SHAPES = {
    "priority": Shape(),
    "scan, no ends": Shape(scan=True, ordered=False),
    "priority, queue": Shape(queue=True),
    "priority, queue, no ends": Shape(queue=True, ordered=False),
    "scan, queue": Shape(scan=True, queue=True),
    "read": Shape(bits=2),
}


@pytest.mark.parametrize("name", SHAPES)
def test_everything_leaves_in_order(name):
    assert_formal(Emptied(SHAPES[name]), "prove", 5)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [
    Shape(ordered=False), Shape(scan=True), Shape(scan=True, queue=True, ordered=False),
    Shape(9, 4, queue=True), Shape(9, 4, queue=True, ordered=False), Shape(9, 5, scan=True, queue=True),
    Shape(9, 9, queue=True), Shape(7, 3, bits=4),
], ids=str)
def test_in_order_from_larger_ones(shape):
    assert_formal(Emptied(shape), "prove", 8)


@pytest.mark.parametrize("name", ["scan, no ends", "priority, queue", "read"])
def test_covers_are_reached(name):
    assert_formal(Emptied(SHAPES[name]), "cover", 14)


@pytest.mark.parametrize("name, broken", [
    ("priority", "careless"),
    ("scan, no ends", "careless"),
    ("scan, queue", "empty"),
    ("priority, queue", "step"),
])
def test_what_is_broken_is_seen(name, broken):
    refute_formal(Emptied(SHAPES[name], broken), "bmc", 10)
