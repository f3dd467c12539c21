"""Arrays in files: ``...npy``, ``...npz`` and IDX.

Nothing in them is run, and none takes more memory than it has bytes.
"""

import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from .foreign import refusal_of
from .idx import read_idx

__all__ = ["first_line", "read_archive", "read_array"]

LIMIT = 1 << 32
"""The most bytes that an array in an archive may take."""


def read_array(path: Path) -> np.ndarray:
    """The array of a ``...npy`` or IDX file.

    Raises
    ------
    FirstspikeError
        The file is missing, damaged, or of another kind.
    """
    if path.suffix.lower() != ".npy":
        return read_idx(path)
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (OSError, TypeError, ValueError, EOFError, MemoryError, SyntaxError) as error:
        what = f"{path} cannot be read as a numpy array: {first_line(error)}; save it again with numpy.save()"
        raise FirstspikeError(refusal_of(path, what)) from None


def read_archive(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Images and labels, or None, of a ``...npz``: its arrays ``images`` and ``labels``.

    Raises
    ------
    FirstspikeError
        The file is missing, damaged, of another kind, or holds no images.
    """
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
        what = f"{path} cannot be read as numpy arrays: {first_line(error)}; save it again with numpy.savez()"
        raise FirstspikeError(refusal_of(path, what)) from None


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


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its kind where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)
