"""Scoring: what a network makes of many images, by the golden model."""

import io
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..files import write_whole
from .batched import Batch, run
from .images import ImageSet
from .network import Network

__all__ = ["Score", "score"]

BLOCK = 2048
"""The most images whose spikes are in memory at a time."""
ROOM = 1 << 28
"""Bytes that the spikes and potentials of these may take."""


@dataclass(frozen=True, eq=False)
class Score:
    """What a network made of many images.

    Attributes
    ----------
    count : int
        Number of images.
    labels, steps : numpy.ndarray
        int64, shape ``(count,)``: the class of each image, and the step that decided it (the last layer's
        window where no spike did).
    correct : int or None
        How many classes are right; None where it is not known.
    step_counts : numpy.ndarray
        int64, shape ``(window + 1,)``: images decided in each step, and by none.
    mean_spikes : dict
        Spikes per image, of "input" and of each layer by its name.
    seconds : float
        The time taken.
    """

    count: int
    labels: np.ndarray
    steps: np.ndarray
    correct: int | None
    step_counts: np.ndarray
    mean_spikes: dict[str, float]
    seconds: float

    @property
    def accuracy(self) -> float | None:
        """The part of the images that is right, strictly: each image has one class."""
        return None if self.correct is None else self.correct / self.count

    @property
    def mean_step(self) -> float:
        """The mean decision step."""
        return float(self.steps.mean())

    @property
    def undecided(self) -> int:
        """Images that no spike decided."""
        return int(self.step_counts[-1])

    def to_json(self) -> dict[str, Any]:
        """The figures as plain JSON values; of the classes and steps only what is counted."""
        return {
            "images": self.count, "correct": self.correct, "accuracy": self.accuracy,
            "mean_decision_step": self.mean_step, "decision_steps": self.step_counts.tolist(),
            "undecided": self.undecided, "mean_spikes": self.mean_spikes, "seconds": round(self.seconds, 3),
        }


def score(network: Network, images: ImageSet | np.ndarray,
          labels: np.ndarray | Sequence[int] | None = None, *,
          spikes: str | os.PathLike[str] | None = None,
          progress: Callable[[int, int], Any] | None = None) -> Score:
    """Run a network on many images and count.

    Parameters
    ----------
    network : Network
        What to run.
    images : ImageSet or numpy.ndarray
        What ``load_images`` gives, or an array as :func:`.batched.run` takes it.
    labels : numpy.ndarray or None
        The true class of each image; None: those of the image set, if it has any.
    spikes : str, os.PathLike or None
        A file to write every spike and final potential to, as ``...npz`` (see :func:`spike_arrays`).
    progress : callable or None
        Called with the number of images that are done and the number of all, from time to time.

    Raises
    ------
    TypeError, ValueError
        The images do not fit the network, or the labels do not fit the images.
    FirstspikeError
        ``spikes`` cannot be written.
    """
    start = time.perf_counter()
    if isinstance(images, ImageSet):
        images, labels = images.images, images.labels if labels is None else labels
    count = len(images)
    if labels is not None:
        labels = np.asarray(labels)
        if labels.shape != (count,):
            raise ValueError(f"labels must have the shape ({count},), one for each image, not {labels.shape}")
        if labels.dtype.kind not in "iu":
            raise TypeError(f"labels must be integers, not an array of {labels.dtype}")
    if spikes is None:
        batches = [run(network, images, keep=False, progress=progress)]
    else:
        batches, kept = [], []
        block = max(1, min(BLOCK, ROOM // sum(layer.size * (layer.window + 8) for layer in network.layers)))
        for first in range(0, count, block):
            def report(done: int, total: int, first: int = first) -> None:
                if progress is not None:
                    progress(first + done, count)
            batch = run(network, images[first:first + block], first=first, progress=report)
            kept.append(spike_arrays(network, batch, first))
            batches.append(Batch(batch.label, batch.step, (), None, batch.mean_spikes))
        _write(spikes, {name: np.concatenate([arrays[name] for arrays in kept]) for name in kept[0]}
               | {"names": np.array(["input", *network.names])})
    found = np.concatenate([batch.label for batch in batches])
    steps = np.concatenate([batch.step for batch in batches])
    sizes = [len(batch) for batch in batches]
    means = np.average([batch.mean_spikes for batch in batches], axis=0, weights=sizes)
    return Score(
        count, found, steps, None if labels is None else int(np.count_nonzero(found == labels)),
        np.bincount(steps, minlength=network.output.window + 1),
        dict(zip(("input", *network.names), means.tolist(), strict=True)), time.perf_counter() - start)


def spike_arrays(network: Network, batch: Batch, first: int = 0) -> dict[str, np.ndarray]:
    """Every spike of a batch that was run with ``keep``, as the arrays of a spike file.

    Parameters
    ----------
    network : Network
        What was run.
    batch : Batch
        What it did.
    first : int
        The number of the batch's first image.

    Returns
    -------
    dict
        ``input``: int32, shape ``(spikes, 4)``: image, step, address, value of each spike of the input.
        ``layerN``: int32, shape ``(spikes, 3)``: image, step, neuron of each spike of layer N, by its place.
        ``layerN_potential``: int64, shape ``(count, neurons)``: final potentials. ``label``, ``step``: int64,
        shape ``(count,)``. (``names``, in the file: "input" and the layers' names.)
    """
    def places(spikes: np.ndarray | None) -> np.ndarray:
        if spikes is None:
            raise ValueError("the batch must have been run with keep=True")
        found = np.argwhere(spikes)
        found[:, 0] += first
        return found.astype(np.int32)

    where = places(batch.input_spikes)
    values = batch.input_spikes[batch.input_spikes > 0]  # type: ignore[index, operator]
    arrays = {"input": np.column_stack([where, values.astype(np.int32)])}
    for index, layer in enumerate(batch.layers):
        arrays[f"layer{index}"] = places(layer.spikes)
        arrays[f"layer{index}_potential"] = layer.potential
    return arrays | {"label": batch.label, "step": batch.step}


def _write(path: str | os.PathLike[str], arrays: dict[str, np.ndarray]) -> None:
    """As numpy.savez_compressed, whose compression would take longer than the run itself."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED, 1)
    write_whole(path, data.getvalue())
