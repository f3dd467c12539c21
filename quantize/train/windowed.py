"""Windowed training: a layer hears its sources' whole window, then fires; the linear kernel makes it a
ReLU.

With ``K[t] = T - t`` and ``G[t] = T - t`` a neuron of potential ``V = b + sum(w a)`` fires at the first
``t`` with ``V >= theta (T - t)``, so it passes on ``a = T - t = min(T, floor(V / theta))`` (nothing where
that is 0 or less): a ReLU of ``T`` levels, exactly (Stanojevic et al., arXiv 2306.08744, in integers). With
powers of two it passes on the largest of them up to ``V / theta``. Backward, both are a straight line.
Batch normalisation of ``V``, ``gain (V - mean) / deviation + shift`` counted in thresholds, is the same
with ``theta = deviation / |gain|`` and ``b = theta shift - sign(gain) mean``, both rounded, and all signs
of the neuron flipped where the gain is negative. Training runs with the rounded integers, so that nothing
is lost at the end.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from ...network import Fires, Input, Layer, Network, Phase, Readout
from .encode import values
from .kernels import Kernel
from .parts import integers, signed_dense, start_weights
from .straight import matmul_signs, rounded, signs

__all__ = ["WindowedMlp"]

MOMENTUM = 0.1
SMALLEST_GAIN = 0.05


class WindowedDense(nn.Module):
    """One hidden layer: signs, batch normalisation folded into integers, the values of a kernel.

    Forward takes what the sources pass on (``K`` of their steps, or 0), shape ``(count, sources)``, to
    what this layer's neurons pass on: values of ``kernel``, or 0, shape ``(count, neurons)``. ``prune``:
    share of the weights that are 0.
    """

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, sources: int, neurons: int, kernel: Kernel, generator: torch.Generator,
                 kind: torch.dtype = torch.float32, prune: float = 0.0):
        super().__init__()
        self.kernel, self.kind, self.prune = kernel, kind, prune
        self.weights = start_weights(neurons, sources, generator)
        self.gain = nn.Parameter(torch.full((neurons,), 3 * kernel.top / 16))
        self.shift = nn.Parameter(torch.zeros(neurons))
        self.register_buffer("mean", torch.zeros(neurons))
        self.register_buffer("variance", torch.ones(neurons))

    def forward(self, amounts: torch.Tensor) -> torch.Tensor:
        if self.training:
            sums = matmul_signs(amounts.to(self.kind), self.weights, self.prune).float()
            mean, variance = sums.mean(0), sums.var(0, unbiased=False)
            self.mean.lerp_(mean.detach(), MOMENTUM)
            self.variance.lerp_(variance.detach(), MOMENTUM)
        else:
            sums = amounts @ signs(self.weights, self.prune).t()
            mean, variance = self.mean, self.variance
        threshold, initial = self._integers(mean, variance)
        level = (sums * self._direction + initial) / threshold
        inside = level.clamp(0, self.kernel.top + 0.999)
        return self.kernel.passed(inside.detach()) + (inside - inside.detach())

    @property
    def _direction(self) -> torch.Tensor:
        return torch.where(self.gain.detach() >= 0, 1.0, -1.0)

    def _integers(self, mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ratio = (variance + 1).sqrt() / self.gain.abs().clamp(min=SMALLEST_GAIN)
        return rounded(ratio, low=1), rounded(ratio * self.shift - self._direction * mean)

    @torch.no_grad()
    def layer(self, kernel: np.ndarray, source: Input | None) -> Layer:
        """The layer of integers; ``kernel``: of its sources; ``source``: the input, for the first layer."""
        threshold, initial = self._integers(self.mean, self.variance)
        synapses = signed_dense(self.weights, kernel, source, self._direction, self.prune)
        return Layer(synapses, self.kernel.window, Phase.WINDOWED, Fires.ONCE, threshold=integers(threshold),
                     initial=integers(initial), threshold_schedule=self.kernel.schedule)


class PotentialOutput(nn.Module):
    """The output layer, read by potential: signs and an integer offset an output; forward gives the
    potentials."""

    def __init__(self, sources: int, outputs: int, generator: torch.Generator, prune: float = 0.0):
        super().__init__()
        self.prune = prune
        self.weights = start_weights(outputs, sources, generator)
        self.offset = nn.Parameter(torch.zeros(outputs))

    def forward(self, amounts: torch.Tensor) -> torch.Tensor:
        return amounts @ signs(self.weights, self.prune).t() + rounded(self.offset)

    def layer(self, kernel: np.ndarray, source: Input | None) -> Layer:
        """The layer of integers; ``kernel``: of its sources; ``source``: the input, for the first layer."""
        synapses = signed_dense(self.weights, kernel, source, prune=self.prune)
        return Layer(synapses, 1, Phase.WINDOWED, Fires.NEVER, initial=integers(rounded(self.offset)))


class WindowedMlp(nn.Module):
    """A windowed network of dense layers.

    ``sizes``: neurons of each hidden layer, then outputs; ``kernel``: of the input (whose window it must
    have) and of every hidden layer; ``half``: whether the hidden layers' sums run in bfloat16 in training,
    where sums above 256 are rounded (never in evaluation); ``prune``: share of each layer's weights that are
    0.
    """

    def __init__(self, source: Input, sizes: Sequence[int], kernel: Kernel, seed: int, half: bool = False,
                 prune: float = 0.0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.source, self.kernel = source, kernel
        self.spike_type = torch.bfloat16 if half else torch.float32
        widths = [len(source.used), *sizes]
        self.hidden = [WindowedDense(before, neurons, kernel, generator, self.spike_type, prune)
                       for before, neurons in pairwise(widths[:-1])]
        self.layers = nn.ModuleList(self.hidden)
        self.output = PotentialOutput(widths[-2], widths[-1], generator, prune)
        self.temperature = nn.Parameter(torch.tensor(math.log(0.01 / kernel.stretch)))

    def groups(self, rate: float) -> list[dict]:
        """Parameters for an optimiser, each with its own rate: signs, gains, offsets."""
        stretch = self.kernel.stretch
        return [
            {"params": [*(layer.weights for layer in self.hidden), self.output.weights], "lr": rate},
            {"params": [part for layer in self.hidden for part in (layer.gain, layer.shift)],
             "lr": 5 * rate * stretch},
            {"params": [self.output.offset], "lr": 100 * rate * stretch},
            {"params": [self.temperature], "lr": rate},
        ]

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        """Potentials of the outputs, shape ``(count, outputs)``; ``levels``: shape ``(count, size)``."""
        amounts = values(levels, self.source, self.kernel.schedule)
        for layer in self.hidden:
            amounts = layer(amounts)
        return self.output(amounts)

    def loss(self, levels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of the potentials, over a learned temperature; ``targets``: labels or
        probabilities."""
        return nn.functional.cross_entropy(self(levels) * self.temperature.exp(), targets)

    def network(self) -> Network:
        """The network of integers that this module is in evaluation mode."""
        schedule, sources = self.kernel.schedule, [self.source] + [None] * len(self.hidden)
        layers = [layer.layer(schedule, source) for layer, source in zip(self.hidden, sources, strict=False)]
        layers.append(self.output.layer(schedule, sources[-1]))
        return Network(self.source, layers, Readout.POTENTIAL)
