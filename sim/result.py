"""What ``verify`` found out, as numbers."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .compare import Comparison, Mismatch

__all__ = ["Run", "Spread", "VerifyResult"]


@dataclass(frozen=True)
class Spread:
    """Some numbers of cycles.

    Attributes
    ----------
    min : int
        The least.
    mean : float
        The mean, to three digits behind the point.
    max : int
        The most.
    """

    min: int
    mean: float
    max: int

    @classmethod
    def of(cls, cycles: np.ndarray) -> "Spread | None":
        """None of nothing."""
        if not len(cycles):
            return None
        return cls(int(cycles.min()), round(float(cycles.mean()), 3), int(cycles.max()))


@dataclass(frozen=True, eq=False)
class Run:
    """What one form of the core did with the images that came through one port.

    Attributes
    ----------
    early_stop : bool
        Whether windows were stopped early.
    port : str
        "spikes", "levels", or "both" in turns.
    images : int
        How many there were.
    comparison : Comparison
        What was compared with the golden model, and what differed.
    interval : Spread or None
        Cycles from each result to the next, images back to back; None of one image.
    latency : Spread or None
        Cycles from the first spike (or level) in to the class out.
    intervals : ndarray
        Each of the cycles that ``interval`` is of.
    labels, steps : ndarray
        What the hardware answered, shape ``(images,)``, -1 where it did not.
    seconds : float
        What it took.
    """

    early_stop: bool
    port: str
    images: int
    comparison: Comparison
    interval: Spread | None
    latency: Spread | None
    intervals: np.ndarray
    labels: np.ndarray
    steps: np.ndarray
    seconds: float

    @property
    def name(self) -> str:
        """In words, for people."""
        return f"{'early stop' if self.early_stop else 'whole window'}, {self.port}"

    def as_dict(self) -> dict:
        """For JSON."""
        first = self.comparison.first
        return {
            "name": self.name, "early_stop": self.early_stop, "port": self.port, "images": self.images,
            "spikes": self.comparison.spikes, "potentials": self.comparison.potentials,
            "mismatches": self.comparison.mismatches, "first_mismatch": first and first.as_dict(),
            "cycles": self.interval and vars(self.interval), "latency": self.latency and vars(self.latency),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, eq=False)
class VerifyResult:
    """The outcome of a verification.

    Attributes
    ----------
    images : int
        How many there were.
    correct : int or None
        How many were classified as labelled; None without labels.
    runs : tuple of Run
        Each form of the core and each port. The first: images back to back at the spike input, with early
        stop where the core has it.
    simulator, version : str
        What it was run with.
    seconds, compile_seconds : float
        What all of it took, and compiling alone.
    seed : int
        Of all that was drawn.
    stalls : bool
        Whether inputs and results were made to wait by chance.
    waves : Path or None
        The FST file, where one was asked for.
    path : Path
        ``results.json``.
    """

    images: int
    correct: int | None
    runs: tuple[Run, ...]
    simulator: str
    version: str
    seconds: float
    compile_seconds: float
    seed: int
    stalls: bool
    waves: Path | None
    path: Path

    @property
    def mismatches(self) -> int:
        """How many there are, over all runs."""
        return sum(run.comparison.mismatches for run in self.runs)

    @property
    def passed(self) -> bool:
        """Whether hardware and golden model agree in all that was compared."""
        return self.mismatches == 0

    @property
    def spikes(self) -> int:
        """How many of the golden model's were compared, over all runs."""
        return sum(run.comparison.spikes for run in self.runs)

    @property
    def potentials(self) -> int:
        """How many final potentials were compared, over all runs."""
        return sum(run.comparison.potentials for run in self.runs)

    @property
    def first(self) -> Mismatch | None:
        """The mismatch of the earliest image."""
        found = [replace(run.comparison.first, run=run.name) for run in self.runs if run.comparison.first]
        return min(found, key=lambda mismatch: mismatch.image, default=None)

    @property
    def cycles(self) -> Spread | None:
        """Cycles from one class to the next, of the first run."""
        return self.runs[0].interval

    @property
    def latency(self) -> Spread | None:
        """Cycles from the first spike in to the class out, of the first run."""
        return self.runs[0].latency

    def as_dict(self) -> dict:
        """What ``results.json`` holds."""
        first = self.first
        return {
            "format": 1, "passed": self.passed, "images": self.images, "correct": self.correct,
            "spikes": self.spikes, "potentials": self.potentials, "mismatches": self.mismatches,
            "first_mismatch": first and first.as_dict(),
            "cycles": self.cycles and vars(self.cycles), "latency": self.latency and vars(self.latency),
            "runs": [run.as_dict() for run in self.runs],
            "simulator": self.simulator, "version": self.version, "seed": self.seed, "stalls": self.stalls,
            "waves": self.waves.name if self.waves else None,
            "seconds": round(self.seconds, 3), "compile_seconds": round(self.compile_seconds, 3),
        }
