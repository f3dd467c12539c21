"""Torch modules with neurons among them, as a chart of parts."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from ..convert.walk import Activation, Affine, Norm, walk
from ..inputs import Input
from . import parts
from .parts import Chart, Refusals, Shape

__all__ = ["chart_of"]


def chart_of(network: nn.Module, heard: Input,
             neurons: Mapping[type[nn.Module], Callable[[Any], parts.Part]]) -> Chart:
    """The parts of ``network``, an ``nn.Sequential`` (others may be nested in it), in order.

    ``neurons``: for each type of neuron that is taken, what it is in our words; it raises ValueError with the
    reason where one cannot be taken. Raises ValueError that names every module that cannot be taken.
    """
    shape: Shape = heard.shape or (heard.size,)
    chart, refusals, seen = Chart(shape), Refusals(), set()
    for part in walk(network, shape, neurons):
        name = part.node.place or "network"
        chart.add(name, part.node.kind, _part(part))
        if isinstance(part, Activation) and part.node.module in seen:
            refusals.add(chart.place(name), "it stands at two places with one state; give each its own")
        seen.add(part.node.module)
    refusals.raise_any()
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
    rows, columns = part.padding
    return parts.Pooling(part.maximum, part.size, part.stride, (rows, rows, columns, columns), part.divisor)
