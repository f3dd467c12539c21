"""The range of every potential, derived from the network; widths and proofs of no overflow rest on it.

What a source can send bounds what a neuron can become: an address of a ``once`` source sends at most one
spike in a window, of any other at most one in each step, of a value up to the source's highest. A sum pool
multiplies that by the addresses of a region, a max pool leaves it, a scale multiplies it; a synapse of
probability 0 passes nothing, of any other nothing or all. All spikes of a step may come in any order, so the
bounds hold between any two adds, and before and after leak, bias, fire and reset.

Where nothing but spikes moves a potential, its range is a sum over the window. Else it is followed from step
to step, once for all neurons that are alike in every number.
"""

from collections.abc import Iterator

import numpy as np

from .behaviour import Fires, Phase, Reset
from .budget import Budget
from .description import Description
from .inputs import Input
from .layer import Layer
from .limits import Limits
from .reach import reach

__all__ = ["potential_range", "width"]

Bounds = tuple[np.ndarray, np.ndarray]
"""The lowest and the highest value of each neuron."""

OVERHEAD = 1 << 11
"""Additions that are as long as what numpy needs to begin with any."""
BLOCK = 1 << 12
"""Neurons that are followed together: few enough that all their numbers stay in a cache."""


def width(low: int, high: int) -> int:
    """Bits of the narrowest two's complement number that holds all of ``low`` ... ``high``; at least 1."""
    return 1 + max((-1 - low).bit_length() if low < 0 else 0, high.bit_length() if high > 0 else 0)


def potential_range(network: Description, layer: Layer | str | int, budget: Budget | None = None) -> Bounds:
    """Bounds of every value that the raw potentials of a layer can take in a window, at any moment.

    Parameters
    ----------
    network : Description
        It says what the layer's sources can send.
    layer : Layer, str or int
        One of its layers, or the name or index of one.
    budget : Budget or None
        What the work is taken from before it is done.

    Returns
    -------
    low, high : numpy.ndarray
        int64, shape ``(neurons,)``; ``low[j] <= V_j <= high[j]`` after the initial value, after each leak,
        bias, add, fire and reset, whatever the input and the order of the adds inside a step. For a layer
        without leak, bias and reset both are reached, where the source's addresses are free of each other and
        a pool's regions do not overlap.

    Raises
    ------
    ValueError
        A potential could need more than 48 bits, or the budget does not suffice.
    """
    if isinstance(layer, str):
        layer = network.layer(layer)
    elif not isinstance(layer, Layer):
        layer = network.layers[layer]
    budget = budget or Budget()
    traffic = _heard(network, layer, budget)
    if layer.fires is not Fires.MANY and layer.leak is None and not layer.bias.any():
        down, up = traffic.window()
        low, high = layer.initial + down, layer.initial + up
    else:
        first, alike = _alike([*_numbers(layer).values(), *traffic.bounds])
        blocks = [first[start:start + BLOCK] for start in range(0, len(first), BLOCK)]
        each = 16 if layer.phase is Phase.WINDOWED else 24 + 8 * len(layer.synapses)
        budget.spend("range_work", layer.window * each * (len(first) + OVERHEAD * len(blocks)))
        ranges = [_Neurons(layer, traffic, block).range() for block in blocks]
        low, high = (np.concatenate(bounds)[alike] for bounds in zip(*ranges, strict=True))
    worst = int(np.argmax(np.maximum(high, -low)))
    if max(high[worst], -low[worst]) >= Limits.POTENTIAL:
        raise ValueError(f"a potential must stay below {Limits.POTENTIAL}, not reach "
                         f"{low[worst]} to {high[worst]} (layer {layer.name!r}, neuron {worst})")
    return low, high


def _numbers(layer: Layer) -> dict[str, np.ndarray]:
    """What a layer's neurons have each for itself, by its name."""
    names = ("initial", "bias", "leak", "threshold", "reset_value")
    return {name: getattr(layer, name) for name in names if getattr(layer, name) is not None}


