"""The trained networks that come with Firstspike, and the file that a network's name stands for."""

from difflib import get_close_matches
from os import PathLike, fspath
from pathlib import Path

from ..errors import FirstspikeError

__all__ = ["find", "names"]

_FOLDER = Path(__file__).resolve().parent


def names() -> list[str]:
    """The names of the shipped networks."""
    return sorted(path.stem for path in _FOLDER.glob("*.safetensors"))


def find(network: str | PathLike[str]) -> Path:
    """The file of a network: ``network`` itself where it is a path, else the shipped network of that name.

    Raises FirstspikeError where there is neither.
    """
    text = fspath(network)
    if text in names():
        return _FOLDER / f"{text}.safetensors"
    path = Path(text)
    if path.exists() or path.suffix or path.parent != Path():
        return path
    near = get_close_matches(text, names(), n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise FirstspikeError(f"{text!r} is neither a network file nor a shipped network: {hint}"
                          f"Shipped are {', '.join(names()) or 'none'}.")
