"""The host link: runs single images on a core from a serial line (wire format: :mod:`.protocol`)."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from .driver import CoreDriver, check_driver, core_members
from .framing import Framing
from .protocol import CoreFacts
from .uart import Uart, check_divisor

__all__ = ["HostLink"]


class HostLink(wiring.Component):
    """The serial host link of one core: a UART, the framing of its bytes, a driver for the core.

    It keeps no image: words go to the core as they come from the line, and the core must take one in the time
    of the next byte (ten bits). What ends the window is held back until the checksum was found good, and the
    core is kept in reset between frames and from any error on, so that a damaged frame leaves nothing behind.

    A link over another line has another component in the UART's place, with its members ``received``,
    ``damaged``, ``lost`` and ``sent``; one that can make its far end wait loses nothing.

    Parameters
    ----------
    facts : :class:`~.protocol.CoreFacts`
        The core's numbers.
    clock_hz : :class:`int`
        The core's clock, told to the host.
    baud : :class:`int`
        Bits per second of the line; a bit must last at least 6 clock cycles.
    idle_cycles : :class:`int`, optional
        Silence that ends a frame; rounded up to a power of two. 50 ms, if left out.
    cycle_bits : :class:`int`
        The core is given up after ``2 ** cycle_bits`` cycles without a result.

    Members
    -------
    rx : ``In(1)``, tx : ``Out(1)``
        The line.
    core_reset : ``Out(1)``
        The core's reset: a flip-flop's output, high between frames and after errors. The core has four byte
        times from its release until the first word comes.
    levels : ``Out(stream.Signature(facts.level_bits))``
        Only where there is an encoder.
    spikes : ``Out(stream.Signature(facts.token))``
        To the core.
    stop_early : ``Out(1)``
        Only with early stop; changes only between windows.
    result : ``In(stream.Signature(facts.result))``
        From the core; taken with the last byte of its answer.
    """

    def __init__(self, facts: CoreFacts, *, clock_hz: int, baud: int, idle_cycles: int | None = None,
                 cycle_bits: int = 24):
        divisor = check_divisor(clock_hz / baud)
        if idle_cycles is None:
            idle_cycles = clock_hz // 20
        if idle_cycles < 20 * divisor:
            raise ValueError(f"Idle time must be at least that of two bytes, not {idle_cycles} clock cycles")
        check_driver(facts, cycle_bits)
        self.facts = facts
        self.clock_hz = clock_hz
        self.baud = baud
        self.divisor = divisor
        self.idle_cycles = 1 << ceil_log2(idle_cycles)
        self.cycle_bits = cycle_bits
        super().__init__({"rx": In(1), "tx": Out(1, init=1)} | core_members(facts))

    def elaborate(self, platform):
        m = Module()
        m.submodules.uart = uart = Uart(self.divisor)
        m.submodules.framing = framing = Framing(self.facts.longest, self.idle_cycles)
        m.submodules.driver = driver = CoreDriver(
            self.facts, clock_hz=self.clock_hz, cycle_bits=self.cycle_bits)
        m.d.comb += [
            uart.rx.eq(self.rx), self.tx.eq(uart.tx),
            framing.damaged.eq(uart.damaged), framing.lost.eq(uart.lost),
            driver.open.eq(framing.open),
            framing.refused.eq(driver.refused), framing.reason.eq(driver.reason),
            self.core_reset.eq(driver.core_reset),
        ]
        wiring.connect(m, uart.received, framing.received)
        wiring.connect(m, framing.sent, uart.sent)
        wiring.connect(m, framing.request, driver.request)
        wiring.connect(m, driver.answer, framing.answer)
        wiring.connect(m, driver.spikes, wiring.flipped(self.spikes))
        wiring.connect(m, wiring.flipped(self.result), driver.result)
        if self.facts.levels:
            wiring.connect(m, driver.levels, wiring.flipped(self.levels))
        if self.facts.stop_early:
            m.d.comb += self.stop_early.eq(driver.stop_early)
        return m
