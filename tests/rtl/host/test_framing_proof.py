# amaranth: UnusedElaboratable=no
"""Framing, proven by induction: requests are handed on in order and whole, and nothing offered is changed."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Cover, Elaboratable, Module, ResetSignal, Signal
from firstspike.rtl.host.frames import PartKind
from firstspike.rtl.host.framing import Framing
from firstspike.rtl.host.protocol import Error
from harness.links import request
from harness.proofs import anything, assert_formal, holds, refute_formal


class InOrder(Elaboratable):
    """For any line and any core driver, faults, refusals and resets at any time.

    While ``open``, the parts are ``COMMAND``, ``LENGTH``, as many ``DATA`` as it says and counted down by
    one, ``END``; what is offered stays until it is taken or ``open`` falls; it falls where one is refused;
    no answer is taken before ``END``. Bytes to the line keep the law of a stream.

    ``broken``: the payload is one byte longer than said, or the line does not keep its law. ``frame``: the
    line brings these bytes, one after the other, and nothing stalls or fails.
    """

    def __init__(self, broken=None, frame=None):
        self.broken = broken
        self.frame = frame

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Framing(3, 2)
        part = dut.request.payload
        anything(m, dut.received.valid, dut.received.payload, dut.damaged, dut.lost, dut.sent.ready,
                 dut.request.ready, dut.refused, dut.reason, dut.answer.valid, dut.answer.payload)
        for source, kept in ((dut.received, self.broken != "line"), (dut.answer, True)):
            if kept:
                waits, offered = Signal(), Signal.like(source.payload)
                value, before = ((part.as_value() if hasattr(part, "as_value") else part)
                                 for part in (source.payload, offered))
                m.d.sync += waits.eq(source.valid & ~source.ready), offered.eq(source.payload)
                m.d.comb += Assume(~waits | (source.valid & (value == before)))
        holds(m, dut.sent)
        if self.frame:
            place = Signal(range(len(self.frame) + 1))
            m.d.sync += place.eq(place + (dut.received.valid & dut.received.ready))
            m.d.comb += [
                Assume(~ResetSignal()), Assume(~(dut.damaged | dut.lost | dut.refused)),
                Assume(dut.received.valid == (place < len(self.frame))),
                Assume(dut.received.payload == Array(self.frame)[place]), Assume(dut.request.ready),
                Assume(dut.sent.ready), Assume(dut.answer.valid), Assume(dut.answer.payload.last),
                Assume(dut.answer.payload.byte == 0x80),
            ]

        waits, offered = Signal(), Signal.like(part)
        m.d.sync += waits.eq(dut.request.valid & ~dut.request.ready), offered.eq(part)
        with m.If(waits & dut.open):
            has_byte = (part.kind == PartKind.COMMAND) | (part.kind == PartKind.DATA)
            m.d.comb += [
                Assert(dut.request.valid), Assert(part.kind == offered.kind),
                Assert(part.left == offered.left), Assert(~has_byte | (part.byte == offered.byte)),
            ]

        comes, left, ended = Signal(PartKind), Signal.like(part.left), Signal()
        handed = dut.request.valid & dut.request.ready
        m.d.comb += Assert(dut.receiving == (dut.open & ~ended)), Assert(dut.receiving | ~dut.request.valid)
        m.d.comb += Assert(~dut.open | (dut.answering == ended))
        m.d.comb += Assert(~dut.answer.ready | ended)
        refused = Signal()
        m.d.sync += refused.eq(dut.refused & dut.receiving)
        m.d.comb += Assert(~refused | ~dut.open)
        with m.If(dut.open & ~ended):
            m.d.comb += Assert(part.kind == comes)
            with m.If(part.kind == PartKind.DATA):
                m.d.comb += Assert(part.left == left), Assert(left != 0)
        with m.If(handed):
            with m.Switch(part.kind):
                with m.Case(PartKind.COMMAND):
                    m.d.sync += comes.eq(PartKind.LENGTH)
                with m.Case(PartKind.LENGTH):
                    m.d.sync += left.eq(part.left + (self.broken == "longer")), comes.eq(PartKind.DATA)
                    with m.If(part.left == 0):
                        m.d.sync += comes.eq(PartKind.END)
                with m.Case(PartKind.DATA):
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 1):
                        m.d.sync += comes.eq(PartKind.END)
                with m.Case(PartKind.END):
                    m.d.sync += ended.eq(1)
        with m.If(~dut.open):
            m.d.sync += comes.eq(PartKind.COMMAND), ended.eq(0)
        m.d.comb += Cover(handed & (part.kind == PartKind.COMMAND))
        m.d.comb += Cover(dut.sent.valid & (dut.sent.payload == Error.VALUE) & ~(dut.open | ResetSignal()))
        return m


def test_parts_come_in_order():
    assert_formal(InOrder(), "prove", 4)


FRAME = request(7, b"ab")


def test_it_can_be_seen():
    assert_formal(InOrder(), "cover", 14)


@pytest.mark.parametrize("broken, frame, depth", [("longer", FRAME, 34), ("line", None, 5)])
def test_what_is_broken_is_seen(broken, frame, depth):
    refute_formal(InOrder(broken, frame), "bmc", depth)
