"""Synapses that pass a spike on with a probability, by draws that anyone can repeat.

A draw is a number from 0 to 255, and a pure function of where it is made: of the seed, the image's index, the
layer and its synapse group, the input address, the step and, where each synapse draws for itself, the target
neuron. So it depends neither on the order of events nor on how the hardware folds them. A spike passes where
the draw is below the synapse's level.

The function is a chain: each of these numbers in turn is xored to what the ones before it made and mixed, by
Bob Jenkins' mix of 32 bits (six rounds of adds, xors and shifts; public domain, burtleburtle.net/bob/hash),
and of the last result three bytes are xored. No multiplication; what is the same for a window, a step or a
spike is mixed once for all of it. The lowest byte alone would not do: neighbours are too much alike in it.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .checks import Integers, choice, integer

__all__ = ["CERTAIN", "IMAGES", "Draw", "Probability", "draws", "mix", "window_key"]

CERTAIN = 256
"""The level of a synapse that passes every spike."""
IMAGES = 1 << 32
"""How many images have draws of their own; an image's index is below this."""


class Draw(StrEnum):
    """What has a draw of its own.

    Members
    -------
    SYNAPSE
        Each synapse for each spike: targets are independent of each other.
    SPIKE
        Each spike, for all its targets: those of a level above the draw get it, so that synapses that are
        sorted by their level can be read up to the first that does not.
    """

    SYNAPSE = "synapse"
    SPIKE = "spike"


@dataclass(frozen=True, eq=False)
class Probability:
    """With which probability each synapse of a group passes a spike on, and by which draws.

    Attributes
    ----------
    levels : numpy.ndarray
        Integers from 0 (never) to 256 (always), of the weights' shape; ``p = levels / 256``. A number is
        broadcast.
    seed : int
        0 to 2**32 - 1.
    draw : Draw
        What has a draw of its own.
    """

    levels: Integers
    seed: int = 0
    draw: Draw = Draw.SYNAPSE

    def __post_init__(self):
        object.__setattr__(self, "seed", integer(self.seed, "seed", 0, IMAGES - 1, "probability"))
        object.__setattr__(self, "draw", choice(self.draw, Draw, "draw", "probability"))


def mix(word: np.ndarray | int) -> np.ndarray:
    """Bob Jenkins' mix of 32 bits, of each entry: uint32, one-to-one."""
    u = np.uint32
    a = np.asarray(word).astype(u)
    with np.errstate(over="ignore"):  # modulo 2**32
        a = (a + u(0x7ED55D16)) + (a << u(12))
        a = (a ^ u(0xC761C23C)) ^ (a >> u(19))
        a = (a + u(0x165667B1)) + (a << u(5))
        a = (a + u(0xD3A2646C)) ^ (a << u(9))
        a = (a + u(0xFD7046C5)) + (a << u(3))
        return (a ^ u(0xB55A4F09)) ^ (a >> u(16))


def window_key(seed: int, image: np.ndarray | int, layer: int, group: int) -> np.ndarray:
    """What the draws of one synapse group have in common in one window: uint32, of the shape of ``image``.

    Parameters
    ----------
    seed : int
        Of the probability.
    image : int or numpy.ndarray
        The image's index, or several.
    layer, group : int
        The layer's place in the network, and the synapse group's in the layer.
    """
    return mix(mix(mix(seed) ^ np.asarray(image).astype(np.uint32)) ^ np.uint32(layer << 8 | group))


def draws(key: np.ndarray, step: int, address: np.ndarray, target: np.ndarray | None = None) -> np.ndarray:
    """The draws of spikes, 0 to 255: uint32, of the shape that the arguments broadcast to.

    Parameters
    ----------
    key : numpy.ndarray
        Of :func:`window_key`.
    step : int
        The step of the spike.
    address : numpy.ndarray
        Where it comes from.
    target : numpy.ndarray or None
        The neuron, where each synapse draws for itself; None where all targets share the draw.
    """
    drawn = mix(mix(key ^ np.uint32(step)) ^ np.asarray(address).astype(np.uint32))
    if target is not None:
        drawn = mix(drawn ^ np.asarray(target).astype(np.uint32))
    return (drawn ^ drawn >> np.uint32(11) ^ drawn >> np.uint32(22)) & np.uint32(255)
