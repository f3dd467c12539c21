"""The golden model: what a network does with one image, integer by integer.

This is the reference that the hardware is held against, written to be read: the equation of
:mod:`firstspike.quantize.network`. :mod:`.batched` gives the same values for many images at once.
"""

from dataclasses import dataclass

import numpy as np

from ..quantize.network import Bits, Direct, Fires, Input, Latency, Layer, Network, Phase, Readout, Reset

__all__ = ["LayerTrace", "Trace", "check_images", "encode", "read", "run"]


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """What one layer did. ``spikes``: bool, shape ``(window, neurons)``. ``potential``: int64, shape
    ``(neurons,)``, the final potentials: after the last fire and reset of the window."""

    spikes: np.ndarray
    potential: np.ndarray


@dataclass(frozen=True, eq=False)
class Trace:
    """All that happened in one window.

    ``input_spikes``: int64, shape ``(window, size)``: the value of each spike of the input, 0 where there is
    none; inputs that the mask leaves out have none. ``layers``: one :class:`LayerTrace` each. ``label``: the
    class. ``step``: the step whose spikes decided, or the last layer's window where no spike did.
    """

    input_spikes: np.ndarray
    layers: tuple[LayerTrace, ...]
    label: int
    step: int


def run(network: Network, image: np.ndarray) -> Trace:
    """Run a network on one image.

    Parameters
    ----------
    network: what to run.
    image: integers of shape ``(size,)``, the levels, where the network has an encoding; bool of shape
        ``(window, size)`` where it listens to ready-made spikes.

    Raises
    ------
    TypeError, ValueError: the image is of another type or shape, or a level or spike is out of range.
    """
    image = check_images(network.input, np.asarray(image)[None])[0]
    heard = {"input": encode(network.input, image)}
    layers = []
    deciding = np.zeros(0, np.int64)
    for layer in network.layers:
        spikes, potential, deciding = _run_layer(layer, heard)
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


def _run_layer(layer: Layer, heard: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spikes and final potentials of one layer, and what its potentials were when it first fired."""
    potential = layer.initial.copy()
    fired = np.zeros(layer.size, bool)
    spikes = np.zeros((layer.window, layer.size), bool)
    deciding = None

    if layer.phase is Phase.WINDOWED:
        for synapse in layer.synapses:
            for step in range(len(synapse.kernel)):
                potential += synapse.kernel[step] * (synapse.weights @ heard[synapse.source][step])

    for step in range(layer.window):
        if layer.leak is not None:
            potential -= potential >> layer.leak
        potential += layer.bias
        if layer.phase is Phase.ONLINE:
            for synapse in layer.synapses:
                potential += synapse.kernel[step] * (synapse.weights @ heard[synapse.source][step])
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
    spikes, potential: as in :class:`LayerTrace`.
    deciding: the potentials after the adds, before the reset, of the first step with a spike.
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


def check_images(inputs: Input, images: np.ndarray) -> np.ndarray:
    """``images`` as an array that fits ``inputs``: integers of shape ``(count, size)``, or bool spikes of
    shape ``(count, window, size)``.

    Raises TypeError where the type is another, ValueError where the shape is another, a level is none of the
    encoding's, or an input that is declared to spike once spikes more often (inputs that are left out may).
    """
    images = np.asarray(images)
    if images.ndim and not len(images):
        raise ValueError("there must be at least one image, not none")
    if inputs.levels is None:
        if images.dtype != np.bool_:
            raise TypeError(f"spikes must be an array of bool, not of {images.dtype}")
        if images.shape[1:] != (inputs.window, inputs.size):
            raise ValueError(f"spikes must have the shape (steps, inputs) = ({inputs.window}, {inputs.size}) "
                             f"for each image, not {images.shape[1:]}")
        if inputs.fires is Fires.ONCE:
            often = (images.sum(axis=1) > 1) & inputs.mask
            if often.any():
                image, address = np.argwhere(often)[0]
                times = images[image, :, address].sum()
                raise ValueError(f"an input must spike at most once in a window, not {times} times "
                                 f"(image {image}, input {address})")
        return images
    if images.dtype.kind not in "iu":
        raise TypeError(f"an image must be made of integers, not of {images.dtype}")
    if images.shape[1:] != (inputs.size,):
        raise ValueError(f"an image must have the shape ({inputs.size},), not {images.shape[1:]}")
    if images.min() < 0 or images.max() >= inputs.levels:
        image, address = np.argwhere((images < 0) | (images >= inputs.levels))[0]
        raise ValueError(f"a level must be from 0 to {inputs.levels - 1}, not {images[image, address]} "
                         f"(image {image}, input {address})")
    return images
