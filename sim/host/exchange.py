"""Frames and their answers over a port: checked, sent again where a line disturbs them, never for ever."""

import zlib
from collections.abc import Callable
from typing import TypeVar

from ...errors import FirstspikeError
from ...rtl.host.protocol import ANSWER, REQUEST, Command, Error
from .port import Port

__all__ = ["Exchange"]

_T = TypeVar("_T")

_ADVICE = {
    Error.COMMAND: "it was built without what this command needs (an encoder, or early stop)",
    Error.LENGTH: "the image has another size than the network that is loaded: load the build's bitstream",
    Error.VALUE: "the image holds a level or spike that the network that is loaded does not have: load the "
                 "build's bitstream",
    Error.OVERRUN: "its core takes images too slowly for the serial line: build it with a faster clock",
    Error.NO_RESULT: "its core gave no result: load the bitstream again",
    Error.IMPATIENT: "something else writes to the same port: close other programs that use it",
}
_DRAIN = 256         # bytes that are asked for at a time to find the line silent
_DRAINS = 16         # times; what still talks after that is no host link that lost its place


class _Disturbed(Exception):
    """A frame or its answer did not come through; it may next time. ``advice``: what to do if it does not."""

    def __init__(self, what: str, advice: str = ""):
        super().__init__(what)
        self.advice = advice


class Exchange:
    """Sends frames to a port and gives their answers.

    One exchange writes once and reads twice, and between two attempts the line is listened to for so many
    bytes and no more: what waits does so for no longer than the port's own times, a bounded number of times.

    Parameters
    ----------
    port : Port
    name : str
        What the port is called in sentences.
    retries : int
        How often a frame is sent again where it, or its answer, was disturbed on the line.
    """

    def __init__(self, port: Port, name: str, retries: int):
        self.port, self.name, self.retries = port, name, retries

    def ask(self, command: Command, payload: bytes, length: int, read: Callable[[bytes], _T]) -> _T:
        """Send a frame and read its answer.

        Parameters
        ----------
        command, payload
            What goes into the frame.
        length : int
            Bytes that the answer's payload has.
        read : callable
            Makes of the payload what is given back. Its ValueError says what is wrong with it, and the frame
            is sent again.

        Raises
        ------
        FirstspikeError
            The port went away or keeps talking, or the answer stayed wrong.
        """
        body = bytes([command]) + len(payload).to_bytes(3, "little") + payload
        frame = bytes([REQUEST]) + body + zlib.crc32(body).to_bytes(4, "little")
        for left in reversed(range(self.retries + 1)):
            try:
                answer = self._exchange(frame, command, length)
                try:
                    return read(answer)
                except ValueError as error:
                    raise _Disturbed(str(error), "load the build's bitstream again") from None
            except _Disturbed as error:
                if not left:
                    remedy = error.advice or "is the design loaded, and is this its serial port?"
                    raise FirstspikeError(f"{self.name} does not do as asked ({error}): {remedy}") from None
                self._drain()
        raise ValueError(f"retries must be at least 0, not {self.retries}")

    def _exchange(self, frame: bytes, command: Command, length: int) -> bytes:
        head, rest = self._transfer(frame)
        if not head:
            raise _Disturbed("no answer")
        if head[0] != ANSWER and len(head) == 3:
            raise _Disturbed(f"its first byte is {head[0]:#04x}, not {ANSWER:#04x}")
        if len(head) < 3 or len(rest) < head[2] + 4:
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

    def _transfer(self, frame: bytes) -> tuple[bytes, bytes]:
        """The first three bytes of the answer, and what belongs to them."""
        try:
            self.port.write(frame)
            head = self.port.read(3)
            whole = len(head) == 3 and head[0] == ANSWER
            return head, self.port.read(head[2] + 4) if whole else b""
        except OSError as error:  # pyserial's own errors are such too
            raise FirstspikeError(f"{self.name} went away ({error}): plug it in again") from error

    def _drain(self) -> None:
        """Throw away what comes until the line is silent."""
        try:
            for _ in range(_DRAINS):
                if not self.port.read(_DRAIN):
                    return
        except OSError as error:
            raise FirstspikeError(f"{self.name} went away ({error}): plug it in again") from error
        raise FirstspikeError(f"{self.name} keeps talking, as no host link does: is this the design's serial "
                              "port, and does nothing else use it?")
