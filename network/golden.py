"""The golden model: what a network does with one image, integer by integer.

This is the reference that the hardware is held against, written to be read: the equation of
:mod:`firstspike.network.network`. :mod:`.batched` gives the same values for many images at once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .behaviour import Fires, Phase, Readout, Reset
from .checks import integer
from .convolution import Convolution
from .images import check_images
from .inputs import Bits, Direct, Input, Latency
from .layer import Layer
from .network import Network
from .pool import Pool, PoolKind
from .probability import IMAGES, Draw, Probability, draws, window_key
from .synapses import Dense

__all__ = ["LayerTrace", "Trace", "encode", "pooled", "read", "run"]


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """What one layer did.

    Attributes
    ----------
    spikes : numpy.ndarray
        bool, shape ``(window, neurons)``.
    potential : numpy.ndarray
        int64, shape ``(neurons,)``, the final potentials: after the last fire and reset of the window.
    """

    spikes: np.ndarray
    potential: np.ndarray


@dataclass(frozen=True, eq=False)
class Trace:
    """All that happened in one window.

    Attributes
    ----------
    input_spikes : numpy.ndarray
        int64, shape ``(window, size)``: the value of each spike of the input, 0 where there is none; inputs
        that the mask leaves out have none.
    layers : tuple of LayerTrace
        One for each layer.
    label : int
        The class.
    step : int
        The step whose spikes decided, or the last layer's window where no spike did.
    """

    input_spikes: np.ndarray
    layers: tuple[LayerTrace, ...]
    label: int
    step: int


def run(network: Network, image: np.ndarray, index: int = 0) -> Trace:
    """Run a network on one image.

    Parameters
    ----------
    network : Network
        What to run.
    image : numpy.ndarray
        Integers of shape ``(size,)``, the levels, where the network has an encoding; bool of shape
        ``(window, size)`` where it listens to ready-made spikes.
    index : int
        The image's number; it decides what synapses with a probability draw, and nothing else.

    Raises
    ------
    TypeError, ValueError
        The image is of another type or shape, or a level or spike is out of range.
    """
    image = check_images(network.input, np.asarray(image)[None])[0]
    integer(index, "index", 0, IMAGES - 1)
    heard = {"input": encode(network.input, image)}
    layers = []
    deciding = np.zeros(0, np.int64)
    for place, layer in enumerate(network.layers):
        added = [_added(network, place, group, heard, index) for group in range(len(layer.synapses))]
        spikes, potential, deciding = _run_layer(layer, added)
        heard[layer.name] = spikes.astype(np.int64)
        layers.append(LayerTrace(spikes, potential))
    label, step = read(network.readout, layers[-1].spikes, layers[-1].potential, deciding)
    return Trace(heard["input"], tuple(layers), label, step)


def encode(inputs: Input, image: np.ndarray) -> np.ndarray:
    """The values of an image's spikes: int64, shape ``(window, size)``; 0 is no spike."""
    values = np.zeros((inputs.window, inputs.size), np.int64)
    encoding = inputs.encoding
    for step in range(inputs.window):
        if isinstance(encoding, Latency):
            values[step] = encoding.table[image] == step
        elif isinstance(encoding, Direct):
            values[step] = image
        elif isinstance(encoding, Bits):
            values[step] = (image >> (encoding.width - 1 - step)) & 1
        else:
            values[step] = image[step]
    return values * inputs.mask


def pooled(pool: Pool, values: np.ndarray, fires: Fires) -> np.ndarray:
    """What passes a pool of a window's spikes, from a source that ``fires`` once or many times.

    Parameters
    ----------
    pool : Pool
        What they pass.
    values : numpy.ndarray
        Integers, shape ``(window, addresses)``, 0 is no spike.
    fires : Fires
        How often an address of the source spikes.

    Returns
    -------
    numpy.ndarray
        Integers, shape ``(window, regions)``.
    """
    window = len(values)
    seen = [part for *_, part in pool.sliding.taps(values.reshape(window, *pool.source_shape))]
    if pool.kind is PoolKind.SUM:
        passed = np.sum(seen, axis=0)
    else:
        passed = np.max(seen, axis=0)
        if fires is Fires.ONCE:
            earlier = np.cumsum(passed, axis=0) - passed
            passed[earlier > 0] = 0
    return passed.reshape(window, -1)


def _added(network: Network, place: int, group: int, heard: dict[str, np.ndarray], image: int) -> np.ndarray:
    """What a group of synapses adds to the potentials for each step of its source's window: int64, shape
    ``(window, neurons)``. ``place``, ``group``: of the layer in the network, of the synapses in the layer."""
    synapse = network.layers[place].synapses[group]
    values, key = heard[synapse.source], None
    if synapse.pool is not None:
        values = pooled(synapse.pool, values, network.fires_of(synapse.source))
    if synapse.scale is not None:
        values = values * synapse.scale
    if synapse.probability is not None:
        key = window_key(synapse.probability.seed, image, place, group)
    weigh: Any = _convolution if isinstance(synapse, Convolution) else _dense
    return np.stack([synapse.kernel[step] * weigh(synapse, values[step], step, key)
                     for step in range(len(values))])


