# amaranth: UnusedElaboratable=no
"""What changes the lanes of a stream, proven by induction: nothing is lost, doubled or moved by it."""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Cover, Elaboratable, Module, Mux, ResetSignal, Signal
from amaranth.lib import data
from firstspike.rtl.streams.bank_sorter import BankSorter
from firstspike.rtl.streams.banks import Banks
from firstspike.rtl.streams.narrow import Narrow
from firstspike.rtl.streams.token import Kind, Order, Token
from firstspike.rtl.streams.widen import Widen
from harness.proofs import OpenedUp, anything, assert_formal, holds, refute_formal


class Carried(Elaboratable):
    """Of all spikes any one is *marked*, by a value that no other has, and followed on its way.

    It leaves once, with its address, its step and the tag of its window, behind all ends that came before it
    and before, or with, the first that came after it. Every end leaves once, as it came. What is complete is
    on offer; the source waits for nothing but the sink, and for a sink that takes all it is offered no more
    cycles than a transfer has tokens. So after any reset, and for any source that holds what it offers and
    gives all transfers of a window the same tag.

    ``broken``: a part of the adapter that does not what it should.
    """

    def __init__(self, adapter, broken=None):
        self.adapter = adapter
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        adapter = self.adapter
        m.submodules.dut = opened = OpenedUp(adapter)
        i, o, coming, going = adapter.i, adapter.o, adapter.i.payload, adapter.o.payload
        anything(m, i.valid, i.payload, o.ready)
        holds(m, o)
        ins, outs = adapter.source.spikes(coming), adapter.token.spikes(going)
        taken, leaves = i.valid & i.ready, o.valid & o.ready

        # The source.
        again = Signal()                # on offer since an earlier cycle
        offered = Signal.like(coming.as_value())
        fresh = i.valid & ~again
        m.d.sync += again.eq(i.valid & ~i.ready), offered.eq(coming.as_value())
        m.d.comb += Assume(~again | (i.valid & (coming.as_value() == offered)))
        inside_window, tag = Signal(), Signal()
        m.d.comb += Assume(~fresh | ~inside_window | (coming.tag == tag))
        if adapter.source.order is not Order.STEP:
            m.d.comb += Assume(coming.kind != Kind.STEP)
        with m.If(i.valid):
            m.d.sync += tag.eq(coming.tag)
            m.d.sync += inside_window.eq(~taken | (coming.kind != Kind.WINDOW))

        # The marked spike: where it belongs, and whether it is on its way.
        marks = Cat(spike.valid & spike.value for spike in ins)
        marked, was_inside = Signal(), Signal()
        m.d.comb += Assume(~fresh | (sum(marks) <= ~marked))
        comes = fresh & marks.any()
        its = {"address": ins[0].address, "step": ins[0].step, "tag": coming.tag}
        for spike in ins[1:]:
            mark = spike.valid & spike.value
            its["address"] = Mux(mark, spike.address, its["address"])
            its["step"] = Mux(mark, spike.step, its["step"])
        kept = {name: Signal.like(now, name=f"its_{name}") for name, now in its.items()}
        for name, now in its.items():
            now = Mux(comes, now, kept[name])
            m.d.sync += kept[name].eq(now)
            its[name] = now
        inside = comes | was_inside
        goes = leaves & Cat(spike.valid & spike.value for spike in outs).any()
        m.d.sync += marked.eq(marked | comes), was_inside.eq(inside & ~goes)
        with m.If(leaves):
            m.d.comb += Assert(sum(spike.valid & spike.value for spike in outs) <= inside)
            for spike in outs:
                with m.If(spike.valid & spike.value):
                    m.d.comb += Assert(spike.address == its["address"]), Assert(spike.step == its["step"])
                    m.d.comb += Assert(going.tag == its["tag"])

        # Ends: at most one is inside; those before the marked spike.
        ends, end = Signal(), Signal(2 + len(coming.step) + 1)
        ending = Cat(coming.kind, coming.tag, Mux(coming.kind == Kind.STEP, coming.step, 0))
        end_comes, end_goes = taken & (coming.kind != Kind.SPIKE), leaves & (going.kind != Kind.SPIKE)
        m.d.sync += ends.eq(ends + end_comes - end_goes)
        with m.If(end_comes):
            m.d.sync += end.eq(ending)
        with m.If(end_goes):
            m.d.comb += Assert(ends | end_comes)
            m.d.comb += Assert(Cat(going.kind, going.tag, Mux(going.kind == Kind.STEP, going.step, 0))
                               == Mux(ends, end, ending))
        m.d.comb += Assert(ends + end_comes - end_goes <= 1), Assert(~ends | o.valid)
        was_before = Signal()
        before = Mux(comes, ends, was_before)
        m.d.sync += was_before.eq(before & ~end_goes)
        with m.If(goes):
            m.d.comb += Assert(~before)
        with m.If(end_goes & inside & ~before):
            m.d.comb += Assert(goes)

        # Who waits for whom.
        most = len(ins) + isinstance(adapter, Narrow)
        waited = Signal(range(most + 1))
        with m.If(~i.valid | i.ready):
            m.d.sync += waited.eq(0)
        with m.Elif(o.ready):
            m.d.sync += waited.eq(waited + 1)
        m.d.comb += Assert(~i.valid | i.ready | o.valid), Assert(waited < most)

        windows = Signal(2)
        with m.If(end_goes & (going.kind == Kind.WINDOW) & (windows != 3)):
            m.d.sync += windows.eq(windows + 1)
        calm = ~ResetSignal()
        m.d.comb += Cover(calm & goes & (windows == 1)), Cover(calm & end_goes & (windows == 2))
        if len(ins) > 1:
            m.d.comb += Cover(calm & goes & again & (going.kind == Kind.SPIKE))

        # How it is kept: on offer still, or, where spikes are gathered, in a lane of what is held.
        done = opened["sent" if isinstance(adapter, Narrow) else "placed"]
        waits = marks & ~done & again.replicate(len(ins))
        m.d.comb += [
            Assert(marked | ~(was_inside | (again & marks.any()))), Assert(~again | (sum(marks) <= 1)),
            Assert(~again | (inside_window & (tag == coming.tag))), Assert(again | (done == 0)),
            Assert(~again | ((done & ~Cat(spike.valid for spike in ins)) == 0)),
            Assert(was_before == (waits.any() & ends)), Assert(waited <= sum(done)),
        ]
        for place, spike in enumerate(ins):
            with m.If(waits[place]):
                m.d.comb += Assert(spike.address == kept["address"]), Assert(spike.step == kept["step"])
                m.d.comb += Assert(coming.tag == kept["tag"])
        if isinstance(adapter, Narrow):
            m.d.comb += Assert(~ends), Assert(was_inside == waits.any())
        else:
            held = data.View(adapter.token, opened["held"])
            lanes = adapter.token.spikes(held)
            holding, there = Cat(spike.valid for spike in lanes), Cat(
                spike.valid & spike.value for spike in lanes)
            whole = opened["whole"]
            m.d.comb += [
                Assert(was_inside == (waits.any() | there.any())), Assert(~(waits.any() & there.any())),
                Assert(sum(there) <= 1), Assert(ends == (held.kind != Kind.SPIKE)),
                Assert(whole == (ends | (holding.all() & (done == 0)))), Assert((done == 0) | ~ends),
                Assert(~ends | (end == Cat(held.kind, held.tag, Mux(held.kind == Kind.STEP, held.step, 0)))),
                Assert(~(whole | holding.any()) | (held.kind == Kind.WINDOW)
                       | (inside_window & (held.tag == tag))),
            ]
            for spike in lanes:
                with m.If(spike.valid & spike.value):
                    m.d.comb += Assert(spike.address == kept["address"]), Assert(spike.step == kept["step"])
                    m.d.comb += Assert(held.tag == kept["tag"])
        self._break(opened, Cat(spike.valid for spike in ins))
        return m

    def _break(self, opened, valid):
        inner = opened.elaborate(None).d.comb
        match self.broken:
            case "steps together":
                inner += opened["joins"].eq(~opened["whole"])
            case "placed twice" | "sent twice":
                inner += opened["waits"].eq(valid)
            case "not placed":
                inner += opened["first"].eq(opened["waits"])
            case "only the first":
                inner += self.adapter.i.ready.eq(self.adapter.o.ready)


