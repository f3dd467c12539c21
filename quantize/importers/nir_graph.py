"""A NIR graph as a graph of operations: graphs inside it opened, nodes by keys that no name can rewire.

A key is the path of names to a node, so that neither a dot in a name nor a label in the metadata makes two
nodes one; labels are for display only. Edges mean the identity, so the Inputs and Outputs of graphs inside
the graph, and what else computes nothing, only pass on what comes.
"""

from collections import Counter
from graphlib import CycleError, TopologicalSorter
from math import prod
from typing import Any

import numpy as np

from ..graph.graph import INPUT, Graph, Node
from ..graph.operations import Flat, Shape, told_shape
from ..graph.refusals import Place, Refusals
from .nir_nodes import Reading, declared_shape, operation_of

__all__ = ["graph_of", "lengths"]

DEPTH = 8
"""How deep graphs may be nested."""

Key = tuple[str, ...]


def graph_of(nir: Any, graph: Any, reading: Reading) -> Graph:
    """The operations of a NIR graph, and which feed which.

    Parameters
    ----------
    nir : module
        The nir package.
    graph : nir.NIRGraph
        The graph.
    reading : Reading
        How its nodes are read.

    Raises
    ------
    ValueError
        Something cannot be taken, or contradicts what is declared; every such node and edge is named.
    """
    flat = _Flat(nir, graph)
    flat.refusals.raise_any("the network cannot be taken")
    return _Reader(flat, reading).graph


def lengths(shape: Any) -> Shape | None:
    """A shape that a NIR node declares; None where it declares none. Raises ValueError."""
    if shape is None:
        return None
    array = np.asarray(shape)
    if array.dtype.kind not in "iu" or (array < 1).any():
        raise ValueError(f"its shape must be positive integers, not {shape!r}")
    return tuple(int(length) for length in array.ravel()) or (1,)


class _Flat:
    """All nodes of a graph and of those inside it, by their keys, and the edges between them."""

    def __init__(self, nir: Any, graph: Any):
        self.nir, self.refusals = nir, Refusals()
        self.nodes: dict[Key, Any] = {}
        self.edges: list[tuple[Key, Key]] = []
        self.input, self.output = self._open(graph, ())

    def _open(self, graph: Any, path: Key) -> tuple[Key, Key]:
        """Take a graph's nodes and edges; returns the keys of its Input and its Output."""
        if len(path) > DEPTH:
            raise ValueError("its graphs are nested too deeply")
        doors: dict[str, tuple[Key, Key]] = {}
        for name, node in graph.nodes.items():
            key = (*path, name)
            if isinstance(node, self.nir.NIRGraph):
                doors[name] = self._open(node, key)
            else:
                self.nodes[key] = node
                doors[name] = key, key
        for (source, target), times in Counter(map(tuple, graph.edges)).items():
            edge = f"the edge from {'.'.join((*path, str(source)))} to {'.'.join((*path, str(target)))}"
            if source not in doors or target not in doors:
                self.refusals.add(edge, "it leads to no node; name one, or leave it out")
                continue
            if times > 1:
                self.refusals.add(edge, f"it stands {times} times; leave it once, or double the weight")
            self.edges.append((doors[source][1], doors[target][0]))
        found = []
        for kind in (self.nir.Input, self.nir.Output):
            keys = [(*path, name) for name, node in graph.nodes.items() if isinstance(node, kind)]
            if len(keys) != 1:
                where = f"the graph {'.'.join(path)}" if path else "it"
                raise ValueError(f"{where} must have one {kind.__name__}, not {len(keys)}")
            found += keys
        return found[0], found[1]

    def order(self) -> list[Key]:
        """The keys, each behind its sources. Raises ValueError where there is a loop."""
        try:
            return list(TopologicalSorter(self.sources()).static_order())
        except CycleError as error:
            around = " -> ".join(".".join(key) for key in reversed(error.args[1]))
            raise ValueError(f"the network cannot be taken exactly: {around} is a loop, and only networks "
                             "without recurrence can be taken") from None

    def sources(self) -> dict[Key, list[Key]]:
        """Of each node those that feed it."""
        found: dict[Key, list[Key]] = {key: [] for key in self.nodes}
        for source, target in self.edges:
            found[target].append(source)
        return found

    def labels(self) -> dict[Key, str]:
        """What each node may be called: its metadata's name, which need not be the only one."""
        return {key: node.metadata["name"] if isinstance(node.metadata, dict)
                and isinstance(node.metadata.get("name"), str) else "" for key, node in self.nodes.items()}


