"""Programs that simulations need: where they are, what they may see, and what they complain of."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import FirstspikeError

__all__ = ["clean_environment", "execute", "tool"]

_KEPT = (
    "HOME", "PATH", "TZ",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",  # where tools have their libraries
    "DEVELOPER_DIR", "SDKROOT",                                           # where macOS has its compiler's
    "PYTHONHOME", "PYTHONDONTWRITEBYTECODE",
    "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
)


def clean_environment() -> dict[str, str]:
    """The variables that a tool gets of the caller's: where programs and libraries are, and no more.

    So no setting of a shell changes what is compiled or how the proof runs (``COCOTB_RESOLVE_X``,
    ``GNUMAKEFLAGS``, ``CPLUS_INCLUDE_PATH``, ``PYTHONOPTIMIZE`` and what will be invented after them).
    Messages are in English, and temporary files lie in the folder in which the tool runs.

    Returns
    -------
    dict
        Variables and values, a new one each time.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8", "TMPDIR": "."}


def tool(name: str, package: str) -> str:
    """The path of a program.

    Parameters
    ----------
    name : str
        What it is called on PATH.
    package : str
        What has to be installed where there is none.

    Raises
    ------
    FirstspikeError
        It is not on PATH.
    """
    path = shutil.which(name)
    if path is None:
        raise FirstspikeError(f"{name} is not on PATH, and the simulation needs it: install {package} "
                              f"(on Debian or Ubuntu: apt-get install {package})")
    return path


def execute(command: Sequence[str], folder: Path, complaint: str,
            extra: Mapping[str, str] | None = None) -> None:
    """Run a tool in ``folder``, in a clean environment.

    Parameters
    ----------
    complaint : str
        How the sentence begins where it fails; the first error that it printed follows.
    extra : mapping or None
        Variables beside those of :func:`clean_environment`.

    Raises
    ------
    FirstspikeError
        It fails.
    """
    done = subprocess.run(command, cwd=folder, env=clean_environment() | dict(extra or {}),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if re.search("error|killed|no space", line, re.IGNORECASE)]
        last = lines[-1:] or [f"exit code {done.returncode}"]
        raise FirstspikeError(f"{complaint}: {(errors or last)[0]}")
