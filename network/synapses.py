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

from .checks import Integers, array, array_of_integers, check_range, readonly
from .limits import Limits
from .pool import Pool
from .probability import CERTAIN, Probability

__all__ = ["Dense", "Synapses", "WeightKind", "whole_weights"]


class WeightKind(StrEnum):
    """What the weights of a group of synapses are.

    Members
    -------
    SIGN
        -1 and +1: one bit.
    TERNARY
        -1, 0 and +1: a mask beside the sign, two bits.
    INTEGER
        Two's complement of 2 to 8 bits.
    """

    SIGN = "sign"
    TERNARY = "ternary"
    INTEGER = "integer"


def whole_weights(value: Any) -> np.ndarray:
    """``value`` as an array of integers, of its own shape and type.

    Raises
    ------
    TypeError
        It holds anything but integers.
    """
    weights = array(value, "weights")
    if weights.dtype.kind not in "iu":
        raise TypeError(f"weights must be integers from -128 to 127, not an array of {weights.dtype}")
    return weights


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
        whole = np.count_nonzero(self.weights) == self.weights.size
        return WeightKind.SIGN if whole else WeightKind.TERNARY

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
            put(self, "probability", replace(self.probability, levels=array_of_integers(
                self.probability.levels, "levels of a probability", self.weights.shape, 0, CERTAIN,
                dtype=np.int16)))
        if self.scale is not None:
            scale = array(self.scale, "scale")
            if scale.shape == (channels,):
                scale = np.repeat(scale, self.heard_size // channels)
            scale = array_of_integers(scale, "scale", (self.heard_size,), 1, Limits.SCALE, axis="address")
            put(self, "scale", None if (scale == 1).all() else scale)


@dataclass(frozen=True, eq=False)
class Dense(Synapses):
    """Every neuron listens to every address of one source.

    Attributes
    ----------
    weights : numpy.ndarray
        int8, shape ``(neurons, source size)``.
    kernel : numpy.ndarray
        ``K >= 0``: int64, shape ``(source window,)``.
    source : str
        "input" or a layer's name; "": the layer before, or the input for the first.
    pool : Pool or None
        The source size is then that of its regions.
    probability : Probability or None
        With which the synapses pass a spike on.
    scale : numpy.ndarray or None
        int64 from 1, shape ``(source size,)``: of each address that the weights listen to.

    Raises
    ------
    TypeError, ValueError
        One of them is of another type, shape or range, or does not fit the others.
    """

    weights: np.ndarray
    kernel: Integers = 1
    source: str = ""
    pool: Pool | None = None
    probability: Probability | None = None
    scale: Integers = None

    def __post_init__(self):
        weights = whole_weights(self.weights)
        if weights.ndim != 2 or not all(1 <= size <= Limits.SIZE for size in weights.shape):
            raise ValueError("weights must have the shape (neurons, source size), "
                             f"each from 1 to {Limits.SIZE}, not {weights.shape}")
        check_range(weights, "weights", -128, 127, axis="neuron {}, address {}".format)
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
