"""From a build's Verilog to what it takes and how fast it runs, and to the board's bitstream.

Nothing that is read back from a build is run: the board's files and the commands are derived anew from
network, plan and board, and must be those that the build holds. A board of the user's own, which is code, is
asked for again. The commands run on a copy, and only what is whole is moved into the build folder.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ..boards import BOARDS, Board, find
from ..boards.clock import clock_for, fastest_clock
from ..boards.design import BoardDesign, pins_alone
from ..boards.families.toolchain import Toolchain
from ..boards.programs import Command, Program, find_program
from ..boards.tools import prepare_yosys
from ..errors import FirstspikeError
from ..files import scratch
from .board import derive_board, emit_board
from .build import Build, open_build
from .run_tools import PREPARES, execute
from .usage import Synthesis, Usage, read_usage

__all__ = ["Synthesis", "Usage", "bitstream", "program", "synthesise"]

_Progress = Callable[[str], None]
_BoardName = str | PathLike[str] | Board | None


@dataclass(frozen=True)
class _Target:
    """A build and what is derived anew for it."""

    build: Build
    board: Board
    toolchain: Toolchain
    design: BoardDesign
    clock_hz: int
    seed: int

    @property
    def inputs(self) -> str:
        """Hash of all that synthesis works on."""
        digest = hashlib.sha256(self.build.verilog.read_bytes())
        for name, text in sorted(self.design.files.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(text.encode()).digest())
        return digest.hexdigest()

    @property
    def bitstream(self) -> Path | None:
        """Where the bitstream is kept, None where no open tool makes one."""
        name = self.design.bitstream
        return None if name is None else self.build.path / "board" / name


def synthesise(build: Build | str | Path, *, core: bool = True, design: bool = True,
               board: _BoardName = None, progress: _Progress | None = None) -> Synthesis:
    """Synthesise, place and route a build, and write ``reports/resources.json``.

    Parameters
    ----------
    build
        A build or its folder.
    core, design : :class:`bool`
        Which of the two to do. The other keeps what an earlier run on the same files found.
    board
        The board that it was built for, again, where that is one of the user's own.
    progress : callable
        Called with the name of each stage, and in it with what the program at work says that it does.

    Raises
    ------
    FirstspikeError
        The folder is no build or one without a device, or its board's files are not what they should be; a
        tool is missing, or the design does not fit. Nothing of the build is changed.
    """
    say = progress or (lambda stage: None)
    return _synthesise(_target(build, board, say), core, design, say)


def bitstream(build: Build | str | Path, *, board: _BoardName = None,
              progress: _Progress | None = None) -> Path:
    """Make the board's bitstream and return its path, in the build's folder ``board``.

    Raises
    ------
    FirstspikeError
        As :func:`synthesise`; or no open tool can, or the design does not stand its clock.
    """
    say = progress or (lambda stage: None)
    target = _target(build, board, say)
    path = target.bitstream
    if path is None:
        raise FirstspikeError(f"no open tool makes bitstreams for {target.board.name}: "
                              f"{target.toolchain.by_hand} in {target.build.path / 'board'}")
    found = _earlier(target)
    if found is None or found.design is None or (found.meets_clock and not path.is_file()):
        found = _synthesise(target, False, True, say)
    assert found.design is not None
    if not found.meets_clock:
        raise FirstspikeError(_too_slow(found.design.fmax_hz or 0, target))
    return path


def program(build: Build | str | Path, *, board: _BoardName = None) -> None:
    """Load the bitstream of a build into the board.

    Raises
    ------
    FirstspikeError
        There is no bitstream yet, the loader is not installed, or it finds no board.
    """
    build = build if isinstance(build, Build) else open_build(build)
    target, toolchain = _board(build, board)
    path = build.path / "board" / f"pins{toolchain.bitstream}"
    if not path.is_file():
        how = "Vivado and board/pins.tcl" if toolchain.by_hand else f"firstspike bitstream {build.path}"
        raise FirstspikeError(f"there is no bitstream {path}: make it with {how}")
    if not target.loader:
        raise FirstspikeError(
            f"the board {target.name} names no program that loads {path}: load it by hand")
    loader, *options = target.loader
    found = shutil.which(loader)
    if found is None:
        raise FirstspikeError(f"{loader} is not installed, and it loads the board: install it "
                              f"(on Debian or Ubuntu: apt-get install {loader.lower()})")
    done = subprocess.run([found, *options, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        raise FirstspikeError(f"{loader} could not load the board: {(said or ['it gave no reason'])[-1]}; "
                              "is it connected, and may this user use it?")


def _board(build: Build, asked: _BoardName) -> tuple[Board, Toolchain]:
    """The board that a build was made for, with its tools: one of ours, or the one that is given again."""
    facts = build.board
    if asked is None and build.board_file is not None:
        raise FirstspikeError(
            f"{build.path} was built for {facts.name}, a board of your own, and a build keeps no code: give "
            f"its file again, --board {build.board_file}")
    board = BOARDS.get(facts.name) if asked is None else find(asked)
    if board is None or board.facts != facts:
        given = "this version of Firstspike" if asked is None else "the board that is given"
        raise FirstspikeError(f"{build.path} was built for the board {facts.name}, of which {given} says "
                              "something else: give that one, or build it again")
    if board.toolchain is None:
        raise FirstspikeError(f"{build.path} was built for {board.name}, which has no device to "
                              "synthesise for: build it for a board (firstspike boards)")
    return board, board.toolchain


def _target(build: Build | str | Path, asked: _BoardName, say: _Progress) -> _Target:
    build = build if isinstance(build, Build) else open_build(build)
    board, toolchain = _board(build, asked)
    seed = build.manifest.get("seed")
    if type(seed) is not int:
        raise FirstspikeError(f"{build.path / 'manifest.json'} is damaged (seed {seed!r}): build it again")
    prepare_yosys(say)
    try:
        design = derive_board(board, build.network, build.plan, build.top, seed=seed)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FirstspikeError(f"{build.path} is a damaged build folder ({error}): build it again") from error
    for name, text in design.files.items():
        path, content = build.path / "board" / name, text.encode()
        if not (path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content):
            raise FirstspikeError(f"{path} is not what this version of Firstspike makes for {board.name}, "
                                  "and nothing that was changed there is used: build it again")
    return _Target(build, board, toolchain, design, clock_for(board, build.plan.clock_hz).hz, seed)


def _synthesise(target: _Target, core: bool, design: bool, say: _Progress) -> Synthesis:
    earlier = _earlier(target)
    usage = {"core": earlier and earlier.core, "design": earlier and earlier.design}
    versions = dict(earlier.versions) if earlier else {}
    with scratch(target.build.path, "tools") as folder:
        if target.build.board_file is not None:
            _check_pins(target.board, folder / "pins", say)
        work = folder / "board"
        emit_board(target.design, work)
        (folder / "rtl").mkdir()
        shutil.copy(target.build.verilog, folder / "rtl")
        for part, wanted in (("core", core), ("design", design)):
            if wanted:
                for command in getattr(target.design, part):
                    versions |= _run(command, work, part, say)
                usage[part] = read_usage(target.toolchain, work, part)
        board = target.board
        result = Synthesis(
            board=board.name, family=board.family, clock_hz=target.clock_hz, seed=target.seed,
            core=usage["core"], design=usage["design"],
            available={"luts": board.luts, "ffs": board.ffs, "block_rams": board.block_rams},
            inputs=target.inputs, versions=versions)
        _keep(target, work, result, design)
    return result


def _run(command: Command, work: Path, part: str, say: _Progress) -> dict[str, str]:
    """Run a command, and say which program of which version it was."""
    stage = command.runs.stage.format(part)
    if not isinstance(command.runs, Program):
        say(stage)
        execute(command, work)
        return {}
    found = find_program(command.runs)
    if found.native:
        stage += f" ({command.runs.name} {found.version})"
    say(stage)
    execute(command, work, lambda told: say(told if told.startswith(PREPARES) else f"{stage}: {told}"))
    return {command.runs.name: found.version}


def _check_pins(board: Board, work: Path, say: _Progress) -> None:
    """Refuse, before anything long, a board whose pins its device does not have."""
    design = pins_alone(board)
    emit_board(design, work)
    for command in design.design:
        say("check the pins")
        try:
            execute(command, work)
        except FirstspikeError as error:
            raise FirstspikeError(f"the pins of the platform of the board {board.name} are not such as its "
                                  f"device has: {error}") from error


def _earlier(target: _Target) -> Synthesis | None:
    """What an earlier run on the same files found."""
    try:
        found = Synthesis.from_json(
            json.loads((target.build.path / "reports" / "resources.json").read_text()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found if found.inputs == target.inputs else None


def _too_slow(fmax: int, target: _Target) -> str:
    slower = fastest_clock(target.board, fmax)
    remedy = f"build it with --clock {slower / 1e6:g}" if slower else "build it for a faster board"
    return (f"the design stands {fmax / 1e6:.1f} MHz, not the {target.clock_hz / 1e6:g} MHz that it was "
            f"built for: {remedy}")


def _keep(target: _Target, work: Path, result: Synthesis, design: bool) -> None:
    """Move the results into the build folder, the summary last."""
    reports = target.build.path / "reports"
    for folder in (reports, target.build.path / "board"):
        if folder.is_symlink():
            raise FirstspikeError(f"{folder} is a link, and nothing is written outside a build: remove it")
    try:
        reports.mkdir(exist_ok=True)
        for path in work.iterdir():
            if path.suffix in (".tim", ".rpt") or path.name.endswith("report.json"):
                path.replace(reports / path.name)
        if design and target.bitstream is not None:
            target.bitstream.unlink(missing_ok=True)
            if result.meets_clock:
                (work / target.bitstream.name).replace(target.bitstream)
        summary = work / "resources.json"
        summary.write_text(json.dumps(result.to_json(), indent=1, sort_keys=True) + "\n")
        summary.replace(reports / "resources.json")
    except OSError as error:
        raise FirstspikeError(f"cannot write {reports}: {error.strerror}; free some space") from error
