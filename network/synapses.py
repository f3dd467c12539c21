"""Groups of synapses: what a layer hears of one source, and through which weights.

On its way a spike of value ``a`` at step ``t`` passes, each where there is one: the pool, which gives it the
address of its region; the scale of that address; the draw of its probability; and adds
``a * scale_i * w_ij * K[t]`` to ``V_j``. Weights are int8. Their kind follows from their values: *sign* where
all are -1 or +1, *ternary* where some are 0 too, *integer* (2 to 8 bits, two's complement) for anything else.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import prod
from typing import Any

import numpy as np

from .checks import array_of_integers, check_range, choice, integer, readonly
from .probability import CERTAIN, Probability
from .sliding import Sliding, pair, shape_of_planes
from .terms import Integers, Limits

__all__ = ["Convolution", "Dense", "Pool", "PoolKind", "Synapses", "WeightKind", "unrolled"]


class WeightKind(StrEnum):
    """What the weights of a group of synapses are."""

    SIGN = "sign"
    """-1 and +1: one bit."""

    TERNARY = "ternary"
    """-1, 0 and +1: a mask beside the sign, two bits."""

    INTEGER = "integer"
    """Two's complement of 2 to 8 bits."""


class PoolKind(StrEnum):
    """What passes of the spikes of a region in one step."""

    MAX = "max"
    """One spike if any arrives, of the highest value; of a source that spikes once, only the first of the
    window."""

    SUM = "sum"
    """Every spike, under the region's address: their values add up. (No division: thresholds absorb it.)"""


