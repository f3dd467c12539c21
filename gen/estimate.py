"""What a layer will take, before any synthesis: LUTs, flip-flops, block RAMs, cycles."""

from dataclasses import dataclass
from math import ceil

from ..rtl.event.layer import Folding
from ..rtl.memory import BLOCK_BITS
from .neurons import LaneModel

__all__ = ["FAMILIES", "Family", "Resources", "layer_cycles", "layer_resources"]


@dataclass(frozen=True)
class Resources:
    """``luts``: LUT4 equivalents, carry included (LUT6 on Xilinx 7); ``ffs``; ``block_rams``."""

    luts: int = 0
    ffs: int = 0
    block_rams: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(self.luts + other.luts, self.ffs + other.ffs, self.block_rams + other.block_rams)


@dataclass(frozen=True)
class Family:
    """What a device family does with a circuit, and which form of it suits it.

    ``shapes``: (rows, width) of one block RAM. ``chain``: cells that a carry chain takes beyond its bits.
    ``lut_inputs``: inputs of one LUT. ``lut_ram``: whether small memories that are written become LUTs.
    ``words_per_column``: ROM words side by side in a column. ``output_registers``: whether the first register
    behind a block RAM becomes the one that it has inside.
    ``queue``, ``scan``, ``fetch_registers``, ``zero_init``, ``carry``: see
    :class:`~..rtl.event.layer.Folding`.
    """

    shapes: tuple[tuple[int, int], ...]
    chain: int = 0
    lut_inputs: int = 4
    lut_ram: bool = True
    words_per_column: int = 4
    output_registers: bool = False
    queue: bool = False
    scan: bool = False
    fetch_registers: int = 1
    zero_init: bool = False
    carry: int = 1

    def block_rams(self, rows: int, width: int) -> int:
        """Block RAMs that a read-only memory takes; 0 where it becomes logic."""
        if rows * width < BLOCK_BITS:
            return 0
        return min(ceil(rows / depth) * ceil(width / bits) for depth, bits in self.shapes)

    def best_width(self, rows: int, width: int) -> int:
        """The word width up to ``width`` that wastes least of the block RAMs that it takes."""
        options = [bits for _, bits in self.shapes if bits >= 8] or [width]
        if not self.block_rams(rows, width):
            return min(width, 16)

        def waste(bits):
            return self.block_rams(rows, bits) * ceil(width / bits), bits
        return min((min(bits, width) for bits in options), key=waste)


FAMILIES: dict[str, Family] = {
    "ice40": Family(((256, 16), (512, 8), (1024, 4), (2048, 2)), lut_ram=False, words_per_column=8,
                    scan=True, fetch_registers=0, zero_init=True),
    "ecp5": Family(((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)), chain=4,
                   output_registers=True, queue=True, fetch_registers=3, carry=4),
    "gowin": Family(((512, 32), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)), scan=True),
    "xilinx7": Family(((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)), lut_inputs=6,
                      queue=True, fetch_registers=2),
}
FAMILIES["generic"] = FAMILIES["chip"] = FAMILIES["ecp5"]


def layer_resources(family: Family, model: LaneModel, inputs: int, folding: Folding, *, read: bool,
                    plain: bool) -> Resources:
    """Estimate one event layer.

    Parameters
    ----------
    inputs
        Rows of the synapse ROM before folding.
    read
        Whether the layer's potentials are read.
    plain
        Whether every spike adds 1 (else an operand must be chosen and negated).
    """
    neurons = model.neurons
    count, width, folds = len(neurons.start), neurons.width, folding.folds
    columns = ceil(count / folding.per_column)
    lanes = ceil(count / folds)
    rows = inputs * folds
    per_column = ceil(folding.per_column / folds)
    blocks = columns * family.block_rams(rows, min(per_column, lanes))
    logic = 0 if blocks else rows * lanes / 2 ** family.lut_inputs * 1.1
    wide = width * (1 if plain and not neurons.moves else 2) + (width if neurons.reset_to else 0)
    wide += width if neurons.leaks else 0
    compare = 0 if not any(map(any, neurons.threshold)) else width
    counts = plain and not neurons.moves and not neurons.leaks and folds == 1
    chain = family.chain / (folding.carry if counts else 1)
    lane = wide + compare + chain + (3 if family.scan else 7) + (2 * width if read else 0)
    luts = lanes * lane + columns * 110 + 60 + logic
    fetched = folding.fetch_registers - bool(blocks and family.output_registers and folding.fetch_registers)
    ffs = lanes * (width + 3 + fetched + (width if read else 0)) + columns * 110 + 40
    if folding.queue and not read and folds == 1:
        luts += lanes + columns * 40
        ffs += lanes + columns * 20
    if folds > 1:
        tables = 2 if neurons.moves else 1
        luts += lanes * width * 2 + count * width * tables / 2 ** family.lut_inputs
        ffs += lanes * width * (1 + tables)
        if family.lut_ram:
            luts += lanes * width * 2 * ceil(folds / 16)
        else:
            blocks += columns * ceil(min(per_column, lanes) * (width + 1) / family.shapes[0][1])
    return Resources(ceil(luts), ceil(ffs), blocks)


def layer_cycles(model: LaneModel, folding: Folding, *, online: bool, heard: float, fired: float,
                 steps: int) -> float:
    """Cycles that a layer is busy for one window: with what it hears, and with what it fires.

    Online, the two overlap; windowed, the one follows the other.
    """
    folds = folding.folds
    rounds = steps if model.every_step else 1 if not online else min(steps, max(heard, 1))
    listening = heard * folds
    firing = rounds * max(folds * (1 if folds == 1 else 1.5), 6) + fired
    if online:
        ends = 1 if folds == 1 and not model.every_step and not model.neurons.moves else rounds * folds
        return max(listening + ends, fired + rounds) + 12
    return listening + firing + 12
