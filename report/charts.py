"""What the report draws: tables, bars, matrices and histograms, as plain numbers for the templates."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Bar", "Histogram", "Matrix", "Table", "histogram"]

@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    caption : str
        What it shows.
    heads : sequence of str
        The headings of the columns; the first column names the line.
    lines : sequence of sequences of str
        The cells, line by line.
    numbers : frozenset of int
        Which columns are numbers.
    marked : int or None
        Which line stands out.
    """

    caption: str
    heads: Sequence[str]
    lines: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    marked: int | None = None


@dataclass(frozen=True)
class Bar:
    """One horizontal bar.

    Attributes
    ----------
    name, text : str
        What stands at its left and at its right.
    share : float or None
        Of the width; None: no bar.
    guess : float or None
        Where the estimate's tick is.
    note : str
        A tag beside the name.
    hot : bool
        Whether it stands out.
    """

    name: str
    text: str
    share: float | None
    guess: float | None = None
    note: str = ""
    hot: bool = False


@dataclass(frozen=True)
class Matrix:
    """Counts by row and by column, under the same names.

    Attributes
    ----------
    caption : str
    names : sequence of str
    counts : sequence of sequences of int
        Row by row.
    """

    caption: str
    names: Sequence[str]
    counts: Sequence[Sequence[int]]

    @property
    def highest(self) -> int:
        """The largest count off the diagonal, at least 1."""
        return max([1, *(count for row, line in enumerate(self.counts)
                         for column, count in enumerate(line) if row != column)])


@dataclass(frozen=True)
class Histogram:
    """Counts per bin.

    Attributes
    ----------
    title : str
    counts : sequence of int
    labels : sequence of str
        What each bin is, in words.
    mean : str
        The mean, in words.
    mean_share : float
        Where it is along the width.
    ticks : sequence of (float, str)
        Where something is written below, and what.
    edges : bool
        Whether the ticks are the two ends.
    """

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


def histogram(title: str, values: Sequence[int] | np.ndarray, *, whole: bool = False,
              digits: int = 0) -> Histogram:
    """Bin integers.

    Parameters
    ----------
    title : str
    values : sequence of int
        At least one.
    whole : bool
        One bin for each value, however many they span; else some forty bins where they span more.
    digits : int
        Of the mean behind its point.
    """
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
