"""The verification on the page: what was compared, what differed, and what was mistaken for what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..network import golden
from .build_files import BuildFiles
from .charts import Histogram, Matrix, Table, histogram

__all__ = ["MismatchSection", "VerificationSection", "confusion", "histograms", "verification_section"]

_CLASSES = 20  # of more a matrix is no picture


@dataclass(frozen=True)
class MismatchSection:
    """The first mismatch: what was expected beside what was found.

    Attributes
    ----------
    place : str
        Where it is, in words.
    table : Table
        Expected and found.
    waves : str
        How to look at all signals around it.
    """

    place: str
    table: Table
    waves: str


@dataclass(frozen=True)
class VerificationSection:
    """What was compared and how it came out, a line a run."""

    lead: str
    table: Table
    mismatch: MismatchSection | None = None
    confusion: Matrix | None = None


def histograms(files: BuildFiles) -> list[Histogram]:
    """How long images take, and when they are decided."""
    charts = []
    cycles = files.first_run("cycles")
    if cycles is not None:
        charts.append(histogram(f"Cycles from one class to the next ({files.results['runs'][0]['name']})",
                                cycles))
    steps = files.first_run("step")
    window = files.build.network.output.window
    if steps is not None and (steps < window).any():
        silent = f" ({window}: no output spike)" if (steps == window).any() else ""
        charts.append(histogram(f"Decision step{silent}", steps, whole=True, digits=1))
    return charts


def verification_section(files: BuildFiles) -> VerificationSection | None:
    """The section about the verification, None where there was none."""
    results = files.results
    if not results:
        return None
    heads = ["Form and port", "Images", "Spikes", "Final potentials", "Mismatches",
             "Cycles (min / mean / max)", "Latency (min / mean / max)", "Seconds"]
    lines = [[run["name"], f"{run['images']:,}", f"{run['spikes']:,}", f"{run['potentials']:,}",
              f"{run['mismatches']:,}", _spread(run["cycles"]), _spread(run["latency"]),
              f"{run['seconds']:.1f}"] for run in results["runs"]]
    how = f"{results['simulator'].capitalize()} {results['version']}"
    if results["stalls"]:
        how += ", with random stalls"
    lead = (f"Every spike (layer, neuron, step) and every final potential against the golden model, under "
            f"{how}. With early stop, all up to the decision, the class and its step. Cycles are from one "
            "class to the next, latency from the first spike or level in to the class out.")
    table = Table("The runs", heads, lines, frozenset(range(1, 8)))
    first = results["first_mismatch"]
    return VerificationSection(lead, table, None if first is None else _mismatch(files, first),
                               confusion(files.vectors.get("labels"), files.first_run("class"),
                                         files.build.network.output.size))


def _spread(spread: Mapping[str, float] | None) -> str:
    return f"{spread['min']:,} / {spread['mean']:,.1f} / {spread['max']:,}" if spread else ""


def _mismatch(files: BuildFiles, first: Mapping[str, Any]) -> MismatchSection:
    place = [f"{name} {first[name]}" for name in ("image", "layer", "neuron", "step")
             if first.get(name) is not None]
    if first.get("run"):
        place.append(f"in the run {first['run']!r}")
    if first["what"] == "spike":
        names = {0: "no spike", 1: "one spike"}
        sides = [names.get(first[side], f"{first[side]} spikes") for side in ("expected", "found")]
    elif first.get("expected") is not None:
        sides = [f"{first['what']} {first['expected']}",
                 "nothing" if first.get("found") is None else f"{first['what']} {first['found']}"]
    else:
        sides = ["", str(first.get("text", ""))]
    table = Table("Expected beside found", ["What", "Expected (golden model)", "Found (hardware)"],
                  [["at this place", *sides], *_answers(files, first)])
    waves = ("Record all signals up to it with `firstspike verify --waves`, which writes verify/waves.fst, "
             "and open that with gtkwave or surfer.")
    if files.waves is not None:
        waves = "All signals up to it are in verify/waves.fst: open it with gtkwave or surfer."
    return MismatchSection(", ".join(place), table, waves)


def _answers(files: BuildFiles, first: Mapping[str, Any]) -> list[Sequence[str]]:
    """Class and step of the image, from the golden model and from the run in which it went wrong."""
    run = next((run for run in files.results["runs"] if run["name"] == first.get("run")), None)
    images = files.vectors.get("images")
    if run is None or images is None or not 0 <= first["image"] < len(images):
        return []
    trace = golden.run(files.build.network, images[first["image"]])
    kind = f"{run['port']}_{'early' if run['early_stop'] else 'whole'}"
    lines: list[Sequence[str]] = []
    for title, name, expected in (("class", "class", trace.label), ("decision step", "step", trace.step)):
        values = files.vectors.get(f"{kind}_{name}")
        if values is not None and first["image"] < len(values):
            found = int(values[first["image"]])
            lines.append([f"{title} of the image", str(expected), "none" if found < 0 else str(found)])
    return lines


def confusion(labels: np.ndarray | None, answers: np.ndarray | None, classes: int) -> Matrix | None:
    """How often each class was answered for each label.

    Parameters
    ----------
    labels, answers : ndarray or None
        Integers, shape ``(images,)``; answers below 0 are none.
    classes : int
        How many there are.

    Returns
    -------
    Matrix or None
        Rows are labels, columns answers; None where something is not known, or there are too many classes.
    """
    if labels is None or answers is None or classes > _CLASSES or len(labels) != len(answers):
        return None
    known = (answers >= 0) & (labels >= 0) & (labels < classes) & (answers < classes)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels[known], answers[known]), 1)
    wrong = int(counts.sum() - counts.trace())
    return Matrix(f"True class by row, the hardware's answer by column; {wrong:,} of {len(labels):,} off the "
                  "diagonal", [str(name) for name in range(classes)], counts.tolist())
