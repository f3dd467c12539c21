# amaranth: UnusedElaboratable=no
"""The spike sorter, proven: no window is lost, no spike is lost, doubled or moved to another step."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Cover, Elaboratable, Module, Mux, ResetSignal, Signal
from firstspike.rtl.encoders.sort import SpikeSorter
from firstspike.rtl.streams.token import Kind
from harness.proofs import anything, assert_formal, holds, refute_formal


class Sorted(Elaboratable):
    """All that a sorter promises about order and completeness, for any events, stalls, drops and resets.

    ``broken``: a promise that is not kept. ``calm``: no drops, no resets after the first cycle.
    """

    def __init__(self, sorter, broken=None, calm=False):
        self.sorter = sorter
        self.broken = broken
        self.calm = calm

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.sorter
        if self.calm:
            m.d.comb += Assume(~ResetSignal()), Assume(~dut.drop)
        event, token = dut.events.payload, dut.spikes.payload
        anything(m, dut.events.valid, dut.events.payload, dut.spikes.ready, dut.drop)
        m.d.comb += Assume(~event.spike | (event.address < dut.addresses)), Assume(event.data < dut.window)

        window = dut.spikes.valid & (token.kind == Kind.WINDOW)
        offered_before = Signal()
        fresh = window & ~offered_before        # from this cycle on the next image may be taken
        taken = dut.spikes.valid & dut.spikes.ready
        m.d.sync += offered_before.eq(window & ~taken)

        # Addresses that spoke and have not come out, and when.
        waits = Array(Signal(name=f"waits_{address}") for address in range(dut.addresses))
        steps = Array(Signal(range(dut.window), name=f"step_{address}") for address in range(dut.addresses))
        dropped = Signal()                          # a drop was asked for
        after = Signal()                            # nothing but WINDOW may be put up
        closed = Signal(range(dut.window + 1))      # steps before this one are closed
        spoke = Signal()                            # the step at hand has had a spike
        count = Signal(range(dut.addresses + 1))
        with m.If(dut.drop & ~window):
            m.d.sync += dropped.eq(1)
        m.d.sync += after.eq(Mux(taken, dropped | (dut.drop & ~window), after) & ~(taken & window))

        with m.If(taken & (token.kind == Kind.SPIKE)):
            m.d.comb += [
                Assert(waits[token.address]), Assert(steps[token.address] == token.step),
                Assert(token.step >= closed), Assert(~after),
            ]
            m.d.sync += waits[token.address].eq(0), spoke.eq(1), count.eq(count + 1)
        with m.If(taken & (token.kind == Kind.STEP)):
            m.d.comb += Assert(spoke), Assert(token.step >= closed), Assert(~after)
            m.d.comb += [Assert(~(wait & (step <= token.step)))
                         for wait, step in zip(waits, steps, strict=True)]
            m.d.sync += spoke.eq(0), closed.eq(token.step + 1)
        with m.If(fresh):
            excused = 0 if self.broken == "a drop loses nothing" else dropped
            m.d.comb += [Assert(~wait | excused) for wait in waits]
            m.d.sync += [wait.eq(0) for wait in waits]
        with m.If(taken & window):
            m.d.sync += dropped.eq(0), closed.eq(0), spoke.eq(0), count.eq(0)
        with m.If(dut.events.valid & dut.events.ready & event.spike):
            m.d.comb += Assume(fresh | ~waits[event.address])
            m.d.sync += waits[event.address].eq(1), steps[event.address].eq(event.data)

        if self.broken == "the last address comes last":
            with m.If(taken & (token.kind == Kind.SPIKE) & (token.address == dut.addresses - 1)):
                m.d.comb += [Assert(~wait) for wait in list(waits)[:-1]]

        images = Signal(2)
        with m.If(taken & window & (images != 3)):
            m.d.sync += images.eq(images + 1)
        m.d.comb += Cover((images == 1) & taken & window & (count == dut.addresses) & (closed == dut.window))
        return m


class Counted(Elaboratable):
    """Each image has one ``WINDOW``: as many as the images, none before its image, offered in order."""

    def __init__(self, sorter, broken=None):
        self.latency = sorter.read_latency
        self.sorter = sorter
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.sorter
        anything(m, dut.events.valid, dut.events.payload, dut.spikes.ready, dut.drop)
        holds(m, dut.spikes)

        images, windows = (dut.events.valid & dut.events.ready & dut.events.payload.last,
                           dut.spikes.valid & dut.spikes.ready & (dut.spikes.payload.kind == Kind.WINDOW))
        owed = Signal(2)
        m.d.sync += owed.eq(owed + images - windows)
        entering = [images]         # as they pass the memory, before they are listed
        for stage in range(1, self.latency + 1):
            entering.append(Signal(name=f"entering_{stage}"))
            m.d.sync += entering[-1].eq(entering[-2])
        inside = [dut.listing, dut.spikes.valid & (dut.spikes.payload.kind == Kind.WINDOW), *entering[1:]]
        m.d.comb += Assert(owed == sum(inside)), Assert(owed <= (1 if self.broken else 2))
        m.d.comb += Assert(~(windows & (owed == 0)))
        m.d.comb += Assert(dut.listing + sum(inside[2:]) <= 1)
        m.d.comb += Cover(windows & (owed == 2))
        return m


@pytest.mark.parametrize("latency", [1, 2])
def test_every_image_has_one_window(latency):
    assert_formal(Counted(SpikeSorter(2, 2, read_latency=latency)), "prove", 3)
    assert_formal(Counted(SpikeSorter(2, 2, read_latency=latency)), "cover", 20)
    refute_formal(Counted(SpikeSorter(2, 2, read_latency=latency), broken="one at a time"), "bmc", 20)


@pytest.mark.parametrize("latency, depth, calm", [(1, 15, True), (1, 13, False), (2, 16, True)])
def test_sorts_completely(latency, depth, calm):
    assert_formal(Sorted(SpikeSorter(2, 2, read_latency=latency), calm=calm), "bmc", depth)


@pytest.mark.slow
@pytest.mark.parametrize("addresses, latency, depth, calm", [
    (2, 1, 20, True), (2, 1, 17, False), (3, 1, 17, True), (2, 2, 20, True), (2, 2, 18, False),
])
def test_sorts_completely_for_longer(addresses, latency, depth, calm):
    assert_formal(Sorted(SpikeSorter(addresses, 2, read_latency=latency), calm=calm), "bmc", depth,
                  timeout=1200)


@pytest.mark.parametrize("latency", [1, 2])
def test_sorting_can_be_seen(latency):
    assert_formal(Sorted(SpikeSorter(2, 2, read_latency=latency), calm=True), "cover", 28)


@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("broken", ["a drop loses nothing", "the last address comes last"])
def test_broken_sorting_is_seen(latency, broken):
    refute_formal(Sorted(SpikeSorter(2, 2, read_latency=latency), broken), "bmc", 16)
