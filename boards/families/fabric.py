"""What the silicon of a device family does with a circuit: facts, and nothing that a circuit would like."""

from dataclasses import dataclass
from math import ceil

from ...rtl.memory import BLOCK_BITS

__all__ = ["Fabric"]


@dataclass(frozen=True)
class Fabric:
    """The logic and the memories of a device family.

    Attributes
    ----------
    block_rams : tuple of (:class:`int`, :class:`int`)
        The shapes, rows and width, that one block RAM can have; none where there is no block RAM.
    lut_inputs : :class:`int`
        Inputs of one LUT.
    carry_cells : :class:`int`
        Cells that a carry chain takes beyond its bits.
    block_ram_registers : :class:`bool`
        Whether the first register behind a block RAM becomes the one that it has inside.
    lut_ram : :class:`bool`
        Whether small memories that are written become LUTs.
    initial_ones : :class:`bool`
        Whether flip-flops can power up at 1.
    fastest_hz : :class:`int` or None
        The fastest clock at which a core of this project has been placed and routed on it
        (``bench/results``); None where no open tool can.
    """

    block_rams: tuple[tuple[int, int], ...]
    lut_inputs: int = 4
    carry_cells: int = 0
    block_ram_registers: bool = False
    lut_ram: bool = True
    initial_ones: bool = True
    fastest_hz: int | None = None

    def memory_blocks(self, rows: int, width: int) -> int:
        """Block RAMs that a read-only memory takes; 0 where it becomes logic."""
        if rows * width < BLOCK_BITS or not self.block_rams:
            return 0
        return min(ceil(rows / depth) * ceil(width / bits) for depth, bits in self.block_rams)

    def best_width(self, rows: int, width: int) -> int:
        """The word width up to ``width`` that wastes least of the block RAMs that it takes."""
        options = [bits for _, bits in self.block_rams if bits >= 8] or [width]
        if not self.memory_blocks(rows, width):
            return min(width, 16)

        def waste(bits):
            return self.memory_blocks(rows, bits) * ceil(width / bits), bits
        return min((min(bits, width) for bits in options), key=waste)
