"""The parts of a network as a chain of stages: pooling, weights and bias, activation.

Batch normalisation goes into the weights and biases beside it, exactly: behind weights into them, behind an
activation into the weights that follow; so does the scaling of the input. What is added to a source that a
convolution pads with zeros becomes a bias of each position. The order of a maximum and an activation that
never falls may be changed, and is.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from ..graph.graph import Graph, Node
from ..graph.operations import Activation, Affine, Flat, Gain, Pooling, Shape
from ..graph.refusals import Place, Refusals
from .stage import Stage, weigh

__all__ = ["fold"]


class _Source:
    """What stands between a layer of neurons and the weights that listen to it: ``gain * pool(x) + shift``.

    ``gain``, ``shift``: of each channel, or feature.
    """

    def __init__(self, shape: Shape, gain: torch.Tensor, shift: torch.Tensor):
        self.whole = shape
        self.pool: Pooling | None = None
        self.pool_place: Place | None = None
        self.gain, self.shift = gain, shift

    def norm(self, gain: torch.Tensor, shift: torch.Tensor) -> None:
        if len(self.gain) != len(gain):  # flattened since
            times = len(gain) // len(self.gain)
            self.gain, self.shift = self.gain.repeat_interleave(times), self.shift.repeat_interleave(times)
        self.gain, self.shift = self.gain * gain, self.shift * gain + shift

    def pooling(self, part: Pooling, place: Place, refusals: Refusals) -> None:
        if self.pool is not None:
            refusals.add(place, f"it follows {self.pool_place} with no weights between; join the two")
        elif part.maximum and (self.gain <= 0).any():
            refusals.add(place, "what comes was scaled by a negative gain, so its maximum is another; put "
                                "the normalisation behind it")
        elif any(part.geometry.padding) and not part.maximum and self.shift.any():
            refusals.add(place, "it pads a source that was shifted; leave out the padding, or put the "
                                "normalisation behind it")
        else:
            self.pool, self.pool_place = part, place
            if not part.maximum:
                self.shift = self.shift * (part.size[0] * part.size[1] / part.divisor)
                self.gain = self.gain / part.divisor

    def fold(self, part: Affine, node: Node, heard: Shape) -> Stage:
        """The weights ``part`` on this source, of which ``heard`` comes."""
        gain, shift = self.gain, self.shift
        weight, bias = torch.as_tensor(part.weight), torch.as_tensor(part.bias)
        if part.geometry is None:
            times = weight.shape[1] // len(gain)
            gain, shift = gain.repeat_interleave(times), shift.repeat_interleave(times)
            bias = bias + weight @ shift
            weight = weight * gain
        else:
            channels, height, width = heard
            level = shift.view(1, channels, 1, 1).expand(1, channels, height, width)
            positions = node.shape[1] * node.shape[2]
            bias = weigh(part.geometry, weight, level)[0] + bias.repeat_interleave(positions)
            inner = channels // part.geometry.groups
            of_group = gain.view(part.geometry.groups, inner)
            each = of_group.repeat_interleave(len(weight) // part.geometry.groups, dim=0)
            weight = weight * each[:, :, None, None]
        return Stage(node.place, self.pool, self.pool_place, weight, bias, part.geometry, self.whole, heard,
                     node.shape)


def fold(graph: Graph, *, gain: float | Sequence[float] = 1.0, shift: float | Sequence[float] = 0.0,
         rises: Callable[[Any], bool] = lambda what: True) -> list[Stage]:
    """The stages of a chain.

    Parameters
    ----------
    graph : Graph
        What :func:`..graph.torch_reader.read_chain` gave.
    gain, shift : float or sequence of float
        The network sees ``gain * level + shift``, one for all or one for each channel of the image.
    rises : callable
        Whether an activation never falls, so that a maximum before it may be taken behind it.

    Raises
    ------
    ValueError
        The operations do not alternate between weights and activations, or cannot be folded exactly; each
        such module is named.
    """
    shape = graph.input_shape
    folding = _Folding(_Source(shape, _of_channels(gain, shape), _of_channels(shift, shape)), rises)
    for node in graph.nodes:
        match node.operation:
            case Affine() as part:
                folding.affine(part, node, graph.shape_of(node.sources[0]))
            case Gain() as part:
                folding.norm(part, node.place)
            case Pooling() as part:
                folding.pooling(part, node.place)
            case Activation() as part:
                folding.activation(part, node.place)
    return folding.end(graph)


def _of_channels(value: float | Sequence[float], shape: Shape) -> torch.Tensor:
    tensor = torch.as_tensor(value, dtype=torch.float64)
    if tensor.ndim and tensor.shape != (shape[0],):
        raise ValueError(f"scale, mean and deviation of the input must be numbers, or one for each of its "
                         f"{shape[0]} channels, not {tensor.tolist()}")
    return tensor.expand(shape[0]).clone()


def _blank(shape: Shape) -> _Source:
    return _Source(shape, _of_channels(1.0, shape), _of_channels(0.0, shape))


class _Folding:
    """What has been folded so far, and what is still open."""

    def __init__(self, source: _Source, rises: Callable[[Any], bool]):
        self.source, self.rises = source, rises
        self.refusals = Refusals()
        self.stages: list[Stage] = []
        self.open: Stage | None = None          # weights whose activation has not come yet
        self.behind: Pooling | None = None      # a maximum behind them
        self.behind_place: Place | None = None

    def affine(self, part: Affine, node: Node, heard: Shape) -> None:
        if self.open is not None:
            self.refusals.add(node.place, f"it follows {self.open.place} with no activation between; put a "
                                          "ReLU there, or multiply the two")
            self.source = _blank(heard)
        self.open, self.behind = self.source.fold(part, node, heard), None

    def norm(self, part: Gain, place: Place) -> None:
        gain, shift = torch.as_tensor(part.factor).flatten(), torch.as_tensor(part.shift).flatten()
        if self.open is None:
            self.source.norm(gain, shift)
        elif len(gain) != self.open.channels:
            self.refusals.add(place, "it treats the positions of a convolution differently; put a "
                                     "BatchNorm2d before Flatten")
        elif self.behind is not None and (gain <= 0).any():
            channel = int((gain <= 0).int().argmax())
            self.refusals.add(place, f"channel {channel} has a gain of 0 or less behind a maximum; put the "
                                     "normalisation before the pooling")
        else:
            of_rows = gain.view(-1, *[1] * (self.open.weight.ndim - 1))
            self.open = replace(
                self.open, weight=self.open.weight * of_rows,
                bias=self.open.bias * self.open.per_neuron(gain) + self.open.per_neuron(shift))

    def pooling(self, part: Pooling, place: Place) -> None:
        if self.open is None:
            self.source.pooling(part, place, self.refusals)
        elif part.maximum and self.behind is None:
            self.behind, self.behind_place = part, place
        else:
            self.refusals.add(place, "it stands between weights and their activation; put it behind the "
                                     "activation")

    def activation(self, part: Activation, place: Place) -> None:
        if self.open is None:
            self.refusals.add(place, "it has no weights before it; put a Linear or a Conv2d there")
            return
        self.stages.append(replace(self.open, activation=part.what))
        self.source, self.open = _blank(self.open.shape), None
        if self.behind is None or self.behind_place is None:
            return
        if self.rises(part.what):
            self.source.pooling(self.behind, self.behind_place, self.refusals)
        else:
            self.refusals.add(self.behind_place, f"it stands before {place}; put it behind it")

    def end(self, graph: Graph) -> list[Stage]:
        computing = [node for node in graph.nodes if not isinstance(node.operation, Flat)]
        if self.open is not None and self.behind is None:
            self.stages.append(self.open)
        elif computing and not self.refusals.clauses:
            self.refusals.add(computing[-1].place, "the network must end in a Linear or a Conv2d, whose "
                                                   "values are the classes' scores; leave out what follows "
                                                   "it")
        self.refusals.raise_any()
        if not self.stages:
            raise ValueError("the network cannot be taken exactly: it has no Linear and no Conv2d")
        return self.stages
