"""What trainable convolutional networks have in common: their steps, shared signs, the way into synapses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ...network import Convolution, Pool
from .sign_weights import SignWeights
from .stages import ConvStage, PoolStage, Stage

__all__ = ["Planes", "SharedSigns", "Step", "planned", "pooled"]

Planes = tuple[int, int, int]
"""(channels, height, width)"""


@dataclass(frozen=True)
class Step:
    """A convolution, or the dense output, and the pooling before it.

    Attributes
    ----------
    conv : ConvStage or None
        None: the dense output.
    pool : PoolStage or None
        None: nothing is pooled.
    before : (channels, height, width)
        What the source has.
    shape : (channels, height, width)
        What is left of it after the pooling.
    """

    conv: ConvStage | None
    pool: PoolStage | None
    before: Planes
    shape: Planes

    @property
    def synaptic_pool(self) -> Pool | None:
        """The pool as the network describes it."""
        return None if self.pool is None else Pool(self.pool.kind, self.pool.size, source_shape=self.before)


def planned(stages: Sequence[Stage], shape: tuple[int, int]) -> list[Step]:
    """The steps of these stages on images of one channel, and the output.

    Parameters
    ----------
    stages : sequence of ConvStage and PoolStage
        What comes before the output.
    shape : (height, width)
        Of the images.

    Raises
    ------
    ValueError
        A pooling leaves nothing.
    """
    steps: list[Step] = []
    heard: Planes = (1, *shape)
    before, pool = heard, None
    for stage in stages:
        if isinstance(stage, PoolStage):
            pool, heard = stage, (heard[0], heard[1] // stage.size, heard[2] // stage.size)
            if not all(heard):
                raise ValueError(f"layers must leave a pixel, which {stage.kind}{stage.size} does not of "
                                 f"{before[1]} x {before[2]}")
            continue
        steps.append(Step(stage, pool, before, heard))
        pool, (_, height, width) = None, heard
        before = heard = (stage.channels, -(-height // stage.stride), -(-width // stage.stride))
    return [*steps, Step(None, pool, before, heard)]


class SharedSigns(nn.Module):
    """Signs that are shared over positions.

    Parameters
    ----------
    step : Step
        The convolution and what is pooled before it.
    generator : torch.Generator
        Draws the weights, of shape ``(channels, channels before, kernel, kernel)``.
    """

    def __init__(self, step: Step, generator: torch.Generator):
        super().__init__()
        assert step.conv is not None
        self.step, self.conv = step, step.conv
        self.weights = SignWeights(
            (self.conv.channels, step.shape[0], self.conv.kernel, self.conv.kernel), generator)

    def sums(self, amounts: torch.Tensor) -> torch.Tensor:
        """What each neuron hears of ``amounts``, shape ``(count, channels, height, width)``, pooled first."""
        return functional.conv2d(pooled(amounts, self.step.pool), self.weights().to(amounts.dtype), None,
                                 self.conv.stride, self.conv.kernel // 2)

    def synapses(self, kernel: np.ndarray | int, direction: torch.Tensor | None = None) -> Convolution:
        """The synapses: the signs, times ``direction`` of each channel where it is given."""
        return Convolution(self.weights.integers(direction), self.step.shape, stride=self.conv.stride,
                           padding=self.conv.kernel // 2, kernel=kernel, pool=self.step.synaptic_pool)


def pooled(amounts: torch.Tensor, pool: PoolStage | None) -> torch.Tensor:
    """What each region brings: the most (of the earliest spike) or the sum."""
    if pool is None:
        return amounts
    if pool.kind == "max":
        return functional.max_pool2d(amounts, pool.size)
    return functional.avg_pool2d(amounts, pool.size, divisor_override=1)
