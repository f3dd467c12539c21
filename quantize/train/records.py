"""What every recipe does with a trained network: hold images back, take figures, tell the command."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from ...network import Network, Readout
from ..data.idx import Images
from .evaluate import Evaluation
from .options import Settings

__all__ = ["command", "figures", "held_back", "lenient", "noted"]


def held_back(images: Images, count: int, folder: Path) -> tuple[Images, Images]:
    """The images to learn and the last ``count``, held back to choose by; raises ``FirstspikeError`` where
    the training set of ``folder`` has too few."""
    if count >= len(images):
        raise FirstspikeError(f"{folder} has {len(images)} training images, too few to hold back {count}: "
                              "give fewer for validation")
    return (replace(images, levels=images.levels[:-count], labels=images.labels[:-count]),
            replace(images, levels=images.levels[-count:], labels=images.labels[-count:]))


def figures(seen: Evaluation, images: Images, network: Network) -> dict[str, Any]:
    """What a network did with some images, in plain numbers for its provenance."""
    found = {
        "images": len(images), "accuracy": round(seen.accuracy(images.labels), 6),
        "mean_spikes": seen.mean_spikes,
    }
    if network.readout is Readout.FIRST_SPIKE:
        until = seen.spikes_until
        found |= {
            "mean_step": round(float(seen.steps.mean()), 4),
            "mean_spikes_until_decision": [round(float(mean), 3) for mean in until.mean(axis=0)],
            "mean_most_spikes_until_decision": round(float(until.max(axis=1).mean()), 3),
        }
    return found


def lenient(network: Network, seen: Evaluation, labels: np.ndarray) -> float:
    """The share of images whose class is among the outputs that fire first, however many do.

    So some published accuracies count (BS4NN, S4NN); where none fires, the class is the strict one.
    """
    output = network.layers[-1]
    right = seen.labels == labels
    fired = np.flatnonzero(seen.steps < output.window)
    firing = seen.potentials[fired, seen.steps[fired]] >= np.asarray(output.threshold)
    right[fired] = firing[np.arange(len(fired)), labels[fired]]
    return float(right.mean())


def noted(options: dict[str, Any]) -> dict[str, Any]:
    """Options as a network's notes tell them: of a teacher's file its name alone."""
    def plain(name: str, value: Any) -> Any:
        if name == "teacher":
            return Path(value).stem
        return list(value) if isinstance(value, tuple) else value

    return {name: plain(name, value) for name, value in options.items()}


def command(recipe: str, settings: Settings) -> str:
    """The command line that trains this: DIR for the data, NET for the file, a teacher by its name."""
    words = ["firstspike", "train", recipe, "--data", "DIR", "-o", "NET"]
    for name, value in noted(settings.changed()).items():
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        words += [f"--{name}"] if value is True else [f"--{name}", text]
    return shlex.join(words)
