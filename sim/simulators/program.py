"""A simulation that was compiled, and how it is started."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .tools import clean_environment

__all__ = ["Program"]


@dataclass(frozen=True)
class Program:
    """A simulation that was compiled.

    Attributes
    ----------
    command : tuple of str
        What runs it.
    waves : tuple of str or None
        Arguments with which it also writes its waves, ``{}`` in them standing for the FST file; None where it
        was compiled without.
    environment : tuple of (str, str)
        What cocotb has to know of this simulator.
    """

    command: tuple[str, ...]
    waves: tuple[str, ...] | None
    environment: tuple[tuple[str, str], ...] = ()

    def start(self, module: str, folder: Path, environment: Mapping[str, str], *, top: str,
              waves: Path | None = None, handles: Sequence[int] = ()) -> subprocess.Popen:
        """Start it with the cocotb tests of a module.

        What it sees of the caller's environment is :func:`~.tools.clean_environment`: a proof does not depend
        on what a shell has set.

        Parameters
        ----------
        module : str
            The module's name, found as this process finds it.
        folder : Path
            Where it runs; its output goes to ``log`` there.
        environment : mapping
            Variables for the module.
        top : str
            The top module of the Verilog.
        waves : Path or None
            The FST file to write.
        handles : sequence of int
            Open files that it inherits.

        Returns
        -------
        subprocess.Popen
            The process.
        """
        import cocotb_tools.config
        import find_libpython

        command = [*self.command]
        if waves is not None:
            assert self.waves is not None, "it was compiled without waves"
            command += [part.replace("{}", str(waves)) for part in self.waves]
        variables = clean_environment() | dict(self.environment) | {
            "COCOTB_TEST_MODULES": module,
            "COCOTB_TOPLEVEL": top,
            "COCOTB_RESULTS_FILE": str(folder / "cocotb.xml"),
            "COCOTB_ANSI_OUTPUT": "0",
            "COCOTB_RANDOM_SEED": "1",
            "TOPLEVEL_LANG": "verilog",
            "GPI_USERS": f"{find_libpython.find_libpython()};{cocotb_tools.config.pygpi_entry_point()}",
            "PYGPI_PYTHON_BIN": sys.executable,
            "PYTHONPATH": _search_path(folder),
        } | dict(environment)
        with (folder / "log").open("wb") as log:
            return subprocess.Popen(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=subprocess.STDOUT, pass_fds=handles)


def _search_path(folder: Path) -> str:
    """``sys.path`` as a variable: an entry that holds the separator is reached by a link in ``folder``."""
    entries = []
    for number, entry in enumerate(sys.path):
        path = str(Path(entry).absolute())
        if os.pathsep in path:
            (folder / f"path{number}").symlink_to(path)
            path = f"path{number}"
        entries.append(path)
    return os.pathsep.join(entries)
