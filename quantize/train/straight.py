"""Steps that have no slope, with a gradient of their own: signs, rounding, firing.

Straight-through estimators (Bengio, Leonard, Courville, arXiv 1308.3432; signs as in Courbariaux et al.,
arXiv 1602.02830): forward is the exact discrete step, backward is that of a smooth stand-in.
"""

from typing import Any

import torch

__all__ = ["crossed", "matmul_signs", "rounded", "signs"]


class _Signs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: torch.Tensor) -> torch.Tensor:
        return torch.where(weights >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0]


class _MatmulSigns(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spikes: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(spikes)
        flat = spikes.reshape(-1, spikes.shape[-1])
        sums = flat @ torch.where(weights >= 0, 1.0, -1.0).to(spikes.dtype).t()
        return sums.float().view(*spikes.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[None, torch.Tensor]:
        (spikes,) = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, gradients[0].shape[-1]).to(spikes.dtype)
        return None, (gradient.t() @ spikes.reshape(-1, spikes.shape[-1])).float()


class _Crossed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, margin: torch.Tensor, width: float) -> torch.Tensor:
        ctx.save_for_backward(margin)
        ctx.width = width
        return (margin >= 0).float()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (margin,) = ctx.saved_tensors
        slope = (1 - (margin + 0.5).abs() / ctx.width).clamp_(min=0) / ctx.width
        return gradients[0] * slope, None


def signs(weights: torch.Tensor) -> torch.Tensor:
    """+1 where a weight is 0 or more, else -1; the gradient passes as if it were the weight itself."""
    return _Signs.apply(weights)  # pyright: ignore[reportReturnType]


def matmul_signs(spikes: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """``spikes @ signs(weights).T`` in the spikes' dtype, as float32; no gradient for the spikes.

    ``spikes``: shape ``(..., sources)``, 0 or 1; ``weights``: float32, shape ``(neurons, sources)``. In
    bfloat16 a sum is exact up to 256 in size, and processors that have it are four times faster in it.
    """
    return _MatmulSigns.apply(spikes, weights)  # pyright: ignore[reportReturnType]


def rounded(values: torch.Tensor, low: float | None = None) -> torch.Tensor:
    """The nearest integers, at least ``low``; the gradient passes unchanged."""
    integers = values.detach().round()
    if low is not None:
        integers = integers.clamp(min=low)
    return integers + (values - values.detach())  # what is added is 0 exactly, so that the sum stays whole


def crossed(margin: torch.Tensor, width: float) -> torch.Tensor:
    """1 where the margin (integer potential minus threshold) is 0 or more, else 0.

    The gradient is a triangle of area 1 around the step between -1 and 0, which reaches ``width`` to each
    side.
    """
    return _Crossed.apply(margin, width)  # pyright: ignore[reportReturnType]
