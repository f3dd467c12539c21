"""The input of a converted network: how the levels of an image become spikes, and what arrives of them."""

from dataclasses import dataclass

import numpy as np
import torch

from ...network.inputs import Bits, Direct, Input, Latency
from ..graph.operations import Shape
from ..schedules import powers_of_two
from .rounded_layers import Heard

__all__ = ["EncodedInput", "bits", "direct", "latency"]


@dataclass(frozen=True, eq=False)
class EncodedInput:
    """The input of a converted network.

    Attributes
    ----------
    input : Input
        As the network describes it.
    heard : Heard
        In what code the first layer hears it.
    values : numpy.ndarray
        The amount that arrives of each level: int64, shape ``(levels,)``.
    """

    input: Input
    heard: Heard
    values: np.ndarray

    def amounts(self, levels: np.ndarray) -> torch.Tensor:
        """What arrives of images.

        Parameters
        ----------
        levels : numpy.ndarray
            Integers, shape ``(count, size)``.

        Returns
        -------
        torch.Tensor
            float64, shape ``(count, size)``, or ``(steps, count, size)`` online.
        """
        found = torch.as_tensor(self.values[levels]).double()
        return found if self.heard.online is None else found.expand(self.heard.online, *found.shape)

    @property
    def rounding(self) -> float:
        """By how much of the highest level an image's values are off, at most."""
        levels = np.arange(len(self.values))
        return float(np.abs(self.values * self.heard.unit - levels).max() / levels[-1])


def _size(shape: Shape) -> int:
    return int(np.prod(shape))


def latency(shape: Shape, levels: int, schedule: np.ndarray) -> EncodedInput:
    """One spike, at the step whose kernel is nearest to the level; silence where nothing is nearer.

    Parameters
    ----------
    shape : tuple of int
        Of an image.
    levels : int
        How many there are.
    schedule : numpy.ndarray
        The falling kernel ``K``, positive; its first entry stands for the highest level.
    """
    unit = (levels - 1) / int(schedule[0])
    known = np.append(schedule, 0)
    distance = np.abs(np.arange(levels)[:, None] - known * unit)
    step = distance.argmin(axis=1)  # of two the earlier, so the higher
    values = known[step].astype(np.int64)
    table = np.where(values == 0, -1, step)
    return EncodedInput(Input(_size(shape), len(schedule), Latency(table), **_planes(shape)),
                  Heard(schedule.astype(np.int64), unit, None), values)


def direct(shape: Shape, levels: int, online: int | None) -> EncodedInput:
    """A spike of the level's value, once, or in each of ``online`` steps."""
    window = online or 1
    return EncodedInput(Input(_size(shape), window, Direct(levels), **_planes(shape)),
                  Heard(np.ones(window, np.int64), 1.0, online), np.arange(levels))


def bits(shape: Shape, levels: int) -> EncodedInput:
    """The binary digits of the level."""
    width = max(1, (levels - 1).bit_length())
    return EncodedInput(Input(_size(shape), width, Bits(width), **_planes(shape)),
                  Heard(powers_of_two(width), 1.0, None), np.arange(1 << width))


def _planes(shape: Shape) -> dict:
    return {"shape": shape} if len(shape) == 3 else {}
