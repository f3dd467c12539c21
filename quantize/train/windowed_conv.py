"""Windowed convolutional networks: convolutions whose linear kernel makes them a ReLU of ``T`` levels.

As in :mod:`.windowed`, a neuron of potential ``V`` passes on ``a = T - t = min(T, floor(V / theta))``, or
the largest power of two up to ``V / theta``, and batch normalisation is folded: ``theta = deviation /
|gain|``, ``b = theta shift - sign(gain) mean``, both rounded and one for each channel, all signs of the
channel flipped where the gain is negative. A padded position is an input that never spikes; it adds 0 before
the normalisation as after it, so the fold is the same integer at the border as inside.

In training the statistics are those of the batch, and sums may be rounded (bfloat16). In evaluation they
are those of some calibration images, taken layer after layer from the very integers that evaluation adds
up, so nothing depends on how training rounded. Max pooling takes the earliest spike, that is the largest
``a``; sum pooling adds up.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ...network import Fires, Input, Layer, Network, Phase, Readout
from .conv_options import ConvStage, PoolStage
from .conv_parts import SharedSigns, Step, output_synapses, planned, pooled, start_of_output
from .encode import values
from .kernels import Kernel
from .parts import integers
from .straight import rounded, signs

__all__ = ["WindowedConvNet", "folded_levels"]

SMALLEST_GAIN = 0.05
NOTHING = 1e-30
"""What is added to a variance of 1 without a change, where a torch version asks for more than 0."""


def folded(mean: torch.Tensor, variance: torch.Tensor, gain: torch.Tensor,
           shift: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Direction of the signs, threshold and initial value of each channel: whole numbers."""
    direction = torch.where(gain >= 0, 1.0, -1.0)
    ratio = (variance + 1).sqrt() / gain.abs().clamp(min=SMALLEST_GAIN)
    return direction, ratio.round().clamp(min=1), (ratio * shift - direction * mean).round()


class _FoldedLevels(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sums: torch.Tensor, gain: torch.Tensor, shift: torch.Tensor,
                kernel: Kernel) -> torch.Tensor:
        zeros, ones = torch.zeros_like(gain), torch.ones_like(gain)
        mean, variance = torch.batch_norm_update_stats(sums, zeros.clone(), zeros.clone(), 0.0)
        direction, threshold, initial = folded(mean, variance, gain, shift)
        level = functional.batch_norm(sums, zeros, ones, direction / threshold, initial / threshold,
                                      eps=NOTHING)
        level.floor_()
        ctx.save_for_backward(sums, level, gain, mean, (variance + 1).rsqrt())
        ctx.top = kernel.top
        return kernel.passed(level)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        sums, level, gain, mean, inverse = ctx.saved_tensors
        inside = torch.ops.aten.hardtanh_backward(gradients[0], level, -0.5, ctx.top + 0.5)
        found = torch.ops.aten.native_batch_norm_backward(
            inside, sums, gain, None, None, mean, inverse, True, 1.0, [True, True, True])
        return found[0], found[1], found[2], None


def folded_levels(sums: torch.Tensor, gain: torch.Tensor, shift: torch.Tensor,
                  kernel: Kernel) -> torch.Tensor:
    """What is passed on, values of ``kernel`` or 0, of a batch of sums by the rounded fold of their own
    statistics.

    ``sums``: shape ``(count, channels, height, width)``. Backward is that of plain batch normalisation where
    the level, before it is cut off, is inside.
    """
    return _FoldedLevels.apply(sums, gain, shift, kernel)  # pyright: ignore[reportReturnType]


class WindowedConvolution(SharedSigns):
    """One hidden layer: signs shared over positions, batch normalisation folded into integers.

    Forward takes what the sources pass on, shape ``(count, channels, height, width)``, to what this layer's
    neurons pass on: values of ``kernel``, or 0.
    """

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, step: Step, kernel: Kernel, generator: torch.Generator, prune: float = 0.0):
        super().__init__(step, generator, prune)
        self.kernel = kernel
        self.gain = nn.Parameter(torch.full((self.conv.channels,), 3 * kernel.top / 16))
        self.shift = nn.Parameter(torch.zeros(self.conv.channels))
        self.register_buffer("mean", torch.zeros(self.conv.channels))
        self.register_buffer("variance", torch.ones(self.conv.channels))

    def forward(self, amounts: torch.Tensor) -> torch.Tensor:
        if self.training:
            return folded_levels(self.sums(amounts), self.gain, self.shift, self.kernel)
        direction, threshold, initial = (
            part.view(-1, 1, 1) for part in folded(self.mean, self.variance, self.gain, self.shift))
        return self.kernel.passed((self.sums(amounts) * direction + initial) / threshold)

    @torch.no_grad()
    def layer(self, kernel: np.ndarray) -> Layer:
        """The layer of integers; ``kernel``: of its source."""
        direction, threshold, initial = folded(self.mean, self.variance, self.gain, self.shift)
        return Layer(self.synapses(kernel, direction), self.kernel.window, Phase.WINDOWED, Fires.ONCE,
                     threshold=integers(threshold), initial=integers(initial),
                     threshold_schedule=self.kernel.schedule)


