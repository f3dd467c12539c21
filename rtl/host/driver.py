"""Requests to a core's words, and its results to answers."""

from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..streams.token import Kind
from .answers import AnswerWriter
from .frames import AnswerByte, PartKind, RequestPart
from .law import TokenLaw
from .protocol import Command, CoreFacts, Error

__all__ = ["CoreDriver", "check_driver", "core_members"]


def check_driver(facts: CoreFacts, cycle_bits: int) -> None:
    """Refuse numbers that no driver has: TypeError, ValueError."""
    if not isinstance(facts, CoreFacts):
        raise TypeError(f"Facts must be CoreFacts, not {facts!r}")
    if not 8 <= cycle_bits <= 31:
        raise ValueError(f"Cycle bits must be from 8 to 31, not {cycle_bits!r}")


def core_members(facts: CoreFacts) -> dict:
    """The ports of a core with these numbers, seen from what drives it."""
    members = {
        "core_reset": Out(1, init=1),
        "spikes": Out(stream.Signature(facts.token)),
        "result": In(stream.Signature(facts.result)),
    }
    if facts.levels:
        members["levels"] = Out(stream.Signature(facts.level_bits))
    if facts.stop_early:
        members["stop_early"] = Out(1, init=1)
    return members


class CoreDriver(wiring.Component):
    """Runs one image or window after the other on a core, as requests ask for it.

    Between requests, and from an error on, the core is in reset, and so is the driver. A request's command
    and length are looked at as they come. The bytes of its payload are gathered to a word; a word that is
    complete is *fresh* for one cycle, then *judged*: one that the network cannot have refuses the request,
    any other is *pending* until the core takes it. So the core has its words as they come from the line, in
    the time of the next byte. What ends the window is held back until the request's ``END``: an image's last
    level, or the end-of-window token, which the driver makes. From then on it is *running*: it counts the
    cycles since the core took the last word, gives the core up after ``2 ** cycle_bits`` of them, and is
    *answering* in the cycle after the result is there. Other commands are answered in the cycle after their
    ``END``. The result is taken with the last byte of its answer.

    A word is offered to the core in the third cycle after its last byte was taken; no part is taken from
    the byte on until the core has taken the word.

    Parameters
    ----------
    facts : :class:`~.protocol.CoreFacts`
        The core's numbers.
    clock_hz : :class:`int`
        The core's clock, told to the host.
    cycle_bits : :class:`int`
        The core is given up after ``2 ** cycle_bits`` cycles without a result.

    Members
    -------
    open : ``In(1)``
        A request is there; where it falls, for at least a cycle, all of it is over.
    request : ``In(stream.Signature(RequestPart(facts.longest)))``
        Its parts.
    refused : ``Out(1)``, reason : ``Out(Error)``
        It cannot be carried out; for at least a cycle. ``open`` has to fall then.
    answer : ``Out(stream.Signature(AnswerByte))``
        From ``END`` on.
    core_reset : ``Out(1)``
        The core's reset, a flip-flop's output: ``open`` a cycle later, inverted.
    levels : ``Out(stream.Signature(facts.level_bits))``
        Only where there is an encoder.
    spikes : ``Out(stream.Signature(facts.token))``
        To the core.
    stop_early : ``Out(1)``
        Only with early stop; changes only with the ``END`` of its command.
    result : ``In(stream.Signature(facts.result))``
        From the core.

    Attributes
    ----------
    command : ``Signal(Command)``
        The request's.
    pending, running, answering : ``Signal(1)``
        As above.
    """

    def __init__(self, facts: CoreFacts, *, clock_hz: int, cycle_bits: int):
        check_driver(facts, cycle_bits)
        self.facts = facts
        self.clock_hz = clock_hz
        self.cycle_bits = cycle_bits
        self.command = Signal(Command)
        self.pending, self.running, self.answering = Signal(), Signal(), Signal()
        members = {
            "open": In(1),
            "request": In(stream.Signature(RequestPart(facts.longest))),
            "refused": Out(1), "reason": Out(Error),
            "answer": Out(stream.Signature(AnswerByte)),
        }
        super().__init__(members | core_members(facts))

    def elaborate(self, platform):
        m = Module()
        facts, part = self.facts, self.request.payload
        m.d.sync += self.core_reset.eq(~self.open)

        command, unknown = self.command, Signal()
        misfit = Signal()       # the length is not the command's, or the payload ends inside a word
        word = Signal(8 * max(facts.token_bytes, facts.level_bytes if facts.levels else 1))
        place = Signal(range(len(word) // 8))       # of the next byte in the word
        more = Signal()                             # words follow it
        fresh, judged, lawful = Signal(), Signal(), Signal()
        pending, running, answering = self.pending, self.running, self.answering
        cycles = Signal(self.cycle_bits + 1)

        takes_levels = (command == Command.LEVELS) if facts.levels else Const(0)
        takes_spikes = command == Command.SPIKES
        m.submodules.law = law = TokenLaw(facts)
        m.d.comb += [
            law.token.eq(word), law.accept.eq(fresh & takes_spikes), law.clear.eq(self.core_reset),
        ]
        level_lawful = word[:8 * facts.level_bytes] < facts.levels
        m.d.sync += [
            fresh.eq(0), judged.eq(fresh),
            lawful.eq(Mux(takes_spikes, law.lawful, Mux(takes_levels, level_lawful, ~word[1:8].any()))),
        ]

        taken = Signal()        # by the core, where a word is pending
        m.d.comb += [
            self.spikes.payload.eq(word[:facts.token.size]),
            self.spikes.valid.eq(pending & takes_spikes),
            taken.eq(self.spikes.ready),
        ]
        if facts.levels:
            m.d.comb += [
                self.levels.payload.eq(word),
                self.levels.valid.eq(pending & takes_levels),
                taken.eq(Mux(takes_levels, self.levels.ready, self.spikes.ready)),
            ]
        with m.If(pending & taken):
            m.d.sync += pending.eq(0)
        with m.If(judged & lawful):
            m.d.sync += pending.eq(takes_spikes | (takes_levels & more))

        there = running & ~pending & self.result.valid
        too_late = running & cycles[-1] & ~there
        m.d.comb += [
            self.refused.eq(unknown | misfit | (judged & ~lawful) | too_late),
            self.reason.eq(Mux(unknown, Error.COMMAND, Mux(misfit, Error.LENGTH,
                                                           Mux(too_late, Error.NO_RESULT, Error.VALUE)))),
            self.request.ready.eq(~(self.core_reset | fresh | judged | pending)),
        ]
        with m.If(running):
            m.d.sync += cycles.eq(cycles + 1)
        with m.If(there):
            m.d.sync += running.eq(0), answering.eq(1)
        with m.If(pending & taken):
            m.d.sync += cycles.eq(0)

        with m.If(self.request.valid & self.request.ready), m.Switch(part.kind):
            with m.Case(PartKind.COMMAND):
                known = [Command.IDENTIFY, Command.SPIKES]
                known += [Command.LEVELS] if facts.levels else []
                known += [Command.STOP_EARLY] if facts.stop_early else []
                m.d.sync += command.eq(part.byte), unknown.eq(~part.byte.matches(*known))
            with m.Case(PartKind.LENGTH):
                wrong = Array([part.left != 0, part.left != facts.levels_length,
                               part.left > facts.spikes_length, part.left != 1])
                m.d.sync += misfit.eq(wrong[command])
            with m.Case(PartKind.DATA):
                last = Array([0, facts.level_bytes - 1, facts.token_bytes - 1, 0])[command]
                m.d.sync += [
                    word.word_select(place, 8).eq(part.byte), place.eq(place + 1), more.eq(part.left != 1),
                ]
                with m.If(place == last):
                    m.d.sync += place.eq(0), fresh.eq(1)
                with m.Elif(part.left == 1):
                    m.d.sync += misfit.eq(1)
            with m.Case(PartKind.END):
                m.d.sync += cycles.eq(0)
                with m.If(takes_levels | takes_spikes):
                    m.d.sync += pending.eq(1), running.eq(1)
                with m.Else():
                    m.d.sync += answering.eq(1)
                with m.If(takes_spikes):
                    m.d.sync += word[:facts.token["kind"].width].eq(Kind.WINDOW)
                if facts.stop_early:
                    with m.If(command == Command.STOP_EARLY):
                        m.d.sync += self.stop_early.eq(word[0])

        m.submodules.writer = writer = AnswerWriter(
            facts, clock_hz=self.clock_hz, cycle_bits=self.cycle_bits + 1)
        over = self.answer.valid & self.answer.ready & self.answer.payload.last
        m.d.comb += [
            writer.active.eq(answering), writer.command.eq(command), writer.cycles.eq(cycles),
            writer.result.eq(self.result.payload), self.result.ready.eq(over),
        ]
        wiring.connect(m, writer.answer, wiring.flipped(self.answer))
        with m.If(over):
            m.d.sync += answering.eq(0)

        with m.If(self.core_reset):
            m.d.sync += [flag.eq(0) for flag in (
                unknown, misfit, place, fresh, judged, pending, running, answering)]
        return m
