"""Runs the tool chain's programs in a folder that is thrown away; their complaints become one line."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..boards.tools import STEPS, TOOLS, tool
from ..errors import FirstspikeError

__all__ = ["execute"]


def execute(command: Sequence[str], folder: Path) -> None:
    """Run one program of the tool chain in ``folder``, or a step of our own on a netlist there.

    A program's output goes to ``folder/<program>.log``.

    Raises
    ------
    FirstspikeError
        It is missing or fails; the sentence has the first error that it printed. An interrupt ends it too.
    """
    name, *arguments = command
    if name in STEPS and len(arguments) == 1 and Path(arguments[0]).name == arguments[0]:
        STEPS[name](folder / arguments[0])
        return
    if name not in TOOLS:
        raise FirstspikeError(f"a build may not run {name!r}: make it again with firstspike build")
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([tool(name), *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT)
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code:
        raise FirstspikeError(f"{name} failed: {_complaint(log, code)}")


def _complaint(log: Path, code: int) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
    return (errors or [f"exit code {code}"])[0].removeprefix("ERROR: ")
