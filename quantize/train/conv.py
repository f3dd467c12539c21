"""Recipe ``conv``: convolutional networks with one-bit weights, trained windowed or online."""

from collections.abc import Callable
from pathlib import Path

import torch

from ...errors import FirstspikeError
from ...network import Input, Latency
from ..data.idx import Images
from . import Progress, Trained
from .conv_options import ConvOptions, stages
from .distort import Distortion
from .encode import table_for
from .erase import Erasing
from .kernels import Kernel
from .loop import Change
from .online import DecisionCost
from .online_conv import OnlineConvNet
from .recipe import carry_out, sums_in_half
from .windowed_conv import WindowedConvNet

__all__ = ["run"]


def run(recipe: str, settings: ConvOptions, data: Path, out: Path, *, device: str, resume: bool,
        progress: Callable[[Progress], None] | None) -> Trained:
    """Train, choose the output threshold on the images held back, look at the test images once, write."""
    change: Change | None = None
    if settings.distort or settings.mirror:
        change = Distortion(mirror=settings.mirror, contrast=settings.contrast).times(settings.distort)
    if settings.erase:
        change = Erasing(change, settings.erase)

    def make(images: Images, classes: int, place: torch.device) -> WindowedConvNet | OnlineConvNet:
        kernel = Kernel(settings.kernel, settings.window)
        source = Input(images.levels.shape[1], settings.window, Latency(table_for(kernel, settings.dark)))
        half, layers = sums_in_half(settings.precision, place), stages(settings.layers)
        try:
            if settings.phase == "online":
                cost = DecisionCost(settings.latency, settings.spikes, settings.mix)
                return OnlineConvNet(source, images.shape, layers, classes, cost, settings.seed, half,
                                     settings.prune)
            return WindowedConvNet(source, images.shape, layers, classes, kernel, settings.seed,
                                   images.levels[:settings.calibration], settings.smooth, half,
                                   settings.prune)
        except ValueError as error:
            raise FirstspikeError(f"layers {settings.layers} do not fit images of {images.shape[0]} x "
                                  f"{images.shape[1]}: {error}") from error

    return carry_out(recipe, settings, data, out, device=device, resume=resume, progress=progress,
                     change=change, make=make)
