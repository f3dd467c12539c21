"""Steps that have no slope, with a gradient of their own: signs, rounding, firing.

Straight-through estimators (Bengio, Leonard, Courville, arXiv 1308.3432; signs as in Courbariaux et al.,
arXiv 1602.02830): forward is the exact discrete step, backward is that of a smooth stand-in.
"""

from typing import Any

import torch

__all__ = ["fired_by", "matmul_signs", "rounded", "signs"]


def _signed(weights: torch.Tensor, prune: float) -> torch.Tensor:
    signed = torch.where(weights >= 0, 1.0, -1.0)
    if gone := int(prune * weights.numel()):
        sizes = weights.abs().flatten()
        last = sizes.kthvalue(gone).values
        below, ties = sizes < last, sizes == last    # weights are kept in -1 to 1, so there may be many of 1
        below |= ties & (ties.cumsum(0) <= gone - below.sum())
        signed.masked_fill_(below.view_as(signed), 0.0)
    return signed


class _Signs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: torch.Tensor, prune: float) -> torch.Tensor:
        return _signed(weights, prune)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradients[0], None


class _MatmulSigns(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spikes: torch.Tensor, weights: torch.Tensor, prune: float) -> torch.Tensor:
        signed = _signed(weights, prune).to(spikes.dtype)
        ctx.save_for_backward(spikes, signed)
        sums = spikes.reshape(-1, spikes.shape[-1]) @ signed.t()
        return sums.view(*spikes.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, None]:
        spikes, signed = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, gradients[0].shape[-1]).to(spikes.dtype)
        back = (gradient @ signed).view(spikes.shape) if ctx.needs_input_grad[0] else None
        return back, (gradient.t() @ spikes.reshape(-1, spikes.shape[-1])).float(), None


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


def signs(weights: torch.Tensor, prune: float = 0.0) -> torch.Tensor:
    """+1 where a weight is 0 or more, else -1; the gradient passes as if it were the weight itself.

    ``prune``: share of the weights, those nearest to 0, that become 0 (never all); of equal ones, the first.
    """
    return _Signs.apply(weights, prune)  # pyright: ignore[reportReturnType]


def matmul_signs(spikes: torch.Tensor, weights: torch.Tensor, prune: float = 0.0) -> torch.Tensor:
    """``spikes @ signs(weights, prune).T`` in the spikes' dtype.

    ``spikes``: shape ``(..., sources)``, whole numbers; ``weights``: float32, shape ``(neurons, sources)``.
    In bfloat16 a sum is exact up to 256 in size, and processors that have it are four times faster in it.
    """
    return _MatmulSigns.apply(spikes, weights, prune)  # pyright: ignore[reportReturnType]


def rounded(values: torch.Tensor, low: float | None = None) -> torch.Tensor:
    """The nearest integers, at least ``low``; the gradient passes unchanged."""
    integers = values.detach().round()
    if low is not None:
        integers = integers.clamp(min=low)
    return integers + (values - values.detach())  # what is added is 0 exactly, so that the sum stays whole


def fired_by(arriving: torch.Tensor, threshold: torch.Tensor, width: float) -> torch.Tensor:
    """Who has fired by each step: 1 from the step in which the running sum first reaches the threshold.

    ``arriving``: what is added in each step, shape ``(window, ..., neurons)``, whole numbers;
    ``threshold``: shape ``(neurons,)``. Backward, the step between a margin (highest sum so far minus
    threshold) of -1 and of 0 has the slope of a triangle of area 1 that reaches ``width`` to each side, and a
    highest sum passes its gradient to what had arrived when it was last reached. One pass over the window
    each way.
    """
    return _FiredBy.apply(arriving, threshold, width)  # pyright: ignore[reportReturnType]
