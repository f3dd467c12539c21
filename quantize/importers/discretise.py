"""Real numbers become integers, once, and it is said what that did to them.

Each neuron's potential may have a unit of its own: weights ``w`` become ``round(s * w)``, and threshold,
bias, reset and initial value are multiplied by the same ``s``. Where the weights lie on a grid already (one
bit times a scale, say), ``s`` is that of the grid and nothing is lost. A threshold never loses anything then:
``V > x`` is ``V >= floor(x) + 1`` for integers. What bias, reset and leak still need in fractions they get as
binary places below the weights: the kernel becomes ``2^f``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...network import Convolution, Dense, Fires, Layer, Limits, Network, Phase, Reset
from ...network.ranges import potential_range
from .parts import Refusals
from .reals import RealLayer, RealNetwork

__all__ = ["KINDS", "Rounding", "discretise"]

KINDS = ("auto", "sign", "ternary", "integer")
"""What weights may become; "auto": the fewest bits that hold them exactly, else integers."""

PLACES = 16
"""The most binary places that are spent on being exact."""
ROUNDED_PLACES = 8
"""Binary places where that is not enough."""
SMALLEST = 1e-200
"""Weights that are all below are no numbers to divide by."""
FLOAT32 = 2.0 ** -22
"""How far a multiple of a unit may be off, for each unit, and still be float32's rounding of it."""


