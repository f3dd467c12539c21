"""What groups of synapses add to the potentials of many images, in arithmetic that is exact for them.

Sums are products of spikes and weights in floating point: in float32 where every partial sum stays below
2**24, in float64 otherwise, where none reaches 2**53 (a potential has at most 48 bits); both are exact. A
convolution is one product for each image, of its weights and of what its window sees at every position.
Synapses with a probability go spike by spike instead, in integers.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .behaviour import Fires, Phase
from .convolution import Convolution
from .network import Network
from .pool import Pool, PoolKind
from .probability import Draw, draws, window_key
from .reach import capacity, reach
from .synapses import Dense

__all__ = ["Group"]

BLOCK = 1 << 19
"""Numbers that are laid out at a time: few enough that they stay in a cache."""


class Group:
    """One group of synapses: what its spikes add.

    Attributes
    ----------
    dtype : type
        Of its products.
    most : int
        The most that one step, or the window of a windowed layer, can add.
    """

    def __init__(self, network: Network, place: int, group: int):
        layer = network.layers[place]
        self.synapse: Dense | Convolution = layer.synapses[group]
        self.kernel, self.source = self.synapse.kernel, self.synapse.source
        self.place = place, group
        self.once = network.fires_of(self.source) is Fires.ONCE
        windowed = layer.phase is Phase.WINDOWED
        down, up = reach(network, self.synapse)
        partial = int((up - down).max())
        if windowed:
            partial *= int(self.kernel.max() if self.once else self.kernel.sum())
        self.dtype = np.float32 if partial < 1 << 24 else np.float64
        self.most = partial if windowed else partial * int(self.kernel.max())
        self.narrow = np.min_scalar_type(int(capacity(network, self.synapse).max()))
        self.weigh = None
        if self.synapse.probability is None:
            weigher: Any = _Kernels if isinstance(self.synapse, Convolution) else _Matrix
            self.weigh = weigher(self.synapse, self.dtype)

    def arriving(self, steps: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """What the weights hear in each step, of what the source sends: values, shape ``(count, size)``."""
        if self.synapse.pool is None:
            return steps
        return _pooled(self.synapse.pool, steps, self.once, self.narrow)

    def step(self, values: np.ndarray, step: int, images: np.ndarray) -> np.ndarray | None:
        """The sums of one step, without the kernel: shape ``(count, neurons)``; None where nothing comes.

        Parameters
        ----------
        values : numpy.ndarray
            Of the step, as :meth:`arriving` gives them.
        step : int
            The step of the source's window.
        images : numpy.ndarray
            The indices of the images.
        """
        if not self.kernel[step] or not values.any():
            return None
        if self.weigh is None:
            return self._drawn(values, step, images)
        return self.weigh.step(values)

    def window(self, steps: Sequence[np.ndarray], images: np.ndarray) -> np.ndarray:
        """The sums of the whole window, with the kernel: shape ``(count, neurons)``."""
        if self.weigh is None:
            total = np.zeros((len(images), self.synapse.size), np.int64)
            for step, values in enumerate(steps):
                if (added := self.step(values, step, images)) is not None:
                    total += added * self.kernel[step]
            return total
        scaled = np.zeros(steps[0].shape, self.dtype)
        part = np.empty_like(scaled)
        for step, values in enumerate(steps):
            if self.kernel[step]:
                scaled += np.multiply(values, self.dtype(self.kernel[step]), out=part)
        return self.weigh.window(scaled)

    def _drawn(self, values: np.ndarray, step: int, images: np.ndarray) -> np.ndarray:
        """The sums of the spikes that pass their synapses."""
        synapse = self.synapse
        assert synapse.probability is not None
        keys = window_key(synapse.probability.seed, images, *self.place)
        total = np.zeros((len(images), synapse.size), np.int64)
        rows, addresses = np.nonzero(values)
        sent = values[rows, addresses].astype(np.int64)
        if synapse.scale is not None:
            sent *= synapse.scale[addresses]
        add: Any = _add_drawn_dense if isinstance(synapse, Dense) else _add_drawn_convolution
        block = max(1, BLOCK // len(synapse.weights))
        for start in range(0, len(rows), block):
            part = slice(start, start + block)
            add(synapse, total, rows[part], addresses[part], sent[part], step, keys[rows[part]])
        return total


class _Matrix:
    """Dense weights without a probability."""

    def __init__(self, synapse: Dense, dtype: type):
        weights = synapse.weights if synapse.scale is None else synapse.weights * synapse.scale
        self.weights = np.ascontiguousarray(weights.T, dtype)

    def step(self, values: np.ndarray) -> np.ndarray:
        active = np.flatnonzero(values.any(axis=0))
        weights = self.weights
        if len(active) < 0.8 * len(weights):
            values, weights = values[:, active], weights[active]
        return values.astype(weights.dtype) @ weights

    def window(self, scaled: np.ndarray) -> np.ndarray:
        return scaled @ self.weights


class _Kernels:
    """Weights of a convolution without a probability."""

    def __init__(self, synapse: Convolution, dtype: type):
        self.shape, self.sliding, self.scale = synapse.source_shape, synapse.sliding, synapse.scale
        self.taps = prod(synapse.weights.shape[1:])
        self.weights = synapse.weights.reshape(synapse.groups, -1, self.taps).astype(dtype)
        self.positions = prod(self.sliding.positions)
        self.block = max(1, BLOCK // (synapse.groups * self.taps * self.positions))

    def step(self, values: np.ndarray) -> np.ndarray:
        return self.window(values)

    def window(self, scaled: np.ndarray) -> np.ndarray:
        groups, each, _ = self.weights.shape
        total = np.empty((len(scaled), groups, each, self.positions), self.weights.dtype)
        for start in range(0, len(scaled), self.block):
            part = slice(start, start + self.block)
            np.matmul(self.weights, self._seen(scaled[part]), out=total[part])
        return total.reshape(len(scaled), -1)

    def _seen(self, values: np.ndarray) -> np.ndarray:
        """What the window sees at each position: shape ``(count, groups, taps, positions)``."""
        count, sliding = len(values), self.sliding
        if self.scale is not None:
            values = values * self.scale
        planes = sliding.padded(values.reshape(count, *self.shape).astype(self.weights.dtype, copy=False))
        seen = np.lib.stride_tricks.sliding_window_view(planes, sliding.reach, axis=(2, 3))
        (down, across), (tall, wide) = sliding.stride, sliding.dilation
        seen = seen[:, :, ::down, ::across, ::tall, ::wide].transpose(0, 1, 4, 5, 2, 3)
        return np.ascontiguousarray(seen).reshape(count, len(self.weights), self.taps, self.positions)


def _pooled(pool: Pool, steps: Sequence[np.ndarray], once: bool, narrow: np.dtype) -> list[np.ndarray]:
    """What passes a pool in each step; ``narrow``: a type that holds every sum."""
    passed, seen = [], None
    for values in steps:
        parts = pool.sliding.taps(values.reshape(len(values), *pool.source_shape))
        _, _, first = next(parts)
        if pool.kind is PoolKind.SUM:
            total = first.astype(narrow)
            for *_, part in parts:
                np.add(total, part, out=total, casting="unsafe")
        else:
            total = first.copy()
            for *_, part in parts:
                np.maximum(total, part, out=total)
            if once:
                seen = np.zeros_like(total) if seen is None else seen
                total &= ~seen
                seen |= total
        passed.append(total.reshape(len(values), -1))
    return passed


def _add_drawn_dense(synapse: Dense, total: np.ndarray, rows: np.ndarray, addresses: np.ndarray,
                     sent: np.ndarray, step: int, keys: np.ndarray) -> None:
    """Add what passes of the spikes of ``addresses`` and values ``sent`` to the ``rows`` of ``total``, which
    are in ascending order; ``keys``: those of each spike's draws."""
    probability = synapse.probability
    assert probability is not None
    targets = np.arange(synapse.size) if probability.draw is Draw.SYNAPSE else None
    drawn = draws(keys[:, None], step, addresses[:, None], targets)
    added = synapse.weights.T[addresses] * (drawn < probability.levels.T[addresses]) * sent[:, None]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    total[rows[starts]] += np.add.reduceat(added, starts, axis=0)


