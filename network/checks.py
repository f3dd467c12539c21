"""Checks of numbers and arrays, with one sentence form for what is wrong with them."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

import numpy as np

__all__ = [
    "Integers", "array", "array_of_integers", "check_range", "choice", "integer", "readonly", "where_at",
]

Integers: TypeAlias = Any
"""A number, or what numpy makes an integer array of; an int64 array once the network is built."""

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

    Raises
    ------
    TypeError
        ``value`` is no integer (a bool is none).
    ValueError
        It is out of range.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be {_wanted(low, high, low)}, not {value!r}{where_at(where)}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be {_wanted(low, high, int(value))}, not {value}{where_at(where)}")
    return int(value)


def array(value: Any, name: str, where: str = "") -> np.ndarray:
    """``value`` as numpy has it.

    Raises
    ------
    TypeError
        Numpy makes no array of it: rows of different lengths, a tensor that gradients are asked of.
    """
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise TypeError(f"{name} must be an array of numbers, not a {type(value).__name__} that numpy "
                        f"makes none of ({reason}){where_at(where)}") from None


def readonly(array: np.ndarray, dtype: Any) -> np.ndarray:
    """A contiguous copy of ``array`` that nobody can write to (itself, where it is that already)."""
    flags = array.flags
    if array.dtype == dtype and flags.owndata and flags.c_contiguous and not flags.writeable:
        return array
    copy = np.array(array, dtype=dtype, order="C")
    copy.flags.writeable = False
    return copy


def check_range(array: np.ndarray, name: str, low: int, high: int, where: str = "",
                axis: str | Callable[..., str] = "") -> None:
    """Refuse an array with an entry that is not between ``low`` and ``high``, both included.

    Parameters
    ----------
    array : numpy.ndarray
        Integers of any shape.
    name, where : str
        What it is and where, in the sentence.
    axis : str or callable
        What the first axis counts ("neuron", "step", ...), or what makes a text of an entry's place.

    Raises
    ------
    ValueError
        It names the first such entry.
    """
    if not array.size or (array.min() >= low and array.max() <= high):
        return
    index = np.unravel_index(int(np.argmax((array < low) | (array > high))), array.shape)
    value = int(array[index])
    if callable(axis):
        place = axis(*index)
    else:
        place = f"{axis} {index[0]}" if axis and index else ""
    raise ValueError(f"{name} must be {_wanted(low, high, value)}, not {value}{where_at(where, place)}")


def array_of_integers(value: Any, name: str, shape: tuple[int, ...], low: int, high: int,
                      where: str = "", axis: str = "", dtype: Any = np.int64) -> np.ndarray:
    """``value`` as a read-only array of ``shape``; a single number is broadcast.

    Parameters
    ----------
    value : Integers
        What is to be checked.
    name, where : str
        What it is and where, in the sentence.
    shape : tuple of int
        The shape that it must have.
    low, high : int
        The range of its entries, both included.
    axis : str
        What the first axis counts ("neuron", "step", ...).
    dtype
        The type of the result, which holds ``low`` ... ``high``.

    Raises
    ------
    TypeError
        It holds anything but integers.
    ValueError
        Its shape is another, or an entry is out of range.
    """
    numbers = array(value, name, where)
    if numbers.dtype.kind not in "iu":
        what = repr(numbers.item()) if numbers.ndim == 0 else f"an array of {numbers.dtype}"
        raise TypeError(f"{name} must be made of 64-bit integers, not {what}{where_at(where)}")
    if numbers.ndim and numbers.shape != shape:
        raise ValueError(f"{name} must be a number or have the shape {shape}, "
                         f"not {numbers.shape}{where_at(where)}")
    check_range(numbers, name, low, high, where, axis)
    return readonly(np.broadcast_to(numbers, shape) if numbers.ndim == 0 else numbers, dtype)


def choice(value: Any, kind: type[Choice], name: str, where: str = "") -> Choice:
    """``value`` as a member of ``kind``; its text is accepted too.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        return kind(value)
    except ValueError:
        names = ", ".join(repr(member.value) for member in kind)
        raise ValueError(f"{name} must be one of {names}, not {value!r}{where_at(where)}") from None
