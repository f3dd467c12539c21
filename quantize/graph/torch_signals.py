"""What passes between the calls of a forward, while it is followed: signals, states of neurons, lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .operations import Shape
from .torch_functions import BATCH

__all__ = [
    "REFUSED", "UNKNOWN", "Ahead", "Odd", "Signal", "State", "Steps", "added", "gathered",
    "is_silent", "length_of",
]

REFUSED = -2
"""The number of whatever cannot be taken, so that more can be said of what follows."""


@dataclass(frozen=True)
class State:
    """What a neuron keeps from step to step.

    Attributes
    ----------
    neuron : int or None
        The number of its node; None where the state comes from outside, so for the first step.
    step : int
        The one that it comes out of.
    """

    neuron: int | None = None
    step: int = -1


@dataclass(frozen=True)
class Signal:
    """Values out of a node.

    Attributes
    ----------
    source : int
        The number of the node.
    shape : tuple of int
        Of one image.
    step : int or None
        The call of the neurons that they come from, or go to; None where they are the same in all.
    state : State or None
        What the neuron gives beside its spikes, where they come as a pair.
    """

    source: int
    shape: Shape
    step: int | None = None
    state: State | None = None


@dataclass(frozen=True)
class Steps:
    """The signals of one node in the first steps, in their order.

    Attributes
    ----------
    source, shape
        As of a :class:`Signal`.
    count : int
        How many steps.
    dim : int or None
        The dimension of the steps; None where they were added up.
    """

    source: int
    shape: Shape
    count: int
    dim: int | None


@dataclass(frozen=True)
class Ahead:
    """The input with a dimension for the steps before all others, in which it is still to be repeated."""

    signal: Signal


@dataclass(frozen=True)
class Odd:
    """Anything else, which no module may listen to; ``what`` says what it is."""

    what: str


UNKNOWN = Odd("what was refused")
"""In place of what a call would have given that was refused."""


def gathered(values: Sequence[Any], dim: int) -> Steps | Odd:
    """What `torch.stack` makes of what was given in each step.

    Raises
    ------
    ValueError
        The values are not those of one node in its steps.
    """
    if any(isinstance(value, Signal) and value.source == REFUSED for value in values):
        return UNKNOWN
    first = values[0]
    if isinstance(first, Signal) and all(
            isinstance(value, Signal) and (value.source, value.step) == (first.source, step)
            for step, value in enumerate(values)):
        return Steps(first.source, first.shape, len(values), dim)
    if any(isinstance(value, Signal) for value in values):
        raise ValueError("it joins values of different modules, or of steps out of their order; give those "
                         "of one module in all steps")
    return Odd("a list of states")


def added(first: Any, second: Any) -> Steps | None:
    """The sum over the steps that two values are, or None where they are no two steps of one part."""
    if isinstance(first, Signal) and first.step == 0:
        first = Steps(first.source, first.shape, 1, None)
    if isinstance(first, Steps) and first.dim is None and isinstance(second, Signal) \
            and (second.source, second.step) == (first.source, first.count):
        return Steps(first.source, first.shape, first.count + 1, None)
    return None


def is_silent(value: Any) -> bool:
    """Whether ``value`` is the state that every neuron starts with: none, or zeros."""
    if isinstance(value, torch.Tensor):
        return not bool(torch.count_nonzero(value))
    return value is None or (isinstance(value, State) and value.neuron is None)


def length_of(shape: Shape, index: Any = None) -> Any:
    """``x.size()`` or ``x.size(index)`` of images of ``shape``, with `BATCH` for their count."""
    whole = (BATCH, *shape)
    return whole if index is None else whole[index]
