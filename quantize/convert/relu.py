"""TTFS with the exact ReLU mapping (Stanojevic et al., arXiv 2306.08744; YOSO, arXiv 2006.09982).

``K[t] = G[t] = T - t``, windowed, once, read by potential. In integers a neuron passes on
``min(T, floor(V / theta))``: a ReLU of ``T`` levels, exactly, so that nothing is approximated but the weights
and the levels of the activations. (YOSO's own equations are not public; this is Stanojevic's mapping, each
layer with the fixed window that bounds its activations.) Maximum pooling is exact: the earliest spike.
"""

import numpy as np
import torch

from .codes import Code, linear
from .conversion import Conversion, Rectifier, fixed_unit
from .settings import Settings

__all__ = ["Relu"]


class Relu(Conversion):
    """The linear kernel."""

    name = "relu"
    window = 16
    encodings = ("latency", "bits", "direct")

    def kernel(self, settings: Settings, window: int) -> np.ndarray:
        """The same line as of the layers."""
        return linear(window, nearest=True).schedule

    def code(self, values: torch.Tensor, activation: Rectifier, settings: Settings) -> tuple[Code, float]:
        """One unit for the layer, such that the levels are nearest to the activations."""
        return fixed_unit(values, activation, lambda: linear(
            settings.window or self.window, nearest=settings.rounding == "nearest"))
