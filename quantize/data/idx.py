"""Labelled images from IDX folders: MNIST, Fashion-MNIST and every other set of that form.

The format (LeCun, http://yann.lecun.com/exdb/mnist): two zero bytes, a type byte (8: unsigned bytes), the
number of dimensions, each dimension as a big-endian 32-bit integer, then the bytes, last dimension
fastest. A file may be plain or gzipped.
"""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import FirstspikeError
from .foreign import foreign

__all__ = ["Images", "load_idx", "read_idx"]

LIMIT = 1 << 31
"""Most bytes that an IDX file may hold; more is refused before anything is read."""

SOURCES = (
    "MNIST is at https://storage.googleapis.com/cvdf-datasets/mnist/, Fashion-MNIST at "
    "https://github.com/zalandoresearch/fashion-mnist; four files, plain or .gz"
)

DIGESTS = {  # MD5 of the uncompressed files
    "MNIST": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "Fashion-MNIST": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}

SPLITS = {"train": "train", "test": "t10k"}


@dataclass(frozen=True, eq=False)
class Images:
    """A labelled set of images.

    Attributes
    ----------
    levels : array
        uint8, shape ``(count, size)``: rows of pixels one after the other, channel by channel.
    labels : array
        int64, shape ``(count,)``.
    shape : (height, width)
        Of an image.
    name : str
        "MNIST", "Fashion-MNIST", "CIFAR-10", or the folder's name where the files are not known by their MD5.
    channels : int
        3 where pixels have a colour.
    """

    levels: np.ndarray
    labels: np.ndarray
    shape: tuple[int, int]
    name: str
    channels: int = 1

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def classes(self) -> int:
        """Number of classes: the highest label and one."""
        return int(self.labels.max()) + 1


def read_idx(path: str | Path) -> np.ndarray:
    """The array of one IDX file of unsigned bytes, plain or gzipped (told by its first bytes, not its name).

    Returns
    -------
    array
        uint8 in the shape that the header states.

    Raises
    ------
    FirstspikeError
        The file cannot be read, is not IDX, is cut off, or holds more or fewer bytes than its header states.
    """
    path = Path(path)
    return _parse(_read(path), path)


def load_idx(folder: str | Path, split: str) -> Images:
    """The images and labels of one split ("train" or "test") of an IDX folder.

    A file whose partner is known by its MD5 (MNIST, Fashion-MNIST) must have its own MD5 of the same set;
    sets that are not known are taken as they are.

    Raises
    ------
    FirstspikeError
        Something is missing, damaged, or does not fit together.
    ValueError
        ``split`` is another.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be 'train' or 'test', not {split!r}")
    folder = Path(folder)
    if not folder.is_dir():
        raise FirstspikeError(f"there is no folder {folder}: it should hold an IDX data set ({SOURCES})")
    names = [f"{SPLITS[split]}-images-idx3-ubyte", f"{SPLITS[split]}-labels-idx1-ubyte"]
    paths = [_find(folder, name) for name in names]
    raw = [_read(path) for path in paths]
    levels, labels = (_parse(data, path) for data, path in zip(raw, paths, strict=True))
    name = _identify(folder, names, raw)
    if levels.ndim != 3 or labels.ndim != 1 or len(levels) != len(labels) or not len(labels):
        raise FirstspikeError(
            f"{paths[0]} of shape {levels.shape} and {paths[1]} of shape {labels.shape} are not as many "
            f"images (count, height, width) as labels (count,): take both from the same set"
        )
    return Images(
        levels.reshape(len(levels), -1), labels.astype(np.int64), (levels.shape[1], levels.shape[2]), name
    )


def _find(folder: Path, name: str) -> Path:
    dotted = name.replace("-idx", ".idx")
    for candidate in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    raise FirstspikeError(f"{folder} lacks {name} (or {name}.gz): {SOURCES}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with (gzip.open if packed else open)(path, "rb") as file:
            data = file.read(LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FirstspikeError(f"cannot read {path}: {error}; fetch the file again") from error
    if len(data) > LIMIT:
        raise FirstspikeError(f"{path} holds more than {LIMIT} bytes, which no IDX file here should")
    return data


def _parse(data: bytes, path: Path) -> np.ndarray:
    if len(data) < 4 or data[:3] != b"\0\0\x08" or not 1 <= data[3] <= 4:
        what = foreign(data[:32])
        what = what or f"not an IDX file of unsigned bytes: it begins with {data[:4].hex()}; fetch it again"
        raise FirstspikeError(f"{path} is {what}")
    dimensions, start = data[3], 4 + 4 * data[3]
    if len(data) < start:
        raise FirstspikeError(f"{path} is cut off inside its header; fetch the file again")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", dimensions, 4))
    expected = 1
    for length in shape:
        expected *= length
    if len(data) - start != expected:
        raise FirstspikeError(
            f"{path} holds {len(data) - start} bytes of data where its header {shape} asks for {expected}; "
            f"fetch the file again"
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _identify(folder: Path, names: list[str], raw: list[bytes]) -> str:
    """The name of the set that the files belong to; refuses a pair of which only one is known."""
    found = [hashlib.md5(data, usedforsecurity=False).hexdigest() for data in raw]
    for title, digests in DIGESTS.items():
        known = [digests[name] == digest for name, digest in zip(names, found, strict=True)]
        if any(known) and not all(known):
            wrong = names[known.index(False)]
            raise FirstspikeError(
                f"{folder}: {wrong} is not the one of {title} (MD5 {found[known.index(False)]} instead of "
                f"{digests[wrong]}); fetch the file again: {SOURCES}"
            )
        if all(known):
            return title
    return folder.resolve().name
