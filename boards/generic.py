"""No board at all: plain Verilog for a design of one's own on any FPGA."""

from .board import Board

__all__ = ["BOARD"]

BOARD = Board(
    name="generic",
    title="Plain Verilog without pins",
    family="generic",
    device="",
    luts=0,
    ffs=0,
    block_rams=0,
    block_ram_bits=0,
    clock_hz=100_000_000,
    uart_baud=1_000_000,
    notes="It has no limits: every network fits.",
)
