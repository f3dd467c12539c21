"""From pixel levels to the spikes that a module in training hears, in torch."""

from collections.abc import Sequence

import numpy as np
import torch

from ...network import Input, Latency

__all__ = ["arrivals", "values"]


def arrivals(levels: torch.Tensor, source: Input, dtype: torch.dtype,
             ends: Sequence[int] | None = None) -> torch.Tensor:
    """Which input spikes in which step.

    Parameters
    ----------
    levels : Tensor
        Ints or whole floats, shape ``(count, size)``.
    source : Input
        With a latency encoding.
    dtype : torch.dtype
        Of the result.
    ends : sequence of int or None
        The last step of each group of steps that are taken as one (rising, the last of them the window's
        last); None: each step by itself.

    Returns
    -------
    Tensor
        0 or 1, shape ``(window or groups, count, used inputs)``.
    """
    table = _table(source)
    if ends is not None:
        table = np.where(table < 0, -1, np.searchsorted(np.asarray(ends), table)).astype(np.int16)
    steps = _lookup(levels, source, table)
    groups = torch.arange(source.window if ends is None else len(ends), device=levels.device)
    return (steps == groups.to(steps.dtype).view(-1, 1, 1)).to(dtype)


def values(levels: torch.Tensor, source: Input, kernel: np.ndarray) -> torch.Tensor:
    """What each input says in a whole window, ``K[step]`` or 0 where silent.

    Parameters
    ----------
    levels : Tensor
        Ints or whole floats, shape ``(count, size)``.
    source : Input
        With a latency encoding.
    kernel : array
        Ints, shape ``(window,)``.

    Returns
    -------
    Tensor
        float32, shape ``(count, used inputs)``.
    """
    table = _table(source)
    return _lookup(levels, source, np.where(table < 0, 0, kernel[table]).astype(np.float32))


def _table(source: Input) -> np.ndarray:
    if not isinstance(source.encoding, Latency):
        raise TypeError(f"encoding must be a Latency to train with, not {source.encoding!r}")
    return source.encoding.table.astype(np.int16)


def _lookup(levels: torch.Tensor, source: Input, table: np.ndarray) -> torch.Tensor:
    used = torch.as_tensor(source.used, device=levels.device)
    return torch.as_tensor(table, device=levels.device)[levels[:, used].int()]
