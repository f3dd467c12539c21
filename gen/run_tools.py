"""Runs the tool chain's programs in a folder that is thrown away; their complaints become one line."""

import re
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from ..boards.programs import Command, Step, find_program
from ..boards.tools import PREPARING
from ..errors import FirstspikeError

__all__ = ["PREPARES", "execute"]

PREPARES = "prepare "
"""How the stage begins that is no work on the design: a program from PyPI compiles itself."""

_LOOK_SECONDS = 0.25
_TAIL_BYTES = 1 << 14
_STAGES = (
    (re.compile(r"^[\d.]+ Executing (\w+) (?:pass|frontend|backend)"), "{}"),     # Yosys
    (re.compile(r"^Info: ([A-Z][a-z]+ing\b[^|:%,]*?)\.* *(?:,|$)"), "{}"),           # nextpnr
    (re.compile(f"^{PREPARING} (.+)\\. This might"), PREPARES + "{} for this machine, once"),
)
"""Lines by which a program says what it does, and how that is told."""


def execute(command: Command, folder: Path, progress: Callable[[str], None] | None = None) -> None:
    """Run one program of the tool chain in ``folder``, or a step of our own on a netlist there.

    A program's output goes to ``folder/<program>.log``.

    Parameters
    ----------
    progress : callable
        Called with what the program says that it does, whenever that changes.

    Raises
    ------
    FirstspikeError
        It is missing or fails; the sentence has the first error that it printed. An interrupt ends it too.
    """
    if isinstance(command.runs, Step):
        for name in command.arguments:
            command.runs.change(folder / name)
        return
    name, log = command.runs.name, folder / f"{command.runs.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([find_program(command.runs).path, *command.arguments], cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            code = _wait(process, [log, *_own_logs(command, folder)], progress or (lambda stage: None))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code:
        raise FirstspikeError(f"{name} failed: {_complaint(log, code)}")


def _own_logs(command: Command, folder: Path) -> list[Path]:
    """The files that a program was told to write its log into."""
    return [folder / file for option, file in pairwise(command.arguments) if option in ("-l", "--log")]


def _wait(process: subprocess.Popen, logs: list[Path], progress: Callable[[str], None]) -> int:
    told = None
    while True:
        try:
            return process.wait(timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            stage = next(filter(None, map(_stage, reversed(logs))), None)
            if stage and stage != told:
                told = stage
                progress(stage)


def _stage(log: Path) -> str | None:
    """What the end of a log says is under way."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        for pattern, words in _STAGES:
            if found := pattern.match(line):
                return words.format(found[1])
    return None


def _complaint(log: Path, code: int) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
    return (errors or [f"exit code {code}"])[0].removeprefix("ERROR: ")
