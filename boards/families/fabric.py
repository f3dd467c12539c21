"""What a device is made of, as far as a circuit's shape depends on it: lookup tables, carry, memories."""

from dataclasses import dataclass
from math import ceil

from ...rtl.memory import BLOCK_BITS

__all__ = ["Fabric"]


@dataclass(frozen=True)
class Fabric:
    """The facts of a device family's silicon, as its tools use it.

    Only facts: which circuit suits them is the business of whoever builds one.

    Parameters
    ----------
    block_rams : tuple of (:class:`int`, :class:`int`)
        The shapes, (rows, width), that one block RAM can have; empty where there is none and a memory is a
        macro made to measure.
    lut_inputs : :class:`int`
        Inputs of a lookup table.
    carry_cells : :class:`int`
        Cells that a carry chain takes beyond its bits.
    block_ram_registers : :class:`bool`
        Whether the first register behind a block RAM goes into it.
    lut_ram : :class:`bool`
        Whether small memories that are written become lookup tables (on a chip: flip-flops or latches) and
        need no block RAM.
    initial_ones : :class:`bool`
        Whether flip-flops can power up at 1 without logic around them.
    initial_values : :class:`bool`
        Whether flip-flops power up at a known value at all. Where not, nothing may be expected of a register
        that no reset sets, and the design must be reset before its first use.
    fastest_hz : :class:`int` or None
        The fastest clock that a shipped network has been placed and routed for on it, rounded down
        (``bench/results``); None where no open tool can.
    """

    block_rams: tuple[tuple[int, int], ...]
    lut_inputs: int = 4
    carry_cells: int = 0
    block_ram_registers: bool = False
    lut_ram: bool = True
    initial_ones: bool = True
    initial_values: bool = True
    fastest_hz: int | None = None

    def __post_init__(self):
        if any(rows < 1 or width < 1 for rows, width in self.block_rams):
            raise ValueError(f"block_rams must be pairs of positive rows and width, not {self.block_rams!r}")
        if self.lut_inputs < 2:
            raise ValueError(f"lut_inputs must be at least 2, not {self.lut_inputs!r}")
        if self.carry_cells < 0:
            raise ValueError(f"carry_cells must be 0 or more, not {self.carry_cells!r}")
        if self.initial_ones and not self.initial_values:
            raise ValueError("initial_ones must be False where there are no initial_values")

    def reaches(self, hz: int) -> bool:
        """Whether nothing that was measured says that a core cannot run so fast."""
        return self.fastest_hz is None or self.fastest_hz >= hz

    def memory_blocks(self, rows: int, width: int) -> int:
        """Block RAMs that a read-only memory takes; 0 where it is so small that it becomes logic.

        Where there are no block RAMs, a memory is one macro.
        """
        if rows * width < BLOCK_BITS:
            return 0
        if not self.block_rams:
            return 1
        return min(ceil(rows / depth) * ceil(width / bits) for depth, bits in self.block_rams)

    def best_width(self, rows: int, width: int) -> int:
        """The word width up to ``width`` that wastes least of the block RAMs that it takes.

        Of equally good ones the narrowest; 16 at most where the memory becomes logic, and all of ``width``
        where it is a macro.
        """
        if not self.memory_blocks(rows, width):
            return min(width, 16)
        options = [bits for _, bits in self.block_rams if bits >= 8] or [width]

        def waste(bits):
            return self.memory_blocks(rows, bits) * ceil(width / bits), bits
        return min((min(bits, width) for bits in options), key=waste)
