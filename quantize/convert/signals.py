"""What passes between the calls of a forward, while it is followed: signals, states of neurons, lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .calls import BATCH
from .parts import Shape

__all__ = [
    "INPUT", "REFUSED", "UNKNOWN", "Ahead", "Odd", "Signal", "State", "Steps", "added", "gathered",
    "is_silent", "length_of",
]

INPUT = -1
"""The number of the network's input, where others have that of the part that gives them."""
REFUSED = -2
"""The number of whatever cannot be taken, so that more can be said of what follows."""


@dataclass(frozen=True)
class State:
    """What a neuron keeps from step to step. ``neuron``: which, None where it comes from outside, so for the
    first step; ``step``: the one that it comes out of."""

    neuron: int | None = None
    step: int = -1


@dataclass(frozen=True)
class Signal:
    """Values out of part ``source``, of the ``shape`` of one image.

    ``step``: the call of the neurons that they come from, or go to; None where they are the same in all.
    ``state``: what the neuron gives beside its spikes, where they come as a pair.
    """

    source: int
    shape: Shape
    step: int | None = None
    state: State | None = None


@dataclass(frozen=True)
class Steps:
    """The signals of one part in the first ``count`` steps, in their order; ``dim``: the dimension of the
    steps, None where they were added up."""

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
    """Anything else, which no module may listen to; ``what`` in words."""

    what: str


UNKNOWN = Odd("what was refused")
"""In place of what a call would have given that was refused."""


def gathered(values: Sequence[Any], dim: int) -> Steps | Odd:
    """What `torch.stack` makes of what was given in each step. Raises ValueError."""
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
