"""Frames: bytes of the line to checked requests, answers back to bytes (wire format: :mod:`.protocol`)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from .checksum import Checksum
from .frames import AnswerByte, PartKind, RequestPart
from .protocol import ANSWER, REQUEST, Error

__all__ = ["Framing"]


class Framing(wiring.Component):
    """Takes requests from the line's bytes and puts answers on it, one after the other.

    ``IDLE`` waits for the first byte of a request, ``COMMAND`` for the next, ``LENGTH`` for the three of its
    length, which ``ANNOUNCE`` hands on; ``PAYLOAD`` and ``CHECKSUM`` take what follows, and ``VERIFY`` hands
    ``END`` on where the checksum is right. ``WAIT`` waits for the answer: ``SALUTE`` sends its first byte,
    ``PASS`` what the core driver says, ``SIGN`` the checksum, and all is ``IDLE`` again. Whatever is wrong
    leads to ``DRAIN``, which lets the line pass until it has been silent, and from there to the answer that
    names the first error. A byte that comes before the end of an answer is one more error after it.

    Each part of a request is handed on in the cycle in which its byte is taken, ``LENGTH`` in the next cycle
    or later, ``END`` from the ninth cycle after the last byte. A byte is taken while none is being summed up
    (8 cycles) and where the core driver can take the part; the last byte of the checksum where it could take
    ``END``. Bytes of an answer are 9 cycles apart at least. A reset waits for a new request.

    Parameters
    ----------
    longest : :class:`int`
        Bytes of the longest payload of a request, at least 1.
    idle_cycles : :class:`int`
        Silence of the line that ends a frame, in cycles; rounded up to a power of two.

    Members
    -------
    received : ``In(stream.Signature(8))``
        Bytes from the line.
    damaged : ``In(1)``
        For a cycle: a byte came that could not be read.
    lost : ``In(1)``
        For a cycle: a byte came that was not taken.
    sent : ``Out(stream.Signature(8))``
        Bytes to the line.
    open : ``Out(1)``
        A request comes in, is worked on or answered, and nothing is wrong with it. Where this falls, the
        request is over, however much of it has been handed on; it stays low for at least a cycle.
    request : ``Out(stream.Signature(RequestPart(longest)))``
        Its parts. What is offered stays until it is taken or ``open`` falls.
    refused : ``In(1)``, reason : ``In(Error)``
        The core driver will not do what the request asks for; looked at while ``open``, until ``answer``
        is offered.
    answer : ``In(stream.Signature(AnswerByte))``
        After ``END``. Not looked at while ``open`` is low.

    Attributes
    ----------
    receiving, answering : ``Signal(1)``
        One of the states from ``COMMAND`` to ``VERIFY``, from ``WAIT`` to ``SIGN``.
    """

    def __init__(self, longest: int, idle_cycles: int):
        for name, value in (("longest", longest), ("idle_cycles", idle_cycles)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be a positive integer, not {value!r}")
            if value < 1:
                raise ValueError(f"{name} must be a positive integer, not {value}")
        self.longest = longest
        self.idle_cycles = 1 << ceil_log2(idle_cycles)
        self.receiving, self.answering = Signal(), Signal()
        super().__init__({
            "received": In(stream.Signature(8)), "damaged": In(1), "lost": In(1),
            "sent": Out(stream.Signature(8)),
            "open": Out(1),
            "request": Out(stream.Signature(RequestPart(longest))),
            "refused": In(1), "reason": In(Error),
            "answer": In(stream.Signature(AnswerByte)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.checksum = checksum = Checksum()
        part, byte = self.request.payload, self.received.payload
        free = checksum.bytes.ready
        left = Signal(range(self.longest + 1))      # bytes of the payload that have not come
        too_long = Signal()                         # the length does not fit there
        index = Signal(2)                           # of bytes of a length, an error or a checksum
        error, failed, stray = Signal(Error), Signal(), Signal()
        heard = self.received.valid | self.damaged
        taken, given = Signal(), Signal()           # a byte from the line, to the line
        idle = Signal()
        m.d.comb += [
            part.byte.eq(byte), part.left.eq(left),
            taken.eq(self.received.valid & self.received.ready),
            given.eq(self.sent.valid & self.sent.ready),
            self.open.eq(~(idle | failed)),
        ]

        silence = Signal(ceil_log2(self.idle_cycles) + 1)
        silent = silence[-1] & ~heard
        listens = Signal()
        m.d.sync += silence.eq(silence + 1)
        with m.If(heard | ~listens):
            m.d.sync += silence.eq(0)

        def fail(reason):
            m.d.sync += error.eq(reason), failed.eq(1), index.eq(0)
            m.next = "DRAIN"

        def listen():
            """Watch for what ends any request; it overrides what the state does."""
            m.d.comb += listens.eq(1)
            with m.If(silent):
                fail(Error.CUT_OFF)
            with m.If(self.lost):
                fail(Error.OVERRUN)
            with m.If(self.damaged):
                fail(Error.FRAMING)
            with m.If(self.refused):
                fail(self.reason)

        def sum_up(moves, value):
            m.d.comb += checksum.bytes.valid.eq(moves), checksum.bytes.payload.eq(value)

        def hand_on(kind):
            """The byte from the line is a part of the request."""
            m.d.comb += [
                part.kind.eq(kind), self.request.valid.eq(self.received.valid & free),
                self.received.ready.eq(self.request.ready & free),
            ]
            sum_up(taken, byte)

        def send(value, ready=1):
            m.d.comb += self.sent.payload.eq(value), self.sent.valid.eq(ready)
            with m.If(heard):
                m.d.sync += stray.eq(1)

        with m.FSM() as machine:
            with m.State("IDLE"):
                m.d.comb += idle.eq(1), checksum.clear.eq(1), self.received.ready.eq(1)
                m.d.sync += index.eq(0), stray.eq(0), too_long.eq(0), failed.eq(0)
                with m.If(taken):
                    m.next = "COMMAND"
                    with m.If(byte != REQUEST):
                        fail(Error.GARBAGE)
                with m.If(self.damaged):
                    fail(Error.FRAMING)

            with m.State("COMMAND"):
                hand_on(PartKind.COMMAND)
                with m.If(taken):
                    m.next = "LENGTH"
                listen()

            with m.State("LENGTH"):
                m.d.comb += part.kind.eq(PartKind.LENGTH), self.received.ready.eq(free)
                sum_up(taken, byte)
                with m.If(taken):
                    m.d.sync += index.eq(index + 1)
                    for place in range(3):
                        fits = max(0, min(8, len(left) - 8 * place))
                        with m.If(index == place):
                            m.d.sync += [left[8 * place:].eq(byte)] if fits else []
                            m.d.sync += too_long.eq(too_long | byte[fits:].any())
                    with m.If(index == 2):
                        m.d.sync += index.eq(0)
                        m.next = "ANNOUNCE"
                listen()

            with m.State("ANNOUNCE"):
                m.d.comb += part.kind.eq(PartKind.LENGTH), self.request.valid.eq(~too_long)
                with m.If(self.request.ready):
                    m.next = "PAYLOAD"
                    with m.If(left == 0):
                        m.next = "CHECKSUM"
                with m.If(too_long):
                    fail(Error.LENGTH)
                listen()

            with m.State("PAYLOAD"):
                hand_on(PartKind.DATA)
                with m.If(taken):
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 1):
                        m.next = "CHECKSUM"
                listen()

            with m.State("CHECKSUM"):
                m.d.comb += part.kind.eq(PartKind.END)
                m.d.comb += self.received.ready.eq(free & (self.request.ready | (index != 3)))
                sum_up(taken, byte)
                with m.If(taken):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == 3):
                        m.next = "VERIFY"
                listen()

            with m.State("VERIFY"):
                m.d.comb += part.kind.eq(PartKind.END), self.request.valid.eq(free & checksum.matches)
                with m.If(self.request.valid & self.request.ready):
                    m.next = "WAIT"
                with m.If(free & ~checksum.matches):
                    fail(Error.CHECKSUM)
                listen()

            with m.State("WAIT"):
                m.d.comb += self.received.ready.eq(1)
                with m.If(self.answer.valid):
                    m.next = "SALUTE"
                with m.If(self.refused):
                    fail(self.reason)
                with m.If(heard):
                    fail(Error.IMPATIENT)

            with m.State("DRAIN"):
                m.d.comb += listens.eq(1), self.received.ready.eq(1)
                with m.If(silent):
                    m.next = "SALUTE"

            with m.State("SALUTE"):
                m.d.comb += checksum.clear.eq(1), self.received.ready.eq(1)
                send(ANSWER)
                with m.If(given):
                    m.next = "PASS"

            with m.State("PASS"):       # an error's payload is empty: the second byte is its length
                m.d.comb += self.answer.ready.eq(self.sent.ready & free & ~failed), self.received.ready.eq(1)
                send(Mux(failed, Mux(index[0], 0, error), self.answer.payload.byte),
                     free & (failed | self.answer.valid))
                sum_up(given, self.sent.payload)
                with m.If(given):
                    m.d.sync += index.eq(index + 1)
                    with m.If(Mux(failed, index[0], self.answer.payload.last)):
                        m.d.sync += index.eq(0)
                        m.next = "SIGN"

            with m.State("SIGN"):
                m.d.comb += self.received.ready.eq(1)
                send(checksum.crc.word_select(index, 8), free)
                with m.If(given):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == 3):
                        m.next = "IDLE"
                        with m.If(stray | heard):
                            m.d.sync += stray.eq(0)
                            fail(Error.IMPATIENT)

        receiving = ("COMMAND", "LENGTH", "ANNOUNCE", "PAYLOAD", "CHECKSUM", "VERIFY")
        answering = ("WAIT", "SALUTE", "PASS", "SIGN")
        m.d.comb += [
            self.receiving.eq(Cat(map(machine.ongoing, receiving)).any()),
            self.answering.eq(Cat(map(machine.ongoing, answering)).any()),
        ]
        return m