@dataclass(frozen=True)
class Pool:
    """What stands between a source and the weights: regions of its planes, each an address of its own.

    ``kind``: "max" or "sum". ``size``, ``stride`` (None: the size): a number or (down, across). ``padding``:
    a number, (down, across) or (top, bottom, left, right), which holds no address. ``source_shape``:
    (channels, height, width) of the source. Regions that would leave the padded planes are left out.
    """

    kind: Any
    size: Any
    stride: Any = None
    padding: Any = 0
    source_shape: Any = None

    def __post_init__(self):
        put = object.__setattr__
        put(self, "kind", choice(self.kind, PoolKind, "kind", "pool"))
        put(self, "source_shape", shape_of_planes(self.source_shape, "source_shape of a pool"))
        put(self, "size", pair(self.size, "size", 1))
        sliding = Sliding.checked(self.source_shape, self.size,
                                  self.size if self.stride is None else self.stride, self.padding)
        put(self, "stride", sliding.stride)
        put(self, "padding", sliding.padding)

    @property
    def sliding(self) -> Sliding:
        """Where its regions lie."""
        _, height, width = self.source_shape
        return Sliding(height, width, self.size, self.stride, self.padding)

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of the regions."""
        return self.source_shape[0], *self.sliding.positions


class Synapses:
    """What every group of synapses has; a :class:`Dense` or a :class:`Convolution`."""

    weights: np.ndarray
    kernel: Integers
    source: str
    pool: Pool | None
    probability: Probability | None
    scale: Integers

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the neurons."""
        raise NotImplementedError

    @property
    def heard_shape(self) -> tuple[int, ...]:
        """Shape of what the weights listen to, after the pool if there is one."""
        raise NotImplementedError

    @property
    def connections(self) -> int:
        """Synapses, each counted at every position at which it stands."""
        raise NotImplementedError

    @property
    def weight_kind(self) -> WeightKind:
        """What the weights are, from their values."""
        low, high = int(self.weights.min()), int(self.weights.max())
        if low < -1 or high > 1:
            return WeightKind.INTEGER
        return WeightKind.TERNARY if (self.weights == 0).any() else WeightKind.SIGN

    @property
    def weight_bits(self) -> int:
        """Bits of one weight: 1 for signs, 2 for ternary ones, what the widest needs for integers."""
        if self.weight_kind is not WeightKind.INTEGER:
            return 1 if self.weight_kind is WeightKind.SIGN else 2
        low, high = min(int(self.weights.min()), -1), max(int(self.weights.max()), 0)
        return 1 + max((~low).bit_length(), high.bit_length())

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.output_shape)

    @property
    def heard_size(self) -> int:
        """Number of addresses that the weights listen to, after the pool if there is one."""
        return prod(self.heard_shape)

    @property
    def source_size(self) -> int:
        """Number of addresses of the source, before the pool if there is one."""
        return self.heard_size if self.pool is None else prod(self.pool.source_shape)

    def _check(self, channels: int) -> None:
        """Check and normalise what all kinds have; ``channels``: how many scales may stand for all."""
        put = object.__setattr__
        if not isinstance(self.source, str | None):
            raise TypeError(f"source must be a layer's name or 'input', not {self.source!r}")
        put(self, "source", self.source or "")
        if self.pool is not None and not isinstance(self.pool, Pool):
            raise TypeError(f"pool must be a Pool or None, not {self.pool!r}")
        if self.probability is not None:
            if not isinstance(self.probability, Probability):
                raise TypeError(f"probability must be a Probability or None, not {self.probability!r}")
            levels = array_of_integers(
                self.probability.levels, "levels of a probability", self.weights.shape, 0, CERTAIN)
            put(self, "probability", replace(self.probability, levels=readonly(levels, np.int16)))
        if self.scale is not None:
            scale = self.scale
            if np.shape(scale) == (channels,):
                scale = np.repeat(scale, self.heard_size // channels)
            scale = array_of_integers(scale, "scale", (self.heard_size,), 1, Limits.SCALE, axis="address")
            put(self, "scale", None if (scale == 1).all() else scale)


@dataclass(frozen=True, eq=False)
class Dense(Synapses):
    """Every neuron listens to every address of one source.

    ``weights``: int8, shape ``(neurons, source size)``. ``kernel``: ``K >= 0``, int, shape
    ``(source window,)``. ``source``: "input" or a layer's name. ``pool``: a :class:`Pool`; the source size is
    then that of its regions. ``probability``: a :class:`Probability`. ``scale``: int from 1, one for each
    address that the weights listen to.
    """

    weights: np.ndarray
    kernel: Integers = 1
    source: str = ""  # "": the layer before (the input, for the first)
    pool: Pool | None = None
    probability: Probability | None = None
    scale: Integers = None

    def __post_init__(self):
        weights = _whole_numbers(self.weights)
        if weights.ndim != 2 or not all(1 <= size <= Limits.SIZE for size in weights.shape):
            raise ValueError("weights must have the shape (neurons, source size), "
                             f"each from 1 to {Limits.SIZE}, not {weights.shape}")
        _check_weights(weights, "neuron {}, address {}")
        object.__setattr__(self, "weights", readonly(weights, np.int8))
        self._check(weights.shape[1])
        if self.pool is not None and prod(self.pool.output_shape) != weights.shape[1]:
            raise ValueError(f"weights must have {prod(self.pool.output_shape)} columns, one for each region "
                             f"of the pool, not {weights.shape[1]}")

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(neurons,)"""
        return (len(self.weights),)

    @property
    def heard_shape(self) -> tuple[int, ...]:
        """What the weights listen to, after the pool if there is one: (addresses,)"""
        return (self.weights.shape[1],)

    @property
    def connections(self) -> int:
        """Synapses, each counted at every position at which it stands."""
        return self.weights.size


@dataclass(frozen=True, eq=False)
class Convolution(Synapses):
    """Weights that are shared over positions (a cross-correlation, as everywhere in the field)::

        V[o, y, x] += sum over i, r, s of w[o, i, r, s] * heard[i, y * stride + r * dilation - top, ...]

    ``weights``: int8, shape ``(channels out, channels in / groups, height, width)``. ``source_shape``:
    (channels, height, width) of what they listen to. ``stride``, ``dilation``: a number or (down, across).
    ``padding``: a number, (down, across) or (top, bottom, left, right). Neurons count channel by channel, row
    by row. ``scale``: one for each address or for each channel. The rest as in :class:`Dense`.
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
        weights = _whole_numbers(self.weights)
        if weights.ndim != 4 or not weights.size:
            raise ValueError("weights must have the shape (channels out, channels in / groups, height, "
                             f"width), not {weights.shape}")
        _check_weights(weights, "channel {}, channel in {}, row {}, column {}")
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

    The weights of a convolution stand at each of its positions, 0 elsewhere. Raises ValueError where that
    would be more synapses than a network may have.
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


def _whole_numbers(weights: Any) -> np.ndarray:
    weights = np.asarray(weights)
    if weights.dtype.kind not in "iu":
        raise TypeError(f"weights must be integers from -128 to 127, not an array of {weights.dtype}")
    return weights


def _check_weights(weights: np.ndarray, places: str) -> None:
    try:
        check_range(weights, "weights", -128, 127)
    except ValueError:
        wrong = np.unravel_index(int(np.argmax((weights < -128) | (weights > 127))), weights.shape)
        raise ValueError(f"weights must be from -128 to 127, not {weights[wrong]} "
                         f"({places.format(*wrong)})") from None
