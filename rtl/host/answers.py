"""What the link answers to a request that was carried out."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .frames import AnswerByte
from .protocol import IDENTITY, RESULT, Command, CoreFacts

__all__ = ["AnswerWriter"]


class AnswerWriter(wiring.Component):
    """Status, length and payload of an answer, byte by byte, while ``active``.

    A byte a cycle, the first in the cycle in which ``active`` rises; it has to fall when the last one has
    been taken. Everything but ``active`` stays as it is meanwhile.

    Parameters
    ----------
    facts : :class:`~.protocol.CoreFacts`
    clock_hz : :class:`int`
        Told in the identity.
    cycle_bits : :class:`int`
        Width of ``cycles``, at most 32.

    Members
    -------
    active : ``In(1)``
    command : ``In(Command)``
        What was asked for.
    result : ``In(facts.result)``, cycles : ``In(cycle_bits)``
        The core's result, and how long it took.
    answer : ``Out(stream.Signature(AnswerByte))``
    """

    def __init__(self, facts: CoreFacts, *, clock_hz: int, cycle_bits: int):
        self.facts = facts
        self.clock_hz = clock_hz
        super().__init__({
            "active": In(1), "command": In(Command), "result": In(facts.result), "cycles": In(cycle_bits),
            "answer": Out(stream.Signature(AnswerByte)),
        })

    def elaborate(self, platform):
        m = Module()

        def padded(value, width):
            return Cat(value, Const(0, width - len(value)))

        done = 0x80
        identity = bytes([done | Command.IDENTIFY, IDENTITY.size]) + self.facts.identity(self.clock_hz)
        index = Signal(range(len(identity)))
        identity_byte = Signal(8)
        with m.Switch(index):
            for place, value in enumerate(identity):
                with m.Case(place):
                    m.d.comb += identity_byte.eq(value)

        has_result = self.command != Command.STOP_EARLY
        others = Cat(
            Cat(self.command) | done, Mux(has_result, Const(RESULT.size, 8), 0),
            padded(self.result.label, 16), padded(self.result.step, 16), padded(self.cycles, 32))
        last = Array([len(identity) - 1, RESULT.size + 1, RESULT.size + 1, 1])[self.command]
        m.d.comb += [
            self.answer.valid.eq(self.active),
            self.answer.payload.byte.eq(
                Mux(self.command == Command.IDENTIFY, identity_byte, others.word_select(index[:4], 8))),
            self.answer.payload.last.eq(index == last),
        ]
        with m.If(~self.active):
            m.d.sync += index.eq(0)
        with m.Elif(self.answer.ready):
            m.d.sync += index.eq(index + 1)
        return m
