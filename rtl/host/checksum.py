"""The checksum of frames, a bit per cycle."""

from amaranth.hdl import Cat, Const, Module, ResetInserter, Signal
from amaranth.lib import crc, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Checksum"]


class Checksum(wiring.Component):
    """The CRC-32 of Ethernet and zlib over a stream of bytes.

    A byte is summed up in the 8 cycles after it is taken, the least significant bit first, and none is taken
    meanwhile. ``crc`` and ``matches`` are of all bytes taken since the last ``clear``, and mean something
    while ``bytes`` is ready.

    Members
    -------
    clear : ``In(1)``
        Forget all bytes, one that is taken in this cycle too.
    bytes : ``In(stream.Signature(8))``
    crc : ``Out(32)``
        Sent with its least significant byte first.
    matches : ``Out(1)``
        The last four bytes were the checksum of those before them.
    """

    def __init__(self):
        super().__init__({
            "clear": In(1), "bytes": In(stream.Signature(8)), "crc": Out(32), "matches": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        processor = crc.Parameters(crc.catalog.CRC32_ISO_HDLC, data_width=1).create()
        m.submodules.processor = ResetInserter(self.clear)(processor)
        rest = Signal(9)        # the bits to come, and a one above them
        busy = rest[1:].any()
        m.d.comb += [
            self.bytes.ready.eq(~busy),
            processor.data.eq(rest[0]), processor.valid.eq(busy),
            self.crc.eq(processor.crc), self.matches.eq(processor.match_detected),
        ]
        with m.If(busy):
            m.d.sync += rest.eq(rest >> 1)
        with m.Elif(self.bytes.valid):
            m.d.sync += rest.eq(Cat(self.bytes.payload, Const(1, 1)))
        with m.If(self.clear):
            m.d.sync += rest.eq(0)
        return m