def _add_drawn_convolution(synapse: Convolution, total: np.ndarray, rows: np.ndarray, addresses: np.ndarray,
                           sent: np.ndarray, step: int, keys: np.ndarray) -> None:
    """As :func:`_add_drawn_dense`, at each position whose window holds the address."""
    probability, sliding = synapse.probability, synapse.sliding
    assert probability is not None
    out, each, height, width = synapse.weights.shape
    channel, y, x = np.unravel_index(addresses, synapse.source_shape)
    down, across = sliding.positions
    channels = (channel // each)[:, None] * (out // synapse.groups) + np.arange(out // synapse.groups)
    for r in range(height):
        for s in range(width):
            row, row_rest = np.divmod(y + sliding.padding[0] - r * sliding.dilation[0], sliding.stride[0])
            column, rest = np.divmod(x + sliding.padding[2] - s * sliding.dilation[1], sliding.stride[1])
            hit = np.flatnonzero((row_rest == 0) & (rest == 0) & (row >= 0) & (row < down)
                                 & (column >= 0) & (column < across))
            if not len(hit):
                continue
            to = channels[hit]
            neurons = to * (down * across) + (row * across + column)[hit][:, None]
            drawn = draws(keys[hit][:, None], step, addresses[hit][:, None],
                          neurons if probability.draw is Draw.SYNAPSE else None)
            at = to, (channel % each)[hit][:, None], r, s
            added = synapse.weights[at] * (drawn < probability.levels[at]) * sent[hit][:, None]
            np.add.at(total.reshape(-1), rows[hit][:, None] * synapse.size + neurons, added)
