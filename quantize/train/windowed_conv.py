"""Windowed convolutional networks: convolutions whose linear kernel makes them a ReLU of ``T`` levels.

As in :mod:`.windowed`, with signs, thresholds and initial values shared over the positions of a channel. A
padded position is an input that never spikes; it adds 0 before the normalisation as after it, so the fold is
the same integer at the border as inside.

In training the statistics are those of the batch, and sums may be rounded (bfloat16). In evaluation they
are those of some calibration images, taken layer after layer from the very integers that evaluation adds
up, so nothing depends on how training rounded. Max pooling takes the earliest spike, that is the largest
``a``; sum pooling adds up.
"""

from collections.abc import Sequence
from math import prod

import numpy as np
import torch

from ...network import Input, Layer, Network, Readout
from .convolutions import SharedSigns, Step, planned, pooled
from .folding import Fold, folded_levels
from .input_spikes import values
from .kernels import Kernel
from .sign_weights import SignWeights
from .stages import Stage
from .windowed import WindowedNet

__all__ = ["WindowedConvNet"]


class WindowedConvolution(SharedSigns):
    """One hidden layer: signs shared over positions, batch normalisation folded into integers.

    Forward takes what the sources pass on, shape ``(count, channels, height, width)``, to what this layer's
    neurons pass on: values of ``kernel``, or 0.

    Parameters
    ----------
    step : Step
        The convolution and what is pooled before it.
    kernel : Kernel
        What a spike of this layer says by its step.
    generator : torch.Generator
        Draws the weights.
    """

    def __init__(self, step: Step, kernel: Kernel, generator: torch.Generator):
        super().__init__(step, generator)
        self.fold = Fold(self.conv.channels, kernel)

    def forward(self, amounts: torch.Tensor) -> torch.Tensor:
        fold = self.fold
        if self.training:
            return folded_levels(self.sums(amounts), fold.gain, fold.shift, fold.kernel)
        direction, threshold, initial = (part.view(-1, 1, 1) for part in fold.settled())
        return fold.kernel.passed((self.sums(amounts) * direction + initial) / threshold)

    def layer(self, kernel: np.ndarray) -> Layer:
        """The layer of integers, with the ``kernel`` of its source."""
        return self.fold.layer(self.synapses(kernel, self.fold.direction()))


class WindowedConvNet(WindowedNet):
    """A windowed network of convolutions, poolings and a dense output read by potential.

    Parameters
    ----------
    source : Input
        Of one channel, with a latency encoding, in the window of ``kernel``.
    shape : (height, width)
        Of the images.
    stages : sequence of ConvStage and PoolStage
        What comes before the output.
    outputs : int
        Classes.
    kernel : Kernel
        Of the input and of every hidden layer.
    seed : int
        Fixes the weights at the start.
    calibration : array
        Levels, uint8, shape ``(count, size)``, whose statistics evaluation takes.
    smooth : float
        Share of the target that is spread over all classes.
    half : bool
        Whether sums in training run in bfloat16.

    Raises
    ------
    ValueError
        A pooling leaves nothing.
    """

    def __init__(self, source: Input, shape: tuple[int, int], stages: Sequence[Stage], outputs: int,
                 kernel: Kernel, seed: int, calibration: np.ndarray, smooth: float = 0.0, half: bool = False):
        generator = torch.Generator().manual_seed(seed)
        *steps, last = planned(stages, shape)
        hidden = [WindowedConvolution(step, kernel, generator) for step in steps]
        super().__init__(source, kernel, hidden, SignWeights((outputs, prod(last.shape)), generator),
                         torch.bfloat16 if half else torch.float32, smooth)
        self.shape, self.last, self.calibration = shape, last, calibration

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        amounts = self._first(levels, self.spike_type if self.training else torch.float32)
        for layer in self.hidden:
            amounts = layer(amounts)
        return self.read(pooled(amounts, self.last.pool).flatten(1).float())

    @torch.no_grad()
    def settle(self, batch: int = 250) -> None:
        """Take the statistics of every layer from the calibration images, in whole numbers."""
        device, training = self.offset.device, self.training
        narrow = torch.uint8 if self.kernel.top < 256 else torch.int16
        parts = [self._first(torch.tensor(self.calibration[start:start + batch], device=device), narrow)
                 for start in range(0, len(self.calibration), batch)]
        self.eval()
        for layer in self.hidden:
            total = square = torch.zeros_like(layer.fold.mean, dtype=torch.float64)
            count = 0
            for part in parts:
                sums = layer.sums(part.float()).transpose(0, 1).flatten(1)
                count += sums.shape[1]
                total = total + sums.sum(1, dtype=torch.float64)
                square = square + sums.double().square_().sum(1)
            mean = total / count
            layer.fold.mean.copy_(mean)
            layer.fold.variance.copy_(square / count - mean * mean)
            parts = [layer(part.float()).to(narrow) for part in parts]
        self.train(training)

    def network(self) -> Network:
        """The network of integers that this module is in evaluation mode, after settling its statistics."""
        self.settle()
        schedule = self.kernel.schedule
        layers = [layer.layer(schedule) for layer in self.hidden]
        output = self.output.dense(schedule, pool=self.last.synaptic_pool)
        return Network(self.source, [*layers, self.output_layer(output)], Readout.POTENTIAL)

    def _first(self, levels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        amounts = values(levels, self.source, self.kernel.schedule).to(dtype)
        return amounts.view(-1, *self.shape, 1).permute(0, 3, 1, 2)  # channels last, which is faster
