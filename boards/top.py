"""A board's design: pins and clock around the host link around a core.

Three modules, one in the other: ``pins`` (this board's crystal, PLL and serial pins), ``board`` (the host
link; plain ports ``clk``, ``rst``, ``rx``, ``tx``, so that it can be simulated as it is), ``top`` (the core,
the very file that is verified).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from amaranth.back import verilog
from amaranth.build import Platform
from amaranth.hdl import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, ResetSignal, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..errors import FirstspikeError
from ..rtl.host_link import CoreFacts, HostLink
from ..rtl.uart import SHORTEST_BIT
from . import ecp5, gowin, ice40, xilinx7
from .board import Board
from .family import Family
from .pll import Setting, choose
from .tools import yosys_for_amaranth

__all__ = ["FAMILIES", "Clock", "board_files", "clock_for"]

FAMILIES: dict[str, Family] = {module.FAMILY.name: module.FAMILY for module in (ice40, ecp5, gowin, xilinx7)}
"""Every device family by name."""

RESET_SECONDS = 20e-6
"""How long the design stays in reset once its clock runs. The block RAMs of iCE40 read as zero for about 3 us
after configuration."""


@dataclass(frozen=True)
class Clock:
    """A core's clock. ``hz``: rounded to whole Hz; ``setting``: how the PLL is set, None without one."""

    hz: int
    setting: Setting | None = None


def clock_for(board: Board, asked_hz: float | None = None) -> Clock:
    """The clock of a board nearest to what is asked for, or its default.

    Raises
    ------
    FirstspikeError
        The board's PLL cannot make it (the sentence names the nearest that it can), or it is too slow for the
        serial line.
    """
    asked = board.clock_hz if asked_hz is None else asked_hz
    if asked < SHORTEST_BIT * board.uart_baud:
        raise FirstspikeError(
            f"the clock must be at least {SHORTEST_BIT * board.uart_baud / 1e6:g} MHz for the serial line of "
            f"{board.name} at {board.uart_baud:,} baud, not {asked / 1e6:g} MHz: ask for a faster one")
    if board.family is None or board.platform is None:
        return Clock(round(asked))
    crystal = _crystal_hz(board.platform())
    setting = choose(FAMILIES[board.family].settings(crystal), crystal, asked, board.name)
    return Clock(crystal if setting is None else round(setting.hz), setting)


def _crystal_hz(platform: Platform) -> int:
    return round(platform.default_clk_frequency)


class LinkedCore(wiring.Component):
    """The module ``board``: a host link and an instance of the core, which is Verilog of its own.

    Parameters
    ----------
    facts : :class:`~..rtl.host_link.CoreFacts`
        The core's numbers.
    top : mapping
        What ``top.json`` says of the core's module.
    clock_hz, baud, cycle_bits : :class:`int`
        As for :class:`~..rtl.host_link.HostLink`.
    """

    rx: In(1)
    tx: Out(1, init=1)

    def __init__(self, facts: CoreFacts, top: Mapping, *, clock_hz: int, baud: int, cycle_bits: int = 24):
        fields = facts.token
        told = top["ports"]["spikes"]["fields"]
        for name in ("kind", "address", "step", "value"):
            if list(told[name]) != [fields[name].offset, fields[name].width]:
                place = [fields[name].offset, fields[name].width]
                raise ValueError(f"spike token's {name} must be at {place}, "
                                 f"not {told[name]}")
        self.facts = facts
        self.top = top
        self.link = HostLink(facts, clock_hz=clock_hz, baud=baud, cycle_bits=cycle_bits)
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        facts, ports = self.facts, self.top["ports"]
        m.submodules.link = link = self.link
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]

        connections = {f"i_{self.top['clock']}": ClockSignal(), f"i_{self.top['reset']}": link.core_reset}
        feeds = [(link.spikes, ports["spikes"])] + ([(link.levels, ports["levels"])] if facts.levels else [])
        for port, names in feeds:
            connections |= {
                f"i_{names['payload']}": port.payload,
                f"i_{names['valid']}": port.valid,
                f"o_{names['ready']}": port.ready,
            }
        if facts.stop_early:
            connections[f"i_{ports['stop_early']}"] = link.stop_early
        connections |= {
            f"o_{ports['result']['payload']}": link.result.payload,
            f"o_{ports['result']['valid']}": link.result.valid,
            f"i_{ports['result']['ready']}": link.result.ready,
        }
        m.submodules.core = Instance(self.top["top"], **connections)
        return m


