"""CIFAR-10 in its binary version: no pickle, nothing that could run.

The format (https://www.cs.toronto.edu/~kriz/cifar.html): records of 3,073 bytes, one for the class (0 to 9)
and 1,024 each for red, green and blue, row by row. Taken are the six files, or the archive as it comes, which
is checked by its MD5 and read where it lies.
"""

import hashlib
import tarfile
import zlib
from pathlib import Path

import numpy as np

from ...errors import FirstspikeError
from .foreign import foreign
from .idx import Images

__all__ = ["is_cifar10", "load_cifar10"]

HOME = "CIFAR-10 is at https://www.cs.toronto.edu/~kriz/cifar.html; take the binary version"
ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
FOLDER = "cifar-10-batches-bin"
FILES = {"train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)), "test": ("test_batch.bin",)}
RECORD = 1 + 3 * 32 * 32
LIMIT = 10_000 * RECORD
"""The most bytes that a file may have: that of 10,000 images."""


def is_cifar10(folder: Path) -> bool:
    """Whether ``folder`` looks as if it held CIFAR-10 in its binary version."""
    names = [ARCHIVE, FOLDER, *FILES["train"], *FILES["test"]]
    return any((folder / name).exists() for name in names)


def load_cifar10(folder: str | Path, split: str) -> Images:
    """The images and labels of one split ("train" or "test"), as uint8 ``(count, 3 * 32 * 32)``.

    Parameters
    ----------
    folder : path
        Holds the six files, their folder, or the archive.
    split : str
        "train" or "test".

    Raises
    ------
    FirstspikeError
        Something is missing or damaged.
    ValueError
        ``split`` is another.
    """
    if split not in FILES:
        raise ValueError(f"split must be 'train' or 'test', not {split!r}")
    folder = Path(folder)
    if not folder.is_dir():
        raise FirstspikeError(f"there is no folder {folder}: it should hold CIFAR-10 ({HOME})")
    home = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    if (home / FILES[split][0]).is_file():
        parts = [(home / name, _read(home / name)) for name in FILES[split]]
    elif (folder / ARCHIVE).is_file():
        parts = _from_archive(folder / ARCHIVE, split)
    else:
        raise FirstspikeError(f"{folder} lacks {FILES[split][0]} (or {ARCHIVE}): {HOME}")
    records = np.concatenate([_records(path, data) for path, data in parts])
    return Images(records[:, 1:], records[:, 0].astype(np.int64), (32, 32), "CIFAR-10", channels=3)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LIMIT + 1)
    except FileNotFoundError:
        raise FirstspikeError(f"{path.parent} lacks {path.name}: {HOME}") from None
    except OSError as error:
        raise FirstspikeError(f"cannot read {path}: {error}; fetch the file again") from error


def _from_archive(path: Path, split: str) -> list[tuple[Path, bytes]]:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if found != ARCHIVE_MD5:
            with path.open("rb") as file:
                beginning = file.read(32)
            if beginning[:2] != b"\x1f\x8b" and (what := foreign(beginning)):
                raise FirstspikeError(f"{path} is {what}")
            raise FirstspikeError(f"{path} is not the archive of CIFAR-10 (MD5 {found} instead of "
                                  f"{ARCHIVE_MD5}); fetch it again: {HOME}")
        parts = []
        with tarfile.open(path) as archive:
            for name in FILES[split]:
                member = archive.extractfile(f"{FOLDER}/{name}")
                if member is None:
                    raise KeyError(name)
                with member:
                    parts.append((path / name, member.read(LIMIT + 1)))
        return parts
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error) as error:
        raise FirstspikeError(f"cannot read {path}: {error}; fetch the file again") from error


def _records(path: Path, data: bytes) -> np.ndarray:
    if not data or len(data) % RECORD or len(data) > LIMIT:
        if what := foreign(data[:32]):
            raise FirstspikeError(f"{path} is {what}")
        raise FirstspikeError(f"{path} is no file of CIFAR-10's binary version: it holds {len(data)} bytes, "
                              f"and must hold up to 10,000 records of {RECORD}; fetch the file again")
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() > 9:
        raise FirstspikeError(f"{path} is no file of CIFAR-10's binary version: it holds the class "
                              f"{records[:, 0].max()}; fetch the file again")
    return records
