"""TTFS with the exact ReLU mapping (Stanojevic et al., arXiv 2306.08744; YOSO, arXiv 2006.09982).

``K[t] = G[t] = T - t``, windowed, once, read by potential. In integers a neuron passes on
``min(T, floor(V / theta))``: a ReLU of ``T`` levels, exactly, so that nothing is approximated but the weights
and the levels of the activations. (YOSO's own equations are not public; this is Stanojevic's mapping, each
layer with the fixed window that bounds its activations.) Maximum pooling is exact: the earliest spike.
"""

import torch

from . import source
from .base import Conversion, Rectifier, fixed_unit
from .codes import Code, linear
from .parts import Shape
from .settings import Settings
from .source import Source

__all__ = ["Relu"]


class Relu(Conversion):
    """The linear kernel."""

    name = "relu"
    window = 16
    encodings = ("latency", "bits", "direct")

    def source(self, shape: Shape, settings: Settings) -> Source:
        """Latency in the same linear kernel; bits or the levels themselves where asked, both exact."""
        encoding = self.encoding(settings)
        if encoding == "bits":
            return source.bits(shape, settings.levels)
        if encoding == "direct":
            return source.direct(shape, settings.levels, None)
        window = settings.input_window or settings.window or self.window
        return source.latency(shape, settings.levels, linear(window, nearest=True).schedule)

    def code(self, values: torch.Tensor, activation: Rectifier, settings: Settings) -> tuple[Code, float]:
        """One unit for the layer, such that the levels are nearest to the activations."""
        return fixed_unit(values, activation, lambda: linear(
            settings.window or self.window, nearest=settings.rounding == "nearest"))
