"""What a spike says by its step in windowed networks: one schedule is both the kernel ``K`` of those who hear
it and the threshold schedule ``G`` of the neuron that fires.

A neuron of potential ``V`` and threshold ``theta`` fires at the first ``t`` with ``V >= theta G[t]``, so it
passes on the largest value of the schedule that is at most ``V / theta``, nothing where there is none.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from ..schedules import linear, powers_of_two

__all__ = ["Kernel"]


@dataclass(frozen=True)
class Kernel:
    """A schedule that falls to 1.

    Attributes
    ----------
    name : str
        "linear" is ``T - t``, a ReLU of ``T`` levels (Stanojevic et al., arXiv 2306.08744); "two" is
        ``2**(T - 1 - t)``, the exponential kernel of T2FSNN (Park et al., arXiv 2003.11741) in powers of two,
        which hardware shifts.
    window : int
        Its steps.
    """

    name: str
    window: int

    @cached_property
    def schedule(self) -> np.ndarray:
        """int64, shape ``(window,)``."""
        return (linear if self.name == "linear" else powers_of_two)(self.window)

    @property
    def top(self) -> int:
        """What a spike in step 0 says."""
        return int(self.schedule[0])

    @property
    def stretch(self) -> float:
        """How much larger its values are than those of the linear kernel."""
        return self.top / self.window

    def passed(self, level: torch.Tensor) -> torch.Tensor:
        """What is passed on at ``V / theta``, exact where ``V`` is a whole number below 2**24."""
        whole = level.floor().clamp(0, self.top)
        if self.name == "linear":
            return whole
        mantissa, _ = torch.frexp(whole.float())    # a number over its mantissa is a power of two
        return torch.where(whole > 0, whole / (2 * mantissa), 0).to(level.dtype)
