"""FS-neurons, few spikes (Stoeckl and Maass, arXiv 2002.00860).

``K[t] = G[t] = R[t] = 2**(T - 1 - t)``, windowed, many, read by potential: the spikes of a neuron are the
``T`` binary digits of ``min(2**T - 1, floor(V / theta))``. The maximum of two numbers is not that of their
digits, so maximum pooling is refused.
"""

from collections.abc import Sequence

import torch

from ..graph.refusals import Refusals
from .codes import Code, binary
from .conversion import Conversion, Rectifier, fixed_unit
from .settings import Settings
from .stage import Stage

__all__ = ["FewSpikes"]


class FewSpikes(Conversion):
    """Binary digits."""

    name = "fs"
    window = 4
    encodings = ("bits", "direct")

    def refuse(self, stages: Sequence[Stage], settings: Settings, refusals: Refusals) -> None:
        """Maxima over more than one digit; windows of more digits than a schedule holds."""
        super().refuse(stages, settings, refusals)
        window = settings.window or self.window
        if window > 16:
            raise ValueError(f"window must be at most 16, the digits of an FS-neuron, not {window}")
        for stage in stages[1:]:
            if stage.pool is not None and stage.pool.maximum:
                refusals.add(stage.pool_place, "the maximum of numbers is not that of their binary digits; "
                                               "take an AvgPool2d, or convert to relu or t2fsnn")

    def code(self, values: torch.Tensor, activation: Rectifier, settings: Settings) -> tuple[Code, float]:
        """One unit for the layer, such that the levels are nearest to the activations."""
        return fixed_unit(values, activation, lambda: binary(
            settings.window or self.window, nearest=settings.rounding == "nearest"))
