"""Recipe ``bs4nn``: the learning rule of BS4NN, as published, one image at a time.

S. R. Kheradpisheh, M. Mirsadeghi, T. Masquelier, "BS4NN: Binarized spiking neural networks with temporal
coding and learning", arXiv 2007.04039, and its published code. Real weights ``W`` lie behind the signs that
count. A layer's neurons fire at the first step where ``alpha V > theta``, with one ``alpha`` a layer that is
learned too: in integers, ``V >= floor(theta / alpha) + 1``. For one image, with the firing steps ``t``
(``T`` where a neuron does not fire) and ``tau``, the earliest of the outputs:

- targets: ``tau`` for the right output; ``min(tau + gamma, T)`` for every other that fires within ``gamma``
  steps of it; for the rest their own step; nothing is learnt where no output fires;
- errors of the outputs: ``d = target - t``, divided by their length ``|d|``;
- ``W -= rate d [source fired by t]``, ``alpha -= alpha_rate mean(d [source fired by t] sign W)``;
- errors of the hidden neurons: ``d = sum over outputs of (d [fired by t] W)``, with the ``W`` just updated,
  over their length; their weights and ``alpha`` as above.

Differences from the published code, whose steps are one later in each layer: a source's last step is heard
in the same step here (:mod:`...network`), so ``fired before t`` there is ``fired by t`` here, and levels of
0 and 1 are silent in the window of 254 steps, in which they could not have caused an output spike there.
The published code chooses its weights on the test images and counts every tie of the first outputs as a
hit; here weights are chosen on images held back, scoring is strict, and the lenient score is told beside it.
"""

import os
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from ...network import Dense, Fires, Input, Latency, Layer, Network, Phase, batched
from ..data.idx import Images, load_idx
from .curves import picture_training
from .evaluate import accuracy, evaluate
from .held_back import held_back
from .input_tables import latency_table
from .job import Progress, Trained, TrainingJob
from .options import Bs4nnOptions
from .provenance import command

__all__ = ["Rule", "firing_steps", "run"]

CHUNK = 500
"""Images between two reports of progress."""


class Rule:
    """A network of one hidden layer that learns by the rule of the module.

    Parameters
    ----------
    sizes : tuple of int
        Inputs, hidden neurons, outputs.
    settings : Bs4nnOptions
        How it learns.

    Attributes
    ----------
    weights : list of array
        Real, shape ``(sources, neurons)`` of the hidden layer, then of the outputs.
    alphas : array
        Of the two layers: shape ``(2,)``.
    """

    def __init__(self, sizes: tuple[int, int, int], settings: Bs4nnOptions):
        generator = np.random.default_rng([settings.seed])
        inputs, hidden, outputs = sizes
        self.settings = settings
        self.weights = [generator.uniform(0, 5, (inputs, hidden)),
                        generator.uniform(0, 48, (hidden, outputs))]
        self.alphas = np.full(2, 5.0)
        self.refresh()

    def refresh(self) -> None:
        """Take the signs anew from the weights; needed where the latter were set."""
        self.signs = [np.where(weights >= 0, 1, -1).astype(np.int16) for weights in self.weights]

    @property
    def thresholds(self) -> list[int]:
        """The layers' thresholds in integers."""
        return [max(1, int(np.floor(self.settings.theta / alpha)) + 1) for alpha in self.alphas]

    def learn(self, steps: np.ndarray, label: int) -> bool:
        """Learn one image; returns whether anything was to be learnt.

        Parameters
        ----------
        steps : array
            Of each input's spike, the window (T) where it is silent: ints, shape ``(inputs,)``.
        label : int
            The right output.
        """
        window, gamma = self.settings.window, self.settings.gamma
        thresholds = self.thresholds
        hidden = firing_steps(self.signs[0], steps, thresholds[0], window)
        output = firing_steps(self.signs[1], hidden, thresholds[1], window)
        first = output.min()
        if first == window:
            return False
        target = np.where(output < first + gamma, min(first + gamma, window), output)
        target[label] = first
        error = (target - output).astype(np.float64)
        if not error.any():
            return False
        error /= np.linalg.norm(error)
        self._update(1, hidden, output, error)
        heard = (hidden[:, None] <= output) & (hidden < window)[:, None]
        back = (self.weights[1] * heard) @ error
        length = np.linalg.norm(back)
        if length > 0:
            self._update(0, steps, hidden, back / length)
        return True

    def _update(self, layer: int, before: np.ndarray, after: np.ndarray, error: np.ndarray) -> None:
        """Move a layer's weights and scale; ``before``, ``after``: steps of its sources and its neurons."""
        fired = np.flatnonzero(before < self.settings.window)
        share = error * (before[fired, None] <= after)
        mean = np.vdot(share, self.signs[layer][fired]) / self.weights[layer].size
        moved = self.weights[layer][fired] - self.settings.rate * share
        self.weights[layer][fired] = moved
        self.signs[layer][fired] = np.where(moved >= 0, np.int16(1), np.int16(-1))
        self.alphas[layer] = max(self.alphas[layer] - self.settings.alpha * mean, 1e-3)

    def network(self, source: Input) -> Network:
        """The network of integers that this is."""
        layers = [
            Layer(Dense(np.ascontiguousarray(signs.T, np.int8)), source.window, Phase.ONLINE, Fires.ONCE,
                  threshold=threshold)
            for signs, threshold in zip(self.signs, self.thresholds, strict=True)]
        return Network(source, layers)


