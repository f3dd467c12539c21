# amaranth: UnusedElaboratable=no
"""The encoders of a windowed first layer, proven: each image's spikes in order, once, then one ``WINDOW``."""

import pytest
from amaranth.hdl import Array, Assert, Cover, Elaboratable, Module, Mux, Signal
from firstspike.rtl.encoders import WindowedBitsEncoder, WindowedDirectEncoder, WindowedLatencyEncoder
from firstspike.rtl.streams.token import Kind
from harness.proofs import anything, assert_formal, holds, refute_formal


class Complete(Elaboratable):
    """For any levels, stalls, drops and resets: the window of each image holds what ``count`` and ``check``
    say of its levels, less what a drop left out.

    ``count(level)``: number of its spikes. ``check(level, step, value)``: whether that is one of them.
    ``broken``: a promise that is not kept.
    """

    def __init__(self, encoder, count, check, broken=None):
        self.encoder = encoder
        self.count = count
        self.check = check
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.encoder
        token = dut.spikes.payload
        anything(m, dut.levels.valid, dut.levels.payload, dut.spikes.ready, dut.drop)
        holds(m, dut.spikes)

        # The levels of the image at hand and of the next: a window may wait while the next image begins.
        images = [Array(Signal(dut.level_bits, name=f"level_{side}_{index}") for index in range(dut.size))
                  for side in range(2)]
        index, side, reading = Signal(range(dut.size + 1)), Signal(), Signal()
        complete = Signal(range(4))     # images taken whose windows are not
        with m.If(dut.levels.valid & dut.levels.ready):
            with m.Switch(side):
                for which in range(2):
                    with m.Case(which):
                        m.d.sync += images[which][index].eq(dut.levels.payload)
            m.d.sync += index.eq(index + 1)
            with m.If(index == dut.size - 1):
                m.d.sync += index.eq(0), side.eq(~side)
        last = dut.levels.valid & dut.levels.ready & (index == dut.size - 1)

        window = dut.spikes.valid & (token.kind == Kind.WINDOW)
        taken = dut.spikes.valid & dut.spikes.ready
        m.d.sync += complete.eq(complete + last - (taken & window))
        m.d.comb += Assert(complete <= 2)

        used = [place for place, used in enumerate(dut.mask) if used]
        numbers = [[images[which][place] for place in used] for which in range(2)]
        level = Mux(reading, Array(numbers[1])[token.address], Array(numbers[0])[token.address])
        expected = Mux(reading, sum(map(self.count, numbers[1])), sum(map(self.count, numbers[0])))
        sent, dropped, begun = Signal(8), Signal(), Signal()
        before = Signal.like(token.address), Signal.like(token.step)
        with m.If(dut.drop & ~window):
            m.d.sync += dropped.eq(1)
        with m.If(taken & ~window):
            m.d.comb += Assert(token.kind == Kind.SPIKE), Assert(self.check(level, token.step, token.value))
            m.d.comb += Assert(~begun | (token.address > before[0])
                               | ((token.address == before[0]) & (token.step > before[1])))
            m.d.sync += sent.eq(sent + 1), begun.eq(1), before[0].eq(token.address), before[1].eq(token.step)
        with m.If(taken & window):
            excused = 0 if self.broken == "a drop loses nothing" else dropped
            m.d.comb += Assert(complete != 0), Assert((sent == expected) | (excused & (sent < expected)))
            m.d.sync += sent.eq(0), dropped.eq(0), begun.eq(0), reading.eq(~reading)
        if self.broken == "the next image waits":
            m.d.comb += Assert((complete == 0) | ~dut.levels.ready)
        m.d.comb += Cover(taken & window & reading & (sent == expected) & (sent != 0))
        return m


def latency():
    return (WindowedLatencyEncoder([-1, 1, 0], 2, [True, False, True]),
            lambda level: (level == 1) | (level == 2),
            lambda level, step, _: Mux(level == 1, step == 1, (level == 2) & (step == 0)))


def direct():
    return (WindowedDirectEncoder(4, 2, [False, True, True]),
            lambda level: Mux(level == 0, 0, 2),
            lambda level, step, value: (value == level) & (level != 0) & (step < 2))


def bits():
    return (WindowedBitsEncoder(2, [True, True]),
            lambda level: level[0] + level[1],
            lambda level, step, _: Array(reversed(level))[step] & (step < 2))


@pytest.mark.parametrize("make", [latency, direct, bits])
def test_every_image_is_complete(make):
    assert_formal(Complete(*make()), "bmc", 9)


@pytest.mark.slow
@pytest.mark.parametrize("make", [latency, direct, bits])
def test_every_image_is_complete_for_longer(make):
    assert_formal(Complete(*make()), "bmc", 13, timeout=600)


@pytest.mark.parametrize("make", [latency, direct, bits])
def test_it_can_be_seen(make):
    assert_formal(Complete(*make()), "cover", 16)


@pytest.mark.parametrize("make", [latency, direct, bits])
@pytest.mark.parametrize("broken", ["a drop loses nothing", "the next image waits"])
def test_what_is_broken_is_seen(make, broken):
    refute_formal(Complete(*make(), broken), "bmc", 12)
