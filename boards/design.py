"""What a build's folder ``board`` holds: sources, constraints, scripts, and the commands that use them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.build import Platform

from ..errors import FirstspikeError
from ..rtl.description import CoreDescription
from ..rtl.host.protocol import CoreFacts
from .board import Board
from .clock import Clock
from .families.toolchain import Toolchain
from .pins import make_platform
from .programs import YOSYS, Command
from .tools import to_verilog, yosys_for_amaranth
from .top import LinkedCore, Pins, Wires

__all__ = ["BoardDesign", "board_design", "core_commands", "pins_alone"]

_SOURCES = "board.v ../rtl/top.v"


@dataclass(frozen=True)
class BoardDesign:
    """The design of a board around a core.

    Attributes
    ----------
    files : mapping of name to text
        What the folder ``board`` of a build holds.
    core, design : tuple of :class:`~.programs.Command`
        What synthesises, places and packs the core alone and the whole design, run in that folder with
        ``../rtl/top.v`` beside it; empty where the family has no tools.
    bitstream : :class:`str` or None
        The name of the file that ``design`` ends with, None where no open tool makes one.
    """

    files: Mapping[str, str]
    core: tuple[Command, ...] = ()
    design: tuple[Command, ...] = ()
    bitstream: str | None = None


def board_design(board: Board, facts: CoreFacts, top: CoreDescription, clock: Clock, *, seed: int = 1,
                 cycle_bits: int = 24) -> BoardDesign:
    """The design of a board around a core; the same arguments give the same design.

    ``board.v`` is the module ``board``, and ``link.json`` says at what rate it talks. Where the family has
    tools there are also the sources, constraints and scripts of ``pins``, as Amaranth writes them.

    Parameters
    ----------
    board : :class:`Board`
    facts : :class:`~..rtl.host.protocol.CoreFacts`
    top : :class:`~..rtl.description.CoreDescription`
        The core from outside.
    clock : :class:`Clock`
        From :func:`~.clock.clock_for`.
    seed : :class:`int`
        The placer's.
    cycle_bits : :class:`int`
        The host link gives the core ``2 ** cycle_bits`` cycles for a result.

    Raises
    ------
    FirstspikeError
        Amaranth or the tools can make nothing of the board's platform.
    """
    told = top.spikes.stream.fields
    for name in ("kind", "address", "step", "value"):
        place = facts.token[name].offset, facts.token[name].width
        if told[name] != place:
            raise ValueError(f"spike token's {name} must be at {place}, not {told[name]}")
    linked = LinkedCore(facts, top, clock_hz=clock.hz, baud=board.uart_baud, cycle_bits=cycle_bits)
    files = {
        "board.v": to_verilog(linked, "board"),
        "link.json": json.dumps({"clock_hz": clock.hz, "baud": board.uart_baud}) + "\n",
    }
    toolchain = board.toolchain
    if toolchain is None:
        return BoardDesign(files)
    platform = make_platform(board)
    made, commands = _with_pins(board, toolchain, platform, Pins(toolchain, clock.hz, clock.setting), {
        "script_after_synth": "tee -q -o design.stat stat -json",
        "script_after_read": f"read_verilog {_SOURCES}",
        "nextpnr_opts": " ".join(_nextpnr_options(toolchain, clock.hz, seed, "report.json")),
    })
    steps = [Command(step, ("pins.json",)) for step in toolchain.after_synthesis]
    commands = [commands[0], *steps, *commands[1:]] if commands else []
    made["build_pins.sh"] = _with_steps(made["build_pins.sh"], toolchain)
    return BoardDesign(
        files=files | made,
        core=tuple(core_commands(toolchain, platform, clock.hz, seed)),
        design=tuple(commands) if commands else (_synthesis(toolchain, "board", _SOURCES, "design"),),
        bitstream=None if toolchain.by_hand else f"pins{toolchain.bitstream}")


def pins_alone(board: Board) -> BoardDesign:
    """A design that connects a board's pins with each other: packed, it shows whether the device has them.

    ``design`` is empty where no open tool can tell.
    """
    toolchain = board.toolchain
    if toolchain is None or toolchain.by_hand:
        return BoardDesign({})
    files, commands = _with_pins(board, toolchain, make_platform(board), Wires(), {
        "nextpnr_opts": "--pack-only --timing-allow-fail"})
    synthesis, placing = commands[:2]
    return BoardDesign(files, design=(synthesis, Command(placing.runs, _without_results(placing.arguments))))


def _without_results(words: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments of a nextpnr, but those that ask for a file of a placed design."""
    results = {place + after for place, word in enumerate(words) if word in ("--asc", "--textcfg", "--write")
               for after in (0, 1)}
    return tuple(word for place, word in enumerate(words) if place not in results)