@dataclass(frozen=True)
class Rounding:
    """What became of a layer's numbers.

    ``weights``: "sign", "ternary" or "integer", of ``bits`` each; ``changed`` of ``count`` weights are not
    what they were; ``farthest``: the largest change, over the largest weight. ``neuron``: the largest change
    of a bias, reset or initial value, over the threshold (or the largest weight, where nothing fires).
    ``places``: binary places below the weights. ``leak``: whether the leak rounds. ``remarks``: what else is
    not exact.
    """

    layer: str
    place: str
    weights: str
    bits: int
    count: int
    changed: int
    farthest: float
    neuron: float
    places: int
    leak: bool
    remarks: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the layer does in every step what it did before."""
        return not (self.changed or self.neuron or self.leak or self.remarks)


def discretise(network: RealNetwork, weights: str = "auto", bits: int = 8, places: int | None = None,
               approximate: bool = False,
               kernels: Mapping[str, tuple[int, ...]] | None = None) -> tuple[Network, tuple[Rounding, ...]]:
    """A network of integers that does what ``network`` does, as closely as its weights can.

    Parameters
    ----------
    weights: one of :data:`KINDS`. bits: of integer weights, 2 to 8. places: binary places below the weights;
        None: as many as it takes to be exact, if those are not too many.
    approximate: take what is not exact in kind (a decay that is no 1 - 2^-k, snnTorch's second reset) as what
        is nearest to it, and remark it.
    kernels: what the weights of a layer's groups are multiples of, by layer, where that is known; these
        become the kernels, and everything else is taken as it is.

    Raises
    ------
    ValueError: an option is none of these, or a layer cannot be said in integers (it is named).
    """
    if weights not in KINDS:
        raise ValueError(f"weights must be one of {', '.join(map(repr, KINDS))}, not {weights!r}")
    if not 2 <= bits <= 8:
        raise ValueError(f"bits must be from 2 to 8, not {bits}")
    if places is not None and not 0 <= places <= 20:
        raise ValueError(f"places must be from 0 to 20, not {places}")
    refusals = Refusals()
    layers: list[Layer] = []
    roundings: list[Rounding] = []
    for index, layer in enumerate(network.layers):
        last = index == len(network.layers) - 1
        try:
            leak, remark = _leak(layer, approximate)
            made, rounding = _layer(layer, leak, network.input.window, weights, bits, places, last,
                                    (kernels or {}).get(layer.name))
        except ValueError as error:
            refusals.add(layer.place, str(error))
        else:
            layers.append(made)
            roundings.append(replace(rounding, remarks=(remark,) if remark else ()))
    refusals.raise_any()
    made = Network(network.input, layers, network.readout)
    for index, layer in enumerate(network.layers):
        if layer.again and not _stays(made, made.layers[index]):
            if approximate:
                remark = "a second reset before the threshold, which is left out"
                roundings[index] = replace(roundings[index], remarks=(*roundings[index].remarks, remark))
            else:
                refusals.add(layer.place, "where a potential passes twice the threshold, which its inputs "
                             "can drive it to, it is reset a second time before it is compared; give "
                             "reset_delay=True where beta is 1, or reset_mechanism='zero', or import it with "
                             "approximate=True")
    refusals.raise_any()
    return made, tuple(roundings)


def _stays(network: Network, layer: Layer) -> bool:
    """Whether no potential can pass twice what a reset subtracts."""
    return bool((potential_range(network, layer)[1] <= 2 * layer.reset_value).all())


def _leak(layer: RealLayer, approximate: bool) -> tuple[np.ndarray | None, str]:
    """The leak's shifts for a layer's decays, and a remark where they are not exact. Raises ValueError."""
    decay = np.ones(1) if layer.decay is None else layer.decay
    if (decay == 1).all():
        return None, ""
    if (decay < 0).any() or (decay > 1).any():
        raise ValueError(f"its potential must decay by a factor from 0 to 1, not {decay[decay != 1][0]:g}")
    steady = decay > 1 - 2.0 ** -Limits.LEAK
    shift = np.rint(-np.log2(np.maximum(1 - decay, 2.0 ** -Limits.LEAK))).astype(np.int64)
    off = np.abs(1 - 2.0 ** -shift - decay)
    if steady.any():
        raise ValueError("some of its neurons keep their potential and others lose some of it; "
                         "give all of them a decay below 1, or none")
    if (off <= 1e-6).all():
        return shift, ""
    worst = int(np.argmax(off))
    nearest = 1 - 2.0 ** -int(shift[worst])
    if approximate:
        return shift, f"a decay of {decay[worst]:g} taken as {nearest:g}"
    raise ValueError(f"its potential decays by the factor {decay[worst]:g}, which is no 1 - 2^-k; give 0, "
                     f"0.5, 0.75, 0.875, ... (the nearest is {nearest:g}), or import it with "
                     "approximate=True")


def _layer(layer: RealLayer, leak: np.ndarray | None, window: int, kind: str, bits: int, places: int | None,
           last: bool, kernels: tuple[int, ...] | None) -> tuple[Layer, Rounding]:
    counts = {len(group.weights) for group in layer.groups}
    channels = counts.pop() if len(counts) == 1 else 1
    rows = np.concatenate([group.weights.reshape(channels, -1) for group in layer.groups], axis=1)
    unit = np.ones(rows.shape[1])
    if kernels is not None and len(kernels) == len(layer.groups):
        unit = np.repeat(kernels, [group.weights.size // channels for group in layer.groups])
    if kernels is not None and (rows % unit == 0).all() and np.abs(rows / unit).max() <= 128:
        taken, scale, places = rows / unit, np.ones(channels), 0
    else:
        kernels = None
        taken, scale = _weights(rows, kind, bits, last or bool(counts))
    if kernels is None and not last and channels > 1 and layer.threshold is not None:
        silent = ~rows.any(axis=1)  # neurons that hear nothing need no unit of the weights
        threshold = layer.threshold.reshape(channels, -1)[:, 0]
        scale = np.where(silent & (threshold > 0), 1.0 / np.where(threshold > 0, threshold, 1.0), scale)
    each = np.repeat(scale, layer.size // channels)

    numbers = {"bias": layer.bias * each, "initial": layer.initial * each}
    if layer.threshold is not None and layer.reset_value is not None:
        numbers["reset_value"] = layer.reset_value * each
    wanted = _places(numbers)
    deepest = 0 if leak is None else int(leak.max()) * (window - 1 + bool(np.any(layer.initial)))
    wanted += deepest
    chosen = places if places is not None else wanted if wanted <= PLACES else ROUNDED_PLACES
    shift = 2.0 ** chosen
    most = max(float(np.abs(value).max()) for value in (*numbers.values(), _or_zero(layer.threshold) * each))
    if most * shift > Limits.VALUE:
        raise ValueError(f"its threshold, reset or bias is {most:.3g} times as large as its weights' unit; "
                         "check its weights")
    whole = {name: np.rint(value * shift).astype(np.int64) for name, value in numbers.items()}
    reference = np.abs(rows).max() * each.max() if layer.threshold is None else np.maximum(
        np.abs(layer.threshold * each), 1e-30)
    off = max(float((np.abs(whole[name] / shift - value) / reference).max()) if not _near(value * shift).all()
              else 0.0 for name, value in numbers.items())

    synapses, start = [], 0
    for index, group in enumerate(layer.groups):
        kernel = 1 << chosen if kernels is None else kernels[index]
        stop = start + group.weights.size // channels
        part = taken[:, start:stop].reshape(group.weights.shape).astype(np.int8)
        start = stop
        if group.geometry is None:
            synapses.append(Dense(part, kernel, group.source, group.pool))
        else:
            lie = group.geometry
            synapses.append(Convolution(part, group.heard_shape, lie.stride, lie.padding, lie.dilation,
                                        lie.groups, kernel, group.source, group.pool))
    made: dict[str, Any] = {"bias": whole["bias"], "initial": whole["initial"], "leak": leak}
    if layer.threshold is None:
        made["fires"] = Fires.NEVER
    else:
        made |= {"fires": Fires.MANY, "threshold": _threshold(layer.threshold * each * shift, layer.strict),
                 "reset": Reset.SUBTRACT if layer.subtract else Reset.TO, "reset_value": whole["reset_value"]}
    scaled = rows / unit * scale[:, None]
    error = np.abs(taken - scaled) / scale[:, None]
    changed = ~_near(scaled) | (taken != np.rint(scaled))
    kinds = {synapse.weight_kind for synapse in synapses}
    rounding = Rounding(
        layer.name, layer.place, max(kinds, key=("sign", "ternary", "integer").index).value,
        max(synapse.weight_bits for synapse in synapses), rows.size, int(changed.sum()),
        float(error[changed].max() / np.abs(rows).max()) if changed.any() else 0.0, off, chosen,
        bool(deepest) and chosen < wanted)
    return Layer(synapses, window, Phase.ONLINE, name=layer.name, **made), rounding


def _or_zero(value: np.ndarray | None) -> np.ndarray | float:
    return 0.0 if value is None else value


def _near(values: np.ndarray) -> np.ndarray:
    """Which of ``values`` are integers, but for float32's rounding."""
    return np.abs(values - np.rint(values)) <= FLOAT32 * np.maximum(np.abs(values), 1.0)


def _places(numbers: dict[str, np.ndarray]) -> int:
    """The fewest binary places that hold all ``numbers``; more than PLACES where so many do not."""
    for places in range(PLACES + 1):
        if all(_near(value * 2.0 ** places).all() for value in numbers.values()):
            return places
    return PLACES + 1


def _threshold(real: np.ndarray, strict: bool) -> np.ndarray:
    """The integers that an integer potential reaches where it is above ``real`` (``strict``), or at it."""
    whole = np.where(_near(real), np.rint(real), real)
    threshold = (np.floor(whole) + 1 if strict else np.ceil(whole)).astype(np.int64)
    if (threshold < 1).any():
        neuron = int(np.argmin(threshold))
        raise ValueError(f"its threshold must be above {'or at ' if strict else ''}0, "
                         f"where it starts, not {real[neuron]:g} of its weights' units (neuron {neuron})")
    return threshold


def _weights(rows: np.ndarray, kind: str, bits: int, last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Integers for ``rows`` of weights, and the scale of each row (one for all in the ``last`` layer)."""
    limit = (1 << bits - 1) - 1 if kind in ("auto", "integer") else 1
    lowest = -limit - 1 if kind in ("auto", "integer") else -1
    largest = np.abs(rows).max()
    if 0 < largest < SMALLEST:
        raise ValueError(f"its weights, times what a spike is worth to them, are {largest:g} at most, too "
                         "small to count with; scale them, or check level")
    if largest == 0:
        if kind == "sign":
            raise ValueError("its weights are all 0, which no sign is; leave it out")
        return np.zeros_like(rows), np.ones(len(rows))
    fits = not (kind == "sign" and (rows == 0).any())
    if fits:
        same = _grid(rows, limit, lowest)
        grids = [[same] * len(rows)]
        if not last and (same is None or largest * same > 1):
            grids.append([_grid(row, limit, lowest) if row.any() else 1.0 for row in rows])
        scales = [np.array(grid, np.float64) for grid in grids if all(scale is not None for scale in grid)]
        found = [(np.rint(rows * scale[:, None]), scale) for scale in scales]
        if found:
            return min(found, key=lambda taken: np.abs(taken[0]).max())
    if last:
        taken, scale = _rounded(rows.reshape(1, -1), kind, limit)
        return taken.reshape(rows.shape), np.repeat(scale, len(rows))
    return _rounded(rows, kind, limit)


def _grid(values: np.ndarray, limit: int, lowest: int) -> float | None:
    """The smallest scale that makes ``values`` integers from ``lowest`` to ``limit``; None if none does."""
    sizes = np.unique(np.abs(values))
    low, high = values.min(), values.max()
    sizes = sizes[sizes > 0]
    for count in range(1, -lowest + 1):
        scale = count / sizes[-1]
        if _near(sizes * scale).all() and np.rint(high * scale) <= limit and np.rint(low * scale) >= lowest:
            return scale
    return None


def _rounded(rows: np.ndarray, kind: str, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """The integers and scales of the least squared error, of a few that are tried, for each row."""
    sizes = np.abs(rows)
    if kind in ("sign", "ternary"):
        kept = sizes >= 0 if kind == "sign" else sizes > 0.7 * sizes.mean(axis=1, keepdims=True)
        taken = np.where(kept, np.where(rows < 0, -1.0, 1.0), 0.0)
        mean = np.where(kept, sizes, 0).sum(axis=1) / np.maximum(kept.sum(axis=1), 1)
        return taken, 1.0 / np.where(mean > 0, mean, 1.0)
    best = np.full(len(rows), np.inf)
    scale = np.ones(len(rows))
    largest = np.where(sizes.max(axis=1) > 0, sizes.max(axis=1), 1.0)
    for clip in np.linspace(0.4, 1.0, 25):
        trial = limit / (clip * largest)
        whole = np.clip(np.rint(rows * trial[:, None]), -limit, limit)
        error = ((whole / trial[:, None] - rows) ** 2).sum(axis=1)
        better = error <= best
        best, scale = np.where(better, error, best), np.where(better, trial, scale)
    return np.clip(np.rint(rows * scale[:, None]), -limit, limit), scale
