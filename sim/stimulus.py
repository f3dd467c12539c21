"""From what a network hears to what goes into a core's ports: tokens at ``spikes``, levels at ``levels``."""

from dataclasses import dataclass

import numpy as np

from ..network import Network, Phase

__all__ = ["Stimulus", "field", "levels", "tokens"]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """Payloads for a port, window after window. ``payloads``: uint64. ``ends``: int64, one a window: where
    its payloads end."""

    payloads: np.ndarray
    ends: np.ndarray


def field(payloads: np.ndarray, place: list[int]) -> np.ndarray:
    """A field of payloads, given by its lowest bit and its width, as int64."""
    lowest, width = place
    return (payloads.astype(np.uint64) >> np.uint64(lowest) & np.uint64((1 << width) - 1)).astype(np.int64)


def tokens(network: Network, port: dict, input_spikes: np.ndarray,
           rng: np.random.Generator | None = None) -> Stimulus:
    """The tokens of some windows.

    An online network gets its spikes sorted by step, a network that only listens window by window as they
    come; then the end of the window.

    Parameters
    ----------
    network: whose input it is.
    port: ``ports.spikes`` of ``top.json``.
    input_spikes: the values of the spikes, 0 where there is none; shape ``(count, window, size)``.
    rng: where given, all that the laws of a spike stream leave open is drawn: the order of the spikes within
        a step (or within a windowed network's window), ends of steps, and the tag.
    """
    count, window, size = input_spikes.shape
    online = any(layer.phase is Phase.ONLINE and synapse.source == "input"
                 for layer in network.layers for synapse in layer.synapses)
    compact = np.full(size, -1)
    compact[port["addresses"]] = np.arange(len(port["addresses"]))
    image, step, address = np.nonzero(input_spikes)
    value = input_spikes[image, step, address].astype(np.int64)
    kept = compact[address] >= 0
    image, step, address, value = image[kept], step[kept], compact[address[kept]], value[kept]
    kinds = port["kinds"]
    sorts = step if online or rng is None else np.zeros_like(step)
    # image, place in the image, whether it closes the place, kind, address, step, value
    parts: list[tuple] = [(image, sorts, 0, kinds["SPIKE"], address, step, value)]
    if online and rng is not None:
        image, step = np.nonzero(rng.random((count, window)) < 0.4)
        parts.append((image, step, 1, kinds["STEP"], 0, step, 0))
    parts.append((np.arange(count), window, 1, kinds["WINDOW"], 0, 0, 0))
    image, place, closing, *numbers = (
        np.concatenate([np.broadcast_to(part[column], part[0].shape) for part in parts])
        for column in range(7))
    fields: dict[str, np.ndarray] = dict(zip(("kind", "address", "step", "value"), numbers, strict=True))
    if rng is not None:
        fields["tag"] = rng.integers(0, 2, len(image))
        order = np.lexsort((rng.random(len(image)), closing, place, image))
    else:
        order = np.lexsort((fields["address"], closing, place, image))
    payloads = np.zeros(len(image), np.uint64)
    for name, values in fields.items():
        lowest, width = port["fields"][name]
        if width:
            payloads |= values.astype(np.uint64) << np.uint64(lowest)
    return Stimulus(payloads[order], np.cumsum(np.bincount(image, minlength=count)))


def levels(images: np.ndarray) -> Stimulus:
    """The levels of some images, shape ``(count, size)``."""
    count, size = images.shape
    return Stimulus(images.astype(np.uint64).ravel(), np.arange(1, count + 1) * size)
