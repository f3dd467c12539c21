"""Real numbers become integers, once, and it is said what that did to them.

Each neuron's potential may have a unit of its own: weights ``w`` become ``round(s * w)``, and threshold,
bias, reset and initial value are multiplied by the same ``s``. Where the weights lie on a grid already (one
bit times a scale, say), ``s`` is that of the grid and nothing is lost. A threshold never loses anything then:
``V > x`` is ``V >= floor(x) + 1`` for integers. What bias, reset and leak still need in fractions they get as
binary places below the weights: the kernel becomes ``2^f``.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...network import Fires, Layer, Limits, Network, Phase, Reset
from ...network.checks import integer
from ...network.ranges import potential_range
from ..graph.refusals import Refusals
from .grids import is_whole, threshold_of, weights_on_grid
from .real_network import RealLayer, RealNetwork

__all__ = ["KINDS", "Rounding", "discretise", "leak_of", "never_twice"]

KINDS = ("auto", "sign", "ternary", "integer")
"""What weights may become; "auto": the fewest bits that hold them exactly, else integers."""

PLACES = 16
"""The most binary places that are spent on being exact."""
ROUNDED_PLACES = 8
"""Binary places where that is not enough."""


@dataclass(frozen=True)
class Rounding:
    """What became of a layer's numbers.

    Attributes
    ----------
    layer, place : str
        Its name, and where it stands in the other tool.
    weights : str
        "sign", "ternary" or "integer".
    bits : int
        Of each weight.
    count, changed : int
        How many weights, and how many of them are not what they were.
    farthest : float
        The largest change, over the largest weight.
    neuron : float
        The largest change of a bias, reset or initial value, over the threshold (or the largest weight, where
        nothing fires).
    places : int
        Binary places below the weights.
    leak : bool
        Whether the leak rounds.
    remarks : tuple of str
        What else is not exact.
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
               approximate: bool = False) -> tuple[Network, tuple[Rounding, ...]]:
    """A network of integers that does what ``network`` does, as closely as its weights can.

    Parameters
    ----------
    network : RealNetwork
        What to round. Groups that know what their weights are multiples of have that as their kernel, and
        are taken as they are.
    weights : str
        One of :data:`KINDS`.
    bits : int
        Of integer weights, 2 to 8.
    places : int or None
        Binary places below the weights; None: as many as it takes to be exact, if those are not too many.
    approximate : bool
        Take what is not exact in kind (a decay that is no 1 - 2^-k, snnTorch's second reset) as what is
        nearest to it, and remark it.

    Returns
    -------
    network : Network
        The integers.
    roundings : tuple of Rounding
        What became of each layer.

    Raises
    ------
    ValueError
        An option is none of these, or a layer cannot be said in integers (it is named).
    """
    if weights not in KINDS:
        raise ValueError(f"weights must be one of {', '.join(map(repr, KINDS))}, not {weights!r}")
    bits = integer(bits, "bits", 2, 8)
    if places is not None:
        places = integer(places, "places", 0, 20)
    refusals = Refusals()
    layers: list[Layer] = []
    roundings: list[Rounding] = []
    for index, layer in enumerate(network.layers):
        last = index == len(network.layers) - 1
        try:
            leak, remark = leak_of(layer, approximate)
            made, rounding = _layer(layer, leak, network.input.window, weights, bits, places, last)
        except ValueError as error:
            refusals.add(layer.place, str(error))
        else:
            layers.append(made)
            roundings.append(replace(rounding, remarks=(remark,) if remark else ()))
    refusals.raise_any()
    made = Network(network.input, layers, network.readout)
    for index, layer in enumerate(network.layers):
        if layer.again and not never_twice(made, made.layers[index]):
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


def never_twice(network: Network, layer: Layer) -> bool:
    """Whether no potential of a layer can pass twice what a reset subtracts."""
    return bool((potential_range(network, layer)[1] <= 2 * layer.reset_value).all())


def leak_of(layer: RealLayer, approximate: bool = False) -> tuple[np.ndarray | None, str]:
    """The leak's shifts for a layer's decays.

    Returns
    -------
    shifts : numpy.ndarray or None
        int64, shape ``(neurons,)``; None where nothing decays.
    remark : str
        What is not exact in them, where ``approximate`` allows that.

    Raises
    ------
    ValueError
        A decay is no factor from 0 to 1, or is not exact.
    """
    decay = layer.decay
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
           last: bool) -> tuple[Layer, Rounding]:
    rows = layer.rows
    channels = len(rows)
    alike = len({len(group.weights) for group in layer.groups}) == 1
    factors = [group.factor for group in layer.groups if group.factor is not None]
    known = len(factors) == len(layer.groups)
    unit = np.ones(rows.shape[1])
    if known:
        unit = np.repeat(factors, [group.weights.size // channels for group in layer.groups])
        known = bool((rows % unit == 0).all() and np.abs(rows / unit).max() <= 128)
    if known:
        taken, scale, places = rows / unit, np.ones(channels), 0
    else:
        taken, scale = weights_on_grid(rows, kind, bits, last or not alike)
        unit = np.ones(rows.shape[1])
    if not known and not last and channels > 1 and layer.threshold is not None:
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
    off = max(0.0 if is_whole(value * shift).all() else
              float((np.abs(whole[name] / shift - value) / reference).max())
              for name, value in numbers.items())

    kernels = factors if known else [1 << chosen] * len(layer.groups)
    synapses = [group.synapses(part, kernel) for group, part, kernel
                in zip(layer.groups, layer.parted(taken), kernels, strict=True)]
    made: dict[str, Any] = {"bias": whole["bias"], "initial": whole["initial"], "leak": leak}
    if layer.threshold is None:
        made["fires"] = Fires.NEVER
    else:
        made |= {"fires": Fires.MANY, "threshold": threshold_of(layer.threshold * each * shift, layer.strict),
                 "reset": Reset.SUBTRACT if layer.subtract else Reset.TO, "reset_value": whole["reset_value"]}
    scaled = rows / unit * scale[:, None]
    error = np.abs(taken - scaled) / scale[:, None]
    changed = ~is_whole(scaled) | (taken != np.rint(scaled))
    kinds = {synapse.weight_kind for synapse in synapses}
    rounding = Rounding(
        layer.name, layer.place, max(kinds, key=("sign", "ternary", "integer").index).value,
        max(synapse.weight_bits for synapse in synapses), rows.size, int(changed.sum()),
        float(error[changed].max() / np.abs(rows).max()) if changed.any() else 0.0, off, chosen,
        bool(deepest) and chosen < wanted)
    return Layer(synapses, window, Phase.ONLINE, name=layer.name, **made), rounding


def _or_zero(value: np.ndarray | None) -> np.ndarray | float:
    return 0.0 if value is None else value


def _places(numbers: dict[str, np.ndarray]) -> int:
    """The fewest binary places that hold all ``numbers``; more than PLACES where so many do not."""
    for places in range(PLACES + 1):
        if all(is_whole(value * 2.0 ** places).all() for value in numbers.values()):
            return places
    return PLACES + 1
