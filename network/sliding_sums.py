"""Sums and maxima of what a sliding window sees, at a cost that does not grow with the window.

A sum over a box is a difference of two running sums, across and then down; a maximum over a box is one of two
boxes half as large, again and again. Sums are int64 and count modulo 2**64, so a difference is right wherever
it fits itself, whatever the running sums were.
"""

import numpy as np

from .sliding import Sliding

__all__ = ["box_maxima", "box_sums", "inside_sums"]


def box_sums(sliding: Sliding, planes: np.ndarray) -> np.ndarray:
    """What the window sees at each position, added up.

    Parameters
    ----------
    sliding : Sliding
        Where the window lies; its taps are next to each other (dilation 1).
    planes : numpy.ndarray
        Integers, shape ``(channels, height, width)``.

    Returns
    -------
    numpy.ndarray
        int64, shape ``(channels, *positions)``.
    """
    total = sliding.padded(planes.astype(np.int64))
    for axis, (size, stride, count) in enumerate(zip(sliding.size, sliding.stride, sliding.positions,
                                                     strict=True), -2):
        first = np.arange(count) * stride
        total = _between(total, first, first + size, axis)
    return total


def box_maxima(sliding: Sliding, planes: np.ndarray) -> np.ndarray:
    """The largest of what the window sees at each position, and of 0; parameters as in :func:`box_sums`."""
    largest = sliding.padded(planes)
    for axis, (size, stride, count) in enumerate(zip(sliding.size, sliding.stride, sliding.positions,
                                                     strict=True), -2):
        largest, seen = np.moveaxis(largest, axis, 0), 1
        while seen < size:
            step = min(seen, size - seen)
            largest = np.maximum(largest[:-step], largest[step:])
            seen += step
        largest = np.moveaxis(largest[:(count - 1) * stride + 1:stride], 0, axis)
    return largest


def inside_sums(sliding: Sliding, kernels: np.ndarray) -> np.ndarray:
    """At each position, the sum of the taps that lie on the planes and not in their padding.

    Parameters
    ----------
    sliding : Sliding
        Where the window lies.
    kernels : numpy.ndarray
        int64, shape ``(..., rows, columns)``: a number for each tap.

    Returns
    -------
    numpy.ndarray
        int64, shape ``(..., *positions)``.
    """
    total = kernels
    top, _, left, _ = sliding.padding
    for axis, side, before in ((-2, sliding.height, top), (-1, sliding.width, left)):
        size, stride, dilation = (pair[axis] for pair in (sliding.size, sliding.stride, sliding.dilation))
        start = np.arange(sliding.positions[axis]) * stride - before  # of the window, on the planes
        first = np.clip(-(start // dilation), 0, size)
        last = np.clip((side - 1 - start) // dilation + 1, first, size)
        total = _between(total, first, last, axis)
    return total


def _between(numbers: np.ndarray, first: np.ndarray, last: np.ndarray, axis: int) -> np.ndarray:
    """Along ``axis``, the sums of the entries from each ``first`` to before its ``last``."""
    if len(first) and not first.any() and (last == numbers.shape[axis]).all():
        return np.repeat(numbers.sum(axis, keepdims=True), len(first), axis)
    running = np.cumsum(numbers, axis)
    upper = np.take(running, np.maximum(last, 1) - 1, axis)
    lower = np.take(running, np.maximum(first, 1) - 1, axis)
    shape = (-1, *[1] * (-1 - axis))
    return np.where((last > 0).reshape(shape), upper, 0) - np.where((first > 0).reshape(shape), lower, 0)
