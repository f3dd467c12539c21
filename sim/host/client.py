"""The host client: runs images on a board, or on the simulated design, through the serial host link."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...errors import FirstspikeError
from ...gen.build import Build
from ...rtl.host.protocol import ANSWER, IDENTITY, REQUEST, RESULT, VERSION, Command, Error
from ...rtl.streams.token import Kind, Token
from .ports import open_port

__all__ = ["Host", "Identity", "Port", "Result"]


class Port(Protocol):
    """What a host needs of a serial port; pyserial's fits.

    ``read`` waits for ``size`` bytes and gives up after a time of its own, with fewer.
    """

    def read(self, size: int, /) -> bytes: ...

    def write(self, data: bytes, /) -> Any: ...


@dataclass(frozen=True)
class Identity:
    """What is behind the port.

    Attributes
    ----------
    digest : :class:`str`
        The first 16 hex digits of the network's digest.
    size, addresses, levels : :class:`int`
        Inputs, those that the mask leaves in, and number of levels (0 without an encoder).
    window, value_bits, output_window : :class:`int`
        Steps of the input, width of a spike's value, steps of the last layer.
    online, early_stop : :class:`bool`
        Whether the first layer is online, and whether early stop is built in.
    clock_hz : :class:`int`
    """

    digest: str
    size: int
    addresses: int
    levels: int
    window: int
    value_bits: int
    output_window: int
    online: bool
    early_stop: bool
    clock_hz: int


@dataclass(frozen=True)
class Result:
    """What an image gave.

    ``label``: the class. ``step``: the decision step. ``cycles``: clock cycles from the core's taking the
    image's last level, or the end of its window, until the result was there (1 where it was there before).
    """

    label: int
    step: int
    cycles: int


class _Disturbed(Exception):
    """A frame or its answer did not come through; it may next time. ``advice``: what to do if it does not."""

    def __init__(self, what: str, advice: str = ""):
        super().__init__(what)
        self.advice = advice


_ADVICE = {
    Error.COMMAND: "it was built without what this command needs (an encoder, or early stop)",
    Error.LENGTH: "the image has another size than the network that is loaded: load the build's bitstream",
    Error.VALUE: "the image holds a level or spike that the network that is loaded does not have: load the "
                 "build's bitstream",
    Error.OVERRUN: "its core takes images too slowly for the serial line: build it with a faster clock",
    Error.NO_RESULT: "its core gave no result: load the bitstream again",
    Error.IMPATIENT: "something else writes to the same port: close other programs that use it",
}


class Host:
    """A host at a serial port.

    Parameters
    ----------
    port : :class:`str` or :class:`Port`
        The port's name (``/dev/ttyUSB0``, ``COM3``), "sim" for the simulated design of ``build``, or anything
        with ``read`` and ``write``.
    build : :class:`~...gen.build.Build` or None
        What is expected behind the port: gives the serial rate and the addresses of masked inputs, and the
        network's digest is compared.
    baud : :class:`int` or None
        Serial rate; None: that of the build's board.
    retries : :class:`int`
        How often a frame is sent again where it, or its answer, was disturbed on the line.
    progress : callable or None
        Called with the name of each stage of making the simulated design.

    Raises
    ------
    FirstspikeError
        The port is not there, may not be used or does not answer, or runs another network.
    """

    def __init__(self, port: str | Port, build: Build | None = None, *, baud: int | None = None,
                 retries: int = 2, progress: Callable[[str], None] | None = None):
        self.name = port if isinstance(port, str) else "the port"
        self._retries = retries
        self._identity: Identity | None = None
        self._addresses: list[int] | None = None
        self._port: Port = open_port(port, build, baud, progress) if isinstance(port, str) else port
        try:
            if build is not None:
                self._addresses = list(build.top.spikes.addresses)
                self.check(build.network.digest)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the port."""
        close = getattr(self._port, "close", None)
        if close is not None:
            close()

    def identify(self) -> Identity:
        """Ask what is behind the port."""
        version, flags, digest, size, addresses, highest, window, value_bits, output_window, clock_hz = (
            IDENTITY.unpack(self._ask(Command.IDENTIFY, b"", IDENTITY.size)))
        if version != VERSION:
            raise FirstspikeError(f"{self.name} speaks version {version} of the protocol, and this client "
                                  f"version {VERSION}: build and load its design with this version")
        self._identity = Identity(
            digest=digest.hex(), size=size, addresses=addresses, levels=highest + 1 if flags & 1 else 0,
            window=window, value_bits=value_bits, output_window=output_window, online=bool(flags & 4),
            early_stop=bool(flags & 2), clock_hz=clock_hz)
        return self._identity

    def check(self, digest: str) -> None:
        """Raise FirstspikeError where the network behind the port is not the one with this digest."""
        found = self.identify().digest
        if not digest.startswith(found):
            raise FirstspikeError(f"{self.name} runs another network ({found}…) than this build's "
                                  f"({digest[:16]}…): load the build's bitstream (firstspike program)")

    def run_levels(self, image: np.ndarray) -> Result:
        """Run an image of levels, int, shape ``(size,)``: all inputs, masked ones too."""
        identity = self._known()
        image = np.asarray(image)
        if not identity.levels:
            raise FirstspikeError(
                f"{self.name} runs a core without an encoder: send spikes, or build it with one")
        if image.shape != (identity.size,):
            raise FirstspikeError(f"an image must have {identity.size} levels, not the shape {image.shape}")
        if image.dtype.kind not in "iub" or image.min() < 0 or image.max() >= identity.levels:
            raise FirstspikeError(f"levels must be integers from 0 to {identity.levels - 1}")
        width = ((identity.levels - 1).bit_length() + 7) // 8 or 1
        payload = image.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
        return Result(*RESULT.unpack(self._ask(Command.LEVELS, payload, RESULT.size)))

    def run_spikes(self, spikes: np.ndarray) -> Result:
        """Run a window of spikes: bool or int (the values; 0: no spike), shape ``(window, size)``.

        Inputs that the network leaves out are left out here too.
        """
        identity = self._known()
        spikes = np.asarray(spikes)
        if spikes.shape != (identity.window, identity.size):
            raise FirstspikeError(
                f"spikes must have the shape {(identity.window, identity.size)}, not {spikes.shape}")
        highest = (1 << identity.value_bits) - 1 if identity.value_bits else 1
        if spikes.dtype.kind not in "iub" or spikes.min() < 0 or spikes.max() > highest:
            raise FirstspikeError(f"a spike's value must be an integer from 0 to {highest}")
        if self._addresses is not None:
            spikes = spikes[:, self._addresses]
        elif identity.addresses != identity.size:
            raise FirstspikeError("the network leaves inputs out: give the build, which says which")
        payload = _tokens(identity, spikes.astype(np.int64))
        return Result(*RESULT.unpack(self._ask(Command.SPIKES, payload, RESULT.size)))

    def run(self, image: np.ndarray) -> Result:
        """Run an image: levels, shape ``(size,)``, or spikes, shape ``(window, size)``."""
        return self.run_spikes(image) if np.ndim(image) == 2 else self.run_levels(image)

    def set_early_stop(self, early: bool) -> None:
        """Let the core stop at the deciding spike, or go on to the end of the window."""
        self._ask(Command.STOP_EARLY, bytes([bool(early)]), 0)

    def _known(self) -> Identity:
        return self._identity or self.identify()

    def _ask(self, command: Command, payload: bytes, length: int) -> bytes:
        body = bytes([command]) + len(payload).to_bytes(3, "little") + payload
        frame = bytes([REQUEST]) + body + zlib.crc32(body).to_bytes(4, "little")
        for attempt in range(self._retries + 1):
            try:
                return self._exchange(frame, command, length)
            except _Disturbed as error:
                if attempt == self._retries:
                    remedy = error.advice or "is the design loaded, and is this its serial port?"
                    raise FirstspikeError(f"{self.name} does not do as asked ({error}): {remedy}") from None
                self._drain()
        raise AssertionError

    def _exchange(self, frame: bytes, command: Command, length: int) -> bytes:
        try:
            self._port.write(frame)
            head = self._port.read(3)
            if len(head) < 3:
                raise _Disturbed("no answer" if not head else "the answer was cut off")
            if head[0] != ANSWER:
                raise _Disturbed(f"its first byte is {head[0]:#04x}, not {ANSWER:#04x}")
            rest = self._port.read(head[2] + 4)
        except OSError as error:  # pyserial's own error is one too
            raise FirstspikeError(f"{self.name} went away ({error}): plug it in again") from error
        if len(rest) < head[2] + 4:
            raise _Disturbed("the answer was cut off")
        if zlib.crc32(head[1:] + rest[:-4]) != int.from_bytes(rest[-4:], "little"):
            raise _Disturbed("the answer's checksum differs")
        status = head[1]
        if status == 0x80 | command and head[2] == length:
            return rest[:-4]
        if status in set(Error):
            error = Error(status)
            name = error.name.lower().replace("_", " ")
            raise _Disturbed(f"error {status}, {name}", _ADVICE.get(error, ""))
        raise _Disturbed(f"status {status:#04x}")

    def _drain(self) -> None:
        """Throw away what comes until the line is silent."""
        while self._port.read(256):
            pass


def _tokens(identity: Identity, spikes: np.ndarray) -> bytes:
    """The tokens of a window, packed; ``spikes``: int64, shape ``(window, addresses)``."""
    layout = Token(identity.addresses, identity.window, value_bits=identity.value_bits)
    steps, addresses = np.nonzero(spikes)
    words = (addresses << layout["address"].offset) | (steps << layout["step"].offset)
    if identity.value_bits:
        words |= spikes[steps, addresses] << layout["value"].offset
    words |= Kind.SPIKE.value << layout["kind"].offset
    if identity.online:
        closed = np.unique(steps)
        ends = (closed << layout["step"].offset) | Kind.STEP.value << layout["kind"].offset
        order = np.argsort(np.concatenate([2 * steps, 2 * closed + 1]), kind="stable")
        words = np.concatenate([words, ends])[order]
    return words.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :(layout.size + 7) // 8].tobytes()
