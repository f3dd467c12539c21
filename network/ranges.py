"""The range of every potential, derived from the network; widths and proofs of no overflow rest on it.

What a source can send bounds what a neuron can become: an address of a ``once`` source sends at most one
spike in a window, of any other at most one in each step, of a value up to the source's highest. A sum pool
multiplies that by the addresses of a region, a max pool leaves it, a scale multiplies it; a synapse of
probability 0 passes nothing, of any other nothing or all. All spikes of a step may come in any order, so the
bounds hold between any two adds, and before and after leak, bias, fire and reset.
"""

from collections.abc import Iterator
from math import prod

import numpy as np

from .network import Convolution, Dense, Fires, Input, Layer, Limits, Network, Phase, PoolKind, Reset

__all__ = ["capacity", "potential_range", "reach", "width"]

EXACT = 1 << 53
"""Sums of integers stay exact in float64 below this."""


def width(low: int, high: int) -> int:
    """Bits of the narrowest two's complement number that holds all of ``low`` ... ``high``; at least 1."""
    return 1 + max((-1 - low).bit_length() if low < 0 else 0, high.bit_length() if high > 0 else 0)


def potential_range(network: Network, layer: Layer | str | int) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of every value that the raw potentials of a layer can take in a window, at any moment.

    Parameters
    ----------
    network: the network, which says what the layer's sources can send.
    layer: one of its layers, or the name or index of one.

    Returns
    -------
    low, high: int64, shape ``(neurons,)``; ``low[j] <= V_j <= high[j]`` after the initial value, after each
    leak, bias, add, fire and reset, whatever the input and the order of the adds inside a step. For a layer
    without leak, bias and reset both are reached, where the source's addresses are free of each other and a
    pool's regions do not overlap.

    Raises
    ------
    ValueError: a potential could need more than 48 bits.
    """
    if isinstance(layer, str):
        layer = network.layer(layer)
    elif not isinstance(layer, Layer):
        layer = network.layers[layer]
    low, high = layer.initial.copy(), layer.initial.copy()
    for moment in _moments(network, layer):
        np.minimum(low, moment[0], out=low)
        np.maximum(high, moment[1], out=high)
        worst = int(np.argmax(np.maximum(high, -low)))
        if max(high[worst], -low[worst]) >= Limits.POTENTIAL:
            raise ValueError(f"a potential must stay below {Limits.POTENTIAL}, not reach "
                             f"{low[worst]} to {high[worst]} (layer {layer.name!r}, neuron {worst})")
    return low, high


def capacity(network: Network, synapse: Dense | Convolution) -> np.ndarray:
    """The most that one step can bring to each address that the weights listen to: spike values times scale.

    int64, shape ``(heard size,)``; from a source that fires once, also the most of a whole window.
    """
    source = network.source_of(synapse)
    most = np.ones(synapse.source_size, np.int64)
    if isinstance(source, Input):
        most = source.mask * np.int64(source.highest_value)
    if synapse.pool is not None:
        parts = [seen for *_, seen in synapse.pool.sliding.taps(most.reshape(synapse.pool.source_shape))]
        most = (np.sum if synapse.pool.kind is PoolKind.SUM else np.max)(parts, axis=0).ravel()
    return most if synapse.scale is None else most * synapse.scale


def reach(network: Network, synapse: Dense | Convolution) -> tuple[np.ndarray, np.ndarray]:
    """The most negative and the most positive sum of ``a * scale_i * w_ij`` that one step can bring.

    Two of int64, shape ``(neurons,)``. Raises ValueError where they could need more than 53 bits.
    """
    most = capacity(network, synapse)
    if 128 * float(most.sum(dtype=np.float64)) >= EXACT:
        raise ValueError(f"values times scales must add up to less than {EXACT // 128} in a step, "
                         f"not {int(most.sum(dtype=np.float64))} (source {synapse.source!r})")
    weights = synapse.weights
    if synapse.probability is not None:
        weights = np.where(synapse.probability.levels > 0, weights, np.int8(0))
    down, up = (_sums(synapse, limit(weights, 0), most) for limit in (np.minimum, np.maximum))
    return down, up


def _sums(synapse: Dense | Convolution, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The sum of ``values`` times ``weights`` of each neuron: int64, exact below ``EXACT``."""
    if isinstance(synapse, Dense):
        return (weights.astype(np.float64) @ values).astype(np.int64)
    kernels = weights.reshape(synapse.groups, -1, *weights.shape[1:]).astype(np.float64)
    planes = values.reshape(synapse.groups, weights.shape[1], -1)
    if synapse.groups == 1:  # channels of the same values are one channel of the sum of their weights
        planes, which = np.unique(planes[0], axis=0, return_inverse=True)
        kernels = np.einsum("goirs,id->godrs", kernels, np.eye(len(planes))[which.ravel()])
    planes = planes.reshape(synapse.groups, -1, *synapse.source_shape[1:])
    total = np.zeros((*kernels.shape[:2], prod(synapse.sliding.positions)))
    for row, column, seen in synapse.sliding.taps(planes):
        total += kernels[..., row, column] @ seen.reshape(*seen.shape[:2], -1)
    return total.astype(np.int64).ravel()