class _Pins(Elaboratable):
    """The module ``pins``: crystal, PLL, reset and serial pins around the module ``board``."""

    def __init__(self, family: Family, clock: Clock):
        self.family = family
        self.clock = clock

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain()
        m.domains.start = ClockDomain(reset_less=True, local=True)
        clock, running = Signal(), Signal()
        m.d.comb += [ClockSignal("sync").eq(clock), ClockSignal("start").eq(clock)]

        crystal = platform.request(platform.default_clk, dir="-")
        locked = Const(1)
        if self.clock.setting is None:
            m.submodules.crystal = buffer = io.Buffer("i", crystal)
            m.d.comb += clock.eq(buffer.i)
        else:
            locked = self.family.pll(m, platform, self.clock.setting, crystal, clock)
        if platform.default_rst is not None:
            m.submodules.button = button = io.Buffer("i", platform.request(platform.default_rst, dir="-"))
            locked = locked & ~button.i
        m.submodules.locked = FFSynchronizer(locked, running, o_domain="start")

        last = ceil(RESET_SECONDS * self.clock.hz)
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


def board_files(board: Board, facts: CoreFacts, top: Mapping, clock: Clock, *, seed: int = 1,
                cycle_bits: int = 24) -> dict[str, str]:
    """The files of a build's folder ``board``, by their names in it.

    ``board.v`` is the module ``board``. With a family there are also the sources, constraints and scripts of
    ``pins``, as Amaranth writes them, and ``tools.json``: the commands that synthesise, place and
    pack, run in this folder with ``../rtl/top.v`` beside it.

    Parameters
    ----------
    board : :class:`Board`
    facts : :class:`~..rtl.host_link.CoreFacts`
    top : mapping
        What ``top.json`` says.
    clock : :class:`Clock`
        From :func:`clock_for`.
    seed : :class:`int`
        The placer's.
    cycle_bits : :class:`int`
        The host link gives the core ``2 ** cycle_bits`` cycles for a result.
    """
    linked = LinkedCore(facts, top, clock_hz=clock.hz, baud=board.uart_baud, cycle_bits=cycle_bits)
    with yosys_for_amaranth():
        files = {"board.v": verilog.convert(linked, name="board", emit_src=False, strip_internal_attrs=True)}
        if board.family is None or board.platform is None:
            return files
        family, platform = FAMILIES[board.family], board.platform()
        overrides = {
            "script_after_read": "read_verilog board.v ../rtl/top.v" if family.bitstream
            else "add_files [list board.v ../rtl/top.v]",
            "nextpnr_opts": " ".join(_nextpnr_options(clock.hz, seed, "report.json")),
            **family.overrides,
        }
        plan = platform.build(_Pins(family, clock), name="pins", do_build=False, emit_src=False, **overrides)
    commands = json.loads(plan.files.pop("build_pins.json"))["commands"]
    for name in ("pins.debug.v", "build_pins.bat"):
        plan.files.pop(name, None)
    tools = {
        "family": family.name,
        "clock_hz": clock.hz,
        "core": _core_commands(family, platform, clock.hz, seed),
        "design": commands if family.bitstream else [_synthesis(family, "board", "board.v ../rtl/top.v")],
        "bitstream": f"pins{family.bitstream}" if family.bitstream else None,
        "loader": list(board.loader),
    }
    files |= plan.files
    files["tools.json"] = json.dumps(tools, indent=1) + "\n"
    return files


def _synthesis(family: Family, module: str, sources: str) -> list[str]:
    name = "core" if module == "top" else module
    return ["yosys", "-q", "-p", f"read_verilog {sources}; {family.synthesis} -top {module}; "
            f"write_json {name}.json; tee -q -o {name}.stat stat -json"]


def _core_commands(family: Family, platform: Platform, clock_hz: int, seed: int) -> list[list[str]]:
    commands = [_synthesis(family, "top", "../rtl/top.v")]
    if family.out_of_context is not None:
        commands.append([
            *family.out_of_context(platform), "--quiet", "--json", "core.json", "--log", "core.tim",
            *_nextpnr_options(clock_hz, seed, "core_report.json")])
    return commands


def _nextpnr_options(clock_hz: float, seed: int, report: str) -> list[str]:
    # A clock that is missed is no error of placing: it is reported.
    return ["--seed", str(seed), "--freq", f"{clock_hz / 1e6:g}", "--report", report, "--timing-allow-fail"]

