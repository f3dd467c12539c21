"""PNG pictures as levels, where their pixels say what they are: no transparency, no frames to choose from."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...errors import FirstspikeError
from .arrays import first_line
from .foreign import refusal_of

__all__ = ["pngs_in", "read_png"]

KINDS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
"""The kinds of pixels, as Pillow calls them, that 8 bits hold."""


def pngs_in(folder: Path) -> list[Path]:
    """The PNGs of a folder, in the order of their names."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() == ".png")


def read_png(path: Path, channels: int = 1, fits: Callable[[tuple[int, int]], bool] = lambda shape: True,
             wanted: str = "") -> np.ndarray:
    """The levels of a PNG, 0 (black) to 255.

    Parameters
    ----------
    path : Path
        The file.
    channels : int
        1: colours become brightness; 3: red, green and blue, where a grey picture has the same in each.
    fits : callable
        Whether (height, width) can be taken, which it is asked before the pixels are read.
    wanted : str
        What can be taken, in words, as in "28 by 28, for 784 inputs".

    Returns
    -------
    array
        uint8, shape ``(height, width)`` or ``(3, height, width)``.

    Raises
    ------
    FirstspikeError
        The file is no PNG or damaged, has another size, pixels of more than 8 bits, several frames, or pixels
        that are not opaque: what stands behind those is not in the file.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG"]) as image:
                if not fits((image.height, image.width)):
                    raise FirstspikeError(f"{path} is {image.width} by {image.height} pixels and must be "
                                          f"{wanted}; scale it first")
                if image.mode not in KINDS:
                    raise FirstspikeError(f"{path} has pixels of the kind {image.mode}; save it with 8 bits")
                if getattr(image, "is_animated", False):
                    raise FirstspikeError(f"{path} has several frames; save the one to take as a PNG of its "
                                          "own")
                if image.has_transparency_data:
                    opacity = np.asarray(image.convert("RGBA").getchannel("A"))
                    if opacity.min() < 255:
                        raise FirstspikeError(f"{path} has pixels that are not opaque, and the file does not "
                                              "say what is behind them; save it without transparency, on the "
                                              "ground that the network knows (black, for MNIST)")
                pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"), np.uint8)
                return pixels if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError,
            Image.DecompressionBombWarning) as error:
        what = f"{path} cannot be read as a PNG: {first_line(error)}; save it again"
        raise FirstspikeError(refusal_of(path, what)) from None
