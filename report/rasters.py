"""Rasters: the spikes of a layer for one image, as plain numbers for the templates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["ROWS", "Raster", "Row", "raster"]

ROWS = 16
"""Layers of up to this many neurons get a named row for each."""


@dataclass(frozen=True)
class Row:
    """One neuron of a small layer.

    Attributes
    ----------
    index : int
    name : str
    steps : sequence of int
        When it fires.
    potential : int
        Its final potential.
    begin, end : float
        Its bar, from the line of potential 0 to the potential, as shares of the width.
    won : bool
        Whether it is the class that was found.
    """

    index: int
    name: str
    steps: Sequence[int]
    potential: int
    begin: float
    end: float
    won: bool


@dataclass(frozen=True)
class Raster:
    """The spikes of one layer for one image.

    Attributes
    ----------
    name, caption : str
    neurons, window : int
        Its size and its steps.
    count : int
        Its spikes.
    marks : sequence of (float, float)
        Each spike: the step and the place in it, the share of the height.
    rows : sequence of Row
        Instead, where the layer is small.
    ticks : sequence of int
        Steps that are written.
    decided : int or None
        The decision step.
    silent : bool
        Whether the layer never fires, and only its potentials are drawn.
    zero : float
        Where potential 0 is, as a share of the width.
    odd : (float, float) or None
        Where hardware and golden model differ in a spike: as a mark, or step and row.
    """

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
    zero: float = 0.0
    odd: tuple[float, float] | None = None


def step_ticks(window: int) -> list[int]:
    """At most about sixteen round step numbers of a window."""
    round_ones = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000, window)
    stride = next(stride for stride in round_ones if window <= 18 * stride)
    return list(range(0, window, stride))


def raster(name: str, spikes: np.ndarray, *, caption: str, decided: int | None = None,
           potentials: np.ndarray | None = None, winner: int | None = None, silent: bool = False,
           odd: tuple[int, int] | None = None) -> Raster:
    """Lay out one layer's spikes.

    Within its step a mark is put at a place that depends on the neuron only, so that neighbours do not hide
    each other.

    Parameters
    ----------
    name, caption : str
    spikes : ndarray
        Bool or int, shape ``(window, neurons)``, a spike where it is not 0.
    decided : int or None
        The decision step.
    potentials : ndarray or None
        Final potentials, int, shape ``(neurons,)``: with them each neuron of a small layer gets a row.
    winner : int or None
        The class that was found.
    silent : bool
        Whether the layer never fires.
    odd : (int, int) or None
        Step and neuron of a spike in which hardware and golden model differ.
    """
    window, neurons = spikes.shape
    steps, where = np.nonzero(spikes)
    rows: list[Row] = []
    zero = 0.0
    marks: list[tuple[float, float]] = []
    odd = odd if odd is not None and odd[0] < window and odd[1] < neurons else None
    if potentials is not None and neurons <= ROWS:
        low, high = min(0, int(potentials.min())), max(0, int(potentials.max()))
        zero = -low / max(1, high - low)
        ends = [(int(potential) - low) / max(1, high - low) for potential in potentials]
        rows = [Row(j, str(j), [int(t) for t in steps[where == j]], int(potentials[j]),
                    min(zero, ends[j]), max(zero, ends[j]), j == winner) for j in range(neurons)]
        place = None if odd is None else (odd[0] + 0.5, float(odd[1]))
    else:
        marks = [_mark(int(step), int(neuron), neurons) for step, neuron in zip(steps, where, strict=True)]
        place = None if odd is None else _mark(*odd, neurons)
    return Raster(name, caption, neurons, window, len(steps), marks, rows, step_ticks(window), decided,
                  silent and bool(rows), zero, place)


def _mark(step: int, neuron: int, neurons: int) -> tuple[float, float]:
    """Where a spike is: the golden ratio makes an even, repeatable scatter within its step."""
    return step + 0.12 + 0.76 * ((neuron * 0.6180339887) % 1.0), neuron / max(1, neurons - 1)
