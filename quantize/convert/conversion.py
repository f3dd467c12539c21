"""What the conversions have in common: one interface, and the choice of what a spike is worth."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from ...network.behaviour import Phase
from ..graph.operations import Shape
from ..graph.refusals import Refusals
from . import encoded_input
from .codes import Code
from .encoded_input import EncodedInput
from .rounded_layers import RoundedLayer
from .settings import Settings
from .stage import Stage

__all__ = ["Conversion", "Rectifier", "best_unit", "fixed_unit"]

UNITS = 40
"""How many sizes of a unit are tried."""


@dataclass(frozen=True)
class Rectifier:
    """A ReLU, that may be cut off and rounded.

    Attributes
    ----------
    peak : float or None
        Where it is cut off.
    levels : int or None
        To how many parts of the peak it is rounded.
    """

    peak: float | None = None
    levels: int | None = None

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """What it makes of ``values``."""
        values = values.clamp(min=0, max=self.peak)
        if self.levels is None or self.peak is None:
            return values
        return (values * self.levels / self.peak + 0.5).floor() * (self.peak / self.levels)


class Conversion:
    """One way from a network of ReLUs to spikes. Its steps, in their order:

    1. :meth:`refuse` names what it cannot take of the folded network;
    2. :meth:`encoded` makes the input;
    3. :meth:`code` chooses, for each hidden layer, how its neurons speak and what a spike is worth, from the
       float network's activations;
    4. :meth:`tune`, where it has one, corrects the layer by what really arrives at it.
    """

    name: ClassVar[str]
    window: ClassVar[int]
    """Steps of a layer, where the settings leave it open."""
    encodings: ClassVar[tuple[str, ...]]
    """Encodings of the input that it takes; the first where the settings leave it open."""
    rates: ClassVar[bool] = False
    """Whether its neurons speak online by their spike counts."""

    def refuse(self, stages: Sequence[Stage], settings: Settings, refusals: Refusals) -> None:
        """Refuse what has no exact form in this code."""
        pool = stages[0].pool
        if pool is not None and pool.maximum and self.encoding(settings) == "bits":
            refusals.add(stages[0].pool_place, "the maximum of numbers is not that of their binary digits; "
                                               "take another encoding of the input")

    def encoding(self, settings: Settings) -> str:
        """Of the input. Raises ValueError where this conversion does not take it."""
        if settings.encoding == "auto":
            return self.encodings[0]
        if settings.encoding not in self.encodings:
            raise ValueError(f"encoding must be {' or '.join(self.encodings)} in {self.name}, "
                             f"not {settings.encoding!r}")
        return settings.encoding

    def encoded(self, shape: Shape, settings: Settings) -> EncodedInput:
        """The network's input: latency in the conversion's own kernel, or where the encoding says so bits or
        the levels themselves, both exact."""
        encoding = self.encoding(settings)
        if encoding == "bits":
            return encoded_input.bits(shape, settings.levels)
        if encoding == "direct":
            return encoded_input.direct(shape, settings.levels, None)
        window = settings.input_window or settings.window or self.window
        return encoded_input.latency(shape, settings.levels, self.kernel(settings, window))

    def kernel(self, settings: Settings, window: int) -> np.ndarray:
        """What a spike is worth, step by step, where the input is latency: int64, shape ``(window,)``."""
        raise NotImplementedError

    def code(self, values: torch.Tensor, activation: Rectifier, settings: Settings) -> tuple[Code, float]:
        """How a hidden layer speaks, and its unit.

        Parameters
        ----------
        values : torch.Tensor
            Some of its activations, not negative.
        activation : Rectifier
            What the float network's layer ends in.
        settings : Settings
            Of the conversion.
        """
        raise NotImplementedError

    def output(self, values: torch.Tensor, settings: Settings) -> tuple[Code | None, float]:
        """The same for the outputs; no code where they are read by potential."""
        return None, 1.0

    def tune(self, layer: RoundedLayer, amounts: torch.Tensor, values: torch.Tensor) -> None:
        """Correct a layer by what arrives at it.

        Parameters
        ----------
        layer : RoundedLayer
            Changed in place.
        amounts : torch.Tensor
            What arrives: ``(count, neurons)``, or ``(steps, count, neurons)`` online.
        values : torch.Tensor
            What the layer should pass on, ``(count, neurons)``.
        """


def best_unit(values: torch.Tensor, code: Code, units: Iterable[float] | None = None) -> tuple[float, float]:
    """The unit with which a code tells values with the least mean squared error.

    Parameters
    ----------
    values : torch.Tensor
        What is to be told, not negative.
    code : Code
        How it is told.
    units : iterable of float or None
        Those to try; None: such that the highest amount is a part of the largest value.

    Returns
    -------
    unit, error : float
        The best unit and its mean squared error.
    """
    largest = float(values.max()) if values.numel() else 0.0
    if largest <= 0:
        return 1.0, 0.0
    top = 1 if code.phase is Phase.ONLINE else code.top
    tried = [largest * (index + 1) / UNITS / top for index in range(2, UNITS)] if units is None else units
    return min(((unit, float((code.nearest(values, unit) - values).square().mean())) for unit in tried),
               key=lambda found: found[1])


def fixed_unit(values: torch.Tensor, activation: Rectifier, code: Callable[[], Code]) -> tuple[Code, float]:
    """A code with the unit of the activation's own peak, or else the best one."""
    made = code()
    if activation.peak is not None:
        return made, activation.peak / (1 if made.phase is Phase.ONLINE else made.top)
    return made, best_unit(values, made)[0]
