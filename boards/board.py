"""What a board is: the numbers of its device, and where its pins, clock and tools are told."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from amaranth.build import Platform

from .families import FAMILIES
from .families.fabric import Fabric
from .families.toolchain import Toolchain

__all__ = ["Board", "BoardFacts"]

_LONGEST_TEXT = 200
_HIGHEST = 1 << 40


@dataclass(frozen=True)
class BoardFacts:
    """What there is to say of a board: data alone, with which nothing can be run.

    Parameters
    ----------
    name : :class:`str`
        What the command line calls it: letters, digits and dashes.
    title : :class:`str`
        One line for people.
    family : :class:`str`
        One of :data:`~.families.FAMILIES`; ``generic`` or ``chip`` for Verilog without pins.
    device : :class:`str`
        The device's name as printed on it; "" where there is none.
    luts, ffs : :class:`int`
        LUTs (of 4 inputs; 6 on Xilinx 7) and flip-flops of the device. 0, which only a family without tools
        may have: no limit.
    block_rams, block_ram_bits : :class:`int`
        Number of its block RAMs, and the bits of all of them together; 0 likewise.
    clock_hz : :class:`int`
        The core's clock where the user asks for none.
    uart_baud : :class:`int`
        Rate of the host link.

    Raises
    ------
    TypeError, ValueError
        A field is none of these; the sentence names it and the board.
    """

    name: str
    title: str
    family: str
    device: str
    luts: int
    ffs: int
    block_rams: int
    block_ram_bits: int
    clock_hz: int
    uart_baud: int

    def __post_init__(self):
        for field in ("name", "title", "family", "device"):
            value = getattr(self, field)
            if not isinstance(value, str):
                raise TypeError(f"{field} must be a string, not {value!r} (board {self.name})")
            if len(value) > _LONGEST_TEXT or not value.isprintable():
                raise ValueError(f"{field} must be one line of at most {_LONGEST_TEXT} printable characters, "
                                 f"not {value[:_LONGEST_TEXT]!r}")
        if not self.name or not self.name.replace("-", "").isalnum() or not self.name.isascii():
            raise ValueError(f"board name must be letters, digits and dashes, not {self.name!r}")
        if self.family not in FAMILIES:
            raise ValueError(f"family must be one of {', '.join(FAMILIES)}, not {self.family!r} "
                             f"(board {self.name})")
        for field in ("luts", "ffs", "block_rams", "block_ram_bits", "clock_hz", "uart_baud"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{field} must be an integer, not {value!r} (board {self.name})")
            limitless = self.toolchain is None and field not in ("clock_hz", "uart_baud")
            if value < (0 if limitless else 1):
                raise ValueError(f"{field} must be positive, not {value} (board {self.name})")
            if value > _HIGHEST:
                raise ValueError(f"{field} must be at most {_HIGHEST}, not {value} (board {self.name})")

    @property
    def fabric(self) -> Fabric:
        """What its device is made of."""
        return FAMILIES[self.family].fabric

    @property
    def toolchain(self) -> Toolchain | None:
        """The tools that build for its device; None where a build ends with its Verilog."""
        return FAMILIES[self.family].toolchain

    @property
    def facts(self) -> "BoardFacts":
        """These facts alone, of a board that has more."""
        return BoardFacts(**{field.name: getattr(self, field.name) for field in fields(BoardFacts)})

    def to_json(self) -> dict[str, Any]:
        """The facts as plain data."""
        return asdict(self.facts)

    @classmethod
    def from_json(cls, data: Any) -> "BoardFacts":
        """The inverse of :meth:`to_json`.

        Raises
        ------
        TypeError, ValueError
            A field is missing, unknown or none of what it may be.
        """
        if not isinstance(data, dict):
            raise TypeError(f"a board must be an object, not {data!r:.100}")
        return BoardFacts(**data)


@dataclass(frozen=True)
class Board(BoardFacts):
    """A board that networks can be built for: its facts, and what makes its files.

    Parameters
    ----------
    platform : callable or None
        Makes an Amaranth platform with a default clock and a resource ``uart``; None where the family has no
        tools.
    loader : tuple of :class:`str`
        The program that loads the bitstream, with its options; the file follows.
    notes : :class:`str`
        What a user had better know.
    """

    platform: Callable[[], Platform] | None = None
    loader: tuple[str, ...] = ()
    notes: str = ""

    def __post_init__(self):
        super().__post_init__()
        if self.toolchain is not None and not callable(self.platform):
            raise ValueError(f"platform must make an Amaranth platform for the family {self.family}, not be "
                             f"{self.platform!r} (board {self.name})")
        if self.toolchain is None and self.platform is not None:
            raise ValueError(f"platform must be None for the family {self.family}, which has no tools, not "
                             f"{self.platform!r} (board {self.name})")
        if not isinstance(self.loader, tuple) or not all(isinstance(word, str) for word in self.loader):
            raise TypeError(f"loader must be a tuple of strings, not {self.loader!r} (board {self.name})")
