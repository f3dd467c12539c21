"""A board of one's own: the Lattice iCE40HX8K breakout board.

::

    firstspike build NET --board examples/my_board.py -o build/x

A board is the numbers of its device and an Amaranth platform with a default clock and a resource ``uart``;
the package amaranth-boards has platforms for many, and one's own is a class of twenty lines.
"""

from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform
from firstspike.boards import Board

BOARD = Board(
    name="ice40-hx8k-b-evn",
    title="Lattice iCE40HX8K breakout board",
    family="ice40",
    device="iCE40HX8K-CT256",
    luts=7680,
    ffs=7680,
    block_rams=32,
    block_ram_bits=32 * 4096,
    clock_hz=12_000_000,      # the crystal's, so that no PLL is needed; --clock asks for another
    uart_baud=1_000_000,
    platform=ICE40HX8KBEVNPlatform,
    loader=("openFPGALoader", "-b", "ice40_generic"),
)
