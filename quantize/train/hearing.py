"""What a group of synapses adds to potentials, in torch: exact for sources that fire once.

A source is the step in which each of its neurons fires, its window where it does not. Sums are whole numbers
in floating point, which the caller chooses wide enough for every partial sum. Convolutions are direct sums
on a processor; on an accelerator, whose libraries may take a transform that rounds, they are products of
unfolded windows.
"""

from functools import reduce
from math import prod

import numpy as np
import torch
from torch.nn import functional

from ...network import Convolution, Dense, Pool, PoolKind

__all__ = ["heard_at_each_step", "heard_in_window", "widest"]


def heard_in_window(synapse: Dense | Convolution, fired: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """What a whole window of the source adds: shape ``(count, neurons)``.

    ``fired``: int, shape ``(count, source size)``; the kernel is as long as the source's window.
    """
    amounts, pool = torch.as_tensor(np.append(synapse.kernel, 0), device=fired.device).to(dtype), synapse.pool
    if pool is not None and pool.kind is PoolKind.MAX:
        fired, pool = _earliest(pool, fired, len(amounts) - 1), None
    passed = torch.index_select(amounts, 0, fired.flatten().int()).view(fired.shape)
    return _weighted(synapse, passed if pool is None else _sum_of_regions(pool, passed))


def heard_at_each_step(synapse: Dense | Convolution, fired: torch.Tensor,
                       dtype: torch.dtype) -> torch.Tensor:
    """What each step of the source adds: shape ``(count, window, neurons)``; ``fired`` as above."""
    pool, kernel = synapse.pool, torch.as_tensor(np.array(synapse.kernel), device=fired.device).to(dtype)
    if pool is not None and pool.kind is PoolKind.MAX:
        fired, pool = _earliest(pool, fired, len(kernel)), None
    steps = torch.arange(len(kernel), device=fired.device)
    arriving = (fired.unsqueeze(1) == steps.view(1, -1, 1)).to(dtype) * kernel.view(1, -1, 1)
    flat = arriving.flatten(0, 1)
    if pool is not None:
        flat = _sum_of_regions(pool, flat)
    return _weighted(synapse, flat).view(*arriving.shape[:2], -1)


def widest(synapse: Dense | Convolution) -> int:
    """The most numbers that one image, or one step of it, takes on the way through."""
    taps = prod(synapse.weights.shape[1:]) * synapse.size // len(synapse.weights) \
        if isinstance(synapse, Convolution) else 0
    return max(synapse.source_size, synapse.heard_size, synapse.size, taps)


def _weighted(synapse: Dense | Convolution, amounts: torch.Tensor) -> torch.Tensor:
    """From what each address brings, shape ``(count, heard size)``, to what it adds up to."""
    weights = torch.as_tensor(np.array(synapse.weights), device=amounts.device).to(amounts.dtype)
    if synapse.scale is not None:
        amounts = amounts * torch.as_tensor(np.array(synapse.scale), device=amounts.device).to(amounts.dtype)
    if isinstance(synapse, Dense):
        return amounts @ weights.t()
    top, bottom, left, right = synapse.padding
    if amounts.device.type == "cpu":
        even = (top, left) == (bottom, right)
        planes = amounts.view(-1, *synapse.source_shape) if even else _padded(synapse, amounts, 0)
        sums = functional.conv2d(planes, weights, None, synapse.stride, (top, left) if even else 0,
                                 synapse.dilation, synapse.groups)
        return sums.flatten(1)
    planes = _padded(synapse, amounts, 0)
    windows = functional.unfold(planes, weights.shape[2:], synapse.dilation, 0, synapse.stride)
    each = prod(weights.shape[1:])
    windows = windows.view(len(windows), synapse.groups, each, -1)
    return (weights.view(synapse.groups, -1, each) @ windows).flatten(1)


def _earliest(pool: Pool, fired: torch.Tensor, window: int) -> torch.Tensor:
    """The step in which each region first brings a spike, ``window`` where none comes."""
    planes = _padded(pool, fired, window)
    for size, stride in zip(reversed(pool.size), reversed(pool.stride), strict=True):  # across, then down
        reach = planes.shape[-1] - size + 1
        planes = reduce(torch.minimum, (planes[..., place:place + reach:stride] for place in range(size)))
        planes = planes.transpose(-1, -2)
    return planes.flatten(1)


def _sum_of_regions(pool: Pool, amounts: torch.Tensor) -> torch.Tensor:
    planes = _padded(pool, amounts, 0)
    return functional.avg_pool2d(planes, pool.size, pool.stride, divisor_override=1).flatten(1)


def _padded(pool: Pool | Convolution, amounts: torch.Tensor, fill: float) -> torch.Tensor:
    """``amounts``, shape ``(count, addresses)``, as planes with ``fill`` around them."""
    top, bottom, left, right = pool.padding
    planes = amounts.view(-1, *pool.source_shape)
    return functional.pad(planes, (left, right, top, bottom), value=fill) if any(pool.padding) else planes
