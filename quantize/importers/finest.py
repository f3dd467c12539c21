"""A network of real numbers as finely as integers can say it, for the golden model to run.

What rounding did to a network is measured against this: the same layers, with weights of 22 or 15 bits in
place of a few. A layer may listen to its source several times, so a fine weight is two or three groups of
synapses, the digits of the weight to the base 256, whose kernels are the powers of 256.

A decay ``d`` that is no ``1 - 2^-k``, which no leak is, becomes schedules: counted in units that shrink with
it, ``U = V / d^t``, a potential that decays stands still, and what arrives, threshold and reset grow by
``d^-t`` instead::

    V = d V + w x;  fire where V >= theta   is   U = U + w x d^-t;  fire where U >= theta d^-t
"""

from dataclasses import replace
from typing import Any

import numpy as np

from ...network import Dense, Fires, Layer, Limits, Network, Phase, Reset
from ...network.ranges import potential_range
from .discretise import leak_of, never_twice
from .grids import grid_of, threshold_of
from .real_network import RealLayer, RealNetwork

__all__ = ["finest"]

BASE = 256
ATTEMPTS = ((3, 1 << 16), (2, 1 << 16), (2, 1 << 13), (2, 1 << 10))
"""Digits of a weight, and the most that a schedule of a decay grows to, the finest first."""
LEAST = 64
"""What such a schedule must begin with, so that rounding moves it by less than 1 %."""


def finest(network: RealNetwork) -> Network | None:
    """The finest network of integers whose potentials fit.

    Parameters
    ----------
    network : RealNetwork
        What another tool stated.

    Returns
    -------
    Network or None
        The layers of ``network`` by their names, and perhaps one more that only counts the steps; None where
        integers cannot say it: a decay that differs from neuron to neuron, or grows too far in the window,
        or a second reset.
    """
    for digits, most in ATTEMPTS:
        try:
            made = _Finest(network, digits, most).made()
            for layer in made.layers:
                potential_range(made, layer)
        except ValueError:
            continue
        if any(layer.again and not never_twice(made, made.layer(layer.name)) for layer in network.layers):
            return None
        return made
    return None


