"""Codes: how a layer of neurons tells the next one a number, and what of the number arrives.

A neuron of potential ``V`` and threshold ``theta`` passes on the sum of ``K`` at the steps of its spikes, its
*amount*. In the windowed codes that is a function of ``floor(V / theta)`` alone, for ``V >= theta * G[t]`` is
``floor(V / theta) >= G[t]``; `Code.passes` holds it. An amount of 1 stands for a real number, the layer's
*unit*, and ``theta`` is ``share * unit``; ``V`` starts with ``lead * theta`` on top of the bias.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ...network.behaviour import Fires, Phase
from .. import schedules

__all__ = ["Code", "binary", "linear", "rate", "table"]


@dataclass(frozen=True, eq=False)
class Code:
    """How the neurons of a layer fire, and how they are heard.

    Attributes
    ----------
    window : int
        Steps.
    phase, fires
        Of the layer.
    schedule : numpy.ndarray
        ``K`` of the listeners, and ``G`` and ``R`` (where it resets) of the layer: int64, shape
        ``(window,)``.
    passes : numpy.ndarray or None
        int64, the amount for each ``floor(V / theta)`` from 0 to the highest that counts; None for online
        codes.
    share : float
        The threshold in units.
    lead : float
        Part of the threshold that ``V`` starts with.
    """

    window: int
    phase: Phase
    fires: Fires
    schedule: np.ndarray
    passes: np.ndarray | None
    share: float = 1.0
    lead: float = 0.0

    @property
    def top(self) -> int:
        """The highest amount."""
        return self.window if self.passes is None else int(self.passes[-1])

    def led(self, lead: float) -> "Code":
        """The same with another start of ``V``."""
        return replace(self, lead=lead)

    def fire(self, sums: torch.Tensor, initial: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
        """What is passed on; gradients go straight through.

        Parameters
        ----------
        sums : torch.Tensor
            What has arrived, with the bias: shape ``(count, neurons)``, or ``(window, count, neurons)`` for
            online codes. Whole numbers stay exact below 2**23 in float32 and 2**52 in float64.
        initial, threshold : torch.Tensor
            What ``V`` starts with, and the threshold: shape ``(neurons,)``.

        Returns
        -------
        torch.Tensor
            Amounts of the windowed codes, spikes (0 or 1) of the online ones, in the shape of ``sums``.
        """
        if self.passes is None:
            return _rates(sums, initial, threshold)
        level = (sums + initial) / threshold
        inside = level.clamp(0, len(self.passes) - 0.001)
        whole = inside.detach().floor().clamp(max=len(self.passes) - 1)  # float32 may have rounded up
        if not np.array_equal(self.passes, np.arange(len(self.passes))):
            known = torch.as_tensor(self.passes, device=whole.device)
            whole = known[whole.long()].to(sums.dtype)
        return whole + self.share * (inside - inside.detach())

    def nearest(self, values: torch.Tensor, unit: float) -> torch.Tensor:
        """What arrives of real numbers: the same in units, without weights."""
        if self.passes is None:
            known, share = np.arange(self.window + 1) / self.window, 1 / self.window
        else:
            known, share = self.passes, self.share
        whole = (values / (share * unit) + self.lead).floor().clamp(0, len(known) - 1)
        return torch.as_tensor(known, device=values.device).to(values.dtype)[whole.long()] * unit


class _Spike(torch.autograd.Function):
    """1 from ``level`` 1 on; backward, a slope of 1 between half a threshold below and above."""

    @staticmethod
    def forward(ctx: Any, level: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(level)
        return (level >= 1).to(level.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        (level,) = ctx.saved_tensors
        return gradients[0] * ((level - 1).abs() < 0.5)


def _rates(sums: torch.Tensor, initial: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    potential = initial.expand_as(sums[0])
    spikes = []
    for arrived in sums:
        potential = potential + arrived
        spike: Any = _Spike.apply(potential / threshold)
        potential = potential - spike.detach() * threshold
        spikes.append(spike)
    return torch.stack(spikes)


def linear(window: int, *, nearest: bool) -> Code:
    """Time to first spike: ``T - t``, so ``T`` levels and nothing (Stanojevic et al., arXiv 2306.08744)."""
    return Code(window, Phase.WINDOWED, Fires.ONCE, schedules.linear(window), np.arange(window + 1),
                lead=0.5 if nearest else 0.0)


def binary(window: int, *, nearest: bool) -> Code:
    """The binary digits of the level, ``2**(T - 1 - t)`` (Stoeckl and Maass, arXiv 2002.00860)."""
    return Code(window, Phase.WINDOWED, Fires.MANY, schedules.powers_of_two(window),
                np.arange(1 << window), lead=0.5 if nearest else 0.0)


def table(schedule: np.ndarray, *, nearest: bool) -> Code:
    """One spike of a falling kernel (T2FSNN, Park et al., arXiv 2003.11741).

    Parameters
    ----------
    schedule : numpy.ndarray
        The kernel: integers that fall, at least 1.
    nearest : bool
        Whether the threshold is lowered to the middle of a value and the next one, by the mean ratio of the
        two; kernel and threshold keep the same schedule.
    """
    passes = np.zeros(int(schedule[0]) + 1, np.int64)
    for value in schedule[::-1]:
        passes[value:] = value
    share = 1.0
    if nearest and len(schedule) > 1:
        ratio = (schedule[-1] / schedule[0]) ** (1 / (len(schedule) - 1))
        share = (1 + ratio) / 2
    return Code(len(schedule), Phase.WINDOWED, Fires.ONCE, schedule.astype(np.int64), passes, share)


def rate(window: int, lead: float) -> Code:
    """Spike counts of integrate-and-fire neurons that are reset by subtraction; a spike is one unit."""
    return Code(window, Phase.ONLINE, Fires.MANY, np.ones(window, np.int64), None, lead=lead)
