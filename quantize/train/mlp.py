"""Recipe ``mnist-mlp``: dense layers with one-bit weights, trained online or windowed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ...network import Input, Latency
from ..data.idx import Images
from . import Progress, Trained
from .distort import Distortion
from .encode import table_for, used_inputs
from .kernels import Kernel
from .online import DecisionCost, OnlineMlp
from .options import MlpOptions
from .recipe import carry_out, sums_in_half
from .windowed import WindowedMlp

__all__ = ["run"]


def run(recipe: str, settings: MlpOptions, data: Path, out: Path, *, device: str, resume: bool,
        progress: Callable[[Progress], None] | None) -> Trained:
    """Train, choose the output threshold on the images held back, look at the test images once, write."""
    change = None
    if settings.distort or settings.mirror:
        change = Distortion(mirror=settings.mirror, contrast=settings.contrast).times(settings.distort)

    def make(images: Images, classes: int, place: torch.device) -> Any:
        kernel = Kernel(settings.kernel, settings.window)
        table = table_for(kernel, settings.dark)
        mask = used_inputs(images.levels, table, settings.rare)
        source = Input(images.levels.shape[1], settings.window, Latency(table), mask)
        sizes = (*settings.hidden, classes)
        if settings.phase == "windowed":
            return WindowedMlp(source, sizes, kernel, settings.seed, settings.precision == "bfloat16",
                               settings.prune)
        cost = DecisionCost(settings.latency, settings.spikes, settings.mix)
        return OnlineMlp(source, sizes, cost, settings.seed, sums_in_half(settings.precision, place),
                         settings.prune)

    return carry_out(recipe, settings, data, out, device=device, resume=resume, progress=progress,
                     change=change, make=make)
