"""From options to a network's file: what the recipes that train by descent have in common."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...network import Network, Readout
from ..data.idx import Images, load_idx
from . import Progress, Trained
from .curves import Operation, operations, picture_latency, picture_training
from .evaluate import evaluate
from .loop import Change, Plan, device_of, fit
from .records import command, figures, held_back, noted
from .teacher import Teacher, teacher_from

__all__ = ["carry_out", "sums_in_half"]

CALIBRATION = 10_000
"""Training images whose mean spikes a network's file tells, and a teacher's temperature is that of."""


def carry_out(recipe: str, settings: Any, data: Path, out: Path, *, device: str, resume: bool,
              progress: Callable[[Progress], None] | None, change: Change | None,
              make: Callable[[Images, int, torch.device], Any]) -> Trained:
    """Train, choose the output threshold on the images held back, look at the test images once, write.

    ``settings``: a dataclass with the options that all such recipes have; ``change``: what happens to
    training images before they are shown; ``make``: the module to train (a `Trainable` with ``spike_type``,
    the type of its sums) from the images to learn, the number of classes and the device.
    """
    place = device_of(device)
    everything, test = load_idx(data, "train"), load_idx(data, "test")
    learnt, held = held_back(everything, settings.validation, data)
    module = make(learnt, everything.classes, place)
    teacher = _teacher(settings, learnt, device)
    precision = "bfloat16" if module.spike_type is torch.bfloat16 else "float32"
    key = {"recipe": recipe, "data": everything.name, **asdict(settings), "precision": precision}
    if teacher is not None:
        key["digest"] = teacher.network.digest
    plan = Plan(settings.epochs, settings.batch, settings.rate, settings.seed, everything.shape, change, key,
                teacher, settings.opinions == "once")
    checkpoint = out.with_suffix(".checkpoint.pt")
    history = fit(
        module, learnt.levels, learnt.labels, plan, device=place, checkpoint=checkpoint, resume=resume,
        validate=lambda network: evaluate(network, held.levels, device=device).accuracy(held.labels),
        progress=progress)

    network, chosen = module.network(), None
    seen = evaluate(network, held.levels, device=device)
    curve: list[Operation] = []
    if network.readout is Readout.FIRST_SPIKE:
        curve = operations(seen, held.labels)
        chosen = _choose(curve, settings.deadline * settings.window, settings.tolerance)
        network = _with_threshold(network, chosen.threshold)
        seen = evaluate(network, held.levels, device=device)
    found = {
        "validation": figures(seen, held, network),
        "test": figures(evaluate(network, test.levels, device=device), test, network),
    }
    calibration = evaluate(network, learnt.levels[:CALIBRATION], device=device)
    taught = {} if teacher is None else {"teacher": teacher.network.digest}
    network = replace(
        network, calibration={"mean_spikes": calibration.mean_spikes},
        provenance={
            "recipe": recipe, "command": command(recipe, settings), "data": everything.name,
            "options": {**noted(asdict(settings)), "precision": precision},
            "seed": settings.seed, "torch": str(torch.__version__), "device": place.type, **taught, **found})
    network.save(out)
    pictures = [picture_training(history, out.with_suffix(".training.png"))]
    if curve:
        pictures.append(picture_latency(curve, chosen, out.with_suffix(".latency.png")))
    checkpoint.unlink(missing_ok=True)
    return Trained(out, tuple(pictures), found)


def sums_in_half(precision: str, device: torch.device) -> bool:
    """Whether sums run in bfloat16: as the option says, or ("auto") where the device has it."""
    if precision != "auto":
        return precision == "bfloat16"
    cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.cuda.is_bf16_supported() if device.type == "cuda" else cpu()


def _teacher(settings: Any, images: Images, device: str) -> Teacher | None:
    if not settings.teacher:
        return None
    last = replace(images, levels=images.levels[-CALIBRATION:], labels=images.labels[-CALIBRATION:])
    return teacher_from(Path(settings.teacher), last, trust=settings.trust, soften=settings.soften,
                        device=device)


def _choose(curve: list[Operation], deadline: float, tolerance: float) -> Operation:
    """The earliest point that keeps the deadline and is within the tolerance of the best that does."""
    in_time = [point for point in curve if point.mean_step <= deadline]
    if not in_time:
        return min(curve, key=lambda point: point.mean_step)
    enough = max(point.accuracy for point in in_time) - tolerance - 1e-9
    return min((point for point in in_time if point.accuracy >= enough), key=lambda point: point.mean_step)


def _with_threshold(network: Network, threshold: int) -> Network:
    output = replace(network.layers[-1], threshold=np.int64(threshold))
    return Network(network.input, (*network.layers[:-1], output), network.readout)
