"""Weights packed into bits, and back, a block at a time so that neither takes more memory than the weights.

==============  =========================================================================================
tensor          content
==============  =========================================================================================
``signs``       uint8, packed bits, in the order of the weights: 1 is +1, 0 is -1; of ternary weights, only
                of those that are not 0
``mask``        ternary weights: uint8, packed bits: 1 where the weight is not 0
``weights``     integer weights: uint8, packed: each in two's complement, most significant bit first
==============  =========================================================================================
"""

from collections.abc import Callable, Iterator
from math import prod

import numpy as np

from ..synapses import WeightKind

__all__ = ["PACKED", "pack", "unpack"]

PACKED = ("signs", "mask", "weights")
"""The names of the tensors."""

BLOCK = 1 << 19
"""Weights that are taken at a time; a multiple of 8, so that those before them fill whole bytes."""

Take = Callable[[str, int], np.ndarray]
"""Takes a tensor of so many packed bits by its name: uint8."""


def pack(weights: np.ndarray, kind: WeightKind, bits: int) -> dict[str, np.ndarray]:
    """The tensors of weights by their names.

    Parameters
    ----------
    weights : numpy.ndarray
        int8, of any shape.
    kind : WeightKind
        What they are.
    bits : int
        Of one, where they are integers.
    """
    flat = weights.reshape(-1)
    match kind:
        case WeightKind.SIGN:
            return {"signs": _joined(np.packbits(flat[part] > 0) for part in _blocks(len(flat)))}
        case WeightKind.TERNARY:
            return {"mask": _joined(np.packbits(flat[part] != 0) for part in _blocks(len(flat))),
                    "signs": _joined(_present_signs(flat))}
        case _:
            return {"weights": _joined(
                np.packbits(np.unpackbits(flat[part].view(np.uint8)[:, None], axis=1)[:, 8 - bits:])
                for part in _blocks(len(flat)))}


def unpack(take: Take, shape: tuple[int, ...], kind: WeightKind, bits: int) -> np.ndarray:
    """The weights of which :func:`pack` made tensors: int8, read-only.

    Parameters
    ----------
    take : callable
        It gives a tensor, or raises what it will.
    shape : tuple of int
        Of the weights.
    kind, bits
        As for :func:`pack`.
    """
    weights = np.empty(shape, np.int8)
    flat, count = weights.reshape(-1), prod(shape)
    match kind:
        case WeightKind.SIGN:
            signs = take("signs", count)
            for part in _blocks(count):
                np.subtract(2 * _bits(signs, part), 1, out=flat[part])
        case WeightKind.TERNARY:
            mask = take("mask", count)
            present = [int(np.count_nonzero(_bits(mask, part))) for part in _blocks(count)]
            signs, seen = take("signs", sum(present)), 0
            for part, number in zip(_blocks(count), present, strict=True):
                flat[part] = 0
                here = np.flatnonzero(_bits(mask, part))
                flat[part][here] = 2 * _bits(signs, slice(seen, seen + number)) - 1
                seen += number
        case _:
            packed = take("weights", count * bits)
            for part in _blocks(count):
                digits = _bits(packed, slice(part.start * bits, part.stop * bits)).reshape(-1, bits)
                flat[part] = -digits[:, 0]
                for digit in digits.T[1:]:
                    flat[part] *= 2
                    flat[part] += digit
    weights.flags.writeable = False
    return weights


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def _bits(packed: np.ndarray, part: slice) -> np.ndarray:
    """The bits of ``part``: int8, 0 or 1."""
    first = part.start // 8
    unpacked = np.unpackbits(packed[first:(part.stop + 7) // 8])
    return unpacked[part.start - 8 * first:part.stop - 8 * first].view(np.int8)


def _present_signs(flat: np.ndarray) -> Iterator[np.ndarray]:
    """Packed signs of the weights that are not 0; bits that fill no byte yet wait for the next block."""
    waiting = np.zeros(0, bool)
    for part in _blocks(len(flat)):
        block = flat[part]
        waiting = np.concatenate([waiting, block[block != 0] > 0])
        whole = len(waiting) // 8 * 8
        yield np.packbits(waiting[:whole])
        waiting = waiting[whole:]
    yield np.packbits(waiting)


def _joined(parts: Iterator[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(parts))