STEP, RASTER, NONE = Order


def source(lanes=1, order=STEP, addresses=4, banks=None):
    return Token(addresses, 2, value_bits=1, tagged=True, lanes=lanes, order=order, banks=banks)


ADAPTERS = {
    "widen 1 to 2": lambda: Widen(source(), 2),
    "widen 1 to 3, none": lambda: Widen(source(order=NONE), 3),
    "widen 2 to 3": lambda: Widen(source(2), 3),
    "widen 2 to 4, raster": lambda: Widen(source(2, RASTER), 4),
    "1 into 2 banks": lambda: BankSorter(source(), Banks(4, 2)),
    "2 into 2 banks": lambda: BankSorter(source(2), Banks(4, 2)),
    "3 into 2 banks by table, none": lambda: BankSorter(source(3, NONE), Banks(4, 2, (1, 0, 0, 1))),
    "1 into a bank an address": lambda: BankSorter(source(), Banks(4, 4)),
    "narrow 2": lambda: Narrow(source(2)),
    "narrow 3, none": lambda: Narrow(source(3, NONE)),
    "narrow 2 banks": lambda: Narrow(source(2, banks=Banks(4, 2))),
}


@pytest.mark.parametrize("name", ADAPTERS)
def test_everything_is_carried(name):
    assert_formal(Carried(ADAPTERS[name]()), "prove", 2)


@pytest.mark.parametrize("name", ADAPTERS)
def test_covers_are_reached(name):
    assert_formal(Carried(ADAPTERS[name]()), "cover", 8)


@pytest.mark.parametrize("name, broken", [
    ("widen 1 to 2", "steps together"), ("2 into 2 banks", "steps together"),
    ("2 into 2 banks", "placed twice"), ("1 into 2 banks", "not placed"),
    ("narrow 2", "sent twice"), ("narrow 2 banks", "only the first"),
])
def test_what_is_broken_is_seen(name, broken):
    refute_formal(Carried(ADAPTERS[name](), broken), "bmc", 6)
