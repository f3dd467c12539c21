"""1BitSquared iCEBreaker: a Lattice iCE40UP5K behind an FT2232H."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from .board import Board

__all__ = ["BOARD"]


class _Platform(ICEBreakerPlatform):
    crystal_on_pll_pad = True


BOARD = Board(
    name="icebreaker",
    title="1BitSquared iCEBreaker",
    family="ice40",
    device="iCE40UP5K-SG48",
    luts=5280,
    ffs=5280,
    block_rams=30,
    block_ram_bits=30 * 4096,
    clock_hz=24_000_000,
    uart_baud=1_000_000,
    platform=_Platform,
    loader=("openFPGALoader", "-b", "ice40_generic"),
    notes="The serial port is the second of the two that its USB chip shows. The four single-port RAMs of "
          "256 kbit are not used.",
)
