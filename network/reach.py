"""What one step can bring to each neuron: the sums of its negative weights and of its positive ones.

A sum costs no more than reading the weights where all addresses of a channel can bring the same, which is so
but for masks, scales of single addresses and the edges of padded pools; there it costs the connections.
"""

from math import prod

import numpy as np

from .budget import Budget
from .convolution import Convolution
from .description import Description
from .inputs import Input
from .pool import PoolKind
from .sliding_sums import box_maxima, box_sums, inside_sums
from .synapses import Dense

__all__ = ["capacity", "reach"]

EXACT = 1 << 53
"""Sums of integers stay exact in float64 below this, in any order."""
EXACT_SINGLE = 1 << 24
"""And in float32 below this."""
BLOCK = 1 << 19
"""Weights that are taken at a time, so that a sum takes no memory to speak of."""
TAP = 1 << 16
"""Additions that are as long as what Python needs for a tap of a window."""


def capacity(network: Description, synapse: Dense | Convolution) -> np.ndarray:
    """The most that one step can bring to each address that the weights listen to: spike values times scale.

    Returns
    -------
    numpy.ndarray
        int64, shape ``(heard size,)``; from a source that fires once, also the most of a whole window.
    """
    source = network.source_of(synapse)
    most = np.ones(synapse.source_size, np.int64)
    if isinstance(source, Input):
        most = source.mask * np.int64(source.highest_value)
    if synapse.pool is not None:
        over = box_sums if synapse.pool.kind is PoolKind.SUM else box_maxima
        most = over(synapse.pool.sliding, most.reshape(synapse.pool.source_shape)).ravel()
    return most if synapse.scale is None else most * synapse.scale


def reach(network: Description, synapse: Dense | Convolution,
          budget: Budget | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The most negative and the most positive sum of ``a * scale_i * w_ij`` that one step can bring.

    Parameters
    ----------
    network : Description
        It says what the source can send.
    synapse : Dense or Convolution
        A group of synapses of one of its layers.
    budget : Budget or None
        What the work is taken from before it is done.

    Returns
    -------
    tuple of numpy.ndarray
        Two of int64, shape ``(neurons,)``.

    Raises
    ------
    ValueError
        They could need more than 53 bits, or the budget does not suffice.
    """
    most = capacity(network, synapse)
    if 128 * float(most.sum(dtype=np.float64)) >= EXACT:
        raise ValueError(f"values times scales must add up to less than {EXACT // 128} in a step, "
                         f"not {int(most.sum(dtype=np.float64))} (source {synapse.source!r})")
    if isinstance(synapse, Dense):
        return _dense(synapse, most)
    return _convolution(synapse, most, budget or Budget())


def _parts(synapse: Dense | Convolution, part: slice) -> list[np.ndarray]:
    """Of the neurons or channels of ``part`` the negative weights and the positive ones, else 0: int8."""
    weights = synapse.weights[part]
    if synapse.probability is not None:
        weights = weights * (synapse.probability.levels[part] > 0)
    return [limit(weights, np.int8(0)) for limit in (np.minimum, np.maximum)]


def _exact(most: np.ndarray) -> type:
    """A type of float in which no sum of weights times ``most`` is rounded."""
    return np.float32 if 128 * int(most.sum()) < EXACT_SINGLE else np.float64


def _dense(synapse: Dense, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = most.astype(_exact(most))
    sums = np.empty((2, synapse.size), np.int64)
    block = max(1, BLOCK // len(most))
    for start in range(0, synapse.size, block):
        part = slice(start, start + block)
        for total, weights in zip(sums, _parts(synapse, part), strict=True):
            total[part] = weights.astype(values.dtype) @ values
    return sums[0], sums[1]


def _convolution(synapse: Convolution, most: np.ndarray, budget: Budget) -> tuple[np.ndarray, np.ndarray]:
    out, each, *taps = synapse.weights.shape
    planes = most.reshape(synapse.groups, each, -1)
    level = (planes == planes[..., :1]).all(axis=-1)  # channels whose addresses can all bring the same
    same = np.where(level, planes[..., 0], 0).astype(_exact(most))
    uneven = [_Uneven(synapse, planes[group], level[group], budget) for group in range(synapse.groups)
              ] if not level.all() else []
    sums = np.empty((2, out, prod(synapse.sliding.positions)), np.int64)
    block = max(1, BLOCK // prod(synapse.weights.shape[1:]))
    for group in range(synapse.groups):
        end = (group + 1) * out // synapse.groups
        for start in range(group * out // synapse.groups, end, block):
            part = slice(start, min(start + block, end))
            for total, weights in zip(sums, _parts(synapse, part), strict=True):
                kernels = same[group] @ weights.reshape(len(weights), each, -1).astype(same.dtype)
                kernels = kernels.astype(np.int64).reshape(-1, *taps)
                total[part] = inside_sums(synapse.sliding, kernels).reshape(len(kernels), -1)
                if uneven:
                    total[part] += uneven[group].sums(weights)
    return sums[0].ravel(), sums[1].ravel()


class _Uneven:
    """Channels of one group whose addresses can bring different values: those that are alike count as one."""

    def __init__(self, synapse: Convolution, planes: np.ndarray, level: np.ndarray, budget: Budget):
        self.channels = np.flatnonzero(~level)
        kinds: dict[bytes, int] = {}
        which = [kinds.setdefault(planes[channel].tobytes(), len(kinds)) for channel in self.channels]
        planes = np.array([np.frombuffer(plane, planes.dtype) for plane in kinds], np.float64)
        self.planes = planes.reshape(-1, *synapse.source_shape[1:])
        self.join = np.eye(len(planes))[which]
        self.sliding = synapse.sliding
        out, taps = len(synapse.weights) // synapse.groups, prod(self.sliding.size)
        if len(self.channels):
            budget.spend("range_work", taps * (TAP + 2 * out * len(planes) * prod(self.sliding.positions)))

    def sums(self, weights: np.ndarray) -> np.ndarray:
        """What they bring to the channels of ``weights``, int8 of shape ``(out, in, rows, columns)``: int64,
        shape ``(out, positions)``."""
        kernels = np.einsum("oirs,id->odrs", weights[:, self.channels].astype(np.float64), self.join)
        total = np.zeros((len(weights), prod(self.sliding.positions)))
        if len(self.channels):
            for row, column, seen in self.sliding.taps(self.planes):
                total += kernels[..., row, column] @ seen.reshape(len(seen), -1)
        return total.astype(np.int64)
