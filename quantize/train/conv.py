"""Recipe ``conv``: convolutional networks with one-bit weights, trained windowed or online."""

import torch

from ...errors import FirstspikeError
from ...network import Input, Latency
from ..data.idx import Images
from .descent import carry_out, sums_in_half
from .input_tables import table_for
from .job import Trained, TrainingJob
from .kernels import Kernel
from .online import DecisionCost
from .online_conv import OnlineConvNet
from .options import ConvOptions
from .stages import stages
from .windowed_conv import WindowedConvNet

__all__ = ["run"]


def run(job: TrainingJob) -> Trained:
    """Train as `carry_out` does, by settings of the kind `ConvOptions`."""
    settings: ConvOptions = job.settings

    def make(images: Images, classes: int, place: torch.device) -> WindowedConvNet | OnlineConvNet:
        table = table_for(settings.kernel, settings.window, settings.dark)
        source = Input(images.levels.shape[1], settings.window, Latency(table))
        half, layers = sums_in_half(settings.precision, place), stages(settings.layers)
        try:
            if settings.phase == "online":
                cost = DecisionCost(settings.latency, settings.spikes, settings.mix)
                return OnlineConvNet(source, images.shape, layers, classes, cost, settings.seed, half)
            return WindowedConvNet(source, images.shape, layers, classes,
                                   Kernel(settings.kernel, settings.window), settings.seed,
                                   images.levels[:settings.calibration], settings.smooth, half)
        except ValueError as error:
            raise FirstspikeError(f"layers {settings.layers} do not fit images of {images.shape[0]} x "
                                  f"{images.shape[1]}: {error}") from error

    return carry_out(job, make)
