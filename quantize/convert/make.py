"""From a torch network to a draft: read, fold, collect activations, choose codes, round.

The float network and the draft run side by side over some of the images, layer by layer, so that each layer
is fitted to what really arrives at it.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ...network import Network, Readout
from . import qcfs
from .base import Conversion, Rectifier
from .draft import Draft, DraftLayer, Heard
from .fold import Stage, fold
from .fs import Fs
from .opi import Opi
from .parts import Refusals, Shape
from .relu import Relu
from .settings import Settings
from .source import Source
from .t2fsnn import T2fsnn
from .walk import walk

__all__ = ["ACTIVATIONS", "CONVERSIONS", "Made", "make", "read", "scores", "takes"]

CONVERSIONS: Mapping[str, Conversion] = {
    conversion.name: conversion for conversion in (Relu(), T2fsnn(), Fs(), qcfs.Qcfs(), Opi())}

ACTIVATIONS: Mapping[type[nn.Module], Any] = {
    nn.ReLU: lambda module: Rectifier(), nn.ReLU6: lambda module: Rectifier(6.0),
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
class Made:
    """A draft with its input; ``stages``: the float network, folded."""

    conversion: Conversion
    settings: Settings
    stages: list[Stage]
    source: Source
    draft: Draft

    def network(self) -> Network:
        """The network of integers that the draft is."""
        names = [f"layer{index}" for index in range(len(self.stages))]
        layers = [layer.layer(name) for layer, name in zip(self.draft.layers, names, strict=True)]
        count = self.draft.layers[-1].code is not None
        return Network(self.source.input, layers, Readout.COUNT if count else Readout.POTENTIAL)

    @torch.no_grad()
    def float_layer(self, index: int, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums with bias, and activations, of one layer of the float network, ``(count, neurons)``.

        ``values``: the activations of the layer before, or levels for the first.
        """
        stage = self.stages[index]
        sums = stage.linear(torch.as_tensor(values)) + stage.bias
        passed = sums if stage.activation is None else stage.activation(sums)
        return sums.numpy(), passed.numpy()

    @torch.no_grad()
    def potential_worth(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Of one layer's neurons: what 1 of the potential is worth in the float network's numbers, and what
        the potential starts with besides the bias."""
        layer = self.draft.layers[index]
        start = torch.zeros(layer.stage.size) if layer.code is None else layer.lead(layer.threshold())
        return layer.worth().numpy(), start.double().numpy()


@torch.no_grad()
def scores(module: nn.Module, levels: np.ndarray, shape: Shape, settings: Settings,
           batch: int = 500) -> np.ndarray:
    """What the torch network itself gives for images: float64, shape ``(count, outputs)``.

    ``levels``: integers, shape ``(count, size)``. Raises ValueError where it takes no images of ``shape``.
    """
    module = copy.deepcopy(module).eval().to("cpu")
    dtypes = (tensor.dtype for tensor in module.parameters() if tensor.is_floating_point())
    dtype = next(dtypes, torch.float32)
    if dtype.itemsize < 4:  # too coarse to compare with, and not every processor has it
        module, dtype = module.float(), torch.float32

    def of_channels(value: Any) -> torch.Tensor:
        return torch.as_tensor(value, dtype=torch.float64).reshape(-1, *[1] * (len(shape) - 1))

    gain, shift = of_channels(settings.gain), of_channels(settings.shift)
    found = []
    for start in range(0, len(levels), batch):
        images = torch.as_tensor(levels[start:start + batch].astype(np.float64)).reshape(-1, *shape)
        try:
            given = module((images * gain + shift).to(dtype)).double().flatten(1)
        except Exception as error:  # whatever a forward of the user's own raises
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ValueError(f"the network does not take images of the shape {shape}: {what}; give their "
                             "shape") from error
        found.append(given.numpy())
    return np.concatenate(found)


def takes(module: nn.Module, shape: Shape, settings: Settings) -> bool:
    """Whether the network runs on images of ``shape`` at all."""
    try:
        scores(module, np.zeros((1, int(np.prod(shape))), np.int64), shape, settings)
    except ValueError:
        return False
    return True


def read(module: nn.Module, to: str, shape: Shape, settings: Settings) -> list[Stage]:
    """The stages of a network that can be converted. Raises ValueError as :func:`make` does."""
    conversion = CONVERSIONS[to]
    settings.check_used(to, conversion.rates)
    stages = fold(walk(module, shape, ACTIVATIONS), shape, gain=settings.gain, shift=settings.shift)
    refusals = Refusals()
    conversion.refuse(stages, settings, refusals)
    refusals.raise_any(f"the network cannot be converted to {to} exactly")
    if settings.units is not None and len(settings.units) != len(stages) - 1:
        raise ValueError(f"units must be {len(stages) - 1} numbers, one for each hidden layer, "
                         f"not {len(settings.units)}")
    return stages


@torch.no_grad()
def make(module: nn.Module, to: str, levels: np.ndarray, shape: Shape, settings: Settings) -> Made:
    """Convert a torch network, without fine-tuning.

    Parameters
    ----------
    module: the trained network; it is not changed.
    to: one of `CONVERSIONS`.
    levels: images to choose scales on: integers, shape ``(count, size)``.
    shape: of one image, as the network takes it.

    Raises
    ------
    ValueError: the network cannot be taken exactly, every module that is in the way is named; or a setting
    does not fit.
    """
    conversion, stages = CONVERSIONS[to], read(module, to, shape, settings)
    source = conversion.source(shape, settings)
    largest = max(int(np.prod(shape)), *(stage.size for stage in stages))
    if conversion.rates:
        largest *= source.input.window
    levels = levels[:max(20, min(MOST_IMAGES, NUMBERS // largest))]
    own = scores(copy.deepcopy(module).double(), levels, shape, settings)
    draft = _draft(conversion, settings, stages, source, levels, own)
    return Made(conversion, settings, stages, source, draft)


def _draft(conversion: Conversion, settings: Settings, stages: list[Stage], source: Source,
           levels: np.ndarray, own: np.ndarray) -> Draft:
    draft, heard = Draft(), source.heard
    amounts, values = source.amounts(levels), torch.as_tensor(levels.astype(np.float64))
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
        layer = DraftLayer(stage, heard, code, unit, settings.bits, output=output)
        if settings.correct:
            _correct(layer, amounts, wanted)
        if not output:
            conversion.tune(layer, amounts, values)
            layer.choose_fraction()
            amounts = layer(amounts)
            assert layer.code is not None
            online = layer.code.window if layer.code.passes is None else None
            heard = Heard(layer.code.schedule, layer.unit, online)
        draft.append(layer)
    return draft


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


def _correct(layer: DraftLayer, amounts: torch.Tensor, wanted: torch.Tensor) -> None:
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
