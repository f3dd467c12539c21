"""From what a network hears to what goes into a core's ports: tokens at ``spikes``, levels at ``levels``."""

from dataclasses import dataclass

import numpy as np

from ..network import Network, Phase
from ..rtl.description import InputPort
from .payloads import packed

__all__ = ["Stimulus", "levels", "tokens"]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """Payloads for a port, window after window.

    Attributes
    ----------
    payloads : uint8 array, shape (payloads, bytes)
        See :mod:`.payloads`.
    ends : int64 array, shape (windows,)
        Where each window's payloads end.
    """

    payloads: np.ndarray
    ends: np.ndarray


def tokens(network: Network, port: InputPort, input_spikes: np.ndarray,
           rng: np.random.Generator | None = None) -> Stimulus:
    """The tokens of some windows.

    An online network gets its spikes sorted by step, a network that only listens window by window as they
    come; then the end of the window.

    Parameters
    ----------
    network : :class:`~..network.Network`
        Whose input it is.
    port : :class:`~..rtl.description.InputPort`
    input_spikes : integer array, shape (count, window, size)
        The values of the spikes, 0 where there is none.
    rng : :class:`numpy.random.Generator`, optional
        Where given, all that the laws of a spike stream leave open is drawn: the order of the spikes within
        a step (or within a windowed network's window), ends of steps, and the tag.
    """
    count, window, size = input_spikes.shape
    online = any(layer.phase is Phase.ONLINE and synapse.source == "input"
                 for layer in network.layers for synapse in layer.synapses)
    compact = np.full(size, -1)
    compact[list(port.addresses)] = np.arange(len(port.addresses))
    image, step, address = np.nonzero(input_spikes)
    value = input_spikes[image, step, address].astype(np.int64)
    kept = compact[address] >= 0
    image, step, address, value = image[kept], step[kept], compact[address[kept]], value[kept]
    kinds = port.stream.kinds
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
    payloads = packed({name: values[order] for name, values in fields.items()}, port.stream.fields,
                      port.stream.width)
    return Stimulus(payloads, np.cumsum(np.bincount(image, minlength=count)))


def levels(images: np.ndarray, width: int) -> Stimulus:
    """The levels of some images, shape ``(count, size)``, of ``width`` bits each."""
    count, size = images.shape
    return Stimulus(packed({"level": images.ravel()}, {"level": (0, width)}, width),
                    np.arange(1, count + 1) * size)