class WindowedConvNet(nn.Module):
    """A windowed network of convolutions, poolings and a dense output read by potential.

    ``source``: of one channel; ``shape``: its height and width; ``kernel``: of the input (whose window it
    must have) and of every hidden layer; ``calibration``: levels, uint8, shape ``(count, size)``; ``smooth``:
    share of the target spread over all classes; ``half``: whether sums in training run in bfloat16;
    ``prune``: share of each layer's weights that are 0. Raises ``ValueError`` where a pooling leaves nothing.
    """

    def __init__(self, source: Input, shape: tuple[int, int], stages: Sequence[ConvStage | PoolStage],
                 outputs: int, kernel: Kernel, seed: int, calibration: np.ndarray, smooth: float = 0.0,
                 half: bool = False, prune: float = 0.0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.source, self.shape, self.kernel, self.smooth, self.prune = source, shape, kernel, smooth, prune
        self.spike_type = torch.bfloat16 if half else torch.float32
        self.calibration = calibration
        *steps, self.last = planned(stages, shape)
        self.hidden = [WindowedConvolution(step, kernel, generator, prune) for step in steps]
        self.layers = nn.ModuleList(self.hidden)
        self.weights = start_of_output(self.last, outputs, generator)
        self.offset = nn.Parameter(torch.zeros(outputs))
        self.temperature = nn.Parameter(torch.tensor(math.log(0.01 / kernel.stretch)))

    def groups(self, rate: float) -> list[dict]:
        """Parameters for an optimiser, each with its own rate: signs, gains, offsets."""
        stretch = self.kernel.stretch
        return [
            {"params": [*(layer.weights for layer in self.hidden), self.weights], "lr": rate},
            {"params": [part for layer in self.hidden for part in (layer.gain, layer.shift)],
             "lr": 5 * rate * stretch},
            {"params": [self.offset], "lr": 100 * rate * stretch},
            {"params": [self.temperature], "lr": rate},
        ]

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        """Potentials of the outputs, shape ``(count, outputs)``; ``levels``: shape ``(count, size)``."""
        amounts = self._first(levels, self.spike_type if self.training else torch.float32)
        for layer in self.hidden:
            amounts = layer(amounts)
        heard = pooled(amounts, self.last.pool).flatten(1).float()
        return heard @ signs(self.weights, self.prune).t() + rounded(self.offset)

    def loss(self, levels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of the potentials, over a learned temperature; ``targets``: labels or
        probabilities."""
        return functional.cross_entropy(
            self(levels) * self.temperature.exp(), targets, label_smoothing=self.smooth)

    @torch.no_grad()
    def settle(self, batch: int = 250) -> None:
        """Take the statistics of every layer from the calibration images, in whole numbers."""
        device, training = self.weights.device, self.training
        narrow = torch.uint8 if self.kernel.top < 256 else torch.int16
        parts = [self._first(torch.tensor(self.calibration[start:start + batch], device=device), narrow)
                 for start in range(0, len(self.calibration), batch)]
        self.eval()
        for layer in self.hidden:
            total = square = torch.zeros(len(layer.mean), dtype=torch.float64, device=device)
            count = 0
            for part in parts:
                sums = layer.sums(part.float()).transpose(0, 1).flatten(1)
                count += sums.shape[1]
                total = total + sums.sum(1, dtype=torch.float64)
                square = square + sums.double().square_().sum(1)
            mean = total / count
            layer.mean.copy_(mean)
            layer.variance.copy_(square / count - mean * mean)
            parts = [layer(part.float()).to(narrow) for part in parts]
        self.train(training)

    def network(self) -> Network:
        """The network of integers that this module is in evaluation mode, after settling its
        statistics."""
        self.settle()
        layers = [layer.layer(self.kernel.schedule) for layer in self.hidden]
        output = output_synapses(self.last, self.weights, self.kernel.schedule, self.prune)
        layers.append(Layer(output, 1, Phase.WINDOWED, Fires.NEVER, initial=integers(rounded(self.offset))))
        return Network(self.source, layers, Readout.POTENTIAL)

    def _first(self, levels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        amounts = values(levels, self.source, self.kernel.schedule).to(dtype)
        return amounts.view(-1, *self.shape, 1).permute(0, 3, 1, 2)  # channels last, which is faster
