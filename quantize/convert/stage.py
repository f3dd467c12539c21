"""A stage of a float network: what one layer of neurons computes."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from ..graph.operations import Geometry, Pooling, Shape
from ..graph.refusals import Place

__all__ = ["Stage", "weigh"]


@dataclass(frozen=True, eq=False)
class Stage:
    """What one layer of neurons computes: ``activation(weight * pool(source) + bias)``.

    Attributes
    ----------
    place : Place
        The module that holds the weights.
    pool : Pooling or None
        What the source goes through first; its ``divisor`` is in the weights already, so regions are summed.
    pool_place : Place or None
        Where that stands.
    weight : torch.Tensor
        float64, as of :class:`..graph.operations.Affine`.
    bias : torch.Tensor
        float64, shape ``(neurons,)``: one for each position of a convolution.
    geometry : Geometry or None
        Of a convolution.
    source_shape, heard_shape, shape : tuple of int
        Of the source, of what comes to the weights, of the neurons.
    activation : object
        What the activation's reader made of it; None for the last stage.
    """

    place: Place
    pool: Pooling | None
    pool_place: Place | None
    weight: torch.Tensor
    bias: torch.Tensor
    geometry: Geometry | None
    source_shape: Shape
    heard_shape: Shape
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
        """The weights times what the source passes on, without the bias.

        Parameters
        ----------
        amounts : torch.Tensor
            Shape ``(count, source neurons)``, in C order.
        weight : torch.Tensor or None
            Other weights of the same shape; None: its own.

        Returns
        -------
        torch.Tensor
            Shape ``(count, neurons)``, in C order.
        """
        weight = self.weight if weight is None else weight
        return weigh(self.geometry, weight, self.pooled(amounts))

    def pooled(self, amounts: torch.Tensor) -> torch.Tensor:
        """What arrives at the weights: ``(count, *shape before the weights)``."""
        amounts = amounts.reshape(len(amounts), *self.source_shape)
        if self.pool is None:
            return amounts
        size, stride, padding = self.pool.size, self.pool.geometry.stride, self.pool.geometry.padding[::2]
        if self.pool.maximum:
            return functional.max_pool2d(amounts, size, stride, padding)
        return functional.avg_pool2d(amounts, size, stride, padding, divisor_override=1)

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
