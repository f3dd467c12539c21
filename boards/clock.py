"""A core's clock: what a board's crystal and PLL make of what is asked for."""

from dataclasses import dataclass
from math import isfinite

from ..errors import FirstspikeError
from ..rtl.host.uart import LONGEST_BIT, SHORTEST_BIT
from .board import Board
from .families.pll import Setting, choose
from .pins import crystal_hz, make_platform

__all__ = ["Clock", "clock_for", "fastest_clock"]


@dataclass(frozen=True)
class Clock:
    """A core's clock. ``hz``: rounded to whole Hz; ``setting``: how the PLL is set, None without one."""

    hz: int
    setting: Setting | None = None


def clock_for(board: Board, asked_hz: float | None = None) -> Clock:
    """The clock of a board nearest to what is asked for, or its default.

    Raises
    ------
    FirstspikeError
        It is no frequency, the board's PLL cannot make it (the sentence names the nearest that it can), or it
        is too slow or too fast for the serial line.
    """
    asked = board.clock_hz if asked_hz is None else asked_hz
    if not isfinite(asked):
        raise FirstspikeError(f"the clock must be a number of MHz, not {asked / 1e6:g}")
    if asked < SHORTEST_BIT * board.uart_baud:
        raise FirstspikeError(
            f"the clock must be at least {SHORTEST_BIT * board.uart_baud / 1e6:g} MHz for the serial line of "
            f"{board.name} at {board.uart_baud:,} baud, not {asked / 1e6:g} MHz: ask for a faster one")
    if asked > LONGEST_BIT * board.uart_baud:
        raise FirstspikeError(
            f"uart_baud must be at least {int(asked // LONGEST_BIT) + 1} for a clock of {asked / 1e6:g} MHz, "
            f"not {board.uart_baud} (board {board.name})")
    if board.toolchain is None:
        return Clock(round(asked))
    crystal = crystal_hz(board, make_platform(board))
    setting = choose(board.toolchain.settings(crystal), crystal, asked, board.name)
    return Clock(crystal if setting is None else round(setting.hz), setting)


def fastest_clock(board: Board, highest_hz: float) -> float | None:
    """The fastest clock in Hz that a board with a PLL can make up to ``highest_hz``; None where none is."""
    assert board.toolchain is not None
    crystal = crystal_hz(board, make_platform(board))
    clocks = [crystal, *(setting.hz for setting in board.toolchain.settings(crystal))]
    return max((float(hz) for hz in clocks if hz <= highest_hz), default=None)
