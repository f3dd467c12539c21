"""Commands in a real terminal of a given width, and through a pipe."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

__all__ = ["in_a_terminal", "through_a_pipe"]


def _environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return kept | {"TERM": "xterm", "NO_COLOR": "1"} | more


def in_a_terminal(*arguments: str, columns: int, folder: Path) -> list[str]:
    """What this Python prints on a terminal of that width, line by line, without its styles."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen([sys.executable, *arguments], stdin=theirs, stdout=theirs,
                          stderr=subprocess.DEVNULL, env=_environment(), cwd=folder) as process:
        os.close(theirs)
        printed = bytearray()
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # how Linux says that the other side is closed
                break
            if not piece:
                break
            printed += piece
    os.close(ours)
    assert process.returncode == 0, printed
    return re.sub(r"\x1b\[[\d;]*m", "", printed.decode()).replace("\r", "").splitlines()


def through_a_pipe(*arguments: str, folder: Path, **environment: str) -> list[str]:
    """What this Python prints into a pipe, line by line."""
    done = subprocess.run([sys.executable, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, env=_environment(**environment), cwd=folder, check=True)
    return done.stdout.splitlines()
