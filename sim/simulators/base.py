"""What a simulator is: it compiles Verilog into a program, which is kept in a cache.

What is compiled depends on nothing but the Verilog, the options and the tools, and is kept under a hash of
these in ``~/.cache/firstspike``, or in the folder that ``FIRSTSPIKE_CACHE`` names.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import FirstspikeError
from ...files import move_into_place, scratch

__all__ = ["SIMULATORS", "Program", "Simulator", "cache_folder", "execute", "locked", "tool"]

SIMULATORS = ("verilator", "icarus")
"""The names of all that there are."""

_KEPT = 64  # entries of the cache; the least recently used go first


@dataclass(frozen=True)
class Program:
    """A simulation that was compiled.

    ``command``: what runs it. ``waves_command``: the same, with ``{}`` for the FST file that it writes; empty
    where it was compiled without. ``environment``: what cocotb has to know of this simulator.
    """

    command: tuple[str, ...]
    waves_command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()

    def start(self, module: str, folder: Path, environment: Mapping[str, str], *, top: str,
              waves: Path | None = None) -> subprocess.Popen:
        """Start it in ``folder`` with the cocotb tests of ``module``; its output goes to ``folder/log``."""
        import cocotb_tools.config
        import find_libpython

        command = self.waves_command if waves else self.command
        variables = dict(os.environ)
        for name in ("TESTCASE", "TEST_FILTER", "PLUSARGS", "USER_COVERAGE", "MAX_FAILURES"):
            variables.pop(f"COCOTB_{name}", None)
        variables |= dict(self.environment) | {
            "COCOTB_TEST_MODULES": module,
            "COCOTB_TOPLEVEL": top,
            "COCOTB_RESULTS_FILE": str(folder / "cocotb.xml"),
            "COCOTB_ANSI_OUTPUT": "0",
            "TOPLEVEL_LANG": "verilog",
            "GPI_USERS": f"{find_libpython.find_libpython()};{cocotb_tools.config.pygpi_entry_point()}",
            "PYGPI_PYTHON_BIN": sys.executable,
            "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
        } | dict(environment)
        with (folder / "log").open("wb") as log:
            return subprocess.Popen([part.replace("{}", str(waves)) for part in command], cwd=folder,
                                    env=variables, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=subprocess.STDOUT)


class Simulator(ABC):
    """A simulator that is there and can be used."""

    name: str
    version: str

    def compile(self, sources: Sequence[Path], top: str, signals: Sequence[str], *,
                waves: bool = False) -> Program:
        """Compile Verilog, or take what was compiled before.

        Parameters
        ----------
        sources: the Verilog files.
        top: the name of the module to simulate.
        signals: what the bench reads and writes, by hierarchical names below ``top``; those of ``top``
            itself are its ports, and only they are written.
        waves: whether the program can write its waves to an FST file.

        Raises
        ------
        FirstspikeError: the Verilog does not compile, or the cache cannot be written.
        """
        signals = sorted(set(signals))
        try:
            digest = hashlib.sha256(json.dumps([self.key(), top, signals, waves]).encode())
            for source in sources:
                digest.update(hashlib.sha256(source.read_bytes()).digest())
            key = f"{self.name}-{digest.hexdigest()[:32]}"
            with locked(key):
                folder = cache_folder() / key
                if not folder.is_dir():
                    with scratch(cache_folder(), "compiling") as temporary:
                        made = temporary / "program"
                        made.mkdir()
                        self.make([path.resolve() for path in sources], top, signals, waves, temporary, made)
                        move_into_place(made, folder)
                    _prune()
                os.utime(folder)
        except OSError as error:
            raise FirstspikeError(f"the simulation of {sources[0]} cannot be compiled: {error}; "
                                  "FIRSTSPIKE_CACHE can name another folder to work in") from error
        return self.program(folder, waves)

    @abstractmethod
    def key(self) -> list[str]:
        """All that a program depends on beside Verilog and options."""

    @abstractmethod
    def make(self, sources: list[Path], top: str, signals: list[str], waves: bool, scratch: Path,
             made: Path) -> None:
        """Compile in ``scratch`` and leave what is needed later in ``made``."""

    @abstractmethod
    def program(self, folder: Path, waves: bool) -> Program:
        """How to run what :meth:`make` left in ``folder``."""


def cache_folder() -> Path:
    """Where compiled simulations are kept: ``FIRSTSPIKE_CACHE``, or ``firstspike`` in the user's cache."""
    users = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(os.environ.get("FIRSTSPIKE_CACHE") or Path(users) / "firstspike")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def tool(name: str, package: str) -> str:
    """The path of a program; FirstspikeError names the ``package`` to install where there is none."""
    path = shutil.which(name)
    if path is None:
        raise FirstspikeError(f"{name} is not on PATH, and the simulation needs it: install {package} "
                              f"(on Debian or Ubuntu: apt-get install {package})")
    return path


def execute(command: Sequence[str], folder: Path, environment: Mapping[str, str], complaint: str) -> None:
    """Run a tool; where it fails, the first error that it printed goes into the FirstspikeError."""
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if re.search("error|killed", line, re.IGNORECASE)]
        raise FirstspikeError(f"{complaint}: {(errors or lines or [f'exit code {done.returncode}'])[0]}")


@contextlib.contextmanager
def locked(key: str) -> Iterator[None]:
    """Hold the lock of one entry of the cache, so that it is made once."""
    with (cache_folder() / f"{key.rsplit('-', 1)[0]}-{key[-2:]}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prune() -> None:
    """Remove the least recently used entries; what cannot be removed stays."""
    kinds = (*SIMULATORS, "runtime")
    entries = [path for path in cache_folder().iterdir()
               if path.is_dir() and path.name.partition("-")[0] in kinds]
    for path in sorted(entries, key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
