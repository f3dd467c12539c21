"""The wire format of the host link: frames of bytes in, one answer each.

A request, and the answer to it (numbers are little-endian)::

    request   A5  command  length (3 bytes)  payload (length bytes)  CRC-32 of command to payload
    answer    5A  status   length (1 byte)   payload (length bytes)  CRC-32 of status to payload

The CRC is the one of Ethernet and zlib (``zlib.crc32``). Commands and their payloads are in
:class:`Command`; the answer's status is ``0x80 | command`` where it was carried out, else one of
:class:`Error` with an empty payload. The host sends one frame and waits for its answer before it sends the
next. After an error the link waits until the line has been silent for its idle time and only then answers:
whoever has the answer, whatever it is, may send the next frame.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from amaranth.lib import data
from amaranth.utils import bits_for

from ..streams.token import Token

__all__ = ["ANSWER", "IDENTITY", "REQUEST", "RESULT", "VERSION", "Command", "CoreFacts", "Error"]

VERSION = 1
"""Version of this protocol, the first byte of an identity."""

REQUEST, ANSWER = 0xA5, 0x5A
"""First byte of a request and of an answer."""

IDENTITY = struct.Struct("<BB8sIIHHBHI")
"""Version, flags (1: levels, 2: early stop, 4: online), first 8 bytes of the network's digest, size,
addresses, highest level (0 without an encoder), window, value bits, output window, clock in Hz."""

RESULT = struct.Struct("<HHI")
"""Class; decision step; clock cycles from the core's taking the last word of the image (its last level, or
the end of window) until the result is there, 1 where it was there before."""


class Command(IntEnum):
    """What a request asks for."""

    IDENTIFY = 0
    """No payload. Answer: :data:`IDENTITY`."""

    LEVELS = 1
    """One image: every input's level in order, each in the fewest whole bytes. Answer: :data:`RESULT`.
    Unknown to a core without an encoder."""

    SPIKES = 2
    """One window: spike and end-of-step tokens, each in the fewest whole bytes; the link adds the end of
    window. Answer: :data:`RESULT`."""

    STOP_EARLY = 3
    """One byte, 0 or 1: whether the core stops at the deciding spike; 1 after a reset. No payload in the
    answer. Unknown to a core without early stop."""


class Error(IntEnum):
    """Why a request was not carried out."""

    GARBAGE = 1
    """Bytes that do not begin a frame."""

    COMMAND = 2
    """A command that this link does not know, or that its core was built without."""

    LENGTH = 3
    """A length that the command cannot have, or a payload that ends inside a word."""

    CHECKSUM = 4
    """The checksum differs."""

    CUT_OFF = 5
    """The line fell silent inside a frame."""

    FRAMING = 6
    """A byte without a stop bit."""

    OVERRUN = 7
    """The core did not take a word in the time of the next byte."""

    VALUE = 8
    """A level, address, step or value that the network does not have, or steps out of order."""

    NO_RESULT = 9
    """The core gave no result in ``2 ** cycle_bits`` cycles."""

    IMPATIENT = 10
    """A byte came before the answer to the frame before it was complete."""


@dataclass(frozen=True)
class CoreFacts:
    """The numbers of a core that its host link must know.

    Parameters
    ----------
    size : :class:`int`
        Inputs of the network, levels of an image.
    levels : :class:`int`
        Number of different levels; 0 where the core has no encoder.
    addresses : :class:`int`
        Inputs that the mask leaves in.
    window : :class:`int`
        Steps of the input's window.
    value_bits, max_value : :class:`int`
        Width of a spike's value (0: every value is 1) and the highest value that a spike may have.
    online : :class:`bool`
        Whether the first layer is online: spikes sorted by step, with ends of steps.
    max_spikes : :class:`int`
        Most spikes that a window may bring.
    outputs, output_window : :class:`int`
        Classes, and the window of the last layer.
    stop_early : :class:`bool`
        Whether early stop is built in.
    digest : :class:`bytes`
        The network's digest; its first 8 bytes are shown to the host.
    """

    size: int
    levels: int
    addresses: int
    window: int
    value_bits: int
    max_value: int
    online: bool
    max_spikes: int
    outputs: int
    output_window: int
    stop_early: bool
    digest: bytes

    def __post_init__(self):
        limits = {
            "size": (1, 1 << 20), "levels": (0, 1 << 16), "addresses": (1, 1 << 20),
            "window": (1, (1 << 16) - 1), "value_bits": (0, 32), "max_value": (1, (1 << 32) - 1),
            "max_spikes": (1, (1 << 24) - 1), "outputs": (1, 1 << 16), "output_window": (1, (1 << 16) - 1),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not isinstance(value, int):
                raise TypeError(f"{name} must be an integer, not {value!r}")
            if not low <= value <= high:
                raise ValueError(f"{name} must be from {low} to {high}, not {value}")
        if len(self.digest) < 8:
            raise ValueError(f"digest must have at least 8 bytes, not {len(self.digest)}")
        if self.longest >= 1 << 24:
            raise ValueError(f"an image must fit a frame of {(1 << 24) - 1} bytes, not take {self.longest}")

    @property
    def level_bits(self) -> int:
        """Width of a level."""
        return bits_for(max(self.levels - 1, 1))

    @property
    def level_bytes(self) -> int:
        """Bytes of a level on the line."""
        return (self.level_bits + 7) // 8

    @property
    def levels_length(self) -> int:
        """Bytes of an image's levels."""
        return self.size * self.level_bytes if self.levels else 0

    @property
    def token(self) -> Token:
        """The layout of the core's spike port."""
        return Token(self.addresses, self.window, value_bits=self.value_bits)

    @property
    def token_bytes(self) -> int:
        """Bytes of a token on the line."""
        return (self.token.size + 7) // 8

    @property
    def spikes_length(self) -> int:
        """Most bytes of a window's tokens."""
        return (self.max_spikes + (self.window if self.online else 0)) * self.token_bytes

    @property
    def longest(self) -> int:
        """Bytes of the longest payload of a request."""
        return max(self.levels_length, self.spikes_length)

    @property
    def result(self) -> data.StructLayout:
        """The layout of the core's result port."""
        return data.StructLayout({"label": range(self.outputs), "step": range(self.output_window + 1)})

    def identity(self, clock_hz: int) -> bytes:
        """The answer to :attr:`Command.IDENTIFY`."""
        flags = bool(self.levels) | self.stop_early << 1 | self.online << 2
        return IDENTITY.pack(
            VERSION, flags, self.digest[:8], self.size, self.addresses, max(self.levels - 1, 0), self.window,
            self.value_bits, self.output_window, clock_hz,
        )
