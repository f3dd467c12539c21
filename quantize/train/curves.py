"""What one training offers: accuracy against latency, and the pictures of it and of the training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...files import replacing
from .evaluate import Evaluation, first_decisions

__all__ = ["Operation", "operations", "picture_latency", "picture_training"]


@dataclass(frozen=True)
class Operation:
    """A point of the curve: with this output threshold, so accurate, after so many steps in the mean."""

    threshold: int
    accuracy: float
    mean_step: float


def operations(seen: Evaluation, labels: np.ndarray) -> list[Operation]:
    """Every output threshold from 1 up to the first that no image reaches, one for all outputs."""
    points = []
    for threshold in range(1, max(1, int(seen.potentials.max()) + 1) + 1):
        classes, steps = first_decisions(seen.potentials, threshold)
        points.append(Operation(threshold, float(np.mean(classes == labels)), float(steps.mean())))
    return points


def picture_latency(curve: Sequence[Operation], chosen: Operation | None, path: Path) -> Path:
    """Draw validation accuracy against the mean decision step; returns ``path`` (PNG)."""
    figure, axes = _axes("Accuracy against latency (validation images)")
    axes.plot([point.mean_step for point in curve], [100 * point.accuracy for point in curve], ".-")
    if chosen is not None:
        axes.plot(chosen.mean_step, 100 * chosen.accuracy, "o", markersize=9,
                  label=f"chosen: output threshold {chosen.threshold}")
        axes.legend(loc="lower right")
    percent = [100 * point.accuracy for point in curve]
    axes.set_ylim(max(min(percent) - 0.5, max(percent) - 12), min(max(percent) + 0.5, 100.0))
    axes.set_xlabel("mean decision step")
    axes.set_ylabel("accuracy, %")
    return _written(figure, path)


def picture_training(history: Sequence[dict[str, float]], path: Path, loss: str = "loss") -> Path:
    """Draw loss (``loss``: its name) and validation accuracy against the epochs; returns ``path`` (PNG)."""
    figure, axes = _axes("Training")
    epochs = range(1, len(history) + 1)
    axes.plot(epochs, [100 * entry["accuracy"] for entry in history], "C0.-", label="validation accuracy")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("epoch")
    axes.set_ylabel("accuracy, %", color="C0")
    losses = axes.twinx()
    losses.plot(epochs, [entry["loss"] for entry in history], "C1.-", label=loss)
    losses.set_ylabel(loss, color="C1")
    return _written(figure, path)


def _axes(title: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.grid(alpha=0.3)
    return figure, axes


def _written(figure: Any, path: Path) -> Path:
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return path
