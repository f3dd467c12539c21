"""What one training offers: accuracy against latency, and the pictures of it and of the training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...files import replacing

__all__ = ["Operation", "first_decisions", "operations", "picture_latency", "picture_training"]


@dataclass(frozen=True)
class Operation:
    """A point of the curve.

    Attributes
    ----------
    threshold : int
        Of all outputs.
    accuracy : float
        The share of images that it gets right.
    mean_step : float
        After so many steps in the mean.
    """

    threshold: int
    accuracy: float
    mean_step: float


def first_decisions(potentials: np.ndarray, threshold: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Classes and decision steps of first-spike outputs with these thresholds.

    Parameters
    ----------
    potentials : array
        Ints, shape ``(count, window, outputs)``: after each step's adds.
    threshold : int or array
        One for all outputs or one for each.

    Returns
    -------
    labels, steps : array
        int64, shape ``(count,)``; the step is the window where none fires.
    """
    count, window, _ = potentials.shape
    fires = potentials >= np.asarray(threshold)
    decided = np.logical_or.reduce(fires, axis=2)
    steps = np.where(decided.any(axis=-1), decided.argmax(axis=-1), window)
    last = np.minimum(steps, window - 1)
    at, firing = potentials[np.arange(count), last], fires[np.arange(count), last]
    lowest = np.iinfo(np.int64).min
    at = np.where(firing | (steps == window)[:, None], at, lowest)
    return at.argmax(axis=1), steps


def operations(potentials: np.ndarray, labels: np.ndarray) -> list[Operation]:
    """Every output threshold from 1 up to the first that no image reaches, one for all outputs.

    Parameters
    ----------
    potentials : array
        Ints, shape ``(count, window, outputs)``: after each step's adds.
    labels : array
        Ints, shape ``(count,)``.
    """
    points = []
    for threshold in range(1, max(1, int(potentials.max()) + 1) + 1):
        classes, steps = first_decisions(potentials, threshold)
        points.append(Operation(threshold, float(np.mean(classes == labels)), float(steps.mean())))
    return points


def picture_latency(curve: Sequence[Operation], chosen: Operation | None, path: Path) -> Path:
    """Draw validation accuracy against the mean decision step.

    Parameters
    ----------
    curve : sequence of Operation
        The points.
    chosen : Operation or None
        One of them, to be marked.
    path : Path
        The PNG to write, whole or not at all; it is what is returned.

    Raises
    ------
    FirstspikeError
        It cannot be written.
    """
    figure, (axes,) = _axes("Accuracy against latency (validation images)")
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
    """Draw loss and validation accuracy against the epochs, and below, where weights are pruned, their share.

    Parameters
    ----------
    history : sequence of dict
        "loss", "accuracy" and, where weights may be pruned, "pruned", the share of them, of each epoch.
    path : Path
        The PNG to write, whole or not at all; it is what is returned.
    loss : str
        What the loss is called.

    Raises
    ------
    FirstspikeError
        It cannot be written.
    """
    epochs = range(1, len(history) + 1)
    pruned = [100 * entry.get("pruned", 0.0) for entry in history]
    figure, (axes, *below) = _axes("Training", 2 if any(pruned) else 1)
    axes.plot(epochs, [100 * entry["accuracy"] for entry in history], "C0.-", label="validation accuracy")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylabel("accuracy, %", color="C0")
    losses = axes.twinx()
    losses.plot(epochs, [entry["loss"] for entry in history], "C1.-", label=loss)
    losses.set_ylabel(loss, color="C1")
    for share in below:
        share.plot(epochs, pruned, "C2.-")
        share.set_ylim(0, 100)
        share.set_ylabel("pruned, %", color="C2")
    (axes, *below)[-1].set_xlabel("epoch")
    return _written(figure, path)


def _axes(title: str, rows: int = 1) -> tuple[Any, Any]:
    """A figure and its axes, one below the other, the first the highest."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots(rows, sharex=True, squeeze=False, height_ratios=(3, 1)[:rows])[:, 0]
    axes[0].set_title(title)
    for each in axes:
        each.grid(alpha=0.3)
    return figure, axes


def _written(figure: Any, path: Path) -> Path:
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return path
