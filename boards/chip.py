"""No board either: plain Verilog for a chip of one's own."""

from .board import Board

__all__ = ["BOARD"]

BOARD = Board(
    name="chip",
    title="Plain Verilog for an ASIC flow",
    family="chip",
    device="",
    luts=0,
    ffs=0,
    block_rams=0,
    block_ram_bits=0,
    clock_hz=100_000_000,
    uart_baud=1_000_000,
    notes="It has no limits. Nothing has a value until a reset: hold rst high for four clock edges before "
          "the first use. Memories are for macros; the contents of the read-only ones are in rtl/rom.",
)
