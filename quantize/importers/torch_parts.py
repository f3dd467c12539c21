"""Torch modules with neurons among them, as a chart of parts."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import nn

from ...network.inputs import Input
from ..convert.walk import INPUT, Activation, Affine, Norm, Sum, flow
from . import parts
from .parts import Chart, Shape

__all__ = ["chart_of"]


def chart_of(network: nn.Module, heard: Input,
             neurons: Mapping[type[nn.Module], Callable[[Any], parts.Part]],
             plain: Callable[[nn.Module], nn.Module] = lambda module: module) -> Chart:
    """The parts of ``network``, an ``nn.Sequential`` or one with a forward of its own, and which feed which.

    ``neurons``: for each type of neuron that is taken, what it is in our words; it raises ValueError with the
    reason where one cannot be taken. ``plain``: what stands for a module of another package in torch's own.
    Raises ValueError that names every module that cannot be taken.
    """
    shape: Shape = heard.shape or (heard.size,)
    found = flow(network, shape, neurons, heard.window, plain)
    if found.steps not in (1, heard.window):
        raise ValueError(f"its forward goes through {found.steps} steps, and the input has {heard.window}; "
                         "give an input of as many")
    chart, names = Chart(shape), {INPUT: "input"}
    for number, (part, sources) in enumerate(zip(found.parts, found.sources, strict=True)):
        name = part.node.place or "network"
        while name in ("input", *chart.parts):
            name = f"{name}_{number}"
        names[number] = name
        chart.add(name, part.node.kind, _part(part), tuple(names[source] for source in sources))
    chart.last = names[found.output]
    return chart


def _part(part: Any) -> parts.Part:
    if isinstance(part, Affine):
        geometry = None
        if part.geometry is not None:
            geometry = parts.Geometry(part.geometry.stride, part.geometry.padding, part.geometry.dilation,
                                      part.geometry.groups)
        return parts.Weights(part.weight.numpy(), part.bias.numpy(), geometry)
    if isinstance(part, Norm):
        return parts.Gain(part.gain.numpy(), part.shift.numpy())
    if isinstance(part, Activation):
        return part.what
    if isinstance(part, Sum):
        return parts.Gain(np.ones(()))
    rows, columns = part.padding
    return parts.Pooling(part.maximum, part.size, part.stride, (rows, rows, columns, columns), part.divisor)
