"""What a network is shown: many images that fit it, and their classes where they are known."""

from dataclasses import dataclass

import numpy as np

from .behaviour import Fires
from .checks import array
from .inputs import Input

__all__ = ["ImageSet", "check_images"]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images that fit a network.

    Attributes
    ----------
    images : numpy.ndarray
        Integers of shape ``(count, size)``, or bool of shape ``(count, window, size)``.
    labels : numpy.ndarray or None
        int64, shape ``(count,)``: the class of each; None where they are not known.
    """

    images: np.ndarray
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)


def check_images(inputs: Input, images: np.ndarray) -> np.ndarray:
    """``images`` as an array that fits ``inputs``.

    Returns
    -------
    numpy.ndarray
        Integers of shape ``(count, size)``, or bool spikes of shape ``(count, window, size)``.

    Raises
    ------
    TypeError
        The type is another.
    ValueError
        The shape is another, a level is none of the encoding's, or an input that is declared to spike once
        spikes more often (inputs that are left out may).
    """
    images = array(images, "images")
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
