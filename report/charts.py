"""What the report draws: rasters, histograms, bars and pictures, as plain numbers for the templates."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

__all__ = [
    "ROWS", "Bar", "Histogram", "Picture", "Raster", "Row", "Table", "draw_levels", "draw_steps", "histogram",
    "raster",
]

ROWS = 16
"""Layers of up to this many neurons get a named row for each."""

RAMP = ("#ffd166", "#f8a15a", "#e0685f", "#a8467c", "#5f3a86", "#28305f")
"""Colours from early to late, to be seen on black."""


@dataclass(frozen=True)
class Table:
    """A table: headings, lines of cells, which columns are numbers, which line stands out."""

    heads: Sequence[str]
    lines: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    marked: int | None = None


@dataclass(frozen=True)
class Bar:
    """One horizontal bar: ``share`` of the width (None: no bar), with a tick at ``guess``, the estimate."""

    name: str
    text: str
    share: float | None
    guess: float | None = None
    note: str = ""
    hot: bool = False


@dataclass(frozen=True)
class Picture:
    """A PNG as a data URI. ``ramp``: the CSS gradient that explains its colours, "" for grey levels."""

    url: str
    caption: str
    ramp: str = ""
    last: str = ""


@dataclass(frozen=True)
class Row:
    """One neuron of a small layer: its spikes' steps and its final potential."""

    index: int
    name: str
    steps: Sequence[int]
    potential: int
    potential_share: float
    won: bool


@dataclass(frozen=True)
class Raster:
    """The spikes of one layer for one image. ``marks``: (step and place in it, share of the height).
    ``silent``: the layer never fires, and only its potentials are drawn."""

    name: str
    caption: str
    neurons: int
    window: int
    count: int
    marks: Sequence[tuple[float, float]]
    rows: Sequence[Row]
    ticks: Sequence[int]
    decided: int | None = None
    silent: bool = False


@dataclass(frozen=True)
class Histogram:
    """Counts per bin; shares place the mean and the ticks along the width."""

    title: str
    counts: Sequence[int]
    labels: Sequence[str]
    mean: str
    mean_share: float
    ticks: Sequence[tuple[float, str]] = field(default_factory=list)
    edges: bool = False

    @property
    def highest(self) -> int:
        """The largest count, at least 1."""
        return max(1, *self.counts)


def step_ticks(window: int) -> list[int]:
    """At most about sixteen round step numbers of a window."""
    round_ones = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000, window)
    stride = next(stride for stride in round_ones if window <= 18 * stride)
    return list(range(0, window, stride))


def raster(name: str, spikes: np.ndarray, *, caption: str, decided: int | None = None,
           potentials: np.ndarray | None = None, winner: int | None = None, silent: bool = False) -> Raster:
    """Lay out one layer's spikes.

    ``spikes``: bool or int, shape ``(window, neurons)``, a spike where it is not 0. Layers of few neurons
    with ``potentials`` (int, shape ``(neurons,)``) get a named row each. Within its step a mark is put at a
    place that depends on the neuron only, so that neighbours do not hide each other.
    """
    window, neurons = spikes.shape
    steps, where = np.nonzero(spikes)
    rows: list[Row] = []
    marks: list[tuple[float, float]] = []
    if potentials is not None and neurons <= ROWS:
        low, high = int(potentials.min()), int(potentials.max())
        rows = [Row(j, str(j), [int(t) for t in steps[where == j]], int(potentials[j]),
                    0.02 + 0.98 * (int(potentials[j]) - low) / max(1, high - low), j == winner)
                for j in range(neurons)]
    else:
        inside = 0.12 + 0.76 * ((where * 0.6180339887) % 1.0)  # golden ratio: an even, repeatable scatter
        marks = list(zip((steps + inside).tolist(), (where / max(1, neurons - 1)).tolist(), strict=True))
    return Raster(name, caption, neurons, window, len(steps), marks, rows, step_ticks(window), decided,
                  silent and bool(rows))


def histogram(title: str, values: Sequence[int] | np.ndarray, *, whole: bool = False,
              digits: int = 0) -> Histogram:
    """Bin integers: one bin per value where ``whole`` or where they span few, else some forty bins."""
    data = np.asarray(values, dtype=np.int64)
    low, high = int(data.min()), int(data.max())
    mean = float(data.mean())
    size = 1 if whole or high - low < 40 else -(-(high - low + 1) // 40)
    bins = (high - low) // size + 1
    counts = np.bincount((data - low) // size, minlength=bins).tolist()
    labels = [str(low + i * size) if size == 1 else f"{low + i * size} to {low + (i + 1) * size - 1}"
              for i in range(bins)]
    if size == 1:
        picked = [i for i in range(bins) if i % max(1, -(-bins // 16)) == 0]
        ticks = [((i + 0.5) / bins, labels[i]) for i in picked]
        at = (mean - low + 0.5) / bins
    else:
        ticks = [(0.0, f"{low:,}"), (1.0, f"{high:,}")]
        at = (mean - low) / (size * bins)
    return Histogram(title, counts, labels, f"{mean:,.{digits}f}", at, ticks, edges=size != 1)


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