class _Finest:
    """A network on its way to integers of some digits. Every method raises ValueError where they do not do.
    """

    def __init__(self, network: RealNetwork, digits: int, most: int):
        self.network, self.digits, self.most = network, digits, most
        self.window = network.input.window
        names = ["input", *(layer.name for layer in network.layers)]
        self.clock = next(f"clock_{number}" for number in range(len(names)) if f"clock_{number}" not in names)

    def made(self) -> Network:
        """The whole network."""
        layers = [self._layer(layer, layer is self.network.layers[-1]) for layer in self.network.layers]
        if any(synapse.source == self.clock for layer in layers for synapse in layer.synapses):
            silent = Dense(np.zeros((1, self.network.input.size), int), 1, "input")
            layers.insert(0, Layer(silent, self.window, Phase.ONLINE, Fires.MANY, threshold=1, bias=1,
                                   reset=Reset.TO, reset_value=0, name=self.clock))
        return Network(self.network.input, layers, self.network.readout)

    def _layer(self, layer: RealLayer, last: bool) -> Layer:
        try:
            leak, _ = leak_of(layer)
        except ValueError:
            return self._growing(layer, last)
        rows = layer.rows
        scale = _scale(rows, last, self.digits)
        each = np.repeat(scale, layer.size // len(rows))
        synapses = _synapses(layer, rows * scale[:, None], [BASE ** digit for digit in range(self.digits)])
        made: dict[str, Any] = {"bias": _whole(layer.bias * each), "initial": _whole(layer.initial * each),
                                "leak": leak}
        return Layer(synapses, self.window, Phase.ONLINE, name=layer.name, **made, **_fires(layer, each))

    def _growing(self, layer: RealLayer, last: bool) -> Layer:
        """A layer whose decay is a schedule."""
        decay = float(layer.decay[0])
        if (layer.decay != decay).any() or not 0 < decay < 1:
            raise ValueError("its decays differ from neuron to neuron")
        layer = _from_reset(layer, decay, last)
        schedule = np.rint(self.most * decay ** np.arange(self.window - 1, -1, -1)).astype(np.int64)
        if schedule[0] < LEAST:
            raise ValueError("its decay grows too far in the window")
        rows, digits = layer.rows, min(self.digits, 2)
        scale = _scale(np.concatenate([rows, layer.bias.reshape(len(rows), -1)], axis=1), last, digits)
        each = np.repeat(scale, layer.size // len(rows))
        kernels = [BASE ** digit * schedule for digit in range(digits)]
        synapses = _synapses(layer, rows * scale[:, None], kernels)
        if layer.bias.any():
            synapses += [Dense(digit, kernel, self.clock) for digit, kernel
                         in zip(_digits((layer.bias * each)[:, None], digits), kernels, strict=True)]
        fires = _fires(layer, each)
        if layer.threshold is not None:
            fires["threshold_schedule"] = schedule
            if layer.subtract:
                fires["reset_schedule"] = schedule
        initial = _whole(layer.initial * each * schedule[0] * decay)
        return Layer(synapses, self.window, Phase.ONLINE, initial=initial, name=layer.name, **fires)


def _scale(rows: np.ndarray, together: bool, digits: int) -> np.ndarray:
    """What each row is multiplied with to fill so many digits; where it lies on a grid, so that it still
    does. ``together``: one number for all."""
    limit = (BASE // 2 - 1) * (BASE ** digits - 1) // (BASE - 1)

    def fitting(part: np.ndarray) -> float:
        largest = np.abs(part).max(initial=0.0)
        grid = grid_of(part, BASE // 2 - 1, -BASE // 2) if largest else 1.0
        if grid is None:
            return limit / largest
        return grid * 2.0 ** int(np.log2(limit / max(1.0, largest * grid)))

    if together:
        return np.full(len(rows), fitting(rows))
    return np.array([fitting(row) for row in rows])


def _synapses(layer: RealLayer, scaled: np.ndarray, kernels: list[Any]) -> list[Any]:
    """The digits of every group, without those that are all 0 but the first."""
    made = []
    for group, part in zip(layer.groups, layer.parted(scaled), strict=True):
        digits = _digits(part, len(kernels))
        made += [group.synapses(digit, kernel) for number, (digit, kernel)
                 in enumerate(zip(digits, kernels, strict=True)) if number == 0 or digit.any()]
    return made


def _digits(values: np.ndarray, count: int) -> list[np.ndarray]:
    """The digits of ``values``, rounded, from -128 to 127, the lowest first; the last one takes the rest."""
    left, found = np.rint(values).astype(np.int64), []
    for _ in range(count - 1):
        digit = (left + BASE // 2) % BASE - BASE // 2
        found.append(digit)
        left = (left - digit) // BASE
    return [*found, left]


def _whole(values: np.ndarray) -> np.ndarray:
    if np.abs(values).max(initial=0.0) > Limits.VALUE:
        raise ValueError("a number is too large")
    return np.rint(values).astype(np.int64)


def _fires(layer: RealLayer, each: np.ndarray) -> dict[str, Any]:
    """How a layer fires and resets, its numbers multiplied by ``each``."""
    if layer.threshold is None or layer.reset_value is None:
        return {"fires": Fires.NEVER}
    return {"fires": Fires.MANY, "threshold": threshold_of(layer.threshold * each, layer.strict),
            "reset": Reset.SUBTRACT if layer.subtract else Reset.TO,
            "reset_value": _whole(layer.reset_value * each)}


def _from_reset(layer: RealLayer, decay: float, last: bool) -> RealLayer:
    """A layer that is reset to a value, counted from that value, which no schedule moves then."""
    to = layer.reset_value
    if layer.threshold is None or layer.subtract or to is None or not to.any():
        return layer
    if last and (to != to[0]).any():
        raise ValueError("its potentials are compared, and are reset to different values")
    return replace(layer, bias=layer.bias - (1 - decay) * to, threshold=layer.threshold - to,
                   initial=layer.initial - to, reset_value=np.zeros_like(to))
