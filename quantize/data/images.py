"""Images from files, in the form that a network takes: levels, or ready-made spikes."""

import contextlib
import math
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from ...network import Fires, Network
from ...network.images import ImageSet, check_images
from .cifar import is_cifar10, load_cifar10
from .events import SpikeSet, event_shape, find_recordings, load_events
from .idx import Images, load_idx, read_idx

__all__ = ["load_images", "load_levels", "read_archive", "read_array"]

LIMIT = 1 << 32
"""The most bytes that an array in a file may take."""


def load_images(path: str | os.PathLike[str], network: Network, *,
                labels: str | os.PathLike[str] | None = None, count: int | None = None,
                split: str = "test", shape: tuple[int, int] | None = None) -> ImageSet:
    """Read images for ``network`` from what ``path`` is.

    ================  ===================================================================================
    path              images
    ================  ===================================================================================
    folder of IDX     as MNIST comes, plain or ``...gz``, with their labels; ``split``: "test" (the files
                      ``t10k-...``) or "train"
    CIFAR-10          the folder of its binary version, or of the archive; with labels and ``split``
    spike data        a folder of N-MNIST, DVS-Gesture or SHD, put into the network's steps, with labels and
                      ``split``; how polarities and places are merged follows from the number of inputs
    IDX file          one file of images
    ``...npy``          levels ``(count, size)`` or ``(count, height, width)``; spikes, 0 or 1,
                      ``(count, window, size)`` or ``(count, window, height, width)``; one image without
                      the count
    ``...npz``          the same under the name ``images``, labels under ``labels``
    PNG, or a folder  one image each, in the order of their names; colours become brightness
    ================  ===================================================================================

    Parameters
    ----------
    labels: a ``...npy`` or an IDX file with a class for each image, where the images bring none.
    count: take only so many, the first; None: all.
    shape: height and width of a PNG; None: the square that has as many pixels as the network has inputs.

    Raises
    ------
    FirstspikeError: something is missing, damaged, or does not fit the network or the labels.
    ValueError: ``count`` or ``split`` is none of those above.
    """
    if count is not None and count < 1:
        raise ValueError(f"count must be a positive integer, not {count}")
    path = Path(path)
    if not path.exists():
        raise FirstspikeError(f"there are no images at {path}; check the path")
    found, known = _read(path, network, split, shape, count)
    if labels is not None:
        known = read_array(Path(labels))
    images = _arranged(found, network)
    if known is not None:
        known = _checked_labels(known, len(images), network.output.size, Path(labels or path))[:count]
    if count is not None and count > len(images):
        raise FirstspikeError(f"{path} holds {len(images)} images, not the {count} that were asked for; "
                              "ask for fewer")
    try:
        return ImageSet(np.array(check_images(network.input, images[:count])), known)
    except (TypeError, ValueError) as error:
        raise FirstspikeError(f"{path} does not fit the network: {error}; give images of the kind that it "
                              "was trained on") from None


def load_levels(path: str | os.PathLike[str],
                split: str = "train") -> tuple[np.ndarray, np.ndarray | None]:
    """Levels of images for which there is no network yet, and their labels where they bring any.

    ``path``: as for :func:`load_images`, but for spike data; PNGs of any size, all of the same. Returns
    integers of shape ``(count, height, width)``, or ``(count, channels, height, width)`` of colours; what
    lies in ``...npy`` and ``...npz`` as it is. Raises FirstspikeError for what is missing or damaged.
    """
    path = Path(path)
    if not path.exists():
        raise FirstspikeError(f"there are no images at {path}; check the path")
    if not path.is_dir():
        if path.suffix.lower() == ".png":
            return _png(path)[None], None
        return read_archive(path) if path.suffix.lower() == ".npz" else (read_array(path), None)
    if files := _pngs(path):
        first = _png(files[0])
        height, width = first.shape
        fits = f"{width} by {height}, as {files[0].name} is"
        return np.stack([first, *(_png(file, lambda found: found == first.shape, fits)
                                  for file in files[1:])]), None
    if find_recordings(path) is not None:
        raise FirstspikeError(f"{path} holds spikes, and levels are wanted; give images")
    data = _known_set(path, split)
    if data is None:
        raise FirstspikeError(f"the folder {path} holds neither IDX files nor PNGs or CIFAR-10; check the "
                              "path")
    channels = () if data.channels == 1 else (data.channels,)
    return data.levels.reshape(-1, *channels, *data.shape), data.labels


def _pngs(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() == ".png")


def _known_set(folder: Path, split: str) -> Images | None:
    """The labelled images in a folder of IDX files or of CIFAR-10; None where it holds neither."""
    if any("idx" in file.name for file in folder.iterdir()):
        return load_idx(folder, split)
    return load_cifar10(folder, split) if is_cifar10(folder) else None


def _read(path: Path, network: Network, split: str, shape: tuple[int, int] | None,
          count: int | None) -> tuple[np.ndarray, np.ndarray | None]:
    if path.is_dir():
        if split not in ("test", "train"):
            raise ValueError(f"split must be 'test' or 'train', not {split!r}")
        if files := _pngs(path):
            return np.stack([_fitting(file, network.input.size, shape) for file in files]), None
        known = _known_set(path, split)
        if known is not None:
            return known.levels, known.labels
        if find_recordings(path) is not None:
            data = _events(path, network, split, count)
            return data.spikes, data.labels
        raise FirstspikeError(f"the folder {path} holds neither IDX files nor PNGs, CIFAR-10 or spike data; "
                              "check the path")
    if path.suffix.lower() == ".png":
        return _fitting(path, network.input.size, shape)[None], None
    if path.suffix.lower() == ".npz":
        return read_archive(path)
    return read_array(path), None


