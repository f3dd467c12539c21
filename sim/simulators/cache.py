"""Where compiled simulations are kept, each under a hash of all that it depends on.

An entry is a folder. It is made aside, written to the disk together with a list of what is in it, and put in
its place in one move. Whoever uses it checks it against the list first: what a full disk, a crash or
something else damaged is made again.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import FirstspikeError
from ...files import move_into_place, scratch

__all__ = ["ENTRIES", "cache_folder", "kept"]

ENTRIES = 64
"""Entries that are kept; the least recently used go first."""

_CONTENTS = "contents.json"


def cache_folder() -> Path:
    """The folder: what ``FIRSTSPIKE_CACHE`` names, or ``firstspike`` in the user's cache.

    Raises
    ------
    FirstspikeError
        The user has no home folder.
    OSError
        It cannot be made.
    """
    users = os.environ.get("XDG_CACHE_HOME")
    named = os.environ.get("FIRSTSPIKE_CACHE")
    try:
        folder = Path(named) if named else Path(users or Path("~/.cache").expanduser()) / "firstspike"
    except RuntimeError as error:
        raise FirstspikeError(f"there is no folder to keep compiled simulations in ({error}): "
                              "let FIRSTSPIKE_CACHE name one") from None
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def kept(kind: str, digest: str, make: Callable[[Path, Path], None]) -> Path:
    """The entry of that kind and digest, from the cache where it is there and sound, else made now.

    Parameters
    ----------
    kind : str
        What sort of entry it is, one word of letters.
    digest : str
        Hex digits that stand for all that the entry depends on.
    make : callable
        Called with a folder to work in and an empty one for what is to be kept.

    Raises
    ------
    OSError
        The cache cannot be written.
    """
    with _locked(f"{kind}-{digest[-2:]}"):
        folder = cache_folder() / f"{kind}-{digest}"
        if not _is_sound(folder):
            with scratch(folder.parent, "making") as work:
                made = work / "made"
                made.mkdir()
                make(work, made)
                _seal(made)
                if folder.exists():
                    folder.rename(work / "damaged")
                move_into_place(made, folder)
            _prune(kind)
        os.utime(folder)
        return folder


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    """Hold a lock, so that an entry is made once."""
    with (cache_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _contents(folder: Path) -> dict[str, str]:
    """What each file is: its hash, or where a link leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file() and name != _CONTENTS:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _seal(folder: Path) -> None:
    (folder / _CONTENTS).write_text(json.dumps(_contents(folder)))


def _is_sound(folder: Path) -> bool:
    try:
        return json.loads((folder / _CONTENTS).read_text()) == _contents(folder)
    except (OSError, ValueError):
        return False


def _prune(kind: str) -> None:
    """Remove the least recently used entries of a kind; what cannot be removed stays."""
    entries = [path for path in cache_folder().glob(f"{kind}-*") if path.is_dir()]
    with contextlib.suppress(OSError):
        for path in sorted(entries, key=lambda path: path.stat().st_mtime)[:-ENTRIES]:
            shutil.rmtree(path, ignore_errors=True)
