"""The parts that a torch network is read into, and the list of what cannot be taken."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

__all__ = ["Activation", "Affine", "Geometry", "Node", "Norm", "Part", "Pooling", "Refusals", "Shape", "Sum"]

Shape = tuple[int, ...]
"""``(features,)`` or ``(channels, height, width)``; without the count of images."""


@dataclass(frozen=True, eq=False)
class Node:
    """A module and its ``place``, as torch names it in a state dict ("features.0"); or a function that a
    module's forward calls (``called``), and its line there."""

    place: str
    module: nn.Module
    called: str = ""

    @property
    def kind(self) -> str:
        """The name of its class, or of the function."""
        return self.called or type(self.module).__name__

    def inner(self, name: str, module: nn.Module) -> "Node":
        """What it calls by this name."""
        return Node(f"{self.place}.{name}" if self.place else name, module)

    def __str__(self) -> str:
        return f"{self.place or 'the whole'} ({self.kind})"


class Refusals:
    """What cannot be taken, one clause each, collected so that one error names everything."""

    def __init__(self) -> None:
        self.clauses: list[str] = []

    def add(self, node: Node, why: str) -> None:
        """Refuse ``node``; ``why`` ends in what would do in its stead."""
        clause = f"{node}: {why}"
        if clause not in self.clauses:  # a loop calls the same again
            self.clauses.append(clause)

    def raise_any(self, what: str = "the network cannot be taken exactly") -> None:
        """Raise ValueError with all that was collected, if anything was."""
        if self.clauses:
            raise ValueError(f"{what}: {'; '.join(self.clauses)}")


@dataclass(frozen=True)
class Geometry:
    """Where the weights of a convolution lie on its source; ``padding``: top, bottom, left, right, of 0."""

    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass(frozen=True, eq=False)
class Affine:
    """``weight`` times the source, plus ``bias`` of each output or channel; float64.

    ``weight``: ``(out, in)``, or ``(out, in / groups, height, width)`` where there is a ``geometry``.
    """

    node: Node
    weight: torch.Tensor
    bias: torch.Tensor
    geometry: Geometry | None
    source_shape: Shape
    shape: Shape


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch normalisation in evaluation: ``gain * x + shift`` of each channel; float64, ``(channels,)``."""

    node: Node
    gain: torch.Tensor
    shift: torch.Tensor
    shape: Shape


@dataclass(frozen=True, eq=False)
class Pooling:
    """The maximum of each region, or its sum divided by ``divisor``; ``padding``: rows, columns, of 0."""

    node: Node
    maximum: bool
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    divisor: int
    source_shape: Shape
    shape: Shape


@dataclass(frozen=True, eq=False)
class Activation:
    """A neuron of its own for each value; ``what``: what its reader made of the module."""

    node: Node
    what: Any
    shape: Shape


@dataclass(frozen=True, eq=False)
class Sum:
    """What several ways bring, added up."""

    node: Node
    shape: Shape


Part = Affine | Norm | Pooling | Activation | Sum
