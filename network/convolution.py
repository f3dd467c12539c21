"""Groups of synapses whose weights are shared over positions."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from .checks import Integers, check_range, integer, readonly
from .limits import Limits
from .pool import Pool
from .probability import Probability
from .sliding import Sliding, shape_of_planes
from .synapses import Dense, Synapses, whole_weights

__all__ = ["Convolution", "unrolled"]


@dataclass(frozen=True, eq=False)
class Convolution(Synapses):
    """Weights that are shared over positions (a cross-correlation, as everywhere in the field)::

        V[o, y, x] += sum over i, r, s of w[o, i, r, s] * heard[i, y * stride + r * dilation - top, ...]

    Neurons count channel by channel, row by row.

    Attributes
    ----------
    weights : numpy.ndarray
        int8, shape ``(channels out, channels in / groups, height, width)``.
    source_shape : tuple of int
        (channels, height, width) of what they listen to, after the pool if there is one.
    stride, dilation : int or tuple of int
        A number or (down, across).
    padding : int or tuple of int
        A number, (down, across) or (top, bottom, left, right).
    groups : int
        Groups of channels that listen to their own channels in alone.
    kernel : numpy.ndarray
        ``K >= 0``: int64, shape ``(source window,)``.
    source : str
        "input" or a layer's name; "": the layer before, or the input for the first.
    pool : Pool or None
        ``source_shape`` is then that of its regions.
    probability : Probability or None
        With which the synapses pass a spike on.
    scale : numpy.ndarray or None
        int64 from 1, of each address that the weights listen to; one for each channel is broadcast.

    Raises
    ------
    TypeError, ValueError
        One of them is of another type, shape or range, or does not fit the others.
    """

    weights: np.ndarray
    source_shape: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1
    kernel: Integers = 1
    source: str = ""
    pool: Pool | None = None
    probability: Probability | None = None
    scale: Integers = None

    def __post_init__(self):
        put = object.__setattr__
        weights = whole_weights(self.weights)
        if weights.ndim != 4 or not weights.size:
            raise ValueError("weights must have the shape (channels out, channels in / groups, height, "
                             f"width), not {weights.shape}")
        check_range(weights, "weights", -128, 127,
                    axis="channel {}, channel in {}, row {}, column {}".format)
        put(self, "weights", readonly(weights, np.int8))
        put(self, "source_shape", shape_of_planes(self.source_shape, "source_shape"))
        put(self, "groups", integer(self.groups, "groups", 1, Limits.SIZE))
        out, each = weights.shape[:2]
        if out % self.groups or each * self.groups != self.source_shape[0]:
            raise ValueError(f"weights must have {self.source_shape[0]} channels in and a multiple of "
                             f"{self.groups} channels out in {self.groups} groups, not the shape "
                             f"{weights.shape}")
        sliding = Sliding.checked(self.source_shape, weights.shape[2:], self.stride, self.padding,
                                  self.dilation)
        for name in ("stride", "padding", "dilation"):
            put(self, name, getattr(sliding, name))
        if self.size > Limits.SIZE:
            raise ValueError(f"a layer must have at most {Limits.SIZE} neurons, "
                             f"not {' x '.join(map(str, self.output_shape))}")
        if self.connections > Limits.CONNECTIONS:
            raise ValueError(f"a convolution must make at most {Limits.CONNECTIONS} connections, "
                             f"not {self.connections}")
        self._check(self.source_shape[0])
        if self.pool is not None and self.pool.output_shape != self.source_shape:
            raise ValueError(f"source_shape must be {self.pool.output_shape}, that of the pool's regions, "
                             f"not {self.source_shape}")

    @property
    def sliding(self) -> Sliding:
        """Where its window lies."""
        _, height, width = self.source_shape
        return Sliding(height, width, self.weights.shape[2:], self.stride, self.padding, self.dilation)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(channels, height, width) of its neurons."""
        return len(self.weights), *self.sliding.positions

    @property
    def heard_shape(self) -> tuple[int, ...]:
        """What the weights listen to, after the pool if there is one: (channels, height, width)"""
        return self.source_shape

    @property
    def connections(self) -> int:
        """Synapses, each counted at every position at which it stands."""
        return self.weights.size * prod(self.sliding.positions)


def unrolled(synapses: Dense | Convolution) -> Dense:
    """The dense group that is equal to ``synapses`` in every spike, with the same source, pool and draws.

    The weights of a convolution stand at each of its positions, 0 elsewhere.

    Raises
    ------
    ValueError
        That would be more synapses than a network may have.
    """
    if isinstance(synapses, Dense):
        return synapses
    if synapses.size * synapses.heard_size > Limits.SYNAPSES:
        raise ValueError(f"unrolled synapses must be at most {Limits.SYNAPSES}, "
                         f"not {synapses.size} x {synapses.heard_size}")
    probability = synapses.probability
    if probability is not None:
        probability = replace(probability, levels=_spread(synapses, probability.levels))
    return Dense(_spread(synapses, synapses.weights), synapses.kernel, synapses.source, synapses.pool,
                 probability, synapses.scale)


def _spread(synapses: Convolution, shared: np.ndarray) -> np.ndarray:
    """``shared``, of the shape of the weights, as ``(neurons, heard size)``."""
    out, each = shared.shape[:2]
    matrix = np.zeros((synapses.size, synapses.heard_size), shared.dtype)
    neurons = np.arange(synapses.size).reshape(synapses.output_shape)
    addresses = np.arange(synapses.heard_size).reshape(synapses.source_shape)
    for row, column, seen in synapses.sliding.taps(addresses, fill=-1):
        for channel in range(out):
            first = channel // (out // synapses.groups) * each
            for i in range(each):
                inside = seen[first + i] >= 0
                matrix[neurons[channel][inside], seen[first + i][inside]] = shared[channel, i, row, column]
    return matrix
