"""Sipeed Tang Nano 9K: a Gowin GW1NR-9C behind a BL702."""

from amaranth_boards.tang_nano_9k import TangNano9kPlatform

from .board import Board

__all__ = ["BOARD"]

BOARD = Board(
    name="tang-nano-9k",
    title="Sipeed Tang Nano 9K",
    family="gowin",
    device="GW1NR-LV9QN88PC6/I5",
    luts=8640,
    ffs=6480,
    block_rams=26,
    block_ram_bits=26 * 18432,
    clock_hz=27_000_000,
    uart_baud=1_000_000,
    platform=TangNano9kPlatform,
    loader=("openFPGALoader", "-b", "tangnano9k"),
    notes="Its USB chip shows two serial ports; the second one is the FPGA's.",
)
