"""Serial ports by name: one of the machine's, or "sim"."""

import errno
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import FirstspikeError
from ...gen.build import Build

if TYPE_CHECKING:
    from .client import Port

__all__ = ["line_of", "open_port"]

_PATIENCE = 3.0  # seconds: a frame, the core's longest run and the answer take less


def line_of(build: Build) -> tuple[int, int]:
    """The clock in Hz and the serial rate of a build's host link.

    Raises
    ------
    FirstspikeError
        The build does not say.
    """
    path = build.path / "board" / "link.json"
    try:
        told = json.loads(path.read_text())
        return int(told["clock_hz"]), int(told["baud"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FirstspikeError(f"{path} is missing or damaged: build it again") from error


def open_port(name: str, build: Build | None, baud: int | None,
              progress: Callable[[str], None] | None) -> "Port":
    """Open a port.

    Raises
    ------
    FirstspikeError
        It is not there, is in use or may not be used, or ``baud`` is not known.
    """
    if name == "sim":
        from .simulated_port import SimulatedPort
        if build is None:
            raise FirstspikeError('the port "sim" simulates a build: give one')
        return SimulatedPort(build, progress=progress)
    import serial
    from serial.tools import list_ports
    if baud is None:
        if build is None:
            raise FirstspikeError(f"the rate of {name} is not known: give the build or the baud rate")
        baud = line_of(build)[1]
    try:
        return serial.Serial(name, baud, timeout=_PATIENCE, write_timeout=10 * _PATIENCE, exclusive=True)
    except ValueError as error:
        raise FirstspikeError(f"{name} cannot run at {baud} baud ({error}): use the board's own serial port"
                              ) from error
    except serial.SerialException as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise FirstspikeError(f"this user may not use {name}: add it to the group that owns the port "
                                  "(sudo usermod -aG dialout $USER) and log in again") from error
        if error.errno in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in str(error):
            raise FirstspikeError(f"{name} is in use: close the other program") from error
        ports = ", ".join(sorted(port.device for port in list_ports.comports()))
        there = f"this machine has {ports}" if ports else "this machine has none; is the board connected?"
        raise FirstspikeError(f"there is no serial port {name}: {there}") from error
