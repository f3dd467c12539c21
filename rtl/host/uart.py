"""Asynchronous serial line: 8 data bits, least significant first, no parity, one stop bit.

A bit lasts a number of clock cycles that need not be whole: both ends count phase, so that any clock can
make any rate to a few parts in a thousand, which is what the far end forgives (its own clock and ours may
together be off by 4 %).
"""

from math import ceil, log2

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["LONGEST_BIT", "SHORTEST_BIT", "Uart", "UartReceiver", "UartTransmitter", "check_divisor"]

SHORTEST_BIT = 6
"""Fewest clock cycles that a bit may last: fewer leave the sampling point no room for a fast far end."""

LONGEST_BIT = 1 << 20
"""Most clock cycles that a bit may last."""


def check_divisor(divisor) -> float:
    """The clock cycles per bit as a float; TypeError or ValueError where no line can run so."""
    if isinstance(divisor, bool) or not isinstance(divisor, int | float):
        raise TypeError(f"Divisor must be a number of clock cycles per bit, not {divisor!r}")
    if not SHORTEST_BIT <= divisor <= LONGEST_BIT:
        raise ValueError(
            f"Divisor must be from {SHORTEST_BIT} to {LONGEST_BIT} clock cycles per bit, not {divisor!r}")
    return float(divisor)


class _Phase:
    """Widths and increment of a phase accumulator that overflows once in ``divisor`` cycles.

    The increment is off by less than one part in 500, so that ten bits drift by less than 1/50 bit.
    """

    def __init__(self, divisor: float):
        self.bits = ceil(log2(divisor)) + 8
        self.increment = round(2**self.bits / divisor)


class UartReceiver(wiring.Component):
    """Bytes from a serial line.

    A falling edge starts a byte; the start bit is looked at again in its middle, and a pulse shorter than
    that is ignored. Each bit is the majority of three consecutive samples around its middle, so that a glitch
    of one cycle changes nothing. Bytes may follow each other without a gap.

    Parameters
    ----------
    divisor : number
        Clock cycles per bit, from 6; fractions are kept.

    Members
    -------
    rx : ``In(1)``
        The line, idle high; synchronised inside.
    bytes : ``Out(stream.Signature(8))``
        Valid for one cycle per byte, half a bit before the end of its stop bit; always ready: a byte that is
        not looked at in this cycle is lost.
    framing_error : ``Out(1)``
        High for one cycle where a stop bit was low. The byte is dropped, and the line must be high again
        before the next one starts.
    """

    def __init__(self, divisor):
        self.divisor = check_divisor(divisor)
        super().__init__({
            "rx": In(1),
            "bytes": Out(stream.Signature(8, always_ready=True)),
            "framing_error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        phase = _Phase(self.divisor)

        line = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, line, init=1)
        seen = Signal(2, init=0b11)
        m.d.sync += seen.eq(Cat(line, seen[0]))
        bit = Signal()
        m.d.comb += bit.eq((line & seen[0]) | (line & seen[1]) | (seen[0] & seen[1]))

        # Bits enter from the top; the one of the initial value falls out of the bottom with the eighth.
        shift = Signal(9)
        position = Signal(phase.bits)
        tick = Signal()
        following = Signal(phase.bits)
        m.d.comb += Cat(following, tick).eq(position + phase.increment)

        m.d.sync += [self.bytes.valid.eq(0), self.framing_error.eq(0)]
        with m.FSM():
            with m.State("IDLE"):
                # An edge is seen half a cycle late on average, and acted on in the next cycle.
                m.d.sync += position.eq((1 << (phase.bits - 1)) + 3 * phase.increment // 2)
                with m.If(~bit):
                    m.next = "START"
            with m.State("START"):
                m.d.sync += [position.eq(following), shift.eq(1 << 8)]
                with m.If(tick):
                    m.next = "DATA"
                    with m.If(bit):
                        m.next = "IDLE"
            with m.State("DATA"):
                m.d.sync += position.eq(following)
                with m.If(tick):
                    m.d.sync += shift.eq(Cat(shift[1:], bit))
                    with m.If(shift[0]):
                        m.next = "IDLE"
                        m.d.sync += [self.bytes.valid.eq(bit), self.framing_error.eq(~bit)]
                        with m.If(~bit):
                            m.next = "BREAK"
            with m.State("BREAK"), m.If(bit):
                m.next = "IDLE"

        m.d.comb += self.bytes.payload.eq(shift[:8])
        return m


class UartTransmitter(wiring.Component):
    """Bytes to a serial line.

    Parameters
    ----------
    divisor : number
        Clock cycles per bit, from 6; fractions are kept.

    Members
    -------
    bytes : ``In(stream.Signature(8))``
        Taken when the stop bit of the byte before is over; one byte lasts ten bits.
    tx : ``Out(1)``
        The line, idle high; a flip-flop's output.
    """

    def __init__(self, divisor):
        self.divisor = check_divisor(divisor)
        super().__init__({"bytes": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        phase = _Phase(self.divisor)

        # Stop bit, data, start bit; ones follow, and the byte is over when only the last of them is left.
        shift = Signal(10)
        position = Signal(phase.bits)
        tick = Signal()
        following = Signal(phase.bits)
        m.d.comb += Cat(following, tick).eq(position + phase.increment)

        m.d.comb += self.bytes.ready.eq(~shift.any())
        m.d.sync += self.tx.eq(Mux(shift.any(), shift[0], 1))
        with m.If(self.bytes.ready):
            m.d.sync += position.eq(0)
            with m.If(self.bytes.valid):
                m.d.sync += shift.eq(Cat(0, self.bytes.payload, 1))
        with m.Else():
            m.d.sync += position.eq(following)
            with m.If(tick):
                m.d.sync += shift.eq(shift >> 1)
        return m


class Uart(wiring.Component):
    """Both directions of a serial line, as :class:`~.framing.Framing` wants a line.

    Parameters
    ----------
    divisor : number
        Clock cycles per bit, from 6; fractions are kept.

    Members
    -------
    rx : ``In(1)``, tx : ``Out(1)``
        The line.
    received : ``Out(stream.Signature(8))``
        Offered for one cycle, since the far end cannot be made to wait.
    damaged : ``Out(1)``
        For one cycle: a stop bit was low.
    lost : ``Out(1)``
        For one cycle: what was received was not taken.
    sent : ``In(stream.Signature(8))``
        Taken when the stop bit of the byte before is over.
    """

    def __init__(self, divisor):
        self.divisor = check_divisor(divisor)
        super().__init__({
            "rx": In(1), "tx": Out(1, init=1),
            "received": Out(stream.Signature(8)), "damaged": Out(1), "lost": Out(1),
            "sent": In(stream.Signature(8)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(self.divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(self.divisor)
        m.d.comb += [
            receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx),
            self.received.valid.eq(receiver.bytes.valid), self.received.payload.eq(receiver.bytes.payload),
            self.lost.eq(receiver.bytes.valid & ~self.received.ready),
            self.damaged.eq(receiver.framing_error),
        ]
        wiring.connect(m, wiring.flipped(self.sent), transmitter.bytes)
        return m
