"""From pixel levels to spikes, for training."""

from collections.abc import Sequence

import numpy as np
import torch

from ...network import Input, Latency
from .kernels import Kernel

__all__ = ["arrivals", "halving_table", "latency_table", "table_for", "used_inputs", "values"]


def latency_table(window: int, dark: int, levels: int = 256) -> np.ndarray:
    """The step of each level: the brightest in step 0, equal shares of the rest after it, -1 below
    ``dark``.

    ``levels`` entries, int64; the dimmest level that is not silent, ``dark`` (1 or more), is in the last
    step.
    """
    if not 1 <= dark < levels:
        raise ValueError(f"dark must be from 1 to {levels - 1}, not {dark}")
    if window < 1:
        raise ValueError(f"window must be a positive integer, not {window}")
    level = np.arange(levels)
    return np.where(level < dark, -1, (levels - 1 - level) * window // (levels - dark))


def halving_table(window: int, dark: int, levels: int = 256) -> np.ndarray:
    """The step of each level: the brighter half in step 0, of the rest the brighter half in step 1 and so on,
    -1 below ``dark`` and for what is left after the window: ``levels`` entries, int64."""
    level = np.arange(levels)
    step = (level[:, np.newaxis] < levels >> np.arange(1, window + 1)).sum(axis=1)
    return np.where((level < dark) | (step == window), -1, step)


def table_for(kernel: Kernel, dark: int) -> np.ndarray:
    """The step of each level of 256 for which the kernel says nearly what the level is."""
    table = latency_table if kernel.name == "linear" else halving_table
    return table(kernel.window, dark)


def used_inputs(levels: np.ndarray, table: np.ndarray, rare: float) -> np.ndarray:
    """Which inputs spike in more than the share ``rare`` of the images: bool, shape ``(size,)``.

    ``levels``: the training images, ints, shape ``(count, size)``. The brightest input is always kept.
    """
    share = (table >= 0)[levels].mean(axis=0)
    return (share > rare) | (share == share.max())


def arrivals(levels: torch.Tensor, source: Input, dtype: torch.dtype,
             ends: Sequence[int] | None = None) -> torch.Tensor:
    """Which input spikes in which step: 0 or 1, shape ``(window, count, used inputs)``.

    ``levels``: ints or whole floats, shape ``(count, size)``. ``ends``: the last step of each group of steps
    that are taken as one (rising, the last of them the window's last); None: each step by itself.
    """
    table = _table(source)
    if ends is not None:
        table = np.where(table < 0, -1, np.searchsorted(np.asarray(ends), table)).astype(np.int16)
    steps = _lookup(levels, source, table)
    groups = torch.arange(source.window if ends is None else len(ends), device=levels.device)
    return (steps == groups.to(steps.dtype).view(-1, 1, 1)).to(dtype)


def values(levels: torch.Tensor, source: Input, kernel: np.ndarray) -> torch.Tensor:
    """What each input adds in a whole window, ``K[step]`` or 0 where silent: float32, shape ``(count,
    used)``."""
    table = _table(source)
    return _lookup(levels, source, np.where(table < 0, 0, kernel[table]).astype(np.float32))


def _table(source: Input) -> np.ndarray:
    if not isinstance(source.encoding, Latency):
        raise TypeError(f"encoding must be a Latency to train with, not {source.encoding!r}")
    return source.encoding.table.astype(np.int16)


def _lookup(levels: torch.Tensor, source: Input, table: np.ndarray) -> torch.Tensor:
    used = torch.as_tensor(source.used, device=levels.device)
    return torch.as_tensor(table, device=levels.device)[levels[:, used].int()]
