"""From options to a network's file: what the recipes that train by gradient descent have in common."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from ...network import Network, Readout, batched
from ..data.idx import Images, load_idx
from .augmentation import change_of
from .curves import Operation, operations, picture_latency, picture_training
from .evaluate import accuracy, evaluate, output_potentials
from .held_back import held_back
from .job import Trained, TrainingJob
from .loop import LoopOptions, Trainable, device_of, fit
from .options import DescentOptions
from .provenance import command, noted
from .teacher import Teacher, teacher_from

__all__ = ["carry_out", "sums_in_half"]

CALIBRATION = 10_000
"""Training images whose mean spikes a network's file tells, and a teacher's temperature is that of."""


def carry_out(job: TrainingJob, make: Callable[[Images, int, torch.device], Trainable]) -> Trained:
    """Train, choose the output threshold on the images held back, look at the test images once, write.

    Parameters
    ----------
    job : TrainingJob
        With settings of the kind `DescentOptions`.
    make : callable
        The module to train, from the images to learn, the number of classes and the device.

    Raises
    ------
    FirstspikeError
        Something is missing, or does not fit the data.
    """
    settings: DescentOptions = job.settings
    place = device_of(job.device)
    everything, test = load_idx(job.data, "train"), load_idx(job.data, "test")
    learnt, held = held_back(everything, settings.validation, job.data)
    module = make(learnt, everything.classes, place)
    teacher = _teacher(settings, learnt)
    precision = "bfloat16" if module.spike_type is torch.bfloat16 else "float32"
    key = {"recipe": job.recipe, "data": everything.name, **asdict(settings), "precision": precision}
    if teacher is not None:
        key["digest"] = teacher.network.digest
    options = LoopOptions(
        settings.epochs, settings.batch, settings.rate, settings.prune, settings.seed, everything.shape,
        change_of(settings), key, teacher, settings.opinions == "once")
    checkpoint = job.out.with_suffix(".checkpoint.pt")
    history = fit(
        module, learnt.levels, learnt.labels, options, device=place, checkpoint=checkpoint, resume=job.resume,
        validate=lambda network: accuracy(network, held.levels, held.labels), progress=job.progress)

    network, chosen = module.network(), None
    curve: list[Operation] = []
    if network.readout is Readout.FIRST_SPIKE:
        curve = operations(output_potentials(network, held.levels), held.labels)
        chosen = _choose(curve, settings.deadline * settings.window, settings.tolerance)
        network = _with_threshold(network, chosen.threshold)
    found = {name: evaluate(network, images.levels).figures(images.labels)
             for name, images in (("validation", held), ("test", test))}
    calibration = batched.run(network, learnt.levels[:CALIBRATION], keep=False)
    taught = {} if teacher is None else {"teacher": teacher.network.digest}
    network = replace(
        network, calibration={"mean_spikes": [round(mean, 3) for mean in calibration.mean_spikes]},
        provenance={
            "recipe": job.recipe, "command": command(job.recipe, settings), "data": everything.name,
            "options": {**noted(asdict(settings)), "precision": precision},
            "seed": settings.seed, "torch": str(torch.__version__), "device": place.type, **taught, **found})
    network.save(job.out)
    pictures = [picture_training(history, job.out.with_suffix(".training.png"))]
    if curve:
        pictures.append(picture_latency(curve, chosen, job.out.with_suffix(".latency.png")))
    checkpoint.unlink(missing_ok=True)
    return Trained(job.out, tuple(pictures), found)


def sums_in_half(precision: str, device: torch.device) -> bool:
    """Whether sums run in bfloat16: as the option says, or ("auto") where the device has it."""
    if precision != "auto":
        return precision == "bfloat16"
    cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.cuda.is_bf16_supported() if device.type == "cuda" else cpu()


def _teacher(settings: DescentOptions, images: Images) -> Teacher | None:
    if not settings.teacher:
        return None
    last = replace(images, levels=images.levels[-CALIBRATION:], labels=images.labels[-CALIBRATION:])
    return teacher_from(Path(settings.teacher), last, trust=settings.trust, soften=settings.soften)


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