def _alike(numbers: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The first neuron of each kind, and each neuron's kind: those of one are alike in all ``numbers``."""
    odd = np.random.default_rng(0).integers(0, 1 << 62, len(numbers)) * 2 + 1
    marks = np.zeros(len(numbers[0]), np.int64)
    for factor, column in zip(odd, numbers, strict=True):  # modulo 2**64
        marks = (marks ^ marks >> 29) * factor + column
    _, first, alike = np.unique(marks, return_index=True, return_inverse=True)
    if all((column[first][alike] == column).all() for column in numbers):
        return first, alike
    everyone = np.arange(len(marks))
    return everyone, everyone


def _heard(network: Description, layer: Layer, budget: Budget) -> "_Traffic":
    """What a layer can hear. Raises ValueError where it could not be added up in 64 bits."""
    parts = []
    for synapse in layer.synapses:
        source, kernel = network.source_of(synapse), synapse.kernel
        if isinstance(source, Input):
            kernel = kernel * source.active_steps
        parts.append((source.fires is Fires.ONCE, kernel, *reach(network, synapse, budget)))
    # Where one step's spikes stay below this, no sum over steps and sources leaves 64 bits.
    for sign, bound in ((-1, 2), (1, 3)):
        most = np.sum([float(part[1].max()) * np.abs(part[bound]) for part in parts], axis=0)
        worst = int(np.argmax(most))
        if most[worst] >= 2 * Limits.POTENTIAL:
            raise ValueError(f"a potential must stay below {Limits.POTENTIAL}, not reach "
                             f"{sign * int(most[worst])} (layer {layer.name!r}, neuron {worst})")
    return _Traffic(parts)


class _Traffic:
    """What neurons can hear, as the most negative and the most positive sum of ``a * scale_i * w_ij * K``.

    ``parts``: of each source whether it fires once, its kernel, and both bounds without the kernel.
    """

    def __init__(self, parts: list[tuple[bool, np.ndarray, np.ndarray, np.ndarray]]):
        self.parts = parts
        self.has_once = any(once for once, *_ in parts)

    @property
    def bounds(self) -> list[np.ndarray]:
        """What one step can bring to each neuron, of each source, without the kernel."""
        return [bound for *_, down, up in self.parts for bound in (down, up)]

    def of(self, neurons: np.ndarray) -> "_Traffic":
        """The traffic of some of the neurons."""
        return _Traffic([(once, kernel, down[neurons], up[neurons])
                         for once, kernel, down, up in self.parts])

    def repeated(self, step: int) -> Bounds:
        """Of one step, from sources whose addresses may spike in every step."""
        return self._sum((kernel[step], down, up) for once, kernel, down, up in self.parts if not once)

    def step(self, step: int) -> Bounds:
        """Of one step, from all sources."""
        return self._sum((kernel[step], down, up) for _, kernel, down, up in self.parts)

    def once_until(self, step: int) -> Bounds:
        """Of steps 0 to ``step`` together, from sources whose addresses spike once in a window."""
        return self._sum((kernel[:step + 1].max(), down, up) for once, kernel, down, up in self.parts if once)

    def window(self) -> Bounds:
        """Of the whole window, from all sources."""
        return self._sum((kernel.max() if once else kernel.sum(), down, up)
                         for once, kernel, down, up in self.parts)

    def _sum(self, terms) -> Bounds:
        """Of ``(factor, down, up)``: the sums of the factor times the bounds."""
        total: Bounds | None = None
        for factor, down, up in terms:
            down, up = factor * down, factor * up
            total = (down, up) if total is None else (total[0] + down, total[1] + up)
        return total or (np.zeros_like(self.parts[0][2]), np.zeros_like(self.parts[0][3]))


class _Neurons:
    """Some neurons of a layer, followed through a window."""

    def __init__(self, layer: Layer, traffic: _Traffic, neurons: np.ndarray):
        self.layer, self.traffic = layer, traffic.of(neurons)
        self.numbers = {name: values[neurons] for name, values in _numbers(layer).items()}
        self.biased = bool(self.numbers["bias"].any())

    def range(self) -> Bounds:
        """The lowest and the highest of all moments."""
        low = high = self.numbers["initial"]
        for moment in self._windowed() if self.layer.phase is Phase.WINDOWED else self._online():
            low, high = np.minimum(low, moment[0]), np.maximum(high, moment[1])
        return low, high

    def _windowed(self) -> Iterator[Bounds]:
        down, up = self.traffic.window()
        low, high = self.numbers["initial"] + down, self.numbers["initial"] + up
        yield low, high
        for step in range(self.layer.window if self.layer.fires is Fires.MANY else 0):
            low, high = self._reset(step, (low, high), (low, high))
            yield low, high

    def _online(self) -> Iterator[Bounds]:
        """Two bounds, both true; the narrower one is kept. The first lets once sources repeat. The second
        ("calm") leaves them out and adds all that they can have sent so far, for neither a leak nor the
        bounds of a reset drive two potentials further apart than they were. Without such sources they are
        one."""
        low = high = calm_low = calm_high = self.numbers["initial"]
        once_low = once_high = np.zeros_like(low)
        bias, calm = self.numbers["bias"], self.traffic.has_once
        for step in range(self.layer.window):
            if self.layer.leak is not None:
                low, high = self._leak(low), self._leak(high)
                if calm:
                    calm_low, calm_high = self._leak(calm_low), self._leak(calm_high)
                yield low, high
            if self.biased:
                low, high, calm_low, calm_high = low + bias, high + bias, calm_low + bias, calm_high + bias
                if calm:
                    low, high = np.maximum(low, calm_low + once_low), np.minimum(high, calm_high + once_high)
                yield low, high
            down, up = self.traffic.step(step)
            low, high = low + down, high + up
            if calm:
                down, up = self.traffic.repeated(step)
                calm_low, calm_high = calm_low + down, calm_high + up
                once_low, once_high = self.traffic.once_until(step)
                low, high = np.maximum(low, calm_low + once_low), np.minimum(high, calm_high + once_high)
            yield low, high
            if self.layer.fires is Fires.MANY:
                if calm:
                    calm_low, calm_high = self._reset(step, (calm_low, calm_high), (low, high))
                low, high = self._reset(step, (low, high), (low, high))
                if calm:
                    low, high = np.maximum(low, calm_low + once_low), np.minimum(high, calm_high + once_high)
                yield low, high

    def _leak(self, bound: np.ndarray) -> np.ndarray:
        return bound - (bound >> self.numbers["leak"])

    def _reset(self, step: int, bounds: Bounds, before: Bounds) -> Bounds:
        """Bounds after fire and reset; ``before``: what the potential can be before them."""
        (low, high), (lowest, highest) = bounds, before
        threshold = self.numbers["threshold"] * self.layer.threshold_schedule[step]
        may_fire, may_stay = highest >= threshold, lowest < threshold
        if self.layer.reset is Reset.TO:
            fired_low = fired_high = self.numbers["reset_value"]
        else:
            amount = self.numbers["reset_value"] * self.layer.reset_schedule[step]
            fired_low, fired_high = np.maximum(low, threshold) - amount, high - amount
        stayed_low, stayed_high = low, np.minimum(high, threshold - 1)
        both_low, both_high = np.minimum(stayed_low, fired_low), np.maximum(stayed_high, fired_high)
        return (np.where(may_fire, np.where(may_stay, both_low, fired_low), stayed_low),
                np.where(may_fire, np.where(may_stay, both_high, fired_high), stayed_high))
