"""What a board is: the numbers of its device, and where its pins, clock and tools are told."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.build import Platform

__all__ = ["FAMILY_NAMES", "Board"]

FAMILY_NAMES = ("ice40", "ecp5", "gowin", "xilinx7")
"""The device families that a board can have; each has a file of its own beside this one."""


@dataclass(frozen=True)
class Board:
    """A board that networks can be built for.

    Parameters
    ----------
    name : :class:`str`
        What the command line calls it: letters, digits and dashes.
    title : :class:`str`
        One line for people.
    family : :class:`str` or None
        One of :data:`FAMILY_NAMES`; None for plain Verilog without pins.
    device : :class:`str`
        The device's name as printed on it; "" without a family.
    luts, ffs : :class:`int`
        LUTs (of 4 inputs; 6 on Xilinx 7) and flip-flops of the device; 0 without a family: no limit.
    block_rams, block_ram_bits : :class:`int`
        Number of its block RAMs, and the bits of all of them together.
    clock_hz : :class:`int`
        The core's clock where the user asks for none.
    uart_baud : :class:`int`
        Rate of the host link.
    platform : callable or None
        Makes an Amaranth platform with a default clock and a resource ``uart``; None without pins.
    loader : tuple of :class:`str`
        The program that loads the bitstream, with its options; the file follows.
    notes : :class:`str`
        What a user had better know.
    """

    name: str
    title: str
    family: str | None
    device: str
    luts: int
    ffs: int
    block_rams: int
    block_ram_bits: int
    clock_hz: int
    uart_baud: int
    platform: Callable[[], Platform] | None = None
    loader: tuple[str, ...] = ()
    notes: str = ""

    def __post_init__(self):
        if not self.name or not self.name.replace("-", "").isalnum() or not self.name.isascii():
            raise ValueError(f"board name must be letters, digits and dashes, not {self.name!r}")
        if self.family is not None and self.family not in FAMILY_NAMES:
            raise ValueError(f"family must be None or one of {', '.join(FAMILY_NAMES)}, not {self.family!r} "
                             f"(board {self.name})")
        if self.family is not None and self.platform is None:
            raise ValueError(f"platform must be given where there is a family (board {self.name})")
        for field in ("luts", "ffs", "block_rams", "block_ram_bits", "clock_hz", "uart_baud"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{field} must be an integer, not {value!r} (board {self.name})")
            limitless = self.family is None and field not in ("clock_hz", "uart_baud")
            if value < (0 if limitless else 1):
                raise ValueError(f"{field} must be positive, not {value} (board {self.name})")
