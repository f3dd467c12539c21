"""Recipe ``mnist-mlp``: dense layers with one-bit weights, trained online or windowed."""

import torch

from ...network import Input, Latency
from ..data.idx import Images
from .descent import carry_out, sums_in_half
from .input_tables import table_for, used_inputs
from .job import Trained, TrainingJob
from .kernels import Kernel
from .online import DecisionCost, OnlineMlp
from .options import MlpOptions
from .windowed import WindowedMlp

__all__ = ["run"]


def run(job: TrainingJob) -> Trained:
    """Train as `carry_out` does, by settings of the kind `MlpOptions`."""
    settings: MlpOptions = job.settings

    def make(images: Images, classes: int, place: torch.device) -> WindowedMlp | OnlineMlp:
        table = table_for(settings.kernel, settings.window, settings.dark)
        mask = used_inputs(images.levels, table, settings.rare)
        source = Input(images.levels.shape[1], settings.window, Latency(table), mask)
        sizes = (*settings.hidden, classes)
        if settings.phase == "windowed":
            return WindowedMlp(source, sizes, Kernel(settings.kernel, settings.window), settings.seed,
                               settings.precision == "bfloat16")
        cost = DecisionCost(settings.latency, settings.spikes, settings.mix)
        return OnlineMlp(source, sizes, cost, settings.seed, sums_in_half(settings.precision, place))

    return carry_out(job, make)
