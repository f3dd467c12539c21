"""What came of some images in the simulator, and how the parts of a run come together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..rtl.description import CoreDescription
from .compare import Comparison
from .payloads import field
from .result import Run, Spread

__all__ = ["Outcome", "Part", "merge"]


@dataclass(frozen=True)
class Part:
    """Some of the images, in one process.

    Attributes
    ----------
    port : str
        The port that they go through: "spikes", "levels", or "both" in turns.
    early : bool
        Whether windows are stopped early.
    start, count : int
        The first of them, and how many.
    """

    port: str
    early: bool
    start: int
    count: int

    @property
    def kind(self) -> tuple[str, bool]:
        """Port and form: the parts of one kind make a run."""
        return self.port, self.early


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a part.

    Attributes
    ----------
    part : Part
    order : ndarray
        The port of each image, 0 for ``spikes`` and 1 for ``levels``; shape ``(count,)``.
    comparison : Comparison
    recorded : dict
        What the bench wrote down.
    top : :class:`~..rtl.description.CoreDescription`
        The core from outside.
    seconds : float
    """

    part: Part
    order: np.ndarray
    comparison: Comparison
    recorded: dict[str, np.ndarray]
    top: CoreDescription
    seconds: float

    def answers(self, name: str) -> np.ndarray:
        """A field of the results, -1 where there is none."""
        shown = field(self.recorded["results"], self.top.result.fields[name])
        answers = np.full(self.part.count, -1, np.int64)
        answers[:len(shown)] = shown[:len(answers)]
        return answers

    @property
    def intervals(self) -> np.ndarray:
        """Cycles from each result to the next."""
        return np.diff(self.recorded["result_cycles"])

    @property
    def latencies(self) -> np.ndarray:
        """Cycles from the first payload of a window in to its result out."""
        first = np.zeros(self.part.count, np.int64)
        for port, name in enumerate(("spikes", "levels")):
            entered = self.recorded.get(f"{name}_first", first[:0])
            where = np.flatnonzero(self.order == port)[:len(entered)]
            first[where] = entered[:len(where)]
        results = self.recorded["result_cycles"][:len(first)]
        return results - first[:len(results)]


def merge(outcomes: Sequence[Outcome]) -> Run:
    """The parts of one form and port, in order, as one run."""
    each = [outcome.comparison for outcome in outcomes]
    comparison = Comparison(
        sum(one.spikes for one in each), sum(one.potentials for one in each),
        sum(one.mismatches for one in each), next((one.first for one in each if one.first), None))
    intervals, latencies, labels, steps = (np.concatenate(arrays) for arrays in zip(*(
        (outcome.intervals, outcome.latencies, outcome.answers("label"), outcome.answers("step"))
        for outcome in outcomes), strict=True))
    part = outcomes[0].part
    return Run(part.early, part.port, sum(outcome.part.count for outcome in outcomes), comparison,
               Spread.of(intervals), Spread.of(latencies), intervals, labels, steps,
               sum(outcome.seconds for outcome in outcomes))
