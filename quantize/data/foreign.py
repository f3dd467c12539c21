"""What a file that cannot be taken is instead, by its first bytes, and what to do about it."""

from pathlib import Path

__all__ = ["PICTURES", "foreign", "refusal_of"]

PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".tif", ".tiff", ".webp")
"""How the names of pictures end that are none of PNG."""

BEGINNINGS = (
    (b"GIF8", ".gif", "a GIF picture; save it as PNG"),
    (b"\xff\xd8\xff", ".jpg", "a JPEG picture; save it as PNG"),
    (b"BM", ".bmp", "a BMP picture; save it as PNG"),
    (b"II*\0", ".tif", "a TIFF picture; save it as PNG"),
    (b"MM\0*", ".tif", "a TIFF picture; save it as PNG"),
    (b"\x89PNG\r\n\x1a\n", ".png", "a PNG picture; let its name end in .png"),
    (b"version https://git-lfs", "", "a Git LFS pointer, not the file itself; fetch that with git lfs pull"),
    (b"\x93NUMPY", ".npy", "an array of numpy; let its name end in .npy"),
    (b"PK\3\4", ".npz", "an archive; unpack it, or let its name end in .npz where numpy.savez() wrote it"),
    (b"\x80", "", "a pickle, which could run code; save arrays with numpy.save()"),
    (b"<!DOCTYPE", "", "a web page, not a download; fetch the file again"),
    (b"<html", "", "a web page, not a download; fetch the file again"),
)
"""First bytes, how the name of such a file ends where it can be taken at all, and what it is."""
TAKEN = (".png", ".npy", ".npz")


def foreign(beginning: bytes, suffix: str = "") -> str | None:
    """What a file is that begins so, and what to do about it; None where that is not known.

    Parameters
    ----------
    beginning : bytes
        32 bytes or more, of a file that has as many.
    suffix : str
        How its name ends: nothing is said of one that is what its name says and could be taken, but for some
        damage.
    """
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "a WebP picture; save it as PNG"
    return next((what for mark, end, what in BEGINNINGS
                 if beginning.startswith(mark) and not end == suffix.lower() in TAKEN), None)


def refusal_of(path: Path, otherwise: str) -> str:
    """The sentence on a file that cannot be taken: what it is, or ``otherwise`` where that is not known."""
    try:
        with path.open("rb") as file:
            what = foreign(file.read(32), path.suffix)
    except OSError:
        what = None
    return otherwise if what is None else f"{path} is {what}"