def _dense(synapse: Dense, values: np.ndarray, step: int, key: Any) -> np.ndarray:
    """``sum over i of w_ij * values_i``, of the spikes that pass: int64, shape ``(neurons,)``."""
    weights = synapse.weights
    if synapse.probability is not None:
        neurons, addresses = np.arange(len(weights))[:, None], np.arange(len(values))
        weights = weights * _passes(synapse.probability, ..., addresses, neurons, step, key)
    return weights @ values


def _convolution(synapse: Convolution, values: np.ndarray, step: int, key: Any) -> np.ndarray:
    """``sum over i, r, s of w[o, i, r, s] * values[i, y * stride + r * dilation - top, ...]``, of the spikes
    that pass, at each ``o, y, x``: int64, shape ``(neurons,)``. ``i`` counts in the group of ``o``."""
    out, each = synapse.weights.shape[:2]
    group = np.arange(out) // (out // synapse.groups)
    listens = group[:, None] * each + np.arange(each)  # the source's channel for each [o, i]
    neurons = np.arange(synapse.size).reshape(out, 1, *synapse.output_shape[1:])
    addresses = np.arange(len(values)).reshape(synapse.source_shape)
    total = np.zeros(synapse.output_shape, np.int64)
    for (r, s, seen), (_, _, places) in zip(synapse.sliding.taps(values.reshape(synapse.source_shape)),
                                            synapse.sliding.taps(addresses), strict=True):
        weights = synapse.weights[..., r, s, None, None]
        if synapse.probability is not None:
            at = (..., r, s, None, None)
            weights = weights * _passes(synapse.probability, at, places[listens], neurons, step, key)
        total += (weights * seen[listens]).sum(axis=1)
    return total.ravel()


def _passes(probability: Probability, at: Any, addresses: np.ndarray, neurons: np.ndarray,
            step: int, key: Any) -> np.ndarray:
    """Whether the synapses ``at`` these places pass a spike on: those whose level is above the draw."""
    each = probability.draw is Draw.SYNAPSE
    return draws(key, step, addresses, neurons if each else None) < probability.levels[at]


def _run_layer(layer: Layer, added: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spikes and final potentials of one layer, and what its potentials were when it first fired.

    ``added``: for each group of synapses, what each step of its source's window adds to the potentials.
    """
    potential = layer.initial.copy()
    fired = np.zeros(layer.size, bool)
    spikes = np.zeros((layer.window, layer.size), bool)
    deciding = None

    if layer.phase is Phase.WINDOWED:
        for sums in added:
            potential += sums.sum(axis=0)

    for step in range(layer.window):
        if layer.leak is not None:
            potential -= potential >> layer.leak
        potential += layer.bias
        if layer.phase is Phase.ONLINE:
            for sums in added:
                potential += sums[step]
        if layer.fires is Fires.NEVER:
            continue
        fires = potential >= layer.threshold * layer.threshold_schedule[step]
        if layer.fires is Fires.ONCE:
            fires &= ~fired
        if deciding is None and fires.any():
            deciding = potential.copy()
        if layer.fires is Fires.MANY:
            if layer.reset is Reset.SUBTRACT:
                potential[fires] -= (layer.reset_value * layer.reset_schedule[step])[fires]
            else:
                potential[fires] = layer.reset_value[fires]
        fired |= fires
        spikes[step] = fires
    return spikes, potential, potential if deciding is None else deciding


def read(readout: Readout, spikes: np.ndarray, potential: np.ndarray,
         deciding: np.ndarray) -> tuple[int, int]:
    """The class and the step that decided it, from what the last layer did.

    Parameters
    ----------
    spikes, potential : numpy.ndarray
        As in :class:`LayerTrace`.
    deciding : numpy.ndarray
        The potentials after the adds, before the reset, of the first step with a spike.
    """
    window = len(spikes)
    match readout:
        case Readout.POTENTIAL:
            return _highest(potential), window
        case Readout.COUNT:
            counts = spikes.sum(axis=0)
            return _highest(potential, among=counts == counts.max()), window
        case Readout.FIRST_SPIKE:
            if not spikes.any():
                return _highest(potential), window
            step = int(np.argmax(spikes.any(axis=1)))
            return _highest(deciding, among=spikes[step]), step


def _highest(potential: np.ndarray, among: np.ndarray | None = None) -> int:
    """The lowest index among the highest potentials, of all neurons or of those ``among``."""
    places = np.arange(len(potential)) if among is None else np.flatnonzero(among)
    return int(places[np.argmax(potential[places])])
