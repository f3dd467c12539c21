"""Arrays of images in the one shape that a network takes; what would be reinterpreted is refused.

A network whose input has a shape, (channels, height, width), takes ``(count, size)``, ``(count, channels,
height, width)`` and, where it has one channel, ``(count, height, width)``. One whose input has none takes
``(count, size)`` and ``(count, height, width)`` of as many pixels. Spikes have their steps behind the count;
one image may come without it.
"""

from math import prod
from pathlib import Path

import numpy as np

from ...errors import FirstspikeError
from ...network import Network

__all__ = ["arranged"]


def arranged(array: np.ndarray, network: Network, path: Path) -> np.ndarray:
    """``array`` with its images along the first axis, each as the network takes it.

    Parameters
    ----------
    array : array
        What lies in ``path``.
    network : Network
        Its input says what fits.
    path : Path
        Named where the array is refused.

    Returns
    -------
    array
        Shape ``(count, size)`` of levels, ``(count, window, size)`` of spikes (bool where they are 0 and 1);
        ``array`` itself where no number of its axes fits, for others to refuse.

    Raises
    ------
    FirstspikeError
        The images have as many pixels as the network has inputs, but in another arrangement.
    """
    heard, array = network.input, np.atleast_1d(array)
    steps = () if heard.levels is not None else (heard.window,)
    several = [images for images in (array, array[None]) if images.shape[1:1 + len(steps)] == steps]
    pixels = [images.shape[1 + len(steps):] for images in several]
    fitting = [images for images, one in zip(several, pixels, strict=True)
               if _fits(one, heard.size, heard.shape)]
    if fitting:
        array = fitting[0].reshape(len(fitting[0]), *steps, heard.size)
    elif other := [one for one in pixels if one and prod(one) == heard.size]:
        raise FirstspikeError(f"{path} holds images of the shape {_by(other[0])}"
                              f"{_channels_last(other[0], heard.shape)}, and the network takes "
                              f"{_wanted(heard.size, heard.shape)}; arrange them so")
    if heard.levels is None and array.dtype.kind in "iu" and np.isin(array, (0, 1)).all():
        array = array.astype(bool)
    return array


def _fits(one: tuple[int, ...], size: int, shape: tuple[int, ...] | None) -> bool:
    """Whether an image of this shape is what an input takes, place by place."""
    if prod(one) != size:
        return False
    if one == (size,):
        return True
    if shape is None:
        return len(one) == 2 or (len(one) == 3 and one[0] == 1)
    return one == shape or (shape[0] == 1 and one == shape[1:])


def _channels_last(one: tuple[int, ...], shape: tuple[int, ...] | None) -> str:
    last = one[2:] in ((1,), (3,), (4,)) if shape is None else one == (*shape[1:], shape[0])
    return " with the channels last (NHWC)" if last else ""


def _wanted(size: int, shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return f"{size} inputs without places: rows of {size}, channel by channel, row by row"
    return f"{_by(shape)} (channels, height, width; NCHW), or rows of {size} in that order"


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
