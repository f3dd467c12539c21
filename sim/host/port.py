"""What a host needs of a serial port, and the settings of the link behind it."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from ...errors import FirstspikeError
from ...gen.build import Build

__all__ = ["LinkSettings", "Port"]


class Port(Protocol):
    """A serial port; pyserial's fits."""

    def read(self, size: int, /) -> bytes:
        """Wait for ``size`` bytes, and give up after a time of its own, with fewer."""
        ...

    def write(self, data: bytes, /) -> Any:
        """Put bytes on the line, and give up with an OSError after a time of its own."""
        ...


@dataclass(frozen=True)
class LinkSettings:
    """The settings of a build's host link.

    Attributes
    ----------
    clock_hz : int
        Its clock.
    baud : int
        Its serial rate, in bits per second.
    """

    clock_hz: int
    baud: int

    @classmethod
    def of(cls, build: Build) -> "LinkSettings":
        """Read them from a build, whose ``board/link.json`` has them.

        Raises
        ------
        FirstspikeError
            The build does not say.
        """
        path = build.path / "board" / "link.json"
        try:
            told = json.loads(path.read_text())
            settings = cls(int(told["clock_hz"]), int(told["baud"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise FirstspikeError(f"{path} is missing or damaged: build it again") from error
        if settings.clock_hz < 1 or settings.baud < 1:
            raise FirstspikeError(f"{path} is damaged ({settings.clock_hz} Hz, {settings.baud} baud): "
                                  "build it again")
        return settings

    @property
    def silence(self) -> int:
        """Most clock cycles of silence that the link waits for before it answers with an error."""
        return 1 << (self.clock_hz // 20).bit_length()
