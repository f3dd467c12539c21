"""Folders for work that is thrown away; what a process that was killed left behind, the next one clears."""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["scratch", "sweep"]


@contextlib.contextmanager
def scratch(parent: Path, prefix: str, *, sweeps: bool = True) -> Iterator[Path]:
    """Make a folder in ``parent`` that is gone at the end, however that comes.

    While it is in use its process holds a lock on it, which ends with the process even where it is killed.
    Before the folder is made, those whose process is gone are removed.

    Parameters
    ----------
    parent : Path
        Where the folder is made; it must be there.
    prefix : str
        What its name begins with. Nothing but such folders may have names of this form.
    sweeps : bool
        Whether those whose process is gone go now; else they wait for a :func:`sweep`.

    Yields
    ------
    Path
        The folder. Where it is moved away, as a whole, it stays where it was moved to.

    Raises
    ------
    OSError
        ``parent`` cannot be written.
    """
    if sweeps:
        sweep(parent, prefix)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        with contextlib.suppress(OSError):  # a file system without locks: then nothing of it is swept
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():  # else it was swept between being made and being locked
            break
        os.close(lock)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(parent: Path, prefix: str) -> None:
    """Remove the folders of :func:`scratch` in ``parent`` that no living process owns.

    Parameters
    ----------
    parent, prefix
        As :func:`scratch` takes them. What cannot be removed stays.
    """
    form = re.compile(re.escape(prefix) + "[a-z0-9_]{8}")  # as mkdtemp makes them
    with contextlib.suppress(OSError):
        for path in sorted(parent.iterdir()):
            if form.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
                _remove_unowned(path)


def _remove_unowned(folder: Path) -> None:
    with contextlib.suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(lock).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError where its process lives
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
