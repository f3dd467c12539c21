"""What a network listens to: a number of inputs, and how their levels become spikes."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .checks import array_of_integers, check_range, integer, readonly
from .sliding import shape_of_planes
from .terms import Fires, Limits

__all__ = ["Bits", "Direct", "Encoding", "Input", "Latency", "Spikes"]


@dataclass(frozen=True, eq=False)
class Latency:
    """A level becomes one spike, at ``table[level]``; -1 is silence. ``table``: int, shape ``(levels,)``."""

    table: np.ndarray

    def __post_init__(self):
        table = np.asarray(self.table)
        if table.ndim != 1 or not 2 <= len(table) <= Limits.LEVELS:
            raise ValueError(f"table must have one entry for each of 2 to {Limits.LEVELS} levels, "
                             f"not the shape {table.shape} (latency encoding)")
        object.__setattr__(self, "table", array_of_integers(
            table, "table", table.shape, -1, Limits.WINDOW - 1, "latency encoding", "level"))

    @property
    def levels(self) -> int:
        """Number of levels; a level is from 0 to ``levels - 1``."""
        return len(self.table)


@dataclass(frozen=True, eq=False)
class Direct:
    """A level ``a``, from 0 to ``levels - 1``, becomes a spike of value ``a`` in every step (none for 0)."""

    levels: int

    def __post_init__(self):
        levels = integer(self.levels, "levels", 2, Limits.LEVELS, "direct encoding")
        object.__setattr__(self, "levels", levels)


@dataclass(frozen=True, eq=False)
class Bits:
    """The binary digits of a level, most significant first: step ``t`` carries bit ``width - 1 - t``.

    The input's window is ``width`` steps.
    """

    width: int

    def __post_init__(self):
        object.__setattr__(self, "width", integer(self.width, "width", 1, 16, "bits encoding"))

    @property
    def levels(self) -> int:
        """Number of levels, ``2 ** width``."""
        return 1 << self.width


@dataclass(frozen=True, eq=False)
class Spikes:
    """Ready-made spikes of value 1; ``once``: at most one an input and window (checked)."""

    once: bool = True

    def __post_init__(self):
        if not isinstance(self.once, bool | np.bool_):
            raise TypeError(f"once must be True or False, not {self.once!r} (spikes encoding)")
        object.__setattr__(self, "once", bool(self.once))


Encoding = Latency | Direct | Bits | Spikes


@dataclass(frozen=True, eq=False)
class Input:
    """What the network listens to: ``size`` inputs over a window of ``window`` steps.

    ``mask``: bool, shape ``(size,)``; inputs that are False are left out. None: all are used. ``shape``:
    (channels, height, width), for what slides over planes; None: the inputs have no places.
    """

    size: int
    window: int
    encoding: Encoding
    mask: Any = None
    shape: Any = None

    def __post_init__(self):
        put = object.__setattr__
        put(self, "size", integer(self.size, "size", 1, Limits.SIZE, "input"))
        put(self, "window", integer(self.window, "window", 1, Limits.WINDOW, "input"))
        if not isinstance(self.encoding, Encoding):
            raise TypeError("encoding must be a Latency, Direct, Bits or Spikes, "
                            f"not {self.encoding!r} (input)")
        if isinstance(self.encoding, Latency):
            check_range(self.encoding.table, "table", -1, self.window - 1, "latency encoding", "level")
        if isinstance(self.encoding, Bits) and self.encoding.width != self.window:
            raise ValueError(f"window must be {self.encoding.width}, one step for each bit, "
                             f"not {self.window} (input)")
        if self.shape is not None:
            put(self, "shape", shape_of_planes(self.shape, "shape"))
            if prod(self.shape) != self.size:
                raise ValueError(f"shape must have {self.size} places, one for each input, "
                                 f"not {' x '.join(map(str, self.shape))} (input)")
        mask = np.ones(self.size, bool) if self.mask is None else np.asarray(self.mask)
        if mask.dtype != np.bool_:
            raise TypeError(f"mask must be an array of bool, not of {mask.dtype} (input)")
        if mask.shape != (self.size,):
            raise ValueError(f"mask must have the shape ({self.size},), not {mask.shape} (input)")
        if not mask.any():
            raise ValueError("mask must leave at least one input in (input)")
        put(self, "mask", readonly(mask, np.bool_))

    @property
    def used(self) -> np.ndarray:
        """The inputs that the mask leaves in, in order: int64."""
        return np.flatnonzero(self.mask)

    @property
    def levels(self) -> int | None:
        """Number of levels of an input; None where the spikes come ready-made."""
        return None if isinstance(self.encoding, Spikes) else self.encoding.levels

    @property
    def fires(self) -> Fires:
        """Whether an address spikes at most once in a window, or may in every step."""
        encoding = self.encoding
        once = encoding.once if isinstance(encoding, Spikes) else isinstance(encoding, Latency)
        return Fires.ONCE if once else Fires.MANY

    @property
    def highest_value(self) -> int:
        """The highest value ``a`` of a spike: 1 but for direct encoding."""
        return self.encoding.levels - 1 if isinstance(self.encoding, Direct) else 1

    @property
    def active_steps(self) -> np.ndarray:
        """The steps in which a spike can come at all: bool, shape ``(window,)``."""
        steps = np.ones(self.window, bool)
        if isinstance(self.encoding, Latency):
            steps = np.isin(np.arange(self.window), self.encoding.table)
        return steps
