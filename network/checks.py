"""Checks of numbers and arrays, with one sentence form for what is wrong with them."""

from enum import StrEnum
from typing import Any, TypeVar

import numpy as np

__all__ = ["array_of_integers", "check_range", "choice", "integer", "readonly", "where_at"]

Choice = TypeVar("Choice", bound=StrEnum)


def where_at(*places: str) -> str:
    """``" (layer 2, neuron 17)"`` from the places that are known; ``""`` where none is."""
    known = ", ".join(place for place in places if place)
    return f" ({known})" if known else ""


def _wanted(low: int, high: int, value: int) -> str:
    if value > high:
        return f"at most {high}"
    return {0: "a non-negative integer", 1: "a positive integer"}.get(low, f"an integer from {low} to {high}")


def integer(value: Any, name: str, low: int, high: int, where: str = "") -> int:
    """A plain ``int`` between ``low`` and ``high``, both included.

    Raises TypeError where ``value`` is no integer (a bool is none) and ValueError where it is out of range.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be {_wanted(low, high, low)}, not {value!r}{where_at(where)}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be {_wanted(low, high, int(value))}, not {value}{where_at(where)}")
    return int(value)


def readonly(array: np.ndarray, dtype: Any) -> np.ndarray:
    """A contiguous copy of ``array`` that nobody can write to (itself, where it is that already)."""
    flags = array.flags
    if array.dtype == dtype and flags.owndata and flags.c_contiguous and not flags.writeable:
        return array
    copy = np.array(array, dtype=dtype, order="C")
    copy.flags.writeable = False
    return copy


def check_range(array: np.ndarray, name: str, low: int, high: int, where: str = "", axis: str = "") -> None:
    """ValueError with the first entry of ``array`` (any shape) that is not between ``low`` and ``high``."""
    outside = (array < low) | (array > high)
    if not outside.any():
        return
    index = np.unravel_index(int(np.argmax(outside)), array.shape)
    value = int(array[index])
    place = f"{axis} {index[0]}" if axis and index else ""
    raise ValueError(f"{name} must be {_wanted(low, high, value)}, not {value}{where_at(where, place)}")


def array_of_integers(value: Any, name: str, shape: tuple[int, ...], low: int, high: int,
                      where: str = "", axis: str = "") -> np.ndarray:
    """``value`` as a read-only int64 array of ``shape``; a single number is broadcast.

    Raises TypeError where it holds anything but integers, ValueError where its shape is another or an entry
    is not between ``low`` and ``high`` (``axis`` names the entry in the sentence: "neuron", "step", ...).
    """
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        what = repr(value) if array.ndim == 0 else f"an array of {array.dtype}"
        raise TypeError(f"{name} must be made of 64-bit integers, not {what}{where_at(where)}")
    if array.ndim and array.shape != shape:
        raise ValueError(f"{name} must be a number or have the shape {shape}, "
                         f"not {array.shape}{where_at(where)}")
    check_range(array, name, low, high, where, axis)
    return readonly(np.broadcast_to(array, shape) if array.ndim == 0 else array, np.int64)


def choice(value: Any, kind: type[Choice], name: str, where: str = "") -> Choice:
    """``value`` as a member of ``kind``; its text is accepted too. Raises ValueError for any other."""
    try:
        return kind(value)
    except ValueError:
        names = ", ".join(repr(member.value) for member in kind)
        raise ValueError(f"{name} must be one of {names}, not {value!r}{where_at(where)}") from None
