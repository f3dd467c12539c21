"""What a build's folder ``board`` holds: sources, constraints, scripts, and the commands that use them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.build import Platform

from ..errors import FirstspikeError
from ..rtl.host.protocol import CoreFacts
from ..rtl.host.uart import SHORTEST_BIT
from .board import Board
from .families import ecp5, gowin, ice40, xilinx7
from .families.family import Family
from .families.pll import Setting, choose
from .tools import STEPS, to_verilog, yosys_for_amaranth
from .top import LinkedCore, Pins

__all__ = ["FAMILIES", "Clock", "board_files", "clock_for"]

FAMILIES: dict[str, Family] = {module.FAMILY.name: module.FAMILY for module in (ice40, ecp5, gowin, xilinx7)}
"""Every device family by name."""


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


def board_files(board: Board, facts: CoreFacts, top: Mapping, clock: Clock, *, seed: int = 1,
                cycle_bits: int = 24) -> dict[str, str]:
    """The files of a build's folder ``board``, by their names in it.

    ``board.v`` is the module ``board``, and ``link.json`` says at what rate it talks. With a family there are
    also the sources, constraints and scripts of ``pins``, as Amaranth writes them, and ``tools.json``: the
    commands that synthesise, place and pack, run in this folder with ``../rtl/top.v`` beside it.

    Parameters
    ----------
    board : :class:`Board`
    facts : :class:`~..rtl.host.protocol.CoreFacts`
    top : mapping
        What ``top.json`` says.
    clock : :class:`Clock`
        From :func:`clock_for`.
    seed : :class:`int`
        The placer's.
    cycle_bits : :class:`int`
        The host link gives the core ``2 ** cycle_bits`` cycles for a result.
    """
    told = top["ports"]["spikes"]["fields"]
    for name in ("kind", "address", "step", "value"):
        place = [facts.token[name].offset, facts.token[name].width]
        if list(told[name]) != place:
            raise ValueError(f"spike token's {name} must be at {place}, not {told[name]}")
    linked = LinkedCore(facts, top, clock_hz=clock.hz, baud=board.uart_baud, cycle_bits=cycle_bits)
    files = {
        "board.v": to_verilog(linked, "board"),
        "link.json": json.dumps({"clock_hz": clock.hz, "baud": board.uart_baud}) + "\n",
    }
    if board.family is None or board.platform is None:
        return files
    family, platform = FAMILIES[board.family], board.platform()
    with yosys_for_amaranth():
        overrides = {
            "script_after_synth": "tee -q -o design.stat stat -json" if family.bitstream else "",
            "script_after_read": "read_verilog board.v ../rtl/top.v" if family.bitstream
            else "add_files [list board.v ../rtl/top.v]",
            "nextpnr_opts": " ".join(_nextpnr_options(family, clock.hz, seed, "report.json")),
            **family.overrides,
        }
        design = Pins(family, clock.hz, clock.setting)
        options: dict = {"name": "pins", "do_build": False, "emit_src": False, **overrides}
        plan = platform.build(design, **options)
        assert plan is not None
    commands = json.loads(plan.files.pop("build_pins.json"))["commands"]
    for name in ("pins.debug.v", "build_pins.bat"):
        plan.files.pop(name, None)
    commands[1:1] = [[step, "pins.json"] for step in family.after_synthesis]
    plan.files["build_pins.sh"] = _with_steps(plan.files["build_pins.sh"], family)
    tools = {
        "family": family.name,
        "available": {"luts": board.luts, "ffs": board.ffs, "block_rams": board.block_rams},
        "clock_hz": clock.hz,
        "crystal_hz": _crystal_hz(platform),
        "core": _core_commands(family, platform, clock.hz, seed),
        "design": commands if family.bitstream else [_synthesis(family, "board", "board.v ../rtl/top.v")],
        "bitstream": f"pins{family.bitstream}" if family.bitstream else None,
        "loader": list(board.loader),
    }
    files |= plan.files
    files["tools.json"] = json.dumps(tools, indent=1) + "\n"
    return files


def _with_steps(script: str, family: Family) -> str:
    """Amaranth's script of the commands, with the family's steps between synthesis and nextpnr."""
    lines = [f"python3 -m {STEPS[step].__module__} pins.json\n" for step in family.after_synthesis]
    before, synthesis, after = script.partition('"$YOSYS" -q -l pins.rpt pins.ys\n')
    return before + synthesis + "".join(lines) + after


def _synthesis(family: Family, module: str, sources: str) -> list[str]:
    name = "core" if module == "top" else "design"
    return ["yosys", "-q", "-p", f"read_verilog {sources}; {family.synthesis} -top {module}; "
            f"write_json {name}.json; tee -q -o {name}.stat stat -json"]


def _core_commands(family: Family, platform: Platform, clock_hz: int, seed: int) -> list[list[str]]:
    commands = [_synthesis(family, "top", "../rtl/top.v")]
    commands += [[step, "core.json"] for step in family.after_synthesis]
    if family.out_of_context is not None:
        commands.append([
            *family.out_of_context(platform), "--quiet", "--json", "core.json", "--log", "core.tim",
            *_nextpnr_options(family, clock_hz, seed, "core_report.json")])
    return commands


def _nextpnr_options(family: Family, clock_hz: float, seed: int, report: str) -> list[str]:
    # A clock that is missed is no error of placing: it is reported.
    return ["--seed", str(seed), "--freq", f"{clock_hz / 1e6:g}", *family.placer, "--report", report,
            "--timing-allow-fail"]

