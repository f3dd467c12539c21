"""The parts of a network as a chain of stages: pooling, weights and bias, activation.

Batch normalisation goes into the weights and biases beside it, exactly: behind weights into them, behind an
activation into the weights that follow; so does the scaling of the input. What is added to a source that a
convolution pads with zeros becomes a bias of each position. The order of a maximum and an activation that
never falls may be changed, and is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional

from .parts import Activation, Affine, Geometry, Norm, Part, Pooling, Refusals, Shape

__all__ = ["Stage", "fold"]


@dataclass(frozen=True, eq=False)
class Stage:
    """What one layer of neurons computes: ``activation(weight * pool(source) + bias)``; float64.

    ``place``, ``kind``: of the module that holds the weights. ``pool``: what the source goes through first;
    its ``divisor`` is in the weights already, so regions are summed. ``bias``: shape ``(neurons,)``, one for
    each position of a convolution. ``activation``: None for the last stage.
    """

    place: str
    kind: str
    pool: Pooling | None
    weight: torch.Tensor
    bias: torch.Tensor
    geometry: Geometry | None
    source_shape: Shape
    shape: Shape
    activation: Any = None

    @property
    def channels(self) -> int:
        """Channels of a convolution, else neurons: how many thresholds there may be."""
        return self.shape[0]

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.bias.numel()

    def linear(self, amounts: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
        """``weight`` (None: its own) times what the source passes on, without the bias.

        ``amounts``: shape ``(count, source neurons)``; returns ``(count, neurons)``, both in C order.
        """
        weight = self.weight if weight is None else weight
        return weigh(self.geometry, weight, self.pooled(amounts))

    def pooled(self, amounts: torch.Tensor) -> torch.Tensor:
        """What arrives at the weights: ``(count, *shape before the weights)``."""
        amounts = amounts.reshape(len(amounts), *self.source_shape)
        if self.pool is None:
            return amounts
        if self.pool.maximum:
            return functional.max_pool2d(amounts, self.pool.size, self.pool.stride, self.pool.padding)
        return functional.avg_pool2d(amounts, self.pool.size, self.pool.stride, self.pool.padding,
                                     divisor_override=1)

    def per_neuron(self, channels: torch.Tensor) -> torch.Tensor:
        """What is given for each channel, for each neuron: shape ``(neurons,)``."""
        return channels.repeat_interleave(self.size // self.channels)


def weigh(geometry: Geometry | None, weight: torch.Tensor, amounts: torch.Tensor) -> torch.Tensor:
    """``weight`` times ``amounts``, ``(count, ...)``: ``(count, neurons)``."""
    if geometry is None:
        return functional.linear(amounts.flatten(1), weight)
    top, bottom, left, right = geometry.padding
    if top == bottom and left == right:
        padding = (top, left)
    else:
        amounts, padding = functional.pad(amounts, (left, right, top, bottom)), (0, 0)
    return functional.conv2d(amounts, weight, None, geometry.stride, padding, geometry.dilation,
                             geometry.groups).flatten(1)


class _Source:
    """What stands between a layer of neurons and the weights that listen to it: ``gain * pool(x) + shift``.

    ``gain``, ``shift``: of each channel, or feature.
    """

    def __init__(self, shape: Shape, gain: torch.Tensor, shift: torch.Tensor):
        self.whole, self.shape = shape, shape
        self.pool: Pooling | None = None
        self.gain, self.shift = gain, shift

    def norm(self, part: Norm) -> None:
        if len(self.gain) != len(part.gain):  # flattened since
            times = len(part.gain) // len(self.gain)
            self.gain, self.shift = self.gain.repeat_interleave(times), self.shift.repeat_interleave(times)
        self.gain, self.shift = self.gain * part.gain, self.shift * part.gain + part.shift

    def pooling(self, part: Pooling, refusals: Refusals) -> None:
        if self.pool is not None:
            refusals.add(part.node, f"it follows {self.pool.node} with no weights between; join the two")
        elif part.maximum and (self.gain <= 0).any():
            refusals.add(part.node, "what comes was scaled by a negative gain, so its maximum is another; "
                                    "put the normalisation behind it")
        elif any(part.padding) and not part.maximum and self.shift.any():
            refusals.add(part.node, "it pads a source that was shifted; leave out the padding, or put the "
                                    "normalisation behind it")
        else:
            self.pool, self.shape = part, part.shape
            if not part.maximum:
                self.shift = self.shift * (part.size[0] * part.size[1] / part.divisor)
                self.gain = self.gain / part.divisor

    def fold(self, part: Affine) -> Stage:
        """The weights ``part`` on this source."""
        gain, shift, weight = self.gain, self.shift, part.weight
        if part.geometry is None:
            times = weight.shape[1] // len(gain)
            gain, shift = gain.repeat_interleave(times), shift.repeat_interleave(times)
            bias = part.bias + weight @ shift
            weight = weight * gain
        else:
            channels, height, width = part.source_shape
            level = shift.view(1, channels, 1, 1).expand(1, channels, height, width)
            positions = part.shape[1] * part.shape[2]
            bias = weigh(part.geometry, weight, level)[0] + part.bias.repeat_interleave(positions)
            inner = channels // part.geometry.groups
            of_group = gain.view(part.geometry.groups, inner)
            each = of_group.repeat_interleave(len(weight) // part.geometry.groups, dim=0)
            weight = weight * each[:, :, None, None]
        return Stage(part.node.place, part.node.kind, self.pool, weight, bias, part.geometry, self.whole,
                     part.shape)


def fold(parts: Sequence[Part], shape: Shape, *, gain: float | Sequence[float] = 1.0,
         shift: float | Sequence[float] = 0.0,
         rises: Callable[[Any], bool] = lambda what: True) -> list[Stage]:
    """The stages of what :func:`.walk.walk` gave.

    Parameters
    ----------
    shape: of one image.
    gain, shift: the network sees ``gain * level + shift``, one for all or one for each channel of the image.
    rises: whether an activation never falls, so that a maximum before it may be taken behind it.

    Raises
    ------
    ValueError: the parts do not alternate between weights and activations, or cannot be folded exactly; each
    such module is named.
    """
    folding = _Folding(_Source(shape, _of_channels(gain, shape), _of_channels(shift, shape)), rises)
    for part in parts:
        match part:
            case Affine():
                folding.affine(part)
            case Norm():
                folding.norm(part)
            case Pooling():
                folding.pooling(part)
            case Activation():
                folding.activation(part)
    return folding.end(parts)


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
        self.last: Affine | None = None

    def affine(self, part: Affine) -> None:
        if self.open is not None and self.last is not None:
            self.refusals.add(part.node, f"it follows {self.last.node} with no activation between; put a "
                                         "ReLU there, or multiply the two")
            self.source = _blank(part.source_shape)
        self.open, self.last, self.behind = self.source.fold(part), part, None

    def norm(self, part: Norm) -> None:
        if self.open is None:
            self.source.norm(part)
        elif len(part.gain) != self.open.channels:
            self.refusals.add(part.node, "it treats the positions of a convolution differently; put a "
                                         "BatchNorm2d before Flatten")
        elif self.behind is not None and (part.gain <= 0).any():
            channel = int((part.gain <= 0).int().argmax())
            self.refusals.add(part.node, f"channel {channel} has a gain of 0 or less behind a maximum; put "
                                         "the normalisation before the pooling")
        else:
            gain, shift = self.open.per_neuron(part.gain), self.open.per_neuron(part.shift)
            of_rows = part.gain.view(-1, *[1] * (self.open.weight.ndim - 1))
            self.open = replace(self.open, weight=self.open.weight * of_rows,
                                bias=self.open.bias * gain + shift)

    def pooling(self, part: Pooling) -> None:
        if self.open is None:
            self.source.pooling(part, self.refusals)
        elif part.maximum and self.behind is None:
            self.behind = part
        else:
            self.refusals.add(part.node, "it stands between weights and their activation; put it behind the "
                                         "activation")

    def activation(self, part: Activation) -> None:
        if self.open is None:
            self.refusals.add(part.node, "it has no weights before it; put a Linear or a Conv2d there")
            return
        self.stages.append(replace(self.open, activation=part.what))
        self.source, self.open = _blank(self.open.shape), None
        if self.behind is not None and not self.rises(part.what):
            self.refusals.add(self.behind.node, f"it stands before {part.node}; put it behind it")
        elif self.behind is not None:
            self.source.pooling(self.behind, self.refusals)

    def end(self, parts: Sequence[Part]) -> list[Stage]:
        if self.open is not None and self.behind is None:
            self.stages.append(self.open)
        elif parts and not self.refusals.clauses:
            self.refusals.add(parts[-1].node, "the network must end in a Linear or a Conv2d, whose values "
                                              "are the classes' scores; leave out what follows it")
        self.refusals.raise_any()
        if not self.stages:
            raise ValueError("the network cannot be taken exactly: it has no Linear and no Conv2d")
        return self.stages