def _with_pins(board: Board, toolchain: Toolchain, platform: Platform, design: Pins | Wires,
               options: Mapping[str, str]) -> tuple[dict[str, str], list[Command]]:
    """The files that Amaranth makes for a design, and the commands where all of them are open tools."""
    settings: dict = {"name": "pins", "do_build": False, "emit_src": False, **options, **toolchain.overrides}
    try:
        with yosys_for_amaranth():
            plan = platform.build(design, **settings)
        assert plan is not None
    except FirstspikeError:
        raise
    except (Exception, SystemExit) as error:
        raise FirstspikeError(f"nothing can be built from the platform of the board {board.name}: "
                              f"{type(error).__name__}: {error}") from error
    files = {name: text for name, text in plan.files.items()
             if name not in ("pins.debug.v", "build_pins.bat")}
    words = json.loads(files.pop("build_pins.json"))["commands"]
    try:
        commands = [] if toolchain.by_hand else [
            Command(toolchain.program(name), tuple(arguments)) for name, *arguments in words]
    except KeyError as error:
        raise FirstspikeError(f"the platform of the board {board.name} wants the program {error}, which is "
                              f"none of the tools for the family {board.family}") from error
    return files, commands


def _with_steps(script: str, toolchain: Toolchain) -> str:
    """Amaranth's script of the commands, with the family's steps between synthesis and nextpnr."""
    lines = [f"python3 -m firstspike.boards.families {step.name} pins.json\n"
             for step in toolchain.after_synthesis]
    before, synthesis, after = script.partition('"$YOSYS" -q -l pins.rpt pins.ys\n')
    return before + synthesis + "".join(lines) + after


def _synthesis(toolchain: Toolchain, module: str, sources: str, name: str) -> Command:
    return Command(YOSYS, (
        "-q", "-l", f"{name}.rpt", "-p", f"read_verilog {sources}; {toolchain.synthesis} -top {module}; "
        f"write_json {name}.json; tee -q -o {name}.stat stat -json"))


def core_commands(toolchain: Toolchain, platform: Platform, clock_hz: int, seed: int) -> list[Command]:
    """What synthesises, and where nextpnr can also places and routes, the module ``top`` without pins.

    Run in a folder ``board`` with ``../rtl/top.v`` beside it.
    """
    commands = [_synthesis(toolchain, "top", "../rtl/top.v", "core")]
    commands += [Command(step, ("core.json",)) for step in toolchain.after_synthesis]
    if toolchain.out_of_context is not None:
        program, options = toolchain.out_of_context(platform)
        commands.append(Command(program, (
            *options, "--quiet", "--json", "core.json", "--log", "core.tim",
            *_nextpnr_options(toolchain, clock_hz, seed, "core_report.json"))))
    return commands


def _nextpnr_options(toolchain: Toolchain, clock_hz: float, seed: int, report: str) -> list[str]:
    # A clock that is missed is no error of placing: it is reported.
    return ["--seed", str(seed), "--freq", f"{clock_hz / 1e6:g}", *toolchain.placer, "--report", report,
            "--timing-allow-fail"]
