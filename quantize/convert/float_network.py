"""The torch network itself: what it gives for images, before anything is converted."""

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from ..graph.operations import Shape
from .settings import Settings

__all__ = ["scores", "takes"]


@torch.no_grad()
def scores(module: nn.Module, levels: np.ndarray, shape: Shape, settings: Settings,
           batch: int = 500) -> np.ndarray:
    """What the torch network gives for images.

    Parameters
    ----------
    module : torch.nn.Module
        The network; it is not changed.
    levels : numpy.ndarray
        Integers, shape ``(count, size)``.
    shape : tuple of int
        Of one image, as the network takes it.
    settings : Settings
        What the network sees of a level.
    batch : int
        Images that are run at a time.

    Returns
    -------
    numpy.ndarray
        float64, shape ``(count, outputs)``.

    Raises
    ------
    ValueError
        It takes no images of ``shape``.
    """
    module = copy.deepcopy(module).eval().to("cpu")
    dtypes = (tensor.dtype for tensor in module.parameters() if tensor.is_floating_point())
    dtype = next(dtypes, torch.float32)
    if dtype.itemsize < 4:  # too coarse to compare with, and not every processor has it
        module, dtype = module.float(), torch.float32

    def of_channels(value: Any) -> torch.Tensor:
        return torch.as_tensor(value, dtype=torch.float64).reshape(-1, *[1] * (len(shape) - 1))

    gain, shift = of_channels(settings.gain), of_channels(settings.shift)
    found = []
    for start in range(0, len(levels), batch):
        images = torch.as_tensor(levels[start:start + batch].astype(np.float64)).reshape(-1, *shape)
        try:
            given = module((images * gain + shift).to(dtype)).double().flatten(1)
        except Exception as error:  # whatever a forward of the user's own raises
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ValueError(f"the network does not take images of the shape {shape}: {what}; give their "
                             "shape") from error
        found.append(given.numpy())
    return np.concatenate(found)


def takes(module: nn.Module, shape: Shape, settings: Settings) -> bool:
    """Whether the network runs on images of ``shape`` at all."""
    try:
        scores(module, np.zeros((1, int(np.prod(shape))), np.int64), shape, settings)
    except ValueError:
        return False
    return True
