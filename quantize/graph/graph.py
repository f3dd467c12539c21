"""A network of another tool as a graph: operations and neurons, each behind those that feed it."""

from collections import Counter
from dataclasses import dataclass, field

from ...network.limits import Limits
from .neurons import Integrator, Neuron
from .operations import Activation, Affine, Flat, Gain, Pooling, Shape, Sum
from .refusals import Place

__all__ = ["INPUT", "Graph", "Node", "Operation"]

INPUT = -1
"""The number of the network's input, where others have that of the node that gives them."""

Operation = Affine | Gain | Pooling | Flat | Sum | Activation | Neuron | Integrator


@dataclass(frozen=True, eq=False)
class Node:
    """One operation of a network.

    Attributes
    ----------
    place : Place
        Where it stands in the tool, for the user to find it.
    operation : Operation
        What it computes of the sum of its sources.
    sources : tuple of int
        Numbers of the nodes that feed it, `INPUT` among them; one that feeds it in two ways stands twice.
    shape : tuple of int
        Of what it gives.
    label : str
        What a layer made of it may be called; empty: as the place is.
    """

    place: Place
    operation: Operation
    sources: tuple[int, ...]
    shape: Shape
    label: str = ""


@dataclass(eq=False)
class Graph:
    """A network of another tool. Nodes go by their number; names are for people only.

    Attributes
    ----------
    input_shape : tuple of int
        Of one step of the input.
    nodes : list of Node
        In topological order.
    output : int
        The number of the node that is read.
    steps : int
        How many steps one call of the network goes through; 1 where it is called for each.
    """

    input_shape: Shape
    nodes: list[Node] = field(default_factory=list)
    output: int = INPUT
    steps: int = 1

    def add(self, node: Node) -> int:
        """Put a node behind the others; returns its number."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def shape_of(self, number: int) -> Shape:
        """The shape of what a node, or the input, gives."""
        return self.input_shape if number == INPUT else self.nodes[number].shape

    def without_use(self) -> list[Node]:
        """The nodes that do not lead to what is read."""
        used = {self.output}
        for number in range(self.output, -1, -1):
            if number in used:
                used.update(self.nodes[number].sources)
        return [node for number, node in enumerate(self.nodes) if number not in used]

    def labels(self) -> list[str]:
        """A name for each node that a layer may have, no two the same, as near to its label as may be."""
        wanted = [_short(node.label or node.place.name or "network") for node in self.nodes]
        often = Counter([*wanted, "input"])
        wanted = [label if often[label] == 1 else _short(node.place.name) or label
                  for label, node in zip(wanted, self.nodes, strict=True)]
        often = Counter([*wanted, "input"])
        taken = {label for label, times in often.items() if times == 1} | {"input"}
        labels = []
        for label in wanted:
            number = 2
            free = label
            while often[label] > 1 and free in taken:
                free, number = f"{label}_{number}", number + 1
            taken.add(free)
            labels.append(free)
        return labels


def _short(name: str) -> str:
    """``name``, cut where no layer may have so long a one, with room for a number."""
    return name if len(name) <= Limits.NAME else name[:Limits.NAME - len(f"_{Limits.SIZE}")]
