"""Windowed training: a layer hears its sources' whole window, then fires; the linear kernel makes it a ReLU.

With ``K[t] = T - t`` and ``G[t] = T - t`` a neuron of potential ``V = b + sum(w a)`` fires at the first
``t`` with ``V >= theta (T - t)``, so it passes on ``a = T - t = min(T, floor(V / theta))`` (nothing where
that is 0 or less): a ReLU of ``T`` levels, exactly (Stanojevic et al., arXiv 2306.08744, in integers). With
powers of two it passes on the largest of them up to ``V / theta``. Backward, both are a straight line.
Batch normalisation of ``V`` becomes thresholds and initial values (:mod:`.folding`). Training runs with the
rounded integers, so that nothing is lost at the end.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from ...network import Dense, Fires, Input, Layer, Network, Phase, Readout
from .folding import Fold, folded
from .input_spikes import values
from .kernels import Kernel
from .sign_weights import SignWeights, integers
from .straight_through import rounded

__all__ = ["WindowedMlp", "WindowedNet"]

MOMENTUM = 0.1


class WindowedDense(nn.Module):
    """One hidden layer of neurons that hear all sources.

    Forward takes what the sources pass on (``K`` of their steps, or 0), shape ``(count, sources)``, to
    what this layer's neurons pass on: values of ``kernel``, or 0, shape ``(count, neurons)``.

    Parameters
    ----------
    sources, neurons : int
        How many.
    kernel : Kernel
        What a spike of this layer says by its step.
    generator : torch.Generator
        Draws the weights.
    kind : torch.dtype
        Of the sums in training.
    """

    def __init__(self, sources: int, neurons: int, kernel: Kernel, generator: torch.Generator,
                 kind: torch.dtype = torch.float32):
        super().__init__()
        self.kernel, self.kind = kernel, kind
        self.weights = SignWeights((neurons, sources), generator)
        self.fold = Fold(neurons, kernel)

    def forward(self, amounts: torch.Tensor) -> torch.Tensor:
        fold = self.fold
        if self.training:
            sums = self.weights.sums(amounts.to(self.kind)).float()
            mean, variance = sums.mean(0), sums.var(0, unbiased=False)
            fold.mean.lerp_(mean.detach(), MOMENTUM)
            fold.variance.lerp_(variance.detach(), MOMENTUM)
            direction, threshold, initial = folded(mean, variance, fold.gain, fold.shift)
        else:
            sums = amounts @ self.weights().t()
            direction, threshold, initial = fold.settled()
        level = (sums * direction + initial) / threshold
        inside = level.clamp(0, self.kernel.top + 0.999)
        return self.kernel.passed(inside.detach()) + (inside - inside.detach())

    def layer(self, kernel: np.ndarray, source: Input | None) -> Layer:
        """The layer of integers.

        Parameters
        ----------
        kernel : array
            Of its sources.
        source : Input or None
            The network's input, for the first layer.
        """
        return self.fold.layer(self.weights.dense(kernel, source, self.fold.direction()))


class WindowedNet(nn.Module):
    """What windowed networks share: outputs read by potential, their loss, the rates of what is learnt.

    Forward takes levels, shape ``(count, size)``, to the outputs' potentials, ``(count, outputs)``.

    Parameters
    ----------
    source : Input
        With a latency encoding, in the window of ``kernel``.
    kernel : Kernel
        Of the input and of every hidden layer.
    hidden : sequence of modules
        Each with ``weights``, a `SignWeights`, and ``fold``, a `Fold`.
    output : SignWeights
        Shape ``(outputs, addresses)``.
    spike_type : torch.dtype
        Of the sums in training; evaluation takes float32.
    smooth : float
        Share of the target that is spread over all classes.
    """

    def __init__(self, source: Input, kernel: Kernel, hidden: Sequence[Any], output: SignWeights,
                 spike_type: torch.dtype, smooth: float = 0.0):
        super().__init__()
        self.source, self.kernel, self.spike_type, self.smooth = source, kernel, spike_type, smooth
        self.hidden = list(hidden)
        self.layers = nn.ModuleList(self.hidden)
        self.output = output
        self.offset = nn.Parameter(torch.zeros(len(output.real)))
        self.temperature = nn.Parameter(torch.tensor(math.log(0.01 / kernel.stretch)))

    def groups(self, rate: float) -> list[dict]:
        """Parameters for an optimiser, each with its own rate: signs, gains and shifts, offsets."""
        stretch = self.kernel.stretch
        return [
            {"params": [*(layer.weights.real for layer in self.hidden), self.output.real], "lr": rate},
            {"params": [part for layer in self.hidden for part in (layer.fold.gain, layer.fold.shift)],
             "lr": 5 * rate * stretch},
            {"params": [self.offset], "lr": 100 * rate * stretch},
            {"params": [self.temperature], "lr": rate},
        ]

    def loss(self, levels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of the potentials, over a learned temperature, mean over the images.

        Parameters
        ----------
        levels : Tensor
            Shape ``(count, size)``.
        targets : Tensor
            Labels ``(count,)``, or probabilities ``(count, outputs)``.
        """
        return nn.functional.cross_entropy(self(levels) * self.temperature.exp(), targets,
                                           label_smoothing=self.smooth)

    def read(self, amounts: torch.Tensor) -> torch.Tensor:
        """The outputs' potentials, from what their sources pass on: shape ``(count, addresses)``."""
        return amounts @ self.output().t() + rounded(self.offset)

    def output_layer(self, synapses: Dense) -> Layer:
        """The output layer of integers."""
        return Layer(synapses, 1, Phase.WINDOWED, Fires.NEVER, initial=integers(rounded(self.offset)))


class WindowedMlp(WindowedNet):
    """A windowed network of dense layers.

    Parameters
    ----------
    source : Input
        With a latency encoding, in the window of ``kernel``; inputs that its mask leaves out have no weights.
    sizes : sequence of int
        Neurons of each hidden layer, then outputs.
    kernel : Kernel
        Of the input and of every hidden layer.
    seed : int
        Fixes the weights at the start.
    half : bool
        Whether the hidden layers' sums run in bfloat16 in training, where sums above 256 are rounded.
    """

    def __init__(self, source: Input, sizes: Sequence[int], kernel: Kernel, seed: int, half: bool = False):
        generator = torch.Generator().manual_seed(seed)
        kind = torch.bfloat16 if half else torch.float32
        widths = [len(source.used), *sizes]
        hidden = [WindowedDense(before, neurons, kernel, generator, kind)
                  for before, neurons in pairwise(widths[:-1])]
        super().__init__(source, kernel, hidden, SignWeights((widths[-1], widths[-2]), generator), kind)

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        amounts = values(levels, self.source, self.kernel.schedule)
        for layer in self.hidden:
            amounts = layer(amounts)
        return self.read(amounts)

    def network(self) -> Network:
        """The network of integers that this module is in evaluation mode."""
        schedule, sources = self.kernel.schedule, [self.source] + [None] * len(self.hidden)
        layers = [layer.layer(schedule, source) for layer, source in zip(self.hidden, sources, strict=False)]
        layers.append(self.output_layer(self.output.dense(schedule, sources[-1])))
        return Network(self.source, layers, Readout.POTENTIAL)
