"""What a circuit takes of a device, as a sum of parts."""

from dataclasses import dataclass

__all__ = ["Resources"]


@dataclass(frozen=True)
class Resources:
    """What a circuit takes.

    Attributes
    ----------
    luts : :class:`int`
        LUTs of 4 inputs, carry included (of 6 on Xilinx 7).
    ffs : :class:`int`
        Flip-flops.
    block_rams : :class:`int`
    """

    luts: int = 0
    ffs: int = 0
    block_rams: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(self.luts + other.luts, self.ffs + other.ffs, self.block_rams + other.block_rams)

    def covers(self, other: "Resources") -> bool:
        """Whether this is as much as ``other`` in everything."""
        return self.luts >= other.luts and self.ffs >= other.ffs and self.block_rams >= other.block_rams
