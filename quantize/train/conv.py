"""Recipe ``conv``: convolutional networks with one-bit weights, trained windowed."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from ...errors import FirstspikeError
from ..data import Images, load_idx
from ..network import Input, Latency, Network
from . import Progress, Trained
from .conv_options import ConvOptions, stages
from .curves import picture_training
from .distort import Distortion
from .encode import latency_table
from .erase import Change, Erasing
from .evaluate import evaluate
from .loop import Plan, device_of, fit
from .records import command, figures, held_back
from .teacher import teacher_from
from .windowed_conv import WindowedConvNet

__all__ = ["run"]


def run(recipe: str, settings: ConvOptions, data: Path, out: Path, *, device: str, resume: bool,
        progress: Callable[[Progress], None] | None) -> Trained:
    """Train, look at the test images once, write."""
    place = device_of(device)
    everything, test = load_idx(data, "train"), load_idx(data, "test")
    learnt, held = held_back(everything, settings.validation, data)
    module = _module(settings, learnt, everything.classes, place)
    precision = "bfloat16" if module.sum_type is torch.bfloat16 else "float32"
    key = {"recipe": recipe, "data": everything.name, **asdict(settings), "precision": precision}
    teacher = None
    if settings.teacher:
        last = replace(learnt, levels=learnt.levels[-10_000:], labels=learnt.labels[-10_000:])
        teacher = teacher_from(Path(settings.teacher), last, trust=settings.trust, soften=settings.soften,
                               device=device)
        key["digest"] = teacher.network.digest
    plan = Plan(settings.epochs, settings.batch, settings.rate, settings.seed, everything.shape,
                _change(settings), key, teacher)
    checkpoint = out.with_suffix(".checkpoint.pt")

    def accuracy(network: Network) -> float:
        return evaluate(network, held.levels, device=device).accuracy(held.labels)

    history = fit(module, learnt.levels, learnt.labels, plan, device=place, checkpoint=checkpoint,
                  resume=resume, validate=accuracy, progress=progress)
    network = module.network()
    found: dict[str, Any] = {
        name: figures(evaluate(network, images.levels, device=device), images, network)
        for name, images in (("validation", held), ("test", test))}
    found["weight_bits"] = sum(synapse.weights.size for layer in network.layers for synapse in layer.synapses)
    calibration = evaluate(network, learnt.levels[:settings.calibration], device=device)
    network = replace(
        network, calibration={"mean_spikes": calibration.mean_spikes},
        provenance={
            "recipe": recipe, "command": command(recipe, settings), "data": everything.name,
            "options": {**asdict(settings), "precision": precision}, "seed": settings.seed,
            "torch": str(torch.__version__), "device": place.type, **found})
    network.save(out)
    picture = picture_training(history, out.with_suffix(".training.png"))
    checkpoint.unlink(missing_ok=True)
    return Trained(out, (picture,), found)


def _module(settings: ConvOptions, images: Images, classes: int, device: torch.device) -> WindowedConvNet:
    source = Input(images.levels.shape[1], settings.window,
                   Latency(latency_table(settings.window, settings.dark)))
    half = settings.precision == "bfloat16"
    if settings.precision == "auto":
        cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        half = torch.cuda.is_bf16_supported() if device.type == "cuda" else cpu()
    try:
        return WindowedConvNet(source, images.shape, stages(settings.layers), classes, settings.window,
                               settings.seed, images.levels[:settings.calibration], settings.smooth, half)
    except ValueError as error:
        raise FirstspikeError(f"layers {settings.layers} do not fit images of {images.shape[0]} x "
                              f"{images.shape[1]}: {error}") from error


def _change(settings: ConvOptions) -> Change | None:
    """What happens to training images before they are shown."""
    change: Change | None = None
    if settings.distort or settings.mirror:
        change = Distortion(mirror=settings.mirror, contrast=settings.contrast).times(settings.distort)
    return Erasing(change, settings.erase) if settings.erase else change
