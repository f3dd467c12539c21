"""Pictures of an image: its levels, and when each of its inputs spikes."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["Picture", "draw_levels", "draw_steps"]

RAMP = ("#ffd166", "#f8a15a", "#e0685f", "#a8467c", "#5f3a86", "#28305f")
"""Colours from early to late, to be seen on black."""


@dataclass(frozen=True)
class Picture:
    """A PNG as a data URI.

    Attributes
    ----------
    url, caption : str
    ramp : str
        The CSS gradient that explains its colours, "" for grey levels.
    last : str
        What stands at the gradient's end.
    """

    url: str
    caption: str
    ramp: str = ""
    last: str = ""


def _png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _sheet(size: int) -> tuple[int, int]:
    """Rows and columns of the picture of ``size`` inputs: a square where they make one."""
    side = round(size ** 0.5)
    return (side, side) if side * side == size else (-(-size // 64), min(64, size))


def _lay(values: np.ndarray, empty: int) -> np.ndarray:
    rows, columns = _sheet(values.size)
    sheet = np.full(rows * columns, empty, dtype=np.int64)
    sheet[:values.size] = values
    return sheet.reshape(rows, columns)


def draw_levels(levels: np.ndarray, highest: int, caption: str) -> Picture:
    """The levels of one image, shape ``(size,)``, as grey from 0 to ``highest``."""
    grey = _lay(levels * 255 // max(1, highest), 0)
    return Picture(_png(np.clip(grey, 0, 255).astype(np.uint8)), caption)


def draw_steps(spikes: np.ndarray, caption: str) -> Picture:
    """When each input spikes first, black where never. ``spikes``: shape ``(window, size)``, 0 where none."""
    window = len(spikes)
    fired = spikes != 0
    first = np.where(fired.any(axis=0), fired.argmax(axis=0), window)
    stops = np.array([[int(colour[i:i + 2], 16) for i in (1, 3, 5)] for colour in RAMP], dtype=float)
    place = np.linspace(0, len(stops) - 1, max(2, window))[:window]
    colours = np.stack([np.interp(place, range(len(stops)), stops[:, c]) for c in range(3)], axis=1)
    table = np.vstack([colours, [[0, 0, 0]]]).astype(np.uint8)
    return Picture(_png(table[_lay(first, window)]), caption, f"linear-gradient(90deg, {', '.join(RAMP)})",
                   str(window - 1))
