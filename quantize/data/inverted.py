"""Images that are the negative of what a network was trained on: dark strokes where it knows bright ones."""

import math

import numpy as np

from ...network import Network, batched

__all__ = ["looks_inverted", "negative"]

ENOUGH = 1.4
"""Times more, or fewer, input spikes than in the calibration, from which on they may be a negative's."""
NEARER = 0.5
"""Part of the way (of the logarithm) that the negative of the images may be off, where they are."""
FEW = 100
"""So many images, the first, are looked at."""


def negative(network: Network, levels: np.ndarray) -> np.ndarray:
    """The highest level for the lowest and so on, in the type of ``levels``; the network must take levels."""
    assert network.input.levels is not None
    return (network.input.levels - 1 - levels.astype(np.int64)).astype(levels.dtype)


def looks_inverted(network: Network, images: np.ndarray) -> bool:
    """Whether the negatives of images bring as many spikes as the calibration says, and the images do not.

    Measured on MNIST and Fashion-MNIST with the networks that come with this project: no 20 images of either
    are taken for negatives, and the negatives of any 20 are.

    Parameters
    ----------
    network : Network
        Without a calibration, or for ready-made spikes, nothing is known: False.
    images : array
        Levels, shape ``(count, size)``.
    """
    known = network.calibration.get("mean_spikes")
    if not isinstance(known, list) or network.input.levels is None or not known[0] > 0:
        return False
    usual = math.log(known[0])

    def off(levels: np.ndarray) -> float:
        spikes = batched.run(network, levels, keep=False).mean_spikes[0]
        return abs(math.log(max(spikes, 0.1)) - usual)

    some = images[:FEW]
    here = off(some)
    return here > math.log(ENOUGH) and off(negative(network, some)) < NEARER * here
