"""Trained networks that come with Firstspike, and a few real images to try them on; see ``README.md``
here."""

from pathlib import Path

from ..errors import FirstspikeError, did_you_mean

__all__ = ["DEMO_IMAGES", "find", "shipped"]

FOLDER = Path(__file__).parent

DEMO_IMAGES = FOLDER / "mnist-demo.npz"
"""64 MNIST test images: ``images`` uint8 ``(64, 784)``, ``labels`` uint8 ``(64,)``, ``indices`` in t10k."""


def shipped() -> dict[str, Path]:
    """The networks that come with Firstspike: name to file."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.safetensors"))}


def find(name: str | Path) -> Path:
    """The network file that ``name`` means: a path, or the name of a shipped network.

    Raises ``FirstspikeError`` where there is neither; a file of the name goes first.
    """
    path = Path(name)
    if path.is_file():
        return path
    known = shipped()
    if str(name) in known:
        return known[str(name)]
    raise FirstspikeError(
        f"there is no network file {str(name)!r}, and no shipped network of that name"
        f"{did_you_mean(name, known)}: take one of {', '.join(known)}, or give the path of a "
        ".safetensors file")