class _Reader:
    """Reads the flat graph. What a node gives is a list of numbers, which add up: what passes on only what
    comes has those of its sources; None where it was refused."""

    def __init__(self, flat: _Flat, reading: Reading):
        self.flat, self.reading, self.refusals = flat, reading, Refusals()
        self.ways: dict[Key, list[int] | None] = {}
        self.declared = declared = self._declared_input()
        self.graph = Graph(declared if len(declared) == 3 else (prod(declared),))
        labels, sources = flat.labels(), flat.sources()
        for key in flat.order():
            place = Place(".".join(key), type(flat.nodes[key]).__name__)
            try:
                self.ways[key] = self._read(key, place, labels[key], sources[key])
            except ValueError as error:
                self.refusals.add(place, str(error))
                self.ways[key] = None
        self.refusals.raise_any()
        read = self.ways[flat.output]
        if read is None or len(read) != 1 or read == [INPUT]:
            raise ValueError("one node must lead to its Output, and that not its Input")
        self.graph.output = read[0]
        for node in self.graph.without_use():
            self.refusals.add(node.place, "it does not lead to the Output; leave it out")
        self.refusals.raise_any()

    def _declared_input(self) -> Shape:
        place = Place(".".join(self.flat.input), "Input")
        try:
            declared = lengths(declared_shape(self.flat.nodes[self.flat.input]))
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        if declared is None:
            raise ValueError(f"{place}: it has no shape; give it one")
        return declared

    def _read(self, key: Key, place: Place, label: str, sources: list[Key]) -> list[int] | None:
        node = self.flat.nodes[key]
        if key == self.flat.input:
            if sources:
                raise ValueError("an edge leads to it; leave that out")
            return [INPUT]
        passes = place.kind in ("Input", "Output")
        operation = None if passes else operation_of(node, self.reading)
        if not sources:
            raise ValueError("nothing leads to it; give it an edge, or leave it out")
        numbers: list[int] = []
        for source in sources:
            ways = self.ways[source]
            if ways is None:
                return None
            numbers += ways
        shapes = {self.graph.shape_of(number) for number in numbers}
        if len(shapes) > 1:
            raise ValueError(f"what comes has the shapes {' and '.join(map(str, sorted(shapes)))}; give "
                             "sources of one shape")
        shape = shapes.pop()
        self._check_declared(node, shape, alone=numbers == [INPUT])
        flat = len(shape) == 1 and (numbers != [INPUT] or len(self.declared) == 1)
        if operation is None or (isinstance(operation, Flat) and flat):
            return numbers
        return [self.graph.add(Node(place, operation, tuple(numbers), operation.behind(shape), label))]

    def _check_declared(self, node: Any, shape: Shape, *, alone: bool) -> None:
        """ValueError where a node declares another shape than comes; ``alone``: from the Input."""
        declared = lengths(declared_shape(node))
        if alone and len(self.declared) not in (1, 3) and type(node).__name__ in ("Linear", "Affine"):
            raise ValueError(f"it takes features, and what comes is {told_shape(self.declared)}; put a "
                             "Flatten before it")
        if declared is None:
            return
        if type(node).__name__ == "Conv2d":
            declared = (*shape[:1], *declared)
        elif type(node).__name__ not in ("Input", "Output", "Flatten") and (
                prod(declared) == 1 or declared == (shape[0], *[1] * (len(shape) - 1))):
            return  # one number for all, or for each channel
        if declared != shape and not (alone and declared == self.declared):
            raise ValueError(f"it is declared for {told_shape(declared)}, and what comes is "
                             f"{told_shape(shape)}; correct one of the two")
