"""Clocks: from a board's crystal to the clock that was asked for, by the device's own PLL.

Each family says which frequencies its PLL can make (:class:`Setting`); here the nearest is chosen, and what
is too far from the wish is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ...errors import FirstspikeError

__all__ = ["TOLERANCE", "Setting", "choose"]

TOLERANCE = Fraction(1, 200)
"""How far, relative to it, a clock may be from what was asked for."""


@dataclass(frozen=True)
class Setting:
    """One way to set a PLL.

    ``hz``: what comes out. ``comparison_hz``: the phase detector's frequency; the higher the less jitter.
    ``dividers``: the primitive's parameters.
    """

    hz: Fraction
    comparison_hz: Fraction
    dividers: tuple[tuple[str, int], ...]


def choose(settings: Iterable[Setting], crystal_hz: int, asked_hz: float, board: str) -> Setting | None:
    """The setting nearest to ``asked_hz``, or None where the crystal itself will do.

    Of equally near ones the one with the fastest comparison is taken, then the first.

    Raises
    ------
    FirstspikeError
        None is within :data:`TOLERANCE`; the sentence names the nearest below and above.
    """
    asked = Fraction(asked_hz)
    if asked <= 0:
        raise FirstspikeError(f"the clock must be more than 0 MHz, not {asked_hz / 1e6:g} MHz")
    if abs(crystal_hz - asked) <= asked / 10**6:
        return None
    settings = list(settings)
    best = min(settings, key=lambda one: (abs(one.hz - asked), -one.comparison_hz), default=None)
    if best is not None and abs(best.hz - asked) <= asked * TOLERANCE:
        return best
    made = [Fraction(crystal_hz), *(one.hz for one in settings)]
    below, above = [hz for hz in made if hz < asked], [hz for hz in made if hz > asked]
    near = ([max(below)] if below else []) + ([min(above)] if above else [])
    nearest = " and ".join(f"{float(hz) / 1e6:.6g} MHz" for hz in near)
    raise FirstspikeError(f"{board} cannot make a clock of {asked_hz / 1e6:g} MHz from its crystal of "
                          f"{crystal_hz / 1e6:g} MHz: the nearest it can is {nearest}")
