"""Ports by name: one of the machine's, or "sim"."""

from collections.abc import Callable

from ...errors import FirstspikeError
from ...gen.build import Build
from .port import Port
from .serial_port import open_serial
from .simulated_port import SimulatedPort

__all__ = ["open_port"]


def open_port(name: str, build: Build | None, baud: int | None = None,
              progress: Callable[[str], None] | None = None) -> Port:
    """Open a port.

    Parameters
    ----------
    name : str
        "sim" for the simulated design of ``build``, else what the system calls a serial port.
    build : Build or None
        What is expected behind it.
    baud : int or None
        Serial rate; None: that of the build.
    progress : callable or None
        Called with the name of each stage of making the simulated design.

    Raises
    ------
    FirstspikeError
        It is not there, is in use or may not be used, or ``baud`` is not known.
    """
    if name != "sim":
        return open_serial(name, build, baud)
    if build is None:
        raise FirstspikeError('the port "sim" simulates a build: give one')
    return SimulatedPort(build, progress=progress)
