"""Windowed convolutional networks: convolutions whose linear kernel makes them a ReLU of ``T`` levels.

As in :mod:`.windowed`, a neuron of potential ``V`` passes on ``a = T - t = min(T, floor(V / theta))``, and
batch normalisation is folded: ``theta = deviation / |gain|``, ``b = theta shift - sign(gain) mean``, both
rounded and one for each channel, all signs of the channel flipped where the gain is negative. A padded
position is an input that never spikes; it adds 0 before the normalisation as after it, so the fold is the
same integer at the border as inside.

In training the statistics are those of the batch, and sums may be rounded (bfloat16). In evaluation they
are those of some calibration images, taken layer after layer from the very integers that evaluation adds
up, so nothing depends on how training rounded. Max pooling takes the earliest spike, that is the largest
``a``; sum pooling adds up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..network import Convolution, Dense, Fires, Input, Layer, Network, Phase, Pool, Readout
from .conv_options import ConvStage, PoolStage
from .encode import values
from .parts import integers, linear, start_weights
from .straight import rounded, signs

__all__ = ["WindowedConvNet", "folded_levels"]

SMALLEST_GAIN = 0.05

Planes = tuple[int, int, int]
"""(channels, height, width)"""


def folded(mean: torch.Tensor, variance: torch.Tensor, gain: torch.Tensor,
           shift: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Direction of the signs, threshold and initial value of each channel: whole numbers."""
    direction = torch.where(gain >= 0, 1.0, -1.0)
    ratio = (variance + 1).sqrt() / gain.abs().clamp(min=SMALLEST_GAIN)
    return direction, ratio.round().clamp(min=1), (ratio * shift - direction * mean).round()


class _FoldedLevels(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sums: torch.Tensor, gain: torch.Tensor, shift: torch.Tensor,
                window: int) -> torch.Tensor:
        zeros, ones = torch.zeros_like(gain), torch.ones_like(gain)
        mean, variance = torch.batch_norm_update_stats(sums, zeros.clone(), zeros.clone(), 0.0)
        direction, threshold, initial = folded(mean, variance, gain, shift)
        level = functional.batch_norm(sums, zeros, ones, direction / threshold, initial / threshold, eps=0.0)
        level.floor_()
        ctx.save_for_backward(sums, level, gain, mean, (variance + 1).rsqrt())
        ctx.window = window
        return level.clamp(0, window)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        sums, level, gain, mean, inverse = ctx.saved_tensors
        inside = torch.ops.aten.hardtanh_backward(gradients[0], level, -0.5, ctx.window + 0.5)
        found = torch.ops.aten.native_batch_norm_backward(
            inside, sums, gain, None, None, mean, inverse, True, 1.0, [True, True, True])
        return found[0], found[1], found[2], None


def folded_levels(sums: torch.Tensor, gain: torch.Tensor, shift: torch.Tensor, window: int) -> torch.Tensor:
    """Levels, 0 to ``window``, of a batch of sums by the rounded fold of their own statistics.

    ``sums``: shape ``(count, channels, height, width)``. Backward is that of plain batch normalisation where
    the level, before it is cut off, is inside.
    """
    return _FoldedLevels.apply(sums, gain, shift, window)  # pyright: ignore[reportReturnType]


