"""A window that slides over planes: the geometry that convolution and pooling share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .checks import integer
from .limits import Limits

__all__ = ["Sliding", "pair", "shape_of_planes"]


def _several(value: Any, name: str, counts: tuple[int, ...], low: int, high: int) -> list[int]:
    """``value`` as plain integers: one of them, or as many as one of ``counts`` says."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [integer(value, name, low, high)]
    if len(value) not in counts:
        raise ValueError(f"{name} must have {' or '.join(map(str, counts))} entries, not {len(value)}")
    return [integer(entry, name, low, high) for entry in value]


def pair(value: Any, name: str, low: int) -> tuple[int, int]:
    """``value``, a number or (down, across), as the latter. Raises TypeError, ValueError."""
    entries = _several(value, name, (2,), low, Limits.SIDE)
    return entries[0], entries[-1]


def shape_of_planes(value: Any, name: str) -> tuple[int, int, int]:
    """``value`` as (channels, height, width). Raises TypeError, ValueError."""
    if not isinstance(value, Sequence | np.ndarray) or len(value) != 3:
        raise ValueError(f"{name} must be (channels, height, width), not {value!r}")
    channels, height, width = _several(value, name, (3,), 1, Limits.SIZE)
    if prod((channels, height, width)) > Limits.SIZE:
        raise ValueError(f"{name} must have at most {Limits.SIZE} addresses, "
                         f"not {channels} x {height} x {width}")
    return channels, height, width


@dataclass(frozen=True)
class Sliding:
    """Where a window lies on planes. One that would leave the padded planes is left out.

    Attributes
    ----------
    height, width : int
        Of the planes.
    size, stride : tuple of int
        Of the window and from one position to the next: (down, across).
    padding : tuple of int
        (top, bottom, left, right); it holds no address.
    dilation : tuple of int
        The distance between two taps of the window: (down, across).
    """

    height: int
    width: int
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int] = (1, 1)

    @classmethod
    def checked(cls, shape: Sequence[int], size: Any, stride: Any, padding: Any,
                dilation: Any = 1) -> "Sliding":
        """From what a user gives: numbers or pairs, of ``padding`` four too. Raises TypeError, ValueError."""
        channels, height, width = shape
        around = _several(padding, "padding", (2, 4), 0, Limits.SIDE)
        top, bottom, left, right = around if len(around) == 4 else [around[0]] * 2 + [around[-1]] * 2
        made = cls(height, width, pair(size, "size", 1), pair(stride, "stride", 1),
                   (top, bottom, left, right), pair(dilation, "dilation", 1))
        reach = made.reach
        for name, most, room in (("high", max(top, bottom), reach[0]), ("wide", max(left, right), reach[1])):
            if most >= room:
                raise ValueError(f"padding must be less than the window, which is {room} {name}, not {most}")
        padded = height + top + bottom, width + left + right
        if reach[0] > padded[0] or reach[1] > padded[1]:
            raise ValueError(f"a window of {reach[0]} x {reach[1]} must fit into the padded source, "
                             f"which is {padded[0]} x {padded[1]}")
        if channels * prod(padded) > 4 * Limits.SIZE:
            raise ValueError(f"the padded source must have at most {4 * Limits.SIZE} addresses, "
                             f"not {channels} x {padded[0]} x {padded[1]}")
        return made

    @property
    def reach(self) -> tuple[int, int]:
        """Height and width from the window's first tap to its last."""
        return self.dilation[0] * (self.size[0] - 1) + 1, self.dilation[1] * (self.size[1] - 1) + 1

    @property
    def positions(self) -> tuple[int, int]:
        """How many places the window takes, down and across."""
        top, bottom, left, right = self.padding
        down = (self.height + top + bottom - self.reach[0]) // self.stride[0] + 1
        across = (self.width + left + right - self.reach[1]) // self.stride[1] + 1
        return down, across

    def padded(self, planes: np.ndarray, fill: int = 0) -> np.ndarray:
        """``planes``, of shape ``(..., height, width)``, with ``fill`` in the padding around them."""
        top, bottom, left, right = self.padding
        if not any(self.padding):
            return planes
        around = [(0, 0)] * (planes.ndim - 2) + [(top, bottom), (left, right)]
        return np.pad(planes, around, constant_values=fill)

    def taps(self, planes: np.ndarray, fill: int = 0) -> Iterator[tuple[int, int, np.ndarray]]:
        """For each tap of the window, what all its positions see through it.

        Yields ``row, column, seen``: the tap's place in the window, and ``planes[..., y, x]`` for each
        position, of shape ``(..., *positions)``; ``fill`` where that is padding.
        """
        padded = self.padded(planes, fill)
        down, across = self.positions
        for row in range(self.size[0]):
            for column in range(self.size[1]):
                top, left = row * self.dilation[0], column * self.dilation[1]
                yield row, column, padded[..., top:top + (down - 1) * self.stride[0] + 1:self.stride[0],
                                          left:left + (across - 1) * self.stride[1] + 1:self.stride[1]]
