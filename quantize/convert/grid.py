"""Real weights on a grid of integers: signs (1 bit), ternary (2 bits) or small integers (to 8 bits).

Each channel, or neuron, has a step of its own, for its threshold makes up for it; the outputs of a network
are compared with each other, so there one step stands for all. Weights that lie on a grid already are kept
exactly.
"""

from typing import Any

import torch

__all__ = ["on_grid", "steps"]

CANDIDATES = 24
"""Steps that are tried between a third of the largest weight and all of it."""
EXACT = 1e-4
"""How far from a grid, in steps, weights may lie that are on it but for the rounding of float32."""


def limit(bits: int) -> int:
    """The largest weight: 1 for signs and ternary weights; the most negative one is left out."""
    return max(1, (1 << (bits - 1)) - 1)


class _OnGrid(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, step: torch.Tensor, bits: int) -> torch.Tensor:
        scaled = weight / step
        most = limit(bits)
        ctx.save_for_backward(scaled, step)
        ctx.most = 2.0 if bits == 1 else most + 0.5
        if bits == 1:
            return torch.where(scaled >= 0, 1.0, -1.0).to(weight.dtype)
        return scaled.round().clamp(-most, most)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        scaled, step = ctx.saved_tensors
        return gradients[0] / step * (scaled.abs() <= ctx.most), None, None


def on_grid(weight: torch.Tensor, step: torch.Tensor, bits: int) -> torch.Tensor:
    """The integers nearest to ``weight / step``; the gradient goes straight through.

    Parameters
    ----------
    weight : torch.Tensor
        Real weights.
    step : torch.Tensor
        Positive, of a shape that broadcasts.
    bits : int
        Of the integers; with one bit 0 becomes +1.
    """
    return _OnGrid.apply(weight, step, bits)  # pyright: ignore[reportReturnType]


def steps(weight: torch.Tensor, bits: int, together: bool) -> torch.Tensor:
    """What an integer weight is worth.

    The exact step where the weights lie on a grid; else that of the least mean squared error: the mean size
    for signs, the best of some between a third of the largest weight and all of it for more bits.

    Parameters
    ----------
    weight : torch.Tensor
        Shape ``(channels, ...)``.
    bits : int
        Of the integers.
    together : bool
        Whether there is one step for all, not one for each channel.

    Returns
    -------
    torch.Tensor
        Shape ``(channels, 1, ...)`` or ``(1, 1, ...)``.
    """
    rows = weight.reshape(1, -1) if together else weight.flatten(1)
    largest = rows.abs().amax(dim=1, keepdim=True)
    largest = torch.where(largest > 0, largest, 1.0)
    best = rows.abs().mean(dim=1, keepdim=True) if bits == 1 else largest / limit(bits)
    best = torch.where(best > 0, best, 1.0)
    if bits > 1:
        error = _error(rows, best, bits)
        for index in range(CANDIDATES):
            tried = largest / limit(bits) * (1 / 3 + 2 / 3 * index / CANDIDATES)
            found = _error(rows, tried, bits)
            best, error = torch.where(found < error, tried, best), torch.minimum(found, error)
    exact = torch.zeros_like(best, dtype=torch.bool)
    for parts in range(1, limit(bits) + 1):
        tried = largest / parts
        scaled = rows / tried
        off = (scaled - scaled.round()).abs().amax(dim=1, keepdim=True) > EXACT
        if bits == 1:
            off |= (rows == 0).any(dim=1, keepdim=True)
        best = torch.where(exact | off, best, tried)
        exact |= ~off
        if exact.all():
            break
    shape = [1] * weight.ndim
    return best.reshape(shape if together else [len(rows), *shape[1:]])


def _error(rows: torch.Tensor, step: torch.Tensor, bits: int) -> torch.Tensor:
    return (on_grid(rows, step, bits) * step - rows).square().sum(dim=1, keepdim=True)
