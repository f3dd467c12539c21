# amaranth: UnusedElaboratable=no
"""What every encoder keeps, proven by induction: the law of its stream."""

import pytest
from amaranth.hdl import Assert, Cover, Elaboratable, Module, Signal
from firstspike.rtl.encoders import (
    BitsEncoder,
    DirectEncoder,
    LatencyEncoder,
    WindowedBitsEncoder,
    WindowedDirectEncoder,
    WindowedLatencyEncoder,
)
from firstspike.rtl.streams.token import Kind
from harness.proofs import anything, assert_formal, holds, refute_formal


class Offers(Elaboratable):
    """An encoder's stream keeps its law, whatever comes and whenever."""

    def __init__(self, encoder, broken=False):
        self.encoder = encoder
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.encoder
        anything(m, dut.levels.valid, dut.levels.payload, dut.spikes.ready, dut.drop)
        holds(m, dut.spikes)
        waited = Signal(2)
        window = dut.spikes.valid & (dut.spikes.payload.kind == Kind.WINDOW)
        with m.If(~window | dut.spikes.ready):
            m.d.sync += waited.eq(0)
        with m.Elif(waited != 3):
            m.d.sync += waited.eq(waited + 1)
        m.d.comb += Cover((waited == 2) & window & dut.spikes.ready)
        if self.broken:
            m.d.comb += Assert(~(window & (waited == 2)))
        return m


MASK = [True, False, True]
ENCODERS = {
    "latency": lambda: LatencyEncoder([-1, 1, 0], 2, MASK),
    "latency, fast": lambda: LatencyEncoder([-1, 1, 0], 2, MASK, buffers=2, read_latency=2),
    "direct": lambda: DirectEncoder(4, 2, MASK),
    "bits, fast": lambda: BitsEncoder(2, MASK, buffers=2, read_latency=2),
    "windowed latency": lambda: WindowedLatencyEncoder([-1, 1, 0], 2, MASK),
    "windowed direct": lambda: WindowedDirectEncoder(4, 2, MASK),
    "windowed bits": lambda: WindowedBitsEncoder(2, MASK),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_encoder_holds_what_it_offers(name):
    assert_formal(Offers(ENCODERS[name]()), "prove", 3)
    assert_formal(Offers(ENCODERS[name]()), "cover", 24)
    refute_formal(Offers(ENCODERS[name](), broken=True), "bmc", 24)
