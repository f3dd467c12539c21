"""Images from files, in the form that a network takes: levels, or ready-made spikes."""

import math
import os
import warnings
from itertools import product
from pathlib import Path

import numpy as np

from ...errors import FirstspikeError
from ...network import Fires, Network
from ...network.images import ImageSet, check_images
from .arrange import arranged
from .arrays import read_archive, read_array
from .cifar import is_cifar10, load_cifar10
from .events import SpikeSet, event_shape, find_recordings, load_events
from .foreign import PICTURES, refusal_of
from .idx import Images, load_idx
from .inverted import looks_inverted, negative
from .png import pngs_in, read_png

__all__ = ["InvertedImages", "load_images", "load_levels"]


class InvertedImages(UserWarning):
    """Images look like the negatives of those that a network was calibrated on."""


def load_images(path: str | os.PathLike[str], network: Network, *,
                labels: str | os.PathLike[str] | None = None, count: int | None = None,
                split: str = "test", shape: tuple[int, int] | None = None,
                invert: bool = False) -> ImageSet:
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
    ``...npy``          levels ``(count, size)``, ``(count, channels, height, width)`` where the network's
                      input has such a shape, ``(count, height, width)`` where it has one channel or none is
                      stated; spikes, 0 or 1, with the steps behind the count; one image without the count
    ``...npz``          the same under the name ``images``, labels under ``labels``
    PNG, or a folder  one image each, in the order of their names; colours become brightness, but for a
                      network of three channels; every pixel must be opaque
    ================  ===================================================================================

    Parameters
    ----------
    path : path
        What is to be read.
    network : Network
        What the images are for.
    labels : path or None
        A ``...npy`` or an IDX file with a class for each image, where the images bring none.
    count : int or None
        Take only so many, the first; None: all.
    split : str
        "test" or "train", where there are such.
    shape : (height, width) or None
        Of a PNG, for a network whose input has no shape; None: the square that has as many pixels as the
        network has inputs.
    invert : bool
        Take the negative of each image, for dark strokes where the network knows bright ones. Where images
        look as if they needed it, and are not inverted, there is a warning, `InvertedImages`.

    Raises
    ------
    FirstspikeError
        Something is missing, damaged, or does not fit the network or the labels.
    ValueError
        ``count`` or ``split`` is none of those above.
    """
    if count is not None and count < 1:
        raise ValueError(f"count must be a positive integer, not {count}")
    path = Path(path)
    if not path.exists():
        raise FirstspikeError(f"there are no images at {path}; check the path")
    found, known = _read(path, network, split, shape, count)
    if labels is not None:
        known = read_array(Path(labels))
    images = arranged(found, network, path)
    if known is not None:
        known = _checked_labels(known, len(images), network.output.size, Path(labels or path))[:count]
    if count is not None and count > len(images):
        raise FirstspikeError(f"{path} holds {len(images)} images, not the {count} that were asked for; "
                              "ask for fewer")
    try:
        images = np.array(check_images(network.input, images[:count]))
    except (TypeError, ValueError) as error:
        raise FirstspikeError(f"{path} does not fit the network: {error}; give images of the kind that it "
                              "was trained on") from None
    if invert:
        if network.input.levels is None:
            raise FirstspikeError(f"{path} holds spikes, which have no negative; leave out --invert")
        images = negative(network, images)
    elif looks_inverted(network, images):
        warnings.warn(f"{str(path)!r} looks like the negative of what the network was trained on: its spikes "
                      "are as many as the calibration says once dark and bright are exchanged, as --invert "
                      "(invert=True) does", InvertedImages, stacklevel=2)
    return ImageSet(images, known)


def load_levels(path: str | os.PathLike[str],
                split: str = "train") -> tuple[np.ndarray, np.ndarray | None]:
    """Levels of images for which there is no network yet, and their labels where they bring any.

    Parameters
    ----------
    path : path
        As for :func:`load_images`, but for spike data; PNGs of any size, all of the same.
    split : str
        "test" or "train", where there are such.

    Returns
    -------
    levels, labels : array, array or None
        Integers of shape ``(count, height, width)``, or ``(count, channels, height, width)`` of colours; what
        lies in ``...npy`` and ``...npz`` as it is. Labels: int, shape ``(count,)``.

    Raises
    ------
    FirstspikeError
        Something is missing or damaged.
    """
    path = Path(path)
    if not path.exists():
        raise FirstspikeError(f"there are no images at {path}; check the path")
    if not path.is_dir():
        if path.suffix.lower() == ".png":
            return read_png(path)[None], None
        return read_archive(path) if path.suffix.lower() == ".npz" else (read_array(path), None)
    if files := _pngs(path):
        first = read_png(files[0])
        height, width = first.shape
        fits = f"{width} by {height}, as {files[0].name} is"
        return np.stack([first, *(read_png(file, 1, lambda found: found == first.shape, fits)
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
    """The PNGs of a folder, which may hold no pictures of other kinds: they would be left out."""
    others = sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES)
    if others:
        raise FirstspikeError(refusal_of(others[0], f"{others[0]} is no PNG; save it as one"))
    return pngs_in(folder)


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
            return np.stack([_fitting(file, network, shape) for file in files]), None
        known = _known_set(path, split)
        if known is not None:
            heard, places = network.input.shape, (known.channels, *known.shape)
            if heard is not None and heard != places and math.prod(heard) == math.prod(places):
                raise FirstspikeError(f"{path} holds images of the shape {_by(places)}, and the network "
                                      f"takes {_by(heard)} (channels, height, width); give the set that it "
                                      "was trained on")
            return known.levels, known.labels
        if find_recordings(path) is not None:
            data = _events(path, network, split, count)
            return data.spikes, data.labels
        raise FirstspikeError(f"the folder {path} holds neither IDX files nor PNGs, CIFAR-10 or spike data; "
                              "check the path")
    if path.suffix.lower() == ".png":
        return _fitting(path, network, shape)[None], None
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


def _fitting(path: Path, network: Network, shape: tuple[int, int] | None) -> np.ndarray:
    """The levels of a PNG as the network takes them: uint8, shape ``(size,)``."""
    size, side = network.input.size, math.isqrt(network.input.size)
    channels = 1
    if network.input.shape is not None:
        channels, *places = network.input.shape
        shape = places[0], places[1]
        if channels not in (1, 3):
            raise FirstspikeError(f"{path} cannot be taken: the network takes {channels} channels, and a "
                                  "picture has 1 or 3; give a .npy")
    elif shape is None and side * side != size:
        raise FirstspikeError(f"{path} cannot be taken: the {size} inputs of the network make no square "
                              "image; give a .npy")
    height, width = shape or (side, side)
    pixels = read_png(path, channels,
                      lambda found: found == (height, width) and channels * height * width == size,
                      f"{width} by {height}, for {size} inputs")
    return pixels.ravel()


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


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