class _Traffic:
    """What a layer can hear, as the most negative and the most positive sum of ``a * scale_i * w_ij * K``."""

    def __init__(self, network: Network, layer: Layer):
        self.parts = [self._part(network, synapse) for synapse in layer.synapses]
        # Where one step's spikes stay below this, no sum over steps and sources leaves 64 bits.
        for sign, bound in ((-1, 2), (1, 3)):
            most = np.sum([float(part[1].max()) * np.abs(part[bound]) for part in self.parts], axis=0)
            worst = int(np.argmax(most))
            if most[worst] >= 2 * Limits.POTENTIAL:
                raise ValueError(f"a potential must stay below {Limits.POTENTIAL}, not reach "
                                 f"{sign * int(most[worst])} (layer {layer.name!r}, neuron {worst})")

    @staticmethod
    def _part(network: Network, synapse: Dense | Convolution):
        source = network.source_of(synapse)
        kernel = synapse.kernel
        if isinstance(source, Input):
            kernel = kernel * source.active_steps
        return source.fires is Fires.ONCE, kernel, *reach(network, synapse)

    def repeated(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Of one step, from sources whose addresses may spike in every step."""
        return self._sum((kernel[step], down, up) for once, kernel, down, up in self.parts if not once)

    def step(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Of one step, from all sources."""
        return self._sum((kernel[step], down, up) for _, kernel, down, up in self.parts)

    def once_until(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Of steps 0 to ``step`` together, from sources whose addresses spike once in a window."""
        return self._sum((kernel[:step + 1].max(), down, up) for once, kernel, down, up in self.parts if once)

    def window(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the whole window, from all sources."""
        return self._sum((kernel.max() if once else kernel.sum(), down, up)
                         for once, kernel, down, up in self.parts)

    def _sum(self, terms) -> tuple[np.ndarray, np.ndarray]:
        low = np.zeros_like(self.parts[0][2])
        high = np.zeros_like(low)
        for factor, down, up in terms:
            low, high = low + factor * down, high + factor * up
        return low, high


def _moments(network: Network, layer: Layer) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Bounds of the potentials at one moment after the other."""
    traffic = _Traffic(network, layer)
    if layer.phase is Phase.WINDOWED:
        down, up = traffic.window()
        low, high = layer.initial + down, layer.initial + up
        yield low, high
        for step in range(layer.window if layer.fires is Fires.MANY else 0):
            low, high = _reset(layer, step, low, high, low, high)
            yield low, high
        return

    # Two bounds, both true; the narrower one is kept. The first lets once sources repeat. The second ("calm")
    # leaves them out and adds all that they can have sent so far, for neither a leak nor the bounds of a
    # reset drive two potentials further apart than they were.
    low = high = calm_low = calm_high = layer.initial
    once_low = once_high = np.zeros_like(low)
    for step in range(layer.window):
        low, high, calm_low, calm_high = (_leak(layer, bound) for bound in (low, high, calm_low, calm_high))
        yield low, high
        low, high, calm_low, calm_high = (bound + layer.bias for bound in (low, high, calm_low, calm_high))
        low, high = np.maximum(low, calm_low + once_low), np.minimum(high, calm_high + once_high)
        yield low, high
        down, up = traffic.step(step)
        low, high = low + down, high + up
        down, up = traffic.repeated(step)
        calm_low, calm_high = calm_low + down, calm_high + up
        once_low, once_high = traffic.once_until(step)
        low, high = np.maximum(low, calm_low + once_low), np.minimum(high, calm_high + once_high)
        yield low, high
        if layer.fires is Fires.MANY:
            calm_low, calm_high = _reset(layer, step, calm_low, calm_high, low, high)
            low, high = _reset(layer, step, low, high, low, high)
            low, high = np.maximum(low, calm_low + once_low), np.minimum(high, calm_high + once_high)
            yield low, high


def _leak(layer: Layer, bound: np.ndarray) -> np.ndarray:
    return bound if layer.leak is None else bound - (bound >> layer.leak)


def _reset(layer: Layer, step: int, low: np.ndarray, high: np.ndarray, lowest: np.ndarray,
           highest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds after fire and reset; ``lowest`` to ``highest`` is what the potential can be before them."""
    threshold = layer.threshold * layer.threshold_schedule[step]
    may_fire, may_stay = highest >= threshold, lowest < threshold
    if layer.reset is Reset.TO:
        fired_low = fired_high = layer.reset_value
    else:
        amount = layer.reset_value * layer.reset_schedule[step]
        fired_low, fired_high = np.maximum(low, threshold) - amount, high - amount
    stayed_low, stayed_high = low, np.minimum(high, threshold - 1)
    both_low, both_high = np.minimum(stayed_low, fired_low), np.maximum(stayed_high, fired_high)
    return (np.where(may_fire, np.where(may_stay, both_low, fired_low), stayed_low),
            np.where(may_fire, np.where(may_stay, both_high, fired_high), stayed_high))
