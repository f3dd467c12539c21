"""From a torch network to integers: read, fold, collect activations, choose codes, round.

The float network and the rounded one run side by side over some of the images, layer by layer, so that each
layer is fitted to what really arrives at it.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ...network import Network, Readout
from ..graph.operations import Activation, Shape
from ..graph.refusals import Refusals
from ..graph.torch_reader import Makers, read_chain
from . import qcfs
from .calibrated_rates import CalibratedRates
from .conversion import Conversion, Rectifier
from .encoded_input import EncodedInput
from .few_spikes import FewSpikes
from .float_network import scores
from .fold import fold
from .relu import Relu
from .rounded_layers import Heard, RoundedLayer, RoundedNetwork
from .settings import Settings
from .stage import Stage
from .t2fsnn import T2fsnn

__all__ = ["ACTIVATIONS", "CONVERSIONS", "Rounded", "round_network", "stages_of"]

CONVERSIONS: Mapping[str, Conversion] = {
    conversion.name: conversion
    for conversion in (Relu(), T2fsnn(), FewSpikes(), qcfs.Qcfs(), CalibratedRates())}
"""The conversions, by the name that the user gives."""

ACTIVATIONS: Makers = {
    nn.ReLU: lambda module: Activation(Rectifier()), nn.ReLU6: lambda module: Activation(Rectifier(6.0)),
    qcfs.ClipFloorShift: qcfs.read,
}
"""The activations that are taken, and how."""

NUMBERS = 1 << 24
"""About how many numbers of one layer are held at a time to choose its code."""
MOST_IMAGES = 1000
SAMPLE = 50_000
"""How many activations of a layer choose its unit."""
AGREES = 1e-6
"""How far the folded network's scores may be from the module's own, in float64, relative to the largest."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """A network as it is rounded, beside the float network that it comes from.

    Attributes
    ----------
    conversion : Conversion
        The way that was taken.
    settings : Settings
        Of it.
    stages : list of Stage
        The float network, folded.
    input : EncodedInput
        How levels become spikes.
    rounded : RoundedNetwork
        The layers, in torch.
    """

    conversion: Conversion
    settings: Settings
    stages: list[Stage]
    input: EncodedInput
    rounded: RoundedNetwork

    def network(self) -> Network:
        """The network of integers that it is."""
        names = [f"layer{index}" for index in range(len(self.stages))]
        layers = [layer.layer(name) for layer, name in zip(self.rounded.layers, names, strict=True)]
        count = self.rounded.layers[-1].code is not None
        return Network(self.input.input, layers, Readout.COUNT if count else Readout.POTENTIAL)

    @torch.no_grad()
    def float_layer(self, index: int, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What one layer of the float network computes.

        Parameters
        ----------
        index : int
            Which layer.
        values : numpy.ndarray
            The activations of the layer before, or levels for the first: shape ``(count, source neurons)``.

        Returns
        -------
        sums, activations : numpy.ndarray
            float64, shape ``(count, neurons)``; the sums with the bias.
        """
        stage = self.stages[index]
        sums = stage.linear(torch.as_tensor(values)) + stage.bias
        passed = sums if stage.activation is None else stage.activation(sums)
        return sums.numpy(), passed.numpy()

    @torch.no_grad()
    def potential_worth(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """What potentials of one layer mean.

        Returns
        -------
        worth, start : numpy.ndarray
            float64, shape ``(neurons,)``: what 1 of the potential is worth in the float network's numbers,
            and what the potential starts with besides the bias.
        """
        layer = self.rounded.layers[index]
        start = torch.zeros(layer.stage.size) if layer.code is None else layer.lead(layer.threshold())
        return layer.worth().numpy(), start.double().numpy()


def stages_of(module: nn.Module, to: str, shape: Shape, settings: Settings) -> list[Stage]:
    """The stages of a network that can be converted; arguments and errors are those of `round_network`."""
    conversion = CONVERSIONS[to]
    settings.check_used(to, conversion.rates)
    stages = fold(read_chain(module, shape, ACTIVATIONS), gain=settings.gain, shift=settings.shift)
    refusals = Refusals()
    conversion.refuse(stages, settings, refusals)
    refusals.raise_any(f"the network cannot be converted to {to} exactly")
    if settings.units is not None and len(settings.units) != len(stages) - 1:
        raise ValueError(f"units must be {len(stages) - 1} numbers, one for each hidden layer, "
                         f"not {len(settings.units)}")
    return stages


@torch.no_grad()
def round_network(module: nn.Module, to: str, levels: np.ndarray, shape: Shape,
                  settings: Settings) -> Rounded:
    """Convert a torch network, without fine-tuning.

    Parameters
    ----------
    module : torch.nn.Module
        The trained network; it is not changed.
    to : str
        One of `CONVERSIONS`.
    levels : numpy.ndarray
        Images to choose scales on: integers, shape ``(count, size)``.
    shape : tuple of int
        Of one image, as the network takes it.
    settings : Settings
        Of the conversion.

    Raises
    ------
    ValueError
        The network cannot be taken exactly, every module that is in the way is named; or a setting does not
        fit.
    """
    conversion, stages = CONVERSIONS[to], stages_of(module, to, shape, settings)
    encoded = conversion.encoded(shape, settings)
    largest = max(int(np.prod(shape)), *(stage.size for stage in stages))
    if conversion.rates:
        largest *= encoded.input.window
    levels = levels[:max(20, min(MOST_IMAGES, NUMBERS // largest))]
    own = scores(copy.deepcopy(module).double(), levels, shape, settings)
    rounded = _rounded(conversion, settings, stages, encoded, levels, own)
    return Rounded(conversion, settings, stages, encoded, rounded)


def _rounded(conversion: Conversion, settings: Settings, stages: list[Stage], encoded: EncodedInput,
             levels: np.ndarray, own: np.ndarray) -> RoundedNetwork:
    rounded, heard = RoundedNetwork(), encoded.heard
    amounts, values = encoded.amounts(levels), torch.as_tensor(levels.astype(np.float64))
    for index, stage in enumerate(stages):
        output = index == len(stages) - 1
        wanted = stage.linear(values) + stage.bias
        if output:
            if all(stage.activation.levels is None for stage in stages[:-1]):
                _check_fold(wanted, own)  # steps would turn the last digit's rounding into a level's
            code, unit = conversion.output(_some(wanted), settings)
        else:
            values = stage.activation(wanted)
            code, unit = conversion.code(_some(values), stage.activation, settings)
            if settings.units is not None:
                unit = float(settings.units[index])
        layer = RoundedLayer(stage, heard, code, unit, settings.bits, output=output)
        if settings.correct:
            _correct(layer, amounts, wanted)
        if not output:
            conversion.tune(layer, amounts, values)
            layer.choose_fraction()
            amounts = layer(amounts)
            assert layer.code is not None
            online = layer.code.window if layer.code.passes is None else None
            heard = Heard(layer.code.schedule, layer.unit, online)
        rounded.append(layer)
    return rounded


def _some(values: torch.Tensor) -> torch.Tensor:
    """At most `SAMPLE` of them, evenly spread."""
    flat = values.flatten()
    return flat[::max(1, len(flat) // SAMPLE)]


def _check_fold(wanted: torch.Tensor, own: np.ndarray) -> None:
    """The folded network must give what the module gives; else it computes what its parts do not show."""
    off = float(np.abs(wanted.numpy() - own).max())
    largest = max(float(np.abs(own).max()), 1e-9)
    if not off <= AGREES * largest:
        raise ValueError(f"the network gives other scores than its modules do one by one (by {off:.3g} of "
                         f"{largest:.3g}); check that its forward is nn.Sequential's")


def _correct(layer: RoundedLayer, amounts: torch.Tensor, wanted: torch.Tensor) -> None:
    """Fit scale and bias of each channel, by least squares, so that what arrives is what the float network
    has.

    The outputs keep their common scale. ``wanted``: the float network's sums, ``(count, neurons)``.
    """
    stage = layer.stage
    arrived = stage.linear(amounts.reshape(-1, amounts.shape[-1]), layer.weights())
    arrived = arrived.reshape(*amounts.shape[:-1], -1)
    if layer.heard.online is not None:
        arrived = arrived.mean(dim=0)
    worth = layer.worth() * 2 ** layer.fraction
    found = (arrived * worth).reshape(len(wanted), stage.channels, -1)
    target = (wanted - layer.bias).reshape(len(wanted), stage.channels, -1)
    mean, goal = found.mean(dim=(0, 2)), target.mean(dim=(0, 2))
    gain = torch.ones_like(mean)
    if not layer.output:
        spread = (found - mean[:, None]).square().mean(dim=(0, 2))
        joint = ((found - mean[:, None]) * (target - goal[:, None])).mean(dim=(0, 2))
        gain = torch.where((joint > 0) & (spread > 0), joint / spread.clamp(min=1e-300), gain)
        layer.scale.add_(gain.log())
    layer.bias.add_(stage.per_neuron(goal - gain * mean))
    layer.choose_fraction()
