"""A serial port of the machine."""

import errno

from ...errors import FirstspikeError
from ...gen.board import core_facts
from ...gen.build import Build
from .port import LinkSettings, Port

__all__ = ["open_serial", "patience"]

_LONGEST_FRAME = 1 << 24  # bytes; no frame can say that it is longer
_SLACK = 3.0              # seconds for the machine, its drivers and the link's silence


def open_serial(name: str, build: Build | None, baud: int | None) -> Port:
    """Open a serial port.

    Parameters
    ----------
    name : str
        What the system calls it.
    build : Build or None
        Whose design is behind it: gives the rate, and how long an answer may take.
    baud : int or None
        The rate; None: that of the build.

    Raises
    ------
    FirstspikeError
        It is not there, is in use or may not be used, or the rate is not known or none that it can have.
    """
    import serial
    from serial.tools import list_ports
    if baud is None:
        if build is None:
            raise FirstspikeError(f"the rate of {name} is not known: give the build or the baud rate")
        baud = LinkSettings.of(build).baud
    read, write = patience(build, baud)
    try:
        return serial.Serial(name, baud, timeout=read, write_timeout=write, exclusive=True)
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


def patience(build: Build | None, baud: int) -> tuple[float, float]:
    """How long a read and a write of a frame may take, in seconds.

    An answer may have to wait for the frame to leave the system's buffers, and for the core, which its link
    gives up after at most 2^24 cycles or two hundred times what a window is expected to take.
    """
    if build is None:
        return _SLACK, _SLACK + 20 * _LONGEST_FRAME / baud
    options = build.manifest["options"]
    facts = core_facts(build.network, early_stop=options["early_stop"], encoder=options["encoder"])
    frame = 10 * (max(facts.levels_length, facts.spikes_length) + 8) / baud
    run = max(1 << 24, 200 * build.plan.cycles) / LinkSettings.of(build).clock_hz
    return _SLACK + frame + run, _SLACK + 2 * frame