def firing_steps(signs: np.ndarray, steps: np.ndarray, threshold: int, window: int) -> np.ndarray:
    """The step in which each neuron first reaches the threshold, for the rule to learn from.

    Parameters
    ----------
    signs : array
        int16, shape ``(sources, neurons)``.
    steps : array
        Of each source's spike, the window where it is silent: ints, shape ``(sources,)``.
    threshold, window : int
        Of the neurons.

    Returns
    -------
    array
        int64, shape ``(neurons,)``; the window where it is never reached.
    """
    order = np.argsort(steps, kind="stable")
    times = steps[order]
    count = int(np.searchsorted(times, window))
    if not count:
        return np.full(signs.shape[1], window)
    order, times = order[:count], times[:count]
    ends = np.flatnonzero(np.append(times[1:] != times[:-1], True))
    reached = np.cumsum(signs[order], axis=0, dtype=np.int16)[ends] >= threshold
    when = reached.argmax(axis=0)
    return np.where(reached[when, np.arange(len(when))], times[ends[when]], window)


def run(job: TrainingJob) -> Trained:
    """Train, keep the best epoch on the images held back, look at the test images once, write.

    The rule runs in numpy on the CPU, whatever the device. An interrupted training may go on to more or fewer
    epochs than were asked for at first; ``minutes`` in the notes are those of the processor.

    Parameters
    ----------
    job : TrainingJob
        With settings of the kind `Bs4nnOptions`.

    Raises
    ------
    FirstspikeError
        Something is missing, or does not fit the data.
    """
    settings: Bs4nnOptions = job.settings
    everything, test = load_idx(job.data, "train"), load_idx(job.data, "test")
    learnt, held = held_back(everything, settings.validation, job.data)
    encoding = latency_table(settings.window, settings.dark)
    table = np.where(encoding < 0, settings.window, encoding)
    source = Input(learnt.levels.shape[1], settings.window, Latency(encoding))
    rule = Rule((source.size, settings.hidden, everything.classes), settings)
    checkpoint = job.out.with_suffix(".checkpoint.npz")
    key = repr({"recipe": job.recipe, "data": everything.name, **asdict(settings), "epochs": None})
    kept, history = _restore(checkpoint, key, rule) if job.resume and checkpoint.exists() else ([], [])
    if len(history) > settings.epochs:
        raise FirstspikeError(f"{checkpoint} stands at epoch {len(history)} already: ask for as many or "
                              "more, or train without resuming")
    best = max(history, key=lambda entry: entry["accuracy"], default=None)
    seconds = history[-1]["seconds"] if history else 0.0
    for epoch in range(len(history), settings.epochs):
        started = process_time()
        wrong = _epoch(rule, table, learnt, epoch, seconds, history, job.progress)
        right = accuracy(rule.network(source), held.levels, held.labels)
        seconds += process_time() - started
        entry = {"loss": wrong, "accuracy": right, "seconds": seconds}
        history.append(entry)
        if best is None or entry["accuracy"] > best["accuracy"]:
            best, kept = entry, [part.copy() for part in (*rule.weights, rule.alphas)]
        _store(checkpoint, key, rule, kept, history)
    rule.weights, rule.alphas = kept[:2], kept[2]
    rule.refresh()
    network = rule.network(source)
    found: dict[str, Any] = {}
    for name, images in (("validation", held), ("test", test)):
        seen = evaluate(network, images.levels)
        found[name] = seen.figures(images.labels) | {
            "lenient_accuracy": round(seen.lenient_accuracy(images.labels), 6)}
    calibration = batched.run(network, learnt.levels[:10_000], keep=False)
    network = replace(
        network, calibration={"mean_spikes": [round(mean, 3) for mean in calibration.mean_spikes]},
        provenance={
            "recipe": job.recipe, "command": command(job.recipe, settings), "data": everything.name,
            "options": asdict(settings), "seed": settings.seed, "device": "cpu",
            "epoch": 1 + history.index(best or history[0]), "minutes": round(seconds / 60), **found})
    network.save(job.out)
    picture = picture_training(history, job.out.with_suffix(".training.png"), "share of images learnt from")
    checkpoint.unlink(missing_ok=True)
    return Trained(job.out, (picture,), found)


