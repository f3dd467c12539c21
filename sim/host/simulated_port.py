"""A serial port into the simulated design: real bytes, bit by bit, at the pins of the board's own module."""

import contextlib
import socket
import struct
import subprocess
import tempfile
from collections.abc import Callable

from ...errors import FirstspikeError
from ...files import scratch
from ...gen.build import Build
from ..simulators.registry import simulator
from .port import LinkSettings

__all__ = ["SimulatedPort"]

_START = 120.0   # seconds until a simulator that was started must have said so
_HEADER = struct.Struct("<BII")


class SimulatedPort:
    """The host link of a build's ``board/board.v`` around ``rtl/top.v``, in a simulator.

    Time stands still between calls, so that a slow simulation is no error and costs nothing while it waits.

    Parameters
    ----------
    build : Build
    name : str
        The simulator: "verilator", or "icarus", which starts at once and runs slowly.
    patience : int or None
        Clock cycles without a byte after which :meth:`read` gives up. None: enough for any window, and for
        the silence after which the link answers a frame that was disturbed.
    progress : callable or None
        Called with the name of each stage.

    Raises
    ------
    FirstspikeError
        The simulator or what it needs is missing, or the Verilog does not compile.
    """

    def __init__(self, build: Build, *, name: str = "verilator", patience: int | None = None,
                 progress: Callable[[str], None] | None = None):
        sources = [build.path / "board" / "board.v", build.verilog]
        if not sources[0].is_file():
            raise FirstspikeError(f"{sources[0]} is missing: build it again")
        settings = LinkSettings.of(build)
        self._patience = patience or 2 * settings.silence + 100_000 + round(100 * build.plan.cycles)
        if progress is not None:
            progress(f"compile for {name}")
        program = simulator(name).compile(sources, "board", ["clk", "rst", "rx", "tx"])
        if progress is not None:
            progress("simulate")
        self._process: subprocess.Popen | None = None
        self._socket: socket.socket | None = None
        self._used = contextlib.ExitStack()
        try:
            self._folder = self._used.enter_context(scratch(tempfile.gettempdir(), "firstspike-run"))
            self._socket, theirs = socket.socketpair()
            with theirs:
                self._process = program.start("firstspike.sim.host.testbench", self._folder, {
                    "FIRSTSPIKE_SOCKET": str(theirs.fileno()),
                    "FIRSTSPIKE_DIVISOR": repr(settings.clock_hz / settings.baud),
                }, top="board", handles=(theirs.fileno(),))
            self._wait_for_start(self._socket)
        except OSError as error:
            self.close()
            raise FirstspikeError(f"the simulation cannot be run: {error}; free some space, or set TMPDIR to "
                                  "a folder that can be written") from error
        except BaseException:
            self.close()
            raise

    def _wait_for_start(self, connection: socket.socket) -> None:
        connection.settimeout(_START)
        try:
            started = connection.recv(1)
        except OSError:
            started = b""
        if not started:
            raise FirstspikeError(f"the simulation does not start: {self._last_words()}")
        connection.settimeout(None)

    @property
    def running(self) -> bool:
        """Whether the simulator runs."""
        return self._process is not None and self._process.poll() is None

    def write(self, data: bytes) -> int:
        """Put bytes on the line, one after the other."""
        self._send(_HEADER.pack(ord("W"), len(data), 0) + bytes(data))
        return len(data)

    def read(self, size: int) -> bytes:
        """Let time pass until ``size`` bytes are there, or none comes for long; give what is there."""
        self._send(_HEADER.pack(ord("R"), size, self._patience))
        (length,) = struct.unpack("<I", self._receive(4))
        return self._receive(length)

    def close(self) -> None:
        """End the simulation."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._used.close()

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            raise FirstspikeError("the simulated port is closed")
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise FirstspikeError(f"the simulation broke off: {self._last_words()}") from error

    def _receive(self, size: int) -> bytes:
        assert self._socket is not None
        data = b""
        while len(data) < size:
            try:
                piece = self._socket.recv(size - len(data))
            except OSError:
                piece = b""
            if not piece:
                raise FirstspikeError(f"the simulation broke off: {self._last_words()}")
            data += piece
        return data

    def _last_words(self) -> str:
        try:
            lines = (self._folder / "log").read_text(errors="replace").splitlines()
        except OSError:
            lines = []
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "it said nothing"
