"""Payloads of streams, of any width: rows of bytes, least significant first, and the fields in them."""

from collections.abc import Mapping

import numpy as np

__all__ = ["field", "packed", "size_of"]


def size_of(width: int) -> int:
    """Bytes that ``width`` bits take."""
    return -(-width // 8)


def field(payloads: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """A field of payloads.

    Parameters
    ----------
    payloads : uint8 array, shape (count, bytes)
    place : (:class:`int`, :class:`int`)
        The field's lowest bit and its width, up to 63.

    Returns
    -------
    int64 array, shape (count,)
        Unsigned; 0 where the width is 0.
    """
    lowest, width = place
    first, shift = divmod(lowest, 8)
    taken = payloads[:, first:first + 9]
    rows = np.zeros((len(taken), 16), np.uint8)
    rows[:, :taken.shape[1]] = taken
    low, high = rows.view("<u8").T
    value = low >> np.uint64(shift)
    if shift:
        value |= high << np.uint64(64 - shift)
    return (value & np.uint64((1 << width) - 1)).astype(np.int64)


def packed(fields: Mapping[str, np.ndarray], places: Mapping[str, tuple[int, int]], width: int) -> np.ndarray:
    """Payloads of ``width`` bits with these fields: the inverse of :func:`field`.

    Parameters
    ----------
    fields : mapping of :class:`str` to integer array, shape (count,)
        What does not fit a field's width is cut.
    places : mapping of :class:`str` to (:class:`int`, :class:`int`)
        The lowest bit and the width of each; of others than ``fields`` the bits are 0.
    """
    count = len(next(iter(fields.values())))
    bits = np.zeros((count, 8 * size_of(width)), np.uint8)
    for name, values in fields.items():
        lowest, wide = places[name]
        bits[:, lowest:lowest + wide] = values.astype(np.int64)[:, None] >> np.arange(wide) & 1
    return np.packbits(bits, axis=1, bitorder="little")
