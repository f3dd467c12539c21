"""The host link: runs single images on a core from a serial line (wire format: :mod:`.protocol`).

It keeps no image: words go to the core as they come from the line, and the core must take one in the time
of the next byte (ten bits). What ends the window (an image's last level, the end-of-window token) is held
back until the checksum was found good, and the core is kept in reset between frames and from any error on, so
that a damaged frame leaves nothing behind.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, ResetInserter, Signal
from amaranth.lib import crc, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ..streams.token import Kind
from .protocol import ANSWER, IDENTITY, REQUEST, RESULT, VERSION, Command, CoreFacts, Error
from .uart import UartReceiver, UartTransmitter, check_divisor

__all__ = ["ANSWER", "IDENTITY", "REQUEST", "RESULT", "VERSION", "Command", "CoreFacts", "Error", "HostLink"]


class _TokenLaw(wiring.Component):
    """Whether a token may come next in a window.

    Members
    -------
    token : :py:`In(bits)`
        The token's whole bytes, padded with zeroes.
    lawful : :py:`Out(1)`
        In the same cycle.
    accept, clear : :py:`In(1)`
        The token has come; a new window begins.
    """

    def __init__(self, facts: CoreFacts):
        self.facts = facts
        super().__init__({
            "token": In(8 * facts.token_bytes), "accept": In(1), "clear": In(1), "lawful": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        facts = self.facts
        token = facts.token(self.token[:facts.token.size])
        spike, step = token.kind == Kind.SPIKE, token.kind == Kind.STEP

        laws = [self.token[facts.token.size:] == 0, token.step < facts.window]
        spike_laws = [token.address < facts.addresses]
        if facts.value_bits:
            spike_laws += [token.value != 0, token.value <= facts.max_value]
        if facts.online:
            low = Signal(range(facts.window + 1))   # the first step that is not closed
            with m.If(self.clear):
                m.d.sync += low.eq(0)
            with m.Elif(self.accept):
                m.d.sync += low.eq(token.step + step)
            laws += [token.step >= low]
        all_laws = Cat(laws).all()
        m.d.comb += self.lawful.eq(all_laws & Mux(spike, Cat(spike_laws).all(), step if facts.online else 0))
        return m


class HostLink(wiring.Component):
    """The serial host link of one core.

    Parameters
    ----------
    facts : :class:`CoreFacts`
        The core's numbers.
    clock_hz : :class:`int`
        The core's clock, told to the host.
    baud : :class:`int`
        Bits per second of the line; a bit must last at least 6 clock cycles.
    idle_cycles : :class:`int`
        Silence that ends a frame; rounded up to a power of two. None: 50 ms.
    cycle_bits : :class:`int`
        The core is given up after ``2 ** cycle_bits`` cycles without a result.

    Members
    -------
    rx : :py:`In(1)`, tx : :py:`Out(1)`
        The line.
    core_reset : :py:`Out(1)`
        The core's reset: a flip-flop's output, high between frames and after errors. The core has four byte
        times from its release until the first word comes.
    levels : :py:`Out(stream.Signature(level_bits))`
        Only where there is an encoder.
    spikes : :py:`Out(stream.Signature(Token))`
        To the core.
    stop_early : :py:`Out(1)`
        Only with early stop; changes only between windows.
    result : :py:`In(stream.Signature(facts.result))`
        From the core; taken when its answer has been sent.
    """

    def __init__(self, facts: CoreFacts, *, clock_hz: int, baud: int, idle_cycles: int | None = None,
                 cycle_bits: int = 24):
        if not isinstance(facts, CoreFacts):
            raise TypeError(f"Facts must be CoreFacts, not {facts!r}")
        self._divisor = check_divisor(clock_hz / baud)
        if idle_cycles is None:
            idle_cycles = clock_hz // 20
        if idle_cycles < 20 * clock_hz / baud:
            raise ValueError(f"Idle time must be at least that of two bytes, not {idle_cycles} clock cycles")
        if not 8 <= cycle_bits <= 31:
            raise ValueError(f"Cycle bits must be from 8 to 31, not {cycle_bits!r}")
        self.facts = facts
        self.clock_hz = clock_hz
        self.baud = baud
        self.idle_cycles = 1 << ceil_log2(idle_cycles)
        self.cycle_bits = cycle_bits
        members = {
            "rx": In(1),
            "tx": Out(1, init=1),
            "core_reset": Out(1, init=1),
            "spikes": Out(stream.Signature(facts.token)),
            "result": In(stream.Signature(facts.result)),
        }
        if facts.levels:
            members["levels"] = Out(stream.Signature(facts.level_bits))
        if facts.stop_early:
            members["stop_early"] = Out(1, init=1)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        facts = self.facts
        m.submodules.receiver = receiver = UartReceiver(self._divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(self._divisor)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        byte, came = receiver.bytes.payload, receiver.bytes.valid
        heard = came | receiver.framing_error

        # One checksum for both directions, a bit per cycle: requests and answers never overlap.
        checksum = crc.Parameters(crc.catalog.CRC32_ISO_HDLC, data_width=1).create()
        begin_sum = Signal()
        m.submodules.checksum = ResetInserter(begin_sum)(checksum)
        serial = Signal(9)
        summing = serial[1:].any()
        m.d.comb += [checksum.data.eq(serial[0]), checksum.valid.eq(summing)]
        with m.If(summing):
            m.d.sync += serial.eq(serial >> 1)

        def sum_up(value):
            return serial.eq(Cat(value, Const(1, 1)))

        # Silence while a frame comes in, cycles while the core runs.
        idle_bit = ceil_log2(self.idle_cycles)
        timer = Signal(max(idle_bit, self.cycle_bits) + 1)
        restart, hold = Signal(), Signal()
        silent = timer[idle_bit]
        with m.If(restart):
            m.d.sync += timer.eq(0)
        with m.Elif(~hold):
            m.d.sync += timer.eq(timer + 1)

        command = Signal(Command)
        done, error = Signal(), Signal(Error)
        index = Signal(range(IDENTITY.size))
        left = Signal(range(max(facts.levels_length, facts.spikes_length) + 1))
        misfit = Signal()
        word = Signal(8 * max(facts.token_bytes, facts.level_bytes if facts.levels else 1))
        word_index = Signal(range(len(word) // 8))
        fresh, pending, stray, reset_core = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [self.core_reset.eq(reset_core), fresh.eq(0)]

        takes_levels = (command == Command.LEVELS) if facts.levels else Const(0)
        takes_spikes = command == Command.SPIKES
        m.submodules.law = law = _TokenLaw(facts)
        m.d.comb += [law.token.eq(word), law.accept.eq(fresh & takes_spikes)]
        level_lawful = word[:8 * facts.level_bytes] < facts.levels
        judged, lawful = Signal(), Signal()
        m.d.sync += [
            judged.eq(fresh),
            lawful.eq(Mux(takes_spikes, law.lawful, Mux(takes_levels, level_lawful, ~word[1:8].any()))),
        ]

        # A whole word is looked at, then offered to the core; an image's last level waits for the checksum.
        taken = Signal()
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
            m.d.sync += pending.eq(takes_spikes | (takes_levels & left.any()))

        def fail(reason: Error):
            m.d.sync += [error.eq(reason), done.eq(0)]
            m.next = "DRAIN"

        def listen():
            """Watch for what ends any frame; it overrides what the state does."""
            m.d.comb += restart.eq(heard)
            with m.If(silent & ~heard):
                fail(Error.CUT_OFF)
            with m.If(receiver.framing_error):
                fail(Error.FRAMING)
            with m.If(judged & ~lawful):
                fail(Error.VALUE)

        # The body of an answer, byte by byte.
        identifies = command == Command.IDENTIFY
        label, step = self.result.payload.label, self.result.payload.step
        cycles = timer[:32]
        result = Cat(label, Const(0, 16 - len(label)), step, Const(0, 16 - len(step)), cycles,
                     Const(0, 32 - len(cycles)))
        length = Signal(8)
        with m.If(done):
            m.d.comb += length.eq(Array([IDENTITY.size, RESULT.size, RESULT.size, 0])[command])
        identity_byte, result_byte = Signal(8), Signal(8)
        m.d.comb += result_byte.eq(result.word_select(index[:3], 8))
        with m.Switch(index):
            for place, value in enumerate(facts.identity(self.clock_hz)):
                with m.Case(place):
                    m.d.comb += identity_byte.eq(value)

        sent = transmitter.bytes.ready

        def answer(value, signed=1):
            """Send a byte, and the next one when it is gone."""
            m.d.comb += [
                transmitter.bytes.valid.eq(1),
                transmitter.bytes.payload.eq(value),
                hold.eq(1),
                reset_core.eq(~done),
            ]
            with m.If(sent):
                m.d.sync += index.eq(index + 1)
            with m.If(sent & signed):
                m.d.sync += sum_up(value)
            with m.If(heard):
                m.d.sync += stray.eq(1)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [reset_core.eq(1), begin_sum.eq(1), law.clear.eq(1), restart.eq(1)]
                m.d.sync += [index.eq(0), word_index.eq(0), pending.eq(0), stray.eq(0), misfit.eq(0)]
                with m.If(came):
                    m.next = "COMMAND"
                    with m.If(byte != REQUEST):
                        fail(Error.GARBAGE)
                with m.If(receiver.framing_error):
                    fail(Error.FRAMING)

            with m.State("COMMAND"):
                with m.If(came):
                    m.d.sync += [command.eq(byte), sum_up(byte)]
                    m.next = "LENGTH"
                    known = [Command.IDENTIFY, Command.SPIKES]
                    known += [Command.LEVELS] if facts.levels else []
                    known += [Command.STOP_EARLY] if facts.stop_early else []
                    with m.If(~byte.matches(*known)):
                        fail(Error.COMMAND)
                listen()

            with m.State("LENGTH"):
                with m.If(came):
                    m.d.sync += [index.eq(index + 1), sum_up(byte)]
                    for place in range(3):
                        fits = max(0, min(8, len(left) - 8 * place))
                        with m.If(index == place):
                            m.d.sync += [left[8 * place:].eq(byte)] if fits else []
                            m.d.sync += misfit.eq(misfit | byte[fits:].any())
                    with m.If(index == 2):
                        m.next = "CHECK LENGTH"
                listen()

            with m.State("CHECK LENGTH"):
                wrong = Array([left != 0, left != facts.levels_length, left > facts.spikes_length, left != 1])
                m.d.sync += [index.eq(0), misfit.eq(misfit | wrong[command])]
                m.next = "BEGIN"

            with m.State("BEGIN"):
                m.next = "PAYLOAD"
                with m.If(left == 0):
                    m.next = "CHECKSUM"
                with m.If(misfit):
                    fail(Error.LENGTH)

            with m.State("PAYLOAD"):
                last = Array([0, facts.level_bytes - 1, facts.token_bytes - 1, 0])[command]
                with m.If(came):
                    m.d.sync += [
                        word.word_select(word_index, 8).eq(byte), left.eq(left - 1), sum_up(byte),
                        word_index.eq(word_index + 1),
                    ]
                    with m.If(left == 1):
                        m.next = "CHECKSUM"
                    with m.If(word_index == last):
                        m.d.sync += [word_index.eq(0), fresh.eq(1)]
                    with m.Elif(left == 1):
                        fail(Error.LENGTH)
                    with m.If(pending):
                        fail(Error.OVERRUN)
                listen()

            with m.State("CHECKSUM"):
                with m.If(came):
                    m.d.sync += [sum_up(byte), index.eq(index + 1)]
                    with m.If(index == 3):
                        m.next = "VERIFY"
                listen()

            with m.State("VERIFY"):
                m.d.comb += restart.eq(1)
                m.d.sync += index.eq(0)
                with m.If(~summing):
                    m.d.sync += done.eq(1)
                    m.next = "HEAD"
                    with m.If(takes_levels | takes_spikes):
                        m.d.sync += pending.eq(1)
                        m.next = "RUN"
                    with m.If(takes_spikes):
                        m.d.sync += word[:facts.token["kind"].width].eq(Kind.WINDOW)
                    if facts.stop_early:
                        with m.If(checksum.match_detected & (command == Command.STOP_EARLY)):
                            m.d.sync += self.stop_early.eq(word[0])
                    with m.If(pending):
                        fail(Error.OVERRUN)
                    with m.If(~checksum.match_detected):
                        m.d.sync += pending.eq(0)
                        fail(Error.CHECKSUM)

            with m.State("RUN"):
                m.d.comb += restart.eq(heard | (pending & taken))
                with m.If(~pending & self.result.valid):
                    m.next = "HEAD"
                with m.Elif(timer[self.cycle_bits]):
                    fail(Error.NO_RESULT)
                with m.If(heard):
                    fail(Error.IMPATIENT)

            with m.State("DRAIN"):
                m.d.comb += [reset_core.eq(1), restart.eq(heard)]
                m.d.sync += index.eq(0)
                with m.If(self.core_reset):
                    m.d.sync += pending.eq(0)
                with m.If(silent & ~heard):
                    m.next = "HEAD"

            with m.State("HEAD"):
                status = Mux(done, 0x80 | Cat(command), error)
                answer(Mux(index[1], length, Mux(index[0], status, ANSWER)), signed=index != 0)
                with m.If(index == 0):
                    m.d.comb += begin_sum.eq(1)
                with m.If(sent & (index == 2)):
                    m.d.sync += index.eq(0)
                    m.next = "BODY"
                    with m.If(length == 0):
                        m.next = "SIGN"

            with m.State("BODY"):
                answer(Mux(identifies, identity_byte, result_byte))
                with m.If(sent & (index == length - 1)):
                    m.d.sync += index.eq(0)
                    m.next = "SIGN"

            with m.State("SIGN"):
                answer(checksum.crc.word_select(index[:2], 8), signed=0)
                with m.If(sent & (index == 3)):
                    m.d.comb += self.result.ready.eq(1)
                    m.next = "IDLE"
                    with m.If(stray):
                        m.d.sync += stray.eq(0)
                        m.d.comb += restart.eq(1)
                        fail(Error.IMPATIENT)
        return m
