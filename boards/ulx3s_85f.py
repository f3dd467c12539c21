"""Radiona ULX3S with a Lattice LFE5U-85F behind an FT231X."""

from amaranth_boards.ulx3s import ULX3S_85F_Platform

from .board import Board

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s-85f",
    title="Radiona ULX3S 85F",
    family="ecp5",
    device="LFE5U-85F-6BG381C",
    luts=83640,
    ffs=83640,
    block_rams=208,
    block_ram_bits=208 * 18432,
    clock_hz=100_000_000,
    uart_baud=3_000_000,
    platform=ULX3S_85F_Platform,
    loader=("openFPGALoader", "-b", "ulx3s"),
    notes="Three megabaud is the base rate of its USB chip.",
)