def _events(path: Path, network: Network, split: str, count: int | None) -> SpikeSet:
    """Recordings in the network's steps, their polarities and places merged until they are its inputs."""
    heard = network.input
    if heard.levels is not None:
        raise FirstspikeError(f"{path} holds spikes, and the network takes levels; give images")
    for polarities, shrink in product((True, False), range(1, 17)):
        found = event_shape(path, polarities, shrink)
        if math.prod(found) == heard.size and (heard.shape is None or heard.shape == found):
            return load_events(path, split, steps=heard.window, polarities=polarities, shrink=shrink,
                               once=heard.fires is Fires.ONCE, count=count)
    raise FirstspikeError(f"{path} holds steps of {' x '.join(map(str, event_shape(path)))}, which cannot be "
                          f"merged into the {heard.size} inputs of the network; read them with load_events() "
                          "and give a .npz")


def read_array(path: Path) -> np.ndarray:
    """The array of a ``...npy`` or IDX file; nothing in it is run; it takes no more memory than it has."""
    if path.suffix.lower() != ".npy":
        return read_idx(path)
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (OSError, TypeError, ValueError, EOFError, MemoryError, SyntaxError) as error:
        raise FirstspikeError(f"{path} cannot be read as a numpy array: {_first_line(error)}; save it "
                              "again with numpy.save()") from None


def read_archive(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Images and labels, or None, of an ``...npz``; nothing in it is run."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if "images.npy" not in members:
                raise FirstspikeError(f"{path} holds no array 'images'; save it with "
                                      "numpy.savez(path, images=...)")

            def read(name: str) -> np.ndarray:
                if members[name].file_size > LIMIT:
                    raise FirstspikeError(f"{path}: {name} takes more than {LIMIT} bytes; split it")
                with archive.open(name) as file:
                    return _member(file, members[name].file_size)

            return read("images.npy"), read("labels.npy") if "labels.npy" in members else None
    except (OSError, TypeError, ValueError, EOFError, MemoryError, SyntaxError, zipfile.BadZipFile,
            RuntimeError, zlib.error) as error:
        raise FirstspikeError(f"{path} cannot be read as numpy arrays: {_first_line(error)}; save it "
                              "again with numpy.savez()") from None


def _member(file: Any, size: int) -> np.ndarray:
    """An array out of an archive; its header may not ask for more than the ``size`` bytes that are there."""
    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0,
                   (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read_header is None:
        raise ValueError(f"its version {version} is not known")
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > size:
        raise ValueError(f"its header asks for {shape} of {dtype}, which it does not hold")
    array = np.frombuffer(file.read(math.prod(shape) * dtype.itemsize), dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _fitting(path: Path, size: int, shape: tuple[int, int] | None) -> np.ndarray:
    """The levels of a PNG of ``shape`` (None: a square): uint8, shape ``(size,)``."""
    side = math.isqrt(size)
    if shape is None and side * side != size:
        raise FirstspikeError(f"{path} cannot be taken: the {size} inputs of the network make no square "
                              "image; give a .npy")
    height, width = shape or (side, side)
    pixels = _png(path, lambda found: found == (height, width) and height * width == size,
                  f"{width} by {height}, for {size} inputs")
    return pixels.ravel()


def _png(path: Path, fits: Callable[[tuple[int, int]], bool] = lambda shape: True,
         wanted: str = "") -> np.ndarray:
    """The levels of a PNG, 0 (black) to 255: uint8, shape ``(height, width)``, where that ``fits``, which is
    told before its pixels are read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG"]) as image:
                if not fits((image.height, image.width)):
                    raise FirstspikeError(f"{path} is {image.width} by {image.height} pixels and must be "
                                          f"{wanted}; scale it first")
                if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA"):
                    raise FirstspikeError(f"{path} has pixels of the kind {image.mode}; save it with 8 bits")
                return np.asarray(image.convert("L"), np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError,
            Image.DecompressionBombWarning) as error:
        raise FirstspikeError(f"{path} cannot be read as a PNG: {_first_line(error)}; "
                              "save it again") from None


def _arranged(array: np.ndarray, network: Network) -> np.ndarray:
    """``array`` with its images along the first axis, and those in the shape that the network takes."""
    heard, array = network.input, np.atleast_1d(array)
    steps = () if heard.levels is not None else (heard.window,)
    for images in (array, array[None]):
        one = images.shape[1:]
        pixels = one[len(steps):]
        if one[:len(steps)] == steps and pixels and math.prod(pixels) == heard.size:
            array = images.reshape(len(images), *steps, heard.size)
            break
    if heard.levels is None and array.dtype.kind in "iu" and np.isin(array, (0, 1)).all():
        array = array.astype(bool)
    return array


def _checked_labels(labels: np.ndarray, count: int, classes: int, path: Path) -> np.ndarray:
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise FirstspikeError(f"the labels in {path} must be integers, one for each image, not "
                              f"{labels.dtype} of shape {labels.shape}; check the file")
    if len(labels) != count:
        raise FirstspikeError(f"{path} holds {len(labels)} labels for {count} images; take both from the "
                              "same set")
    if labels.min() < 0 or labels.max() >= classes:
        raise FirstspikeError(f"the labels in {path} go from {labels.min()} to {labels.max()}, and the "
                              f"network has {classes} outputs; take the set that it was trained on")
    return labels.astype(np.int64)


def _first_line(error: BaseException) -> str:
    with contextlib.suppress(IndexError):
        return str(error).splitlines()[0]
    return type(error).__name__
