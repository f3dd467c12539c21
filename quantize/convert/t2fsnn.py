"""T2FSNN (Park et al., arXiv 2003.11741): one spike, whose kernel falls exponentially.

``K[t] = G[t]``, an integer table of ``exp(-t / tau)``, windowed, once, read by potential; without early
firing. The paper tunes its kernels by gradient; here the best of a row of ``tau`` is taken for each layer, by
the mean squared error of the activations, and the threshold lies between a value and the next (``rounding``
"down": at the value). ``kernel`` "two": powers of two, ``2**(T - 1 - t)``, a form of our own that takes
shifts only.
"""

import math

import numpy as np
import torch

from ..schedules import powers_of_two
from .codes import Code, table
from .conversion import Conversion, Rectifier, best_unit, fixed_unit
from .settings import Settings

__all__ = ["T2fsnn", "exponential"]

HIGHEST = 255
"""The first entry of an exponential table."""


def exponential(window: int, tau: float) -> np.ndarray:
    """The table ``255 exp(-t / tau)``, rounded, at least 1: int64, shape ``(window,)``."""
    return np.maximum(1, np.rint(HIGHEST * np.exp(-np.arange(window) / tau))).astype(np.int64)


class T2fsnn(Conversion):
    """Falling kernels."""

    name = "t2fsnn"
    window = 16
    encodings = ("latency", "bits", "direct")

    def code(self, values: torch.Tensor, activation: Rectifier, settings: Settings) -> tuple[Code, float]:
        """The kernel and the unit that are nearest to the activations."""
        window, nearest = settings.window or self.window, settings.rounding == "nearest"
        if settings.kernel == "two" or settings.tau is not None or activation.peak is not None:
            kernel = self.kernel(settings, window)
            return fixed_unit(values, activation, lambda: table(kernel, nearest=nearest))
        found = []
        for tau in np.geomspace(max(0.5, window / 10), 2 * window, 12):
            made = table(exponential(window, float(tau)), nearest=nearest)
            unit, error = best_unit(values, made)
            found.append((error, len(found), made, unit))
        _, _, made, unit = min(found)
        return made, unit

    def kernel(self, settings: Settings, window: int) -> np.ndarray:
        """Powers of two, or an exponential of the asked time constant, else of a quarter of the window."""
        if settings.kernel == "two":
            if window > 16:
                raise ValueError(f"window must be at most 16 for a kernel of powers of two, not {window}")
            return powers_of_two(window)
        return exponential(window, settings.tau or max(window / 4, 1 / math.log(HIGHEST)))
