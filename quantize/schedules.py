"""The falling schedules that networks are made with: what a spike says by its step.

Int64, shape ``(window,)``. A layer that passes numbers on has one as its threshold schedule ``G``, and those
who hear it have the same one as their kernel ``K``.
"""

import numpy as np

__all__ = ["linear", "powers_of_two"]


def linear(window: int) -> np.ndarray:
    """``T - t``."""
    return np.arange(window, 0, -1)


def powers_of_two(window: int) -> np.ndarray:
    """``2**(T - 1 - t)``."""
    return 1 << np.arange(window - 1, -1, -1)
