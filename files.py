"""Files and folders that are there whole or not at all.

What is made stands aside at first, under a hidden name beside its place, and is moved into that place in one
step when it is done. Whoever makes it holds a lock on it, so that what a killed process left behind can be
told from what is being made, and goes when the same place is written next.
"""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from .errors import FirstspikeError

try:
    import fcntl
except ImportError:  # where there are no such locks, nothing is cleared
    fcntl = None

__all__ = ["move_into_place", "replacing", "replacing_folder", "scratch", "write_whole"]

REMEDY = "free some space or choose another place"


def write_whole(path: str | os.PathLike[str], data: bytes, remedy: str = REMEDY) -> None:
    """Put ``data`` into the file ``path`` in one move: the old file is there or the new, never half of it.

    Raises
    ------
    FirstspikeError
        It cannot be written; the sentence ends with the ``remedy``.
    """
    with replacing(path, remedy) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], remedy: str = REMEDY) -> Iterator[BinaryIO]:
    """A file, open to be written and read, that takes the place of ``path`` at the end of the block.

    Where the block raises, what was there stays. A symbolic link stays, too: the file that it leads to is
    replaced.

    Parameters
    ----------
    path : str or os.PathLike
        The file to make or to replace.
    remedy : str
        What to do about an error, in the sentence.

    Raises
    ------
    FirstspikeError
        It cannot be written, or is there and no file.
    """
    place = Path(os.path.realpath(path))
    with _sentence(f"{path} cannot be written", remedy):
        if place.exists() and not place.is_file():
            raise FirstspikeError(f"{path} cannot be written: it is no file; {remedy}")
        _clear(place)
        with _locked(place, _new_file) as (part, descriptor), open(descriptor, "w+b", closefd=False) as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(descriptor)
            part.replace(place)


@contextlib.contextmanager
def replacing_folder(path: str | os.PathLike[str], remedy: str = REMEDY) -> Iterator[Path]:
    """A new folder that takes the place of ``path`` at the end of the block, with all that is in it.

    Where the block raises, what was there stays. A symbolic link stays, too: the folder that it leads to is
    replaced. The folders above are made where they are missing.

    Parameters
    ----------
    path : str or os.PathLike
        The folder to make or to replace.
    remedy : str
        What to do about an error, in the sentence.

    Raises
    ------
    FirstspikeError
        It cannot be written.
    """
    place = Path(os.path.realpath(path))
    with _sentence(f"{path} cannot be written", remedy):
        place.parent.mkdir(parents=True, exist_ok=True)
        _clear(place)
        with _locked(place, _new_folder) as (made, _):
            yield made
            if not place.exists():
                made.rename(place)
                return
            with _locked(place, _new_folder) as (old, _):  # goes once the new one is in its place
                place.rename(old / "old")
                try:
                    made.rename(place)
                except BaseException:
                    (old / "old").rename(place)
                    raise


def move_into_place(made: Path, place: Path) -> None:
    """Move a folder that is done to where none is, its files on the disk first.

    Raises
    ------
    OSError
        It cannot be moved or written.
    """
    for path in [*made.rglob("*"), made]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    made.rename(place)


@contextlib.contextmanager
def scratch(folder: str | os.PathLike[str], name: str = "scratch") -> Iterator[Path]:
    """A folder inside ``folder`` that is gone at the end, however that comes; one that was left goes now.

    Raises
    ------
    FirstspikeError
        It cannot be made.
    """
    place = Path(os.path.realpath(folder)) / name
    with contextlib.ExitStack() as stack:
        with _sentence(f"cannot write in {folder}", "make it writable or free some space"):
            _clear(place)
            made, _ = stack.enter_context(_locked(place, _new_folder))
        yield made


@contextlib.contextmanager
def _sentence(what: str, remedy: str) -> Iterator[None]:
    """Make one sentence of what the system says."""
    try:
        yield
    except OSError as error:
        raise FirstspikeError(f"{what}: {error.strerror or error}; {remedy}") from error


def _new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _new_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY)


@contextlib.contextmanager
def _locked(place: Path, make: Callable[[Path], int]) -> Iterator[tuple[Path, int]]:
    """Something new beside ``place`` that is ours alone: its path, and it opened by ``make``.

    It is removed at the end, if it is there still.
    """
    while True:
        made = place.with_name(f".{place.name[:100]}.{secrets.token_hex(4)}.part")
        descriptor = make(made)
        if _lock(descriptor) is not False and _is_still(descriptor, made):
            break
        os.close(descriptor)  # someone took it for one that was left
    try:
        yield made, descriptor
    finally:
        if _is_still(descriptor, made):
            _remove(made)
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _lock(descriptor: int) -> bool | None:
    """Whether nobody else held the lock, and we do now; None where this file system knows no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether what is open is what stands at ``path``."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _clear(place: Path) -> None:
    """Remove what was made for ``place`` by a process that is no more; what cannot be removed stays."""
    name = re.compile(re.escape(f".{place.name[:100]}.") + "[0-9a-f]{8}[.]part")
    with contextlib.suppress(OSError):
        for path in [path for path in place.parent.iterdir() if name.fullmatch(path.name)]:
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
                try:
                    if _lock(descriptor) and _is_still(descriptor, path):
                        _remove(path)
                finally:
                    os.close(descriptor)
