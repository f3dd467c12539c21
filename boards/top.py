# pyright: reportAttributeAccessIssue=false, reportInvalidTypeForm=false, reportGeneralTypeIssues=false
"""A board's design: pins and clock around the host link around a core.

Three modules, one in the other: ``pins`` (this board's crystal, PLL and serial pins), ``board`` (the host
link; plain ports ``clk``, ``rst``, ``rx``, ``tx``, so that it can be simulated as it is), ``top`` (the core,
the very file that is verified).
"""

from math import ceil

from amaranth.hdl import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, ResetSignal, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..rtl.description import CoreDescription
from ..rtl.host.link import HostLink
from ..rtl.host.protocol import CoreFacts
from .families.pll import Setting
from .families.toolchain import Toolchain

__all__ = ["RESET_SECONDS", "LinkedCore", "Pins", "Wires"]

RESET_SECONDS = 20e-6
"""How long the design stays in reset once its clock runs. The block RAMs of iCE40 read as zero for about 3 us
after configuration."""


class LinkedCore(wiring.Component):
    """The module ``board``: a host link and an instance of the core, which is Verilog of its own.

    Parameters
    ----------
    facts : :class:`~..rtl.host.protocol.CoreFacts`
        The core's numbers.
    top : :class:`~..rtl.description.CoreDescription`
        The core's module from outside.
    clock_hz, baud, cycle_bits : :class:`int`
        As for :class:`~..rtl.host.link.HostLink`.
    """

    rx: In(1)
    tx: Out(1, init=1)

    def __init__(self, facts: CoreFacts, top: CoreDescription, *, clock_hz: int, baud: int,
                 cycle_bits: int = 24):
        self.facts = facts
        self.top = top
        self.link = HostLink(facts, clock_hz=clock_hz, baud=baud, cycle_bits=cycle_bits)
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        facts, top = self.facts, self.top
        m.submodules.link = link = self.link
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]

        connections = {f"i_{top.clock}": ClockSignal(), f"i_{top.reset}": link.core_reset}
        feeds = [(link.spikes, top.spikes.stream)]
        if facts.levels and top.levels:
            feeds.append((link.levels, top.levels.stream))
        for port, names in feeds:
            connections |= {
                f"i_{names.payload}": port.payload,
                f"i_{names.valid}": port.valid,
                f"o_{names.ready}": port.ready,
            }
        if top.stop_early:
            connections[f"i_{top.stop_early}"] = link.stop_early
        connections |= {
            f"o_{top.result.payload}": link.result.payload,
            f"o_{top.result.valid}": link.result.valid,
            f"i_{top.result.ready}": link.result.ready,
        }
        m.submodules.core = Instance(top.top, **connections)
        return m


class Pins(Elaboratable):
    """The module ``pins``: crystal, PLL, reset and serial pins around the module ``board``.

    Parameters
    ----------
    toolchain : :class:`~.families.toolchain.Toolchain`
        Whose PLL it is.
    hz : :class:`int`
        The core's clock.
    setting : :class:`~.families.pll.Setting` or None
        How the PLL makes it; None: the crystal's.
    """

    def __init__(self, toolchain: Toolchain, hz: int, setting: Setting | None):
        self.toolchain = toolchain
        self.hz = hz
        self.setting = setting

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain()
        m.domains.start = ClockDomain(reset_less=True, local=True)
        clock, running = Signal(), Signal()
        m.d.comb += [ClockSignal("sync").eq(clock), ClockSignal("start").eq(clock)]

        crystal = platform.request(platform.default_clk, dir="-")
        locked = Const(1)
        if self.setting is None:
            m.submodules.crystal = buffer = io.Buffer("i", crystal)
            m.d.comb += clock.eq(buffer.i)
        else:
            locked = self.toolchain.pll(m, platform, self.setting, crystal, clock)
        if platform.default_rst is not None:
            m.submodules.button = button = io.Buffer("i", platform.request(platform.default_rst, dir="-"))
            locked = locked & ~button.i
        m.submodules.locked = FFSynchronizer(locked, running, o_domain="start")

        last = ceil(RESET_SECONDS * self.hz)
        timer, ready = Signal(range(last + 1)), Signal()
        with m.If(~running):
            m.d.start += [timer.eq(0), ready.eq(0)]
        with m.Elif(timer == last):
            m.d.start += ready.eq(1)
        with m.Else():
            m.d.start += timer.eq(timer + 1)
        m.d.comb += ResetSignal("sync").eq(~ready)

        uart = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.submodules.board = Instance(
            "board", i_clk=ClockSignal(), i_rst=ResetSignal(), i_rx=rx.i, o_tx=tx.o)
        return m


class Wires(Elaboratable):
    """The module ``pins`` without a design: what comes in is what goes out."""

    def elaborate(self, platform):
        m = Module()
        uart = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.submodules.crystal = crystal = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        heard = rx.i ^ crystal.i
        if platform.default_rst is not None:
            m.submodules.button = button = io.Buffer("i", platform.request(platform.default_rst, dir="-"))
            heard = heard ^ button.i
        m.d.comb += tx.o.eq(heard)
        return m
