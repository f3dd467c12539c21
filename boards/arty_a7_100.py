"""Digilent Arty A7-100T: a Xilinx XC7A100T behind an FT2232H."""

from amaranth_boards.arty_a7 import ArtyA7_100Platform

from .board import Board

__all__ = ["BOARD"]


class _Platform(ArtyA7_100Platform):
    device = "xc7a100t"
    speed = "1"  # the industrial and low-voltage parts were only ever on the 35T


BOARD = Board(
    name="arty-a7-100",
    title="Digilent Arty A7-100T",
    family="xilinx7",
    device="XC7A100T-1CSG324C",
    luts=63400,
    ffs=126800,
    block_rams=270,
    block_ram_bits=270 * 18432,
    clock_hz=100_000_000,
    uart_baud=2_000_000,
    platform=_Platform,
    loader=("openFPGALoader", "-b", "arty_a7_100t"),
    notes="Firstspike writes a Vivado project and does not run it. Block RAMs are counted in halves of "
          "18 kbit.",
)
