"""Steps that have no slope, with a gradient of their own: signs, rounding, firing.

Straight-through estimators (Bengio, Leonard, Courville, arXiv 1308.3432; signs as in Courbariaux et al.,
arXiv 1602.02830): forward is the exact discrete step, backward is that of a smooth stand-in.
"""

from typing import Any

import torch

__all__ = ["fired_by", "matmul_signs", "rounded", "signs"]


def _signed(weights: torch.Tensor, kept: torch.Tensor | None) -> torch.Tensor:
    signed = torch.where(weights >= 0, 1.0, -1.0)
    return signed if kept is None else signed * kept


class _Signs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: torch.Tensor, kept: torch.Tensor | None) -> torch.Tensor:
        ctx.kept = kept
        return _signed(weights, kept)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradients[0] if ctx.kept is None else gradients[0] * ctx.kept, None


class _MatmulSigns(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spikes: torch.Tensor, weights: torch.Tensor,
                kept: torch.Tensor | None) -> torch.Tensor:
        signed = _signed(weights, kept).to(spikes.dtype)
        ctx.save_for_backward(spikes, signed)
        ctx.kept = kept
        sums = spikes.reshape(-1, spikes.shape[-1]) @ signed.t()
        return sums.view(*spikes.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, None]:
        spikes, signed = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, gradients[0].shape[-1]).to(spikes.dtype)
        back = (gradient @ signed).view(spikes.shape) if ctx.needs_input_grad[0] else None
        slopes = (gradient.t() @ spikes.reshape(-1, spikes.shape[-1])).float()
        return back, slopes if ctx.kept is None else slopes * ctx.kept, None


class _FiredBy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, arriving: torch.Tensor, threshold: torch.Tensor, width: float) -> torch.Tensor:
        potential = torch.zeros_like(arriving[0], dtype=torch.float32)
        highest = torch.full_like(potential, -torch.inf)
        margins = torch.empty_like(arriving, dtype=torch.float32)
        risen = torch.empty_like(arriving, dtype=torch.bool)
        for step in range(len(arriving)):
            potential += arriving[step]
            torch.ge(potential, highest, out=risen[step])
            torch.maximum(highest, potential, out=highest)
            torch.sub(highest, threshold, out=margins[step])
        ctx.save_for_backward(margins, risen)
        ctx.width, ctx.kind = width, arriving.dtype
        return (margins >= 0).float()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        margins, risen = ctx.saved_tensors
        slopes = margins.add(0.5).abs_().mul_(-1 / ctx.width).add_(1).clamp_(min=0).mul_(1 / ctx.width)
        slopes *= gradients[0]
        arriving = torch.empty_like(slopes, dtype=ctx.kind)
        waiting = torch.zeros_like(slopes[0])
        total = torch.zeros_like(waiting)
        for step in reversed(range(len(slopes))):
            waiting += slopes[step]
            here = waiting * risen[step]
            waiting -= here
            total += here
            arriving[step] = total
        return arriving, -slopes.sum(dim=tuple(range(slopes.ndim - 1))), None


def signs(weights: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
    """+1 where a weight is 0 or more, else -1; the gradient passes as if it were the weight itself.

    Parameters
    ----------
    weights : Tensor
        float32, of any shape.
    kept : Tensor or None
        bool, of that shape: where it is False a weight is 0 and has no gradient; None: all are kept.
    """
    return _Signs.apply(weights, kept)  # pyright: ignore[reportReturnType]


def matmul_signs(spikes: torch.Tensor, weights: torch.Tensor,
                 kept: torch.Tensor | None = None) -> torch.Tensor:
    """``spikes @ signs(weights, kept).T`` in the spikes' dtype.

    In bfloat16 a sum is exact up to 256 in size, and processors that have it are four times faster in it.

    Parameters
    ----------
    spikes : Tensor
        Whole numbers, shape ``(..., sources)``.
    weights : Tensor
        float32, shape ``(neurons, sources)``.
    kept : Tensor or None
        As for `signs`.
    """
    return _MatmulSigns.apply(spikes, weights, kept)  # pyright: ignore[reportReturnType]


def rounded(values: torch.Tensor, low: float | None = None) -> torch.Tensor:
    """The nearest integers, at least ``low``; the gradient passes unchanged."""
    integers = values.detach().round()
    if low is not None:
        integers = integers.clamp(min=low)
    return integers + (values - values.detach())  # what is added is 0 exactly, so that the sum stays whole


def fired_by(arriving: torch.Tensor, threshold: torch.Tensor, width: float) -> torch.Tensor:
    """Who has fired by each step: 1 from the step in which the running sum first reaches the threshold.

    Backward, the step between a margin (highest sum so far minus threshold) of -1 and of 0 has the slope of a
    triangle of area 1 that reaches ``width`` to each side, and a highest sum passes its gradient to what had
    arrived when it was last reached. One pass over the window each way.

    Parameters
    ----------
    arriving : Tensor
        What is added in each step: whole numbers, shape ``(window, ..., neurons)``.
    threshold : Tensor
        Shape ``(neurons,)``.
    width : float
        In units of a spike.
    """
    return _FiredBy.apply(arriving, threshold, width)  # pyright: ignore[reportReturnType]
