# amaranth: UnusedElaboratable=no
"""The checksum, proven by induction: each byte moves it as the polynomial says, whatever stands before."""

import pytest
from amaranth.hdl import Assert, Cat, Const, Cover, Elaboratable, Module, Mux, Signal
from firstspike.rtl.host.checksum import Checksum
from harness.proofs import anything, assert_formal, refute_formal

POLYNOMIAL = 0xEDB88320


class Divided(Elaboratable):
    """While it is ready, its checksum is that of the bytes taken since it was cleared, each at once.

    ``broken``: the order of the bits in a byte, or the polynomial.
    """

    def __init__(self, broken=None):
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Checksum()
        anything(m, dut.clear, dut.bytes.valid, dut.bytes.payload)
        rest, bits = Signal(32, init=0xFFFFFFFF), list(dut.bytes.payload)
        value = rest
        for bit in reversed(bits) if self.broken == "order" else bits:
            odd = value[0] ^ bit
            polynomial = POLYNOMIAL ^ (self.broken == "polynomial")
            value = (value >> 1) ^ Mux(odd, Const(polynomial, 32), 0)
        with m.If(dut.bytes.valid & dut.bytes.ready):
            m.d.sync += rest.eq(value)
        with m.If(dut.clear):
            m.d.sync += rest.eq(0xFFFFFFFF)
        with m.If(dut.bytes.ready):
            m.d.comb += Assert(dut.crc == ~rest), Assert(dut.matches == (dut.crc == 0x2144DF1C))
        count = Signal(2)
        with m.If(dut.bytes.valid & dut.bytes.ready & ~dut.clear):
            m.d.sync += count.eq(count + 1)
        m.d.comb += Cover(dut.bytes.ready & (count == 2) & Cat(dut.crc[:6]).all())
        return m


def test_every_byte_counts():
    assert_formal(Divided(), "prove", 10)


def test_it_can_be_seen():
    assert_formal(Divided(), "cover", 22)


@pytest.mark.parametrize("broken", ["order", "polynomial"])
def test_what_is_broken_is_seen(broken):
    refute_formal(Divided(broken), "bmc", 12)
