"""What trainable convolutional networks have in common: their plan, shared signs, the way into synapses."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ...network import Convolution, Dense, Pool
from .conv_options import ConvStage, PoolStage
from .parts import integers, start_weights
from .straight import signs

__all__ = ["Planes", "SharedSigns", "Step", "output_synapses", "planned", "pooled", "start_of_output"]

Planes = tuple[int, int, int]
"""(channels, height, width)"""


@dataclass(frozen=True)
class Step:
    """A convolution, or the dense output where ``conv`` is None, and the pooling before it.

    ``before``: what the source has; ``shape``: what is left of it after the pooling.
    """

    conv: ConvStage | None
    pool: PoolStage | None
    before: Planes
    shape: Planes

    @property
    def synaptic_pool(self) -> Pool | None:
        """The pool as the network describes it."""
        return None if self.pool is None else Pool(self.pool.kind, self.pool.size, source_shape=self.before)


def planned(stages: Sequence[ConvStage | PoolStage], shape: tuple[int, int]) -> list[Step]:
    """The steps of these stages on images of one channel, and the output.

    Raises ``ValueError`` where a pooling leaves nothing.
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
    """Real weights behind signs that are shared over positions: shape ``(channels, before, kernel,
    kernel)``. ``prune``: share of them that are 0."""

    def __init__(self, step: Step, generator: torch.Generator, prune: float = 0.0):
        super().__init__()
        assert step.conv is not None
        self.step, self.conv, self.prune = step, step.conv, prune
        each = (step.shape[0], self.conv.kernel, self.conv.kernel)
        flat = start_weights(self.conv.channels, prod(each), generator)
        self.weights = nn.Parameter(flat.detach().view(-1, *each))

    def sums(self, amounts: torch.Tensor) -> torch.Tensor:
        """What each neuron hears of ``amounts``, shape ``(count, channels, height, width)``, pooled first."""
        weights = signs(self.weights, self.prune).to(amounts.dtype)
        return functional.conv2d(pooled(amounts, self.step.pool), weights, None, self.conv.stride,
                                 self.conv.kernel // 2)

    def synapses(self, kernel: np.ndarray | int, direction: torch.Tensor | None = None) -> Convolution:
        """The synapses: the signs, times ``direction`` of each channel where it is given."""
        signed = signs(self.weights.detach(), self.prune)
        if direction is not None:
            signed = signed * direction.view(-1, 1, 1, 1)
        return Convolution(integers(signed).astype(np.int8), self.step.shape, stride=self.conv.stride,
                           padding=self.conv.kernel // 2, kernel=kernel, pool=self.step.synaptic_pool)


def start_of_output(step: Step, outputs: int, generator: torch.Generator) -> nn.Parameter:
    """Real weights behind the signs of the output: shape ``(outputs, addresses)``."""
    return start_weights(outputs, prod(step.shape), generator)


def output_synapses(step: Step, weights: torch.Tensor, kernel: np.ndarray | int, prune: float = 0.0) -> Dense:
    """The synapses of the output: the signs of ``weights``."""
    return Dense(integers(signs(weights.detach(), prune)).astype(np.int8), kernel, pool=step.synaptic_pool)


def pooled(amounts: torch.Tensor, pool: PoolStage | None) -> torch.Tensor:
    """What each region brings: the most (of the earliest spike) or the sum."""
    if pool is None:
        return amounts
    if pool.kind == "max":
        return functional.max_pool2d(amounts, pool.size)
    return functional.avg_pool2d(amounts, pool.size, divisor_override=1)
