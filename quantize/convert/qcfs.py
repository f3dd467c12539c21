"""QCFS (Bu et al., arXiv 2303.04347): rates of integrate-and-fire neurons that start at theta / 2.

Online, many, reset by subtraction, read by potential or count. The matching activation is
``lambda * clip(floor(x L / lambda + 1/2) / L, 0, 1)``, `ClipFloorShift`; a plain ReLU is taken as one whose
``lambda`` is chosen on the data. What arrives in ``T = L`` steps is what that activation gives wherever the
current is the same in every step: in the first layer always, in all layers for ``T = 1``. Deeper layers may
hear their spikes unevenly, which no choice of ``lambda`` mends.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ..graph.operations import Activation, Shape
from ..graph.refusals import Refusals
from . import encoded_input
from .codes import Code, rate
from .conversion import Conversion, Rectifier, best_unit, fixed_unit
from .encoded_input import EncodedInput
from .settings import Settings
from .stage import Stage

__all__ = ["ClipFloorShift", "Qcfs", "Rates", "read"]


class ClipFloorShift(nn.Module):
    """``threshold * clip(floor(x levels / threshold + 1/2) / levels, 0, 1)``, an activation to train with.

    The gradient goes straight through; ``threshold`` is trained with the network.

    Parameters
    ----------
    levels : int
        The steps that the converted network is to take.
    threshold : float
        What it begins with.

    Raises
    ------
    ValueError
        ``levels`` is no positive integer.
    """

    def __init__(self, levels: int, threshold: float = 8.0):
        super().__init__()
        if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
            raise ValueError(f"levels must be a positive integer, not {levels!r}")
        self.levels = levels
        self.threshold = nn.Parameter(torch.tensor(float(threshold)))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """What it makes of ``values``, of any shape."""
        part = (values / self.threshold).clamp(0, 1)
        whole = (part.detach() * self.levels + 0.5).floor() / self.levels
        return (whole + (part - part.detach())) * self.threshold

    def extra_repr(self) -> str:
        """For its print."""
        return f"levels={self.levels}"


class Rates(Conversion):
    """What the conversions to spike counts have in common."""

    encodings = ("direct",)
    window = 4
    rates = True
    lead = 0.5

    def refuse(self, stages: Sequence[Stage], settings: Settings, refusals: Refusals) -> None:
        """Maxima of counts, which the maximum of each step's spikes is not, but for one step."""
        super().refuse(stages, settings, refusals)
        if (settings.window or self.window) == 1:
            return
        for stage in stages[1:]:
            if stage.pool is not None and stage.pool.maximum:
                refusals.add(stage.pool_place, "the maximum of counts is not that of each step's spikes; "
                                               "take an AvgPool2d, a window of 1, or convert to relu or "
                                               "t2fsnn")

    def encoded(self, shape: Shape, settings: Settings) -> EncodedInput:
        """The levels themselves, in every step."""
        self.encoding(settings)
        return encoded_input.direct(shape, settings.levels, settings.window or self.window)

    def code(self, values: torch.Tensor, activation: Rectifier, settings: Settings) -> tuple[Code, float]:
        """One threshold for the layer, such that the counts are nearest to the activations."""
        return fixed_unit(values, activation, lambda: rate(settings.window or self.window, self.lead))

    def output(self, values: torch.Tensor, settings: Settings) -> tuple[Code | None, float]:
        """Read by count: neurons like the others, of one threshold."""
        if settings.readout == "potential":
            return None, 1.0
        made = rate(settings.window or self.window, self.lead)
        return made, best_unit(values.clamp(min=0), made)[0]


class Qcfs(Rates):
    """Clip, floor, shift."""

    name = "qcfs"


def read(module: Any) -> Activation:
    """What a `ClipFloorShift` is. Raises ValueError where its threshold is not positive."""
    peak = float(module.threshold.detach())
    if not 0 < peak < float("inf"):
        raise ValueError(f"its threshold must be above 0, not {peak}; train it again")
    return Activation(Rectifier(peak, module.levels))
