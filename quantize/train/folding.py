"""Batch normalisation of whole sums as whole numbers: a direction, a threshold and an initial value.

``gain (V - mean) / deviation + shift``, counted in thresholds, is what a neuron of potential ``b + direction
V`` passes on with ``theta = deviation / |gain|`` and ``b = theta shift - direction mean``, both rounded;
``direction``, the sign of the gain, turns all signs of the neuron.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ...network import Convolution, Dense, Fires, Layer, Phase
from .kernels import Kernel
from .sign_weights import integers
from .straight_through import rounded

__all__ = ["Fold", "folded", "folded_levels"]

SMALLEST_GAIN = 0.05
NOTHING = 1e-30
"""What is added to a variance of 1 without a change, where a torch version asks for more than 0."""


def folded(mean: torch.Tensor, variance: torch.Tensor, gain: torch.Tensor,
           shift: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Direction, threshold and initial value of each neuron or channel, all whole numbers.

    The gradient passes the rounding unchanged, and does not pass the direction.

    Parameters
    ----------
    mean, variance : Tensor
        Of the sums.
    gain, shift : Tensor
        Of the normalisation; a gain counts as 0.05 at least, whatever its sign.
    """
    direction = torch.where(gain.detach() >= 0, 1.0, -1.0)
    ratio = (variance + 1).sqrt() / gain.abs().clamp(min=SMALLEST_GAIN)
    return direction, rounded(ratio, low=1), rounded(ratio * shift - direction * mean)


class Fold(nn.Module):
    """The normalisation of a windowed layer, and what it says by its spikes.

    Parameters
    ----------
    channels : int
        Neurons or channels, each with a gain and a shift of its own.
    kernel : Kernel
        What a spike of this layer says by its step.

    Attributes
    ----------
    gain, shift : Parameter
        Shape ``(channels,)``.
    mean, variance : Tensor
        Of the sums, as evaluation takes them; shape ``(channels,)``.
    """

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, channels: int, kernel: Kernel):
        super().__init__()
        self.kernel = kernel
        self.gain = nn.Parameter(torch.full((channels,), 3 * kernel.top / 16))
        self.shift = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def settled(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Direction, threshold and initial value of each neuron or channel in evaluation."""
        return folded(self.mean, self.variance, self.gain, self.shift)

    @torch.no_grad()
    def direction(self) -> torch.Tensor:
        """+1 or -1 of each neuron or channel, which its signs are to be multiplied with."""
        return self.settled()[0]

    @torch.no_grad()
    def layer(self, synapses: Dense | Convolution) -> Layer:
        """The layer of integers with these synapses, whose signs are turned."""
        _, threshold, initial = self.settled()
        return Layer(synapses, self.kernel.window, Phase.WINDOWED, Fires.ONCE, threshold=integers(threshold),
                     initial=integers(initial), threshold_schedule=self.kernel.schedule)


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
    """What is passed on, values of ``kernel`` or 0, of a batch of sums by the fold of their own statistics.

    Backward is that of plain batch normalisation where the level, before it is cut off, is inside.

    Parameters
    ----------
    sums : Tensor
        Shape ``(count, channels, height, width)``.
    gain, shift : Tensor
        Shape ``(channels,)``.
    kernel : Kernel
        What a level says.
    """
    return _FoldedLevels.apply(sums, gain, shift, kernel)  # pyright: ignore[reportReturnType]
