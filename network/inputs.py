"""What a network listens to: a number of inputs, and how their levels become spikes."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .behaviour import Fires
from .checks import array, array_of_integers, check_range, integer, readonly
from .limits import Limits
from .sliding import shape_of_planes

__all__ = ["Bits", "Direct", "Encoding", "Input", "Latency", "Spikes"]


@dataclass(frozen=True, eq=False)
class Latency:
    """A level becomes one spike, at ``table[level]``; -1 is silence.

    Attributes
    ----------
    table : numpy.ndarray
        int64, shape ``(levels,)``: a step of the input's window, or -1.
    """

    table: np.ndarray

    def __post_init__(self):
        table = array(self.table, "table", "latency encoding")
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
    """A level ``a`` becomes a spike of value ``a`` in every step (none for 0).

    Attributes
    ----------
    levels : int
        A level is from 0 to ``levels - 1``.
    """

    levels: int

    def __post_init__(self):
        levels = integer(self.levels, "levels", 2, Limits.LEVELS, "direct encoding")
        object.__setattr__(self, "levels", levels)


@dataclass(frozen=True, eq=False)
class Bits:
    """The binary digits of a level, most significant first: step ``t`` carries bit ``width - 1 - t``.

    Attributes
    ----------
    width : int
        Digits of a level, 1 to 16, and steps of the input's window.
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
    """Ready-made spikes of value 1.

    Attributes
    ----------
    once : bool
        Whether each input spikes at most once in a window, which is checked.
    """

    once: bool = True

    def __post_init__(self):
        if not isinstance(self.once, bool | np.bool_):
            raise TypeError(f"once must be True or False, not {self.once!r} (spikes encoding)")
        object.__setattr__(self, "once", bool(self.once))


Encoding = Latency | Direct | Bits | Spikes


@dataclass(frozen=True, eq=False)
class Input:
    """What the network listens to.

    Attributes
    ----------
    size : int
        Number of inputs.
    window : int
        Number of steps.
    encoding : Latency, Direct, Bits or Spikes
        How levels become spikes.
    mask : numpy.ndarray
        bool, shape ``(size,)``; inputs that are False are left out. None: all are used.
    shape : tuple of int or None
        (channels, height, width), for what slides over planes; None: the inputs have no places.

    Raises
    ------
    TypeError, ValueError
        One of them is of another type, shape or range, or does not fit the others.
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
        mask = np.ones(self.size, bool) if self.mask is None else array(self.mask, "mask", "input")
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