def _epoch(rule: Rule, table: np.ndarray, images: Images, epoch: int, before: float,
           history: list[dict[str, float]], progress: Callable[[Progress], Any] | None) -> float:
    """Learn as many images as there are, drawn at random; returns the share that changed something."""
    settings = rule.settings
    draws = np.random.default_rng([settings.seed, 1 + epoch]).integers(0, len(images), len(images))
    batches, learnt, started = -(-len(draws) // CHUNK), 0, process_time()
    for batch in range(batches):
        chosen = draws[batch * CHUNK:(batch + 1) * CHUNK]
        for steps, label in zip(table[images.levels[chosen]], images.labels[chosen], strict=True):
            learnt += rule.learn(steps, int(label))
        if progress:
            seconds = process_time() - started
            done = epoch * batches + batch + 1
            pace = (before + seconds) / done
            progress(Progress(epoch + 1, settings.epochs, batch + 1, batches,
                              learnt / min(len(draws), (batch + 1) * CHUNK),
                              history[-1]["accuracy"] if history else None, before + seconds,
                              pace * (settings.epochs * batches - done)))
    return learnt / len(draws)


def _store(checkpoint: Path, key: str, rule: Rule, kept: list[np.ndarray],
           history: list[dict[str, float]]) -> None:
    """Write the checkpoint whole or not at all."""
    partial = checkpoint.with_name(f".{checkpoint.name}.{os.getpid()}.npz")
    table = np.array([[entry["loss"], entry["accuracy"], entry["seconds"]] for entry in history])
    parts: dict[str, Any] = {"key": np.array(key), "history": table}
    for index, (now, best) in enumerate(zip((*rule.weights, rule.alphas), kept, strict=True)):
        parts |= {f"now{index}": now, f"kept{index}": best}
    try:
        np.savez(partial, **parts)
        partial.replace(checkpoint)
    except OSError as error:
        raise FirstspikeError(f"cannot write the checkpoint {checkpoint}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _restore(checkpoint: Path, key: str, rule: Rule) -> tuple[list[np.ndarray], list[dict[str, float]]]:
    """Set the rule to where it stood; returns the best weights so far and the history."""
    try:
        with checkpoint.open("rb") as file, np.load(file, allow_pickle=False) as state:
            same = str(state["key"]) == key
            now, kept = ([state[f"{name}{index}"] for index in range(3)] for name in ("now", "kept"))
            table = state["history"]
        fits = [part.shape for part in now] == [part.shape for part in (*rule.weights, rule.alphas)]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise FirstspikeError(f"cannot go on from {checkpoint}: {type(error).__name__} in reading it; delete "
                              "it and train from the start") from error
    if not same or not fits:
        raise FirstspikeError(f"{checkpoint} comes from a training with other options or data: give the same "
                              "ones, or train without resuming")
    rule.weights, rule.alphas = now[:2], now[2]
    rule.refresh()
    return kept, [dict(zip(("loss", "accuracy", "seconds"), map(float, row), strict=True)) for row in table]
