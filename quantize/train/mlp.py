"""Recipe ``mnist-mlp``: dense layers with one-bit weights, trained online or windowed."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data import Images, load_idx
from ..network import Input, Latency, Network, Readout
from . import Progress, Trained
from .curves import Operation, operations, picture_latency, picture_training
from .distort import Distortion
from .encode import latency_table, used_inputs
from .evaluate import evaluate
from .loop import Plan, device_of, fit
from .online import DecisionCost, OnlineMlp
from .options import MlpOptions
from .records import command, figures, held_back, noted
from .teacher import Teacher, teacher_from
from .windowed import WindowedMlp

__all__ = ["run"]


def run(recipe: str, settings: MlpOptions, data: Path, out: Path, *, device: str, resume: bool,
        progress: Callable[[Progress], None] | None) -> Trained:
    """Train, choose the output threshold on the images held back, look at the test images once, write."""
    place = device_of(device)
    everything, test = load_idx(data, "train"), load_idx(data, "test")
    learnt, held = held_back(everything, settings.validation, data)
    module = _module(settings, learnt, everything.classes, place)
    teacher = _teacher(settings, learnt, device)
    precision = "bfloat16" if module.spike_type is torch.bfloat16 else "float32"
    key = {"recipe": recipe, "data": everything.name, **asdict(settings), "precision": precision}
    if teacher is not None:
        key["digest"] = teacher.network.digest
    plan = Plan(settings.epochs, settings.batch, settings.rate, settings.seed, everything.shape,
                Distortion(mirror=settings.mirror, contrast=settings.contrast).times(settings.distort)
                if settings.distort or settings.mirror else None,
                key, teacher)
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
        chosen = _choose(curve, settings)
        network = _with_threshold(network, chosen.threshold)
        seen = evaluate(network, held.levels, device=device)
    found = {
        "validation": figures(seen, held, network),
        "test": figures(evaluate(network, test.levels, device=device), test, network),
    }
    calibration = evaluate(network, learnt.levels[:10_000], device=device)
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


def _module(settings: MlpOptions, images: Images, classes: int, device: torch.device) -> Any:
    table = latency_table(settings.window, settings.dark)
    mask = used_inputs(images.levels, table, settings.rare)
    source = Input(images.levels.shape[1], settings.window, Latency(table), mask)
    sizes = (*settings.hidden, classes)
    if settings.phase == "windowed":
        return WindowedMlp(source, sizes, settings.window, settings.seed, settings.precision == "bfloat16")
    half = settings.precision == "bfloat16"
    if settings.precision == "auto":
        cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        half = torch.cuda.is_bf16_supported() if device.type == "cuda" else cpu()
    cost = DecisionCost(settings.latency, settings.spikes, settings.mix)
    return OnlineMlp(source, sizes, cost, settings.seed, half)


def _teacher(settings: MlpOptions, images: Images, device: str) -> Teacher | None:
    if not settings.teacher:
        return None
    calibration = replace(images, levels=images.levels[-10_000:], labels=images.labels[-10_000:])
    return teacher_from(Path(settings.teacher), calibration, trust=settings.trust, soften=settings.soften,
                        device=device)


def _choose(curve: list[Operation], settings: MlpOptions) -> Operation:
    """The earliest point that keeps the deadline and is within the tolerance of the best that does."""
    in_time = [point for point in curve if point.mean_step <= settings.deadline * settings.window]
    if not in_time:
        return min(curve, key=lambda point: point.mean_step)
    enough = max(point.accuracy for point in in_time) - settings.tolerance - 1e-9
    return min((point for point in in_time if point.accuracy >= enough), key=lambda point: point.mean_step)


def _with_threshold(network: Network, threshold: int) -> Network:
    output = replace(network.layers[-1], threshold=np.int64(threshold))
    return Network(network.input, (*network.layers[:-1], output), network.readout)
