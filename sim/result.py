"""What ``verify`` found out: numbers for people, JSON and JUnit XML for programs."""

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..files import write_whole
from .compare import Comparison, Mismatch
from .junit import Case, junit

__all__ = ["Run", "Spread", "VerifyResult", "write"]


@dataclass(frozen=True)
class Spread:
    """The least, the mean and the most of some numbers of cycles."""

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

    ``early_stop``: whether windows were stopped early. ``port``: "spikes", "levels", or "both" in turns.
    ``interval``: cycles from each result to the next, images back to back. ``latency``: cycles from the first
    spike (or level) in to the class out. ``labels``, ``steps``: what the hardware answered, shape
    ``(images,)``, -1 where it did not.
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
    """The outcome. ``passed`` only where there is no mismatch.

    ``correct``: images that were classified as labelled, None without labels. ``spikes``, ``potentials``: how
    many were compared, over all runs. ``first``: the first mismatch. ``cycles``, ``latency``: of the first
    run: images back to back at the spike input, with early stop where the core has it. ``waves``: the FST
    file, where one was asked for. ``path``: ``results.json``.
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
        return sum(run.comparison.mismatches for run in self.runs)

    @property
    def passed(self) -> bool:
        return self.mismatches == 0

    @property
    def spikes(self) -> int:
        return sum(run.comparison.spikes for run in self.runs)

    @property
    def potentials(self) -> int:
        return sum(run.comparison.potentials for run in self.runs)

    @property
    def first(self) -> Mismatch | None:
        found = [replace(run.comparison.first, run=run.name) for run in self.runs if run.comparison.first]
        return min(found, key=lambda mismatch: mismatch.image, default=None)

    @property
    def cycles(self) -> Spread | None:
        return self.runs[0].interval

    @property
    def latency(self) -> Spread | None:
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


def write(result: VerifyResult, suite: str, images: np.ndarray, labels: np.ndarray | None) -> None:
    """Leave ``results.json``, ``junit.xml`` and ``vectors.npz`` (the images, and what each run answered).

    Raises FirstspikeError where one of them cannot be written.
    """
    cases = []
    for run in result.runs:
        found = run.comparison
        failure = f"{found.mismatches} mismatches; first: {found.first}" if found.mismatches else ""
        cases.append(Case(run.name, run.seconds, failure, f"{run.images} images, {found.spikes} spikes, "
                                                          f"{found.potentials} potentials"))
    vectors = {"images": images} | ({} if labels is None else {"labels": labels})
    for run in result.runs:
        name = f"{run.port}_{'early' if run.early_stop else 'whole'}"
        vectors |= {f"{name}_class": run.labels, f"{name}_step": run.steps, f"{name}_cycles": run.intervals}
    packed = io.BytesIO()
    np.savez_compressed(packed, **vectors)  # type: ignore[arg-type]
    folder = result.path.parent
    write_whole(folder / "vectors.npz", packed.getvalue())
    write_whole(folder / "junit.xml", junit(suite, cases))
    write_whole(result.path, (json.dumps(result.as_dict(), indent=2) + "\n").encode())
