"""A network as it is rounded, in torch: real weights behind integers, whose every number is the network's.

In evaluation and float64 the forward pass is the golden model's arithmetic, integer for integer; in training
the same integers have gradients that go straight through the rounding. A layer adds
``2**fraction * sum(w a)`` to its potential, where ``w`` are integers, each worth ``scale``, and an amount
``a`` of its source is worth ``heard.unit``; thresholds, biases and what the potential starts with are counted
in the same small unit and rounded to whole numbers.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ...network import Convolution, Dense, Fires, Layer, Limits, Phase, Pool
from ..train.sign_weights import integers
from ..train.straight_through import rounded
from .codes import Code
from .grid import on_grid, steps
from .stage import Stage

__all__ = ["Heard", "RoundedLayer", "RoundedNetwork"]

SMALLEST_THRESHOLD = 32
"""Fraction bits are added until no threshold is below, so that rounding moves none by more than 1 in 64."""
MOST_FRACTION = 12
OUTPUT_FRACTION = 4
"""Of outputs without a threshold: biases in sixteenths of a weight at the finest."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What a layer listens to.

    Attributes
    ----------
    kernel : numpy.ndarray
        For its source's steps: int64, shape ``(window,)``.
    unit : float
        What an amount of 1 is worth.
    online : int or None
        How many steps the source speaks for; None: windowed, the amounts of a whole window come at once.
    """

    kernel: np.ndarray
    unit: float
    online: int | None


class RoundedLayer(nn.Module):
    """One layer: real numbers, float64 at first, and the integers that they are rounded to.

    Attributes
    ----------
    weight : torch.nn.Parameter
        Real, of the stage's shape.
    scale : torch.nn.Parameter
        The logarithm of what an integer weight is worth: one a channel, or one for all outputs.
    bias : torch.nn.Parameter
        Real, one a neuron.
    unit : float
        What an amount of 1 of its own is worth.
    code : Code or None
        How its neurons speak; None for outputs that are read by potential.
    fraction : int
        Binary places of the potential below a weight.
    """

    step: torch.Tensor

    def __init__(self, stage: Stage, heard: Heard, code: Code | None, unit: float, bits: int, *,
                 output: bool = False):
        super().__init__()
        self.stage, self.heard, self.code, self.unit, self.bits = stage, heard, code, unit, bits
        self.output = output
        self.weight = nn.Parameter(stage.weight.clone())
        self.register_buffer("step", steps(stage.weight, bits, together=output))
        self.scale = nn.Parameter(self.step.flatten().log())
        self.bias = nn.Parameter(stage.bias.clone())
        self.fraction = 0
        self.choose_fraction()

    @property
    def phase(self) -> Phase:
        """Online where its source is heard step by step."""
        return Phase.WINDOWED if self.heard.online is None else Phase.ONLINE

    @torch.no_grad()
    def choose_fraction(self) -> None:
        """The fewest fraction bits with which thresholds, or the outputs' biases, are rounded but little;
        none where all are whole numbers as they are."""
        exact = self._counted(self.bias)
        if self.code is not None:
            thresholds = self._ratio()
            exact = torch.cat([exact, thresholds])
            smallest = float(thresholds.min())
        else:
            spread = float(self.stage.bias.abs().max()) / float(self.scale.exp()) / self.heard.unit
            smallest = SMALLEST_THRESHOLD if spread == 0 else spread
        if bool(((exact - exact.round()).abs() < 1e-6 * exact.abs().clamp(min=1)).all()):
            self.fraction = 0
            return
        missing = math.log2(SMALLEST_THRESHOLD / max(smallest, 1e-9))
        most = OUTPUT_FRACTION if self.code is None else MOST_FRACTION
        self.fraction = min(most, max(0, math.ceil(missing)))

    @torch.no_grad()
    def roundings(self) -> tuple[float, float, float]:
        """How far weights, thresholds and biases were rounded.

        Returns
        -------
        weights, threshold, bias : float
            Root mean square of the weights' rounding, in that of the weights; the most that a threshold
            moved, relative to itself; the most that a bias moved, in thresholds (of an output: in its largest
            bias).
        """
        off = (self.weights() * self.step - self.weight).square().mean().sqrt()
        weights = float(off / self.weight.square().mean().sqrt().clamp(min=1e-300))
        exact = self._counted(self.bias) * 2 ** self.fraction
        bias = (self.added() - exact).abs()
        if self.code is None:
            return weights, 0.0, float(bias.max() / exact.abs().max().clamp(min=1e-300))
        wanted = self._ratio() * 2 ** self.fraction
        threshold = self.threshold()
        moved = float(((rounded(wanted, low=1) - wanted).abs() / wanted).max())
        return weights, moved, float((bias / threshold).max())

    def _worth(self) -> torch.Tensor:
        """What 1 of the potential is worth, of each channel or of all."""
        return self.scale.exp() * (self.heard.unit / 2 ** self.fraction)

    def _ratio(self) -> torch.Tensor:
        assert self.code is not None
        return self.code.share * self.unit / (self.scale.exp() * self.heard.unit)

    def _counted(self, bias: torch.Tensor) -> torch.Tensor:
        worth = self.scale.exp() * self.heard.unit
        return bias / (worth if self.output else self.stage.per_neuron(worth))

    def worth(self) -> torch.Tensor:
        """What 1 of the potential is worth in the float network's numbers: shape ``(neurons,)``."""
        worth = self._worth()
        return worth.expand(self.stage.size) if self.output else self.stage.per_neuron(worth)

    def weights(self) -> torch.Tensor:
        """The integer weights, in the stage's shape."""
        return on_grid(self.weight, self.step, self.bits)

    def threshold(self) -> torch.Tensor:
        """``theta``, whole numbers: shape ``(neurons,)``."""
        threshold = rounded(self._ratio() * 2 ** self.fraction, low=1)
        return threshold.expand(self.stage.size) if self.output else self.stage.per_neuron(threshold)

    def added(self) -> torch.Tensor:
        """The bias in whole numbers: shape ``(neurons,)``."""
        return rounded(self._counted(self.bias) * 2 ** self.fraction)

    def lead(self, threshold: torch.Tensor) -> torch.Tensor:
        """What the potential starts with besides the bias, whole numbers: ``lead * theta``, rounded down."""
        assert self.code is not None
        exact = self.code.lead * threshold
        return exact.detach().floor() + (exact - exact.detach())

    def sums(self, amounts: torch.Tensor) -> torch.Tensor:
        """What arrives, with the bias.

        Parameters
        ----------
        amounts : torch.Tensor
            Of the source: ``(count, neurons)``, or ``(steps, count, neurons)`` online.

        Returns
        -------
        torch.Tensor
            Of the same shape, but for the number of neurons.
        """
        arrived = self.stage.linear(amounts.reshape(-1, amounts.shape[-1]), self.weights())
        return (arrived * 2 ** self.fraction + self.added()).reshape(*amounts.shape[:-1], -1)

    def forward(self, amounts: torch.Tensor) -> torch.Tensor:
        """What this layer passes on; what arrives, for the outputs that never fire."""
        sums = self.sums(amounts)
        if self.code is None:
            return sums
        threshold = self.threshold()
        return self.code.fire(sums, self.lead(threshold), threshold)

    def _check_numbers(self) -> None:
        """ValueError where a threshold or a bias is no number that fits."""
        numbers = [self.added()] if self.code is None else [self.added(), self.threshold()]
        largest = max(float(number.abs().max()) for number in numbers)
        if not largest <= Limits.VALUE or not torch.isfinite(self.weights()).all():
            raise ValueError(f"{self.stage.place}: its threshold or a bias is {largest:.3g} times what a "
                             "weight is worth; check its weights")

    @torch.no_grad()
    def layer(self, name: str) -> Layer:
        """The layer of integers."""
        kernel = self.heard.kernel * 2 ** self.fraction
        weights = integers(self.weights())
        pool, pooling = None, self.stage.pool
        if pooling is not None:
            pool = Pool("max" if pooling.maximum else "sum", pooling.size, pooling.geometry.stride,
                        pooling.geometry.padding, self.stage.source_shape)
        geometry = self.stage.geometry
        if geometry is None:
            synapses = Dense(weights, kernel, pool=pool)
        else:
            synapses = Convolution(weights, self.stage.heard_shape, geometry.stride, geometry.padding,
                                   geometry.dilation, geometry.groups, kernel, pool=pool)
        self._check_numbers()
        added = integers(self.added())
        online = self.heard.online is not None
        if self.code is None:
            window = self.heard.online or 1
            return Layer(synapses, window, self.phase, Fires.NEVER, initial=0 if online else added,
                         bias=added if online else 0, name=name)
        threshold = self.threshold()
        lead, whole, code = integers(self.lead(threshold)), integers(threshold), self.code
        many = code.fires is Fires.MANY
        return Layer(synapses, code.window, code.phase, code.fires, threshold=whole,
                     initial=lead if online else added + lead, bias=added if online else 0,
                     threshold_schedule=code.schedule, reset_schedule=code.schedule if many else 1, name=name)


class RoundedNetwork(nn.Module):
    """A chain of layers; forward takes what the input passes on to what arrives at the outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[RoundedLayer] = []
        self.chain = nn.ModuleList()

    def append(self, layer: RoundedLayer) -> None:
        """Put a layer behind the others."""
        self.layers.append(layer)
        self.chain.append(layer)

    def forward(self, amounts: torch.Tensor) -> torch.Tensor:
        """Potentials of the outputs without resets, ``(count, outputs)`` or ``(steps, count, outputs)``."""
        for layer in self.layers[:-1]:
            amounts = layer(amounts)
        return self.layers[-1].sums(amounts)