class WindowedConvolution(nn.Module):
    """One hidden layer: signs shared over positions, batch normalisation folded into integers.

    Forward takes what the sources pass on, shape ``(count, channels, height, width)``, to what this layer's
    neurons pass on: whole numbers from 0 to ``window``.
    """

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, before: int, stage: ConvStage, window: int, generator: torch.Generator):
        super().__init__()
        self.stage, self.window = stage, window
        flat = start_weights(stage.channels, before * stage.kernel ** 2, generator)
        self.weights = nn.Parameter(flat.detach().view(stage.channels, before, stage.kernel, stage.kernel))
        self.gain = nn.Parameter(torch.full((stage.channels,), 3 * window / 16))
        self.shift = nn.Parameter(torch.zeros(stage.channels))
        self.register_buffer("mean", torch.zeros(stage.channels))
        self.register_buffer("variance", torch.ones(stage.channels))

    def forward(self, amounts: torch.Tensor) -> torch.Tensor:
        if self.training:
            return folded_levels(self.sums(amounts), self.gain, self.shift, self.window)
        direction, threshold, initial = (
            part.view(-1, 1, 1) for part in folded(self.mean, self.variance, self.gain, self.shift))
        level = (self.sums(amounts) * direction + initial) / threshold
        return level.floor_().clamp_(0, self.window)

    def sums(self, amounts: torch.Tensor) -> torch.Tensor:
        """What each neuron hears, before the fold."""
        weights = signs(self.weights).to(amounts.dtype)
        return functional.conv2d(amounts, weights, None, self.stage.stride, self.stage.kernel // 2)

    def layer(self, kernel: np.ndarray, pool: Pool | None, shape: Planes) -> Layer:
        """The layer of integers; ``kernel``: of its source; ``shape``: of its source after the pool."""
        with torch.no_grad():
            direction, threshold, initial = folded(self.mean, self.variance, self.gain, self.shift)
            weights = integers(signs(self.weights) * direction.view(-1, 1, 1, 1)).astype(np.int8)
        synapse = Convolution(weights, shape, stride=self.stage.stride, padding=self.stage.kernel // 2,
                              kernel=kernel, pool=pool)
        return Layer(synapse, self.window, Phase.WINDOWED, Fires.ONCE, threshold=integers(threshold),
                     initial=integers(initial), threshold_schedule=linear(self.window))


@dataclass(frozen=True)
class _Step:
    """A convolution, or the output where ``conv`` is None, and the pooling before it.

    ``shape``: what it hears, (channels, height, width), after the pooling; ``before``: before it.
    """

    conv: WindowedConvolution | None
    pool: PoolStage | None
    before: Planes
    shape: Planes


class WindowedConvNet(nn.Module):
    """A windowed network of convolutions, poolings and a dense output read by potential.

    ``source``: of one channel; ``shape``: its height and width; ``calibration``: levels, uint8, shape
    ``(count, size)``; ``smooth``: share of the target spread over all classes; ``half``: whether sums in
    training run in bfloat16. Raises ``ValueError`` where a pooling leaves nothing.
    """

    def __init__(self, source: Input, shape: tuple[int, int], stages: Sequence[ConvStage | PoolStage],
                 outputs: int, window: int, seed: int, calibration: np.ndarray, smooth: float = 0.0,
                 half: bool = False):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.source, self.shape, self.window, self.smooth = source, shape, window, smooth
        self.sum_type = torch.bfloat16 if half else torch.float32
        self.calibration = calibration
        self.steps: list[_Step] = []
        heard: Planes = (1, *shape)
        before, pool = heard, None
        for stage in stages:
            if isinstance(stage, PoolStage):
                pool, heard = stage, (heard[0], heard[1] // stage.size, heard[2] // stage.size)
                if not all(heard):
                    raise ValueError(f"layers must leave a pixel, which {stage.kind}{stage.size} does not of "
                                     f"{before[1]} x {before[2]}")
                continue
            conv = WindowedConvolution(heard[0], stage, window, generator)
            self.steps.append(_Step(conv, pool, before, heard))
            pool, (_, height, width) = None, heard
            before = heard = (stage.channels, -(-height // stage.stride), -(-width // stage.stride))
        self.steps.append(_Step(None, pool, before, heard))
        self.hidden = [step.conv for step in self.steps if step.conv is not None]
        self.layers = nn.ModuleList(self.hidden)
        self.weights = start_weights(outputs, math.prod(heard), generator)
        self.offset = nn.Parameter(torch.zeros(outputs))
        self.temperature = nn.Parameter(torch.tensor(math.log(0.01)))

    def groups(self, rate: float) -> list[dict]:
        """Parameters for an optimiser, each with its own rate: signs, gains, offsets."""
        return [
            {"params": [*(layer.weights for layer in self.hidden), self.weights], "lr": rate},
            {"params": [part for layer in self.hidden for part in (layer.gain, layer.shift)],
             "lr": 5 * rate},
            {"params": [self.offset], "lr": 100 * rate},
            {"params": [self.temperature], "lr": rate},
        ]

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        """Potentials of the outputs, shape ``(count, outputs)``; ``levels``: shape ``(count, size)``."""
        amounts = self._first(levels, self.sum_type if self.training else torch.float32)
        for step in self.steps:
            amounts = _pooled(amounts, step.pool)
            if step.conv is not None:
                amounts = step.conv(amounts)
        return amounts.flatten(1).float() @ signs(self.weights).t() + rounded(self.offset)

    def loss(self, levels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of the potentials, over a learned temperature; ``targets``: labels or
        probabilities."""
        return functional.cross_entropy(
            self(levels) * self.temperature.exp(), targets, label_smoothing=self.smooth)

    @torch.no_grad()
    def settle(self, batch: int = 250) -> None:
        """Take the statistics of every layer from the calibration images, in whole numbers."""
        device, training = self.weights.device, self.training
        narrow = torch.uint8 if max(self.window, self.source.window) < 256 else torch.int16
        parts = [self._first(torch.tensor(self.calibration[start:start + batch], device=device), narrow)
                 for start in range(0, len(self.calibration), batch)]
        self.eval()
        for step in self.steps[:-1]:
            assert step.conv is not None
            total = square = torch.zeros(step.conv.stage.channels, dtype=torch.float64, device=device)
            count = 0
            for part in parts:
                sums = step.conv.sums(_pooled(part.float(), step.pool)).transpose(0, 1).flatten(1)
                count += sums.shape[1]
                total = total + sums.sum(1, dtype=torch.float64)
                square = square + sums.double().square_().sum(1)
            mean = total / count
            step.conv.mean.copy_(mean)
            step.conv.variance.copy_(square / count - mean * mean)
            parts = [step.conv(_pooled(part.float(), step.pool)).to(narrow) for part in parts]
        self.train(training)

    def network(self) -> Network:
        """The network of integers that this module is in evaluation mode, after settling its
        statistics."""
        self.settle()
        kernel, layers = linear(self.source.window), []
        for step in self.steps:
            pool = None if step.pool is None else Pool(step.pool.kind, step.pool.size,
                                                       source_shape=step.before)
            if step.conv is not None:
                layers.append(step.conv.layer(kernel, pool, step.shape))
                kernel = linear(self.window)
            else:
                weights = integers(signs(self.weights.detach())).astype(np.int8)
                layers.append(Layer(Dense(weights, kernel, pool=pool), 1, Phase.WINDOWED, Fires.NEVER,
                                    initial=integers(rounded(self.offset))))
        return Network(self.source, layers, Readout.POTENTIAL)

    def _first(self, levels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        amounts = values(levels, self.source, linear(self.source.window)).to(dtype)
        return amounts.view(-1, *self.shape, 1).permute(0, 3, 1, 2)  # channels last, which is faster


def _pooled(amounts: torch.Tensor, pool: PoolStage | None) -> torch.Tensor:
    if pool is None:
        return amounts
    if pool.kind == "max":
        return functional.max_pool2d(amounts, pool.size)
    return functional.avg_pool2d(amounts, pool.size, divisor_override=1)
