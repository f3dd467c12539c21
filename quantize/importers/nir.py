"""Networks from NIR, the neuromorphic intermediate representation: files, and graphs of the nir package."""

import json
import os
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from ...network import Network
from ...network.inputs import Bits, Direct, Input, Latency, Spikes
from .assemble import assemble
from .nir_file import nir_package, read_graph
from .nir_nodes import Reading, part_of
from .parts import Chart, Refusals
from .report import Imported, finish

__all__ = ["import_nir", "input_shape"]

OURS = "firstspike"
"""The key of a graph's metadata that holds what NIR has no words for, as JSON."""


def import_nir(graph: Any, input: Input | None = None, *, steps: int | None = None,
               readout: str | None = None, level: float = 1.0, dt: float = 1e-4, reset: str | None = None,
               strict: bool = True, images: Any = None, labels: Any = None, weights: str = "auto",
               bits: int = 8, places: int | None = None, approximate: bool = False) -> Imported:
    """A NIR graph as integers, spike for spike where its weights are on a grid of integers.

    Parameters
    ----------
    graph: the path of a NIR file, or a ``nir.NIRGraph``.
    input: what it listens to; None: spikes over ``steps`` steps (or as the file says, if it is one of ours).
    steps: how many steps a window has, which NIR does not say.
    dt: how long a step is, in the unit of the graph's time constants.
    reset: "to": a neuron that fired goes to ``v_reset``; "subtract": it loses ``v_threshold - v_reset``. NIR
        states continuous time, where the two are one. None: as a node's metadata says, else "to".

    strict: neurons fire above their threshold, as NIR states, not at it; False for files of tools whose
        neurons fire at it too, as SpikingJelly's do.

    The other parameters: as in :func:`.snntorch.import_snntorch`.

    Raises
    ------
    FirstspikeError: the file is missing, damaged, or holds what cannot be taken (every such node is named).
    ValueError: the same of a graph, and options that are none of these.
    """
    if reset not in (None, "to", "subtract"):
        raise ValueError(f"reset must be 'to' or 'subtract', not {reset!r}")
    if not dt > 0:
        raise ValueError(f"dt must be above 0, not {dt}")
    from_file = isinstance(graph, str | os.PathLike)
    path = Path(graph) if from_file else None
    found = read_graph(path) if path is not None else graph
    nir = nir_package()
    if not isinstance(found, nir.NIRGraph):
        raise TypeError(f"graph must be a path or a nir.NIRGraph, not {found!r}")
    try:
        ours = _ours(found)
        chart = _chart(nir, found, Reading(dt, reset, strict))
        heard = _input(input, steps, chart, ours)
        origin = assemble(chart, heard, readout or ours.get("readout"), level)
        made = finish(f"NIR {nir.__version__}", origin, images, labels, weights=weights, bits=bits,
                      places=places, approximate=approximate, kernels=chart.kernels)
        return _as_it_was(made, ours)
    except (AttributeError, OverflowError, TypeError, ValueError) as error:
        if path is None:
            raise
        raise FirstspikeError(f"{path}: {error}") from None


def input_shape(path: str | Path) -> tuple[int, ...]:
    """The shape of one step of the input of the graph in a NIR file. Raises FirstspikeError."""
    nir, graph = nir_package(), read_graph(path)
    shapes = [node.input_type["input"] for node in graph.nodes.values() if isinstance(node, nir.Input)]
    if len(shapes) != 1:
        raise FirstspikeError(f"{path} must have one Input, not {len(shapes)}; give it one")
    return tuple(int(length) for length in np.asarray(shapes[0]).ravel())


def _ours(graph: Any) -> dict[str, Any]:
    """What our own export wrote beside the graph; empty where it is another's, or was damaged."""
    try:
        ours = json.loads(graph.metadata.get(OURS, "{}"))
    except (TypeError, ValueError, RecursionError):
        return {}
    return ours if isinstance(ours, dict) else {}


def _input(given: Input | None, steps: int | None, chart: Chart, ours: dict[str, Any]) -> Input:
    shape = chart.input_shape if len(chart.input_shape) == 3 else None
    if given is not None:
        if steps not in (None, given.window):
            raise ValueError(f"steps must be those of the input, {given.window}, not {steps}")
        return given
    stated = ours.get("input")
    if isinstance(stated, dict) and steps in (None, stated.get("window")):
        kinds = {"latency": Latency, "direct": Direct, "bits": Bits, "spikes": Spikes}
        try:
            encoding = kinds[stated["kind"]](stated["with"])
            return Input(stated["size"], stated["window"], encoding,
                         shape=shape if stated["planes"] else None)
        except (KeyError, TypeError, ValueError):
            pass  # not what our export writes
    if steps is None:
        raise ValueError("steps must be given: NIR does not say how many steps a window has")
    return Input(prod(chart.input_shape), steps, Spikes(once=False), shape=shape)


def _as_it_was(made: Imported, ours: dict[str, Any]) -> Imported:
    """The network with the notes that our export wrote, where it is the one that was exported."""
    try:
        layers = [replace(layer, **{name: ours["schedules"][layer.name][name] for name in
                                    ("threshold_schedule", "reset_schedule")
                                    if name in ours["schedules"].get(layer.name, {})})
                  for layer in made.network.layers]
        layers = [replace(layer, threshold=layer.threshold // layer.threshold_schedule[0],
                          reset_value=layer.reset_value // max(int(layer.reset_schedule[0]), 1))
                  if layer.name in ours["schedules"] else layer for layer in layers]
        was = Network(made.network.input, layers, made.network.readout, ours["provenance"],
                      ours["calibration"])
        same = was.digest == ours["digest"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return made
    return replace(made, network=was) if same else made


def _chart(nir: Any, graph: Any, reading: Reading) -> Chart:
    """The graph's nodes as parts, in topological order. Raises ValueError."""
    nodes, edges = _inlined(nir, graph)
    refusals = Refusals()
    inputs = [name for name in nodes if isinstance(nodes[name], nir.Input)]
    outputs = [name for name in nodes if isinstance(nodes[name], nir.Output)]
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"it must have one Input and one Output, not {len(inputs)} and {len(outputs)}")
    sources: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        if source not in nodes or target not in nodes:
            raise ValueError(f"the edge from {source} to {target} leads to no node")
        sources[target].append(source)
    try:
        order = list(TopologicalSorter(sources).static_order())
    except CycleError as error:
        around = " -> ".join(reversed(error.args[1]))
        raise ValueError(f"the network cannot be taken exactly: {around} is a loop, and only networks "
                         "without recurrence can be taken") from None
    shape = nodes[inputs[0]].input_type["input"]
    chart = Chart(tuple(int(length) for length in np.asarray(shape).ravel()) or (1,))
    if len(chart.input_shape) != 3:
        chart.input_shape = (prod(chart.input_shape),)
    names = {inputs[0]: "input"}
    for name in order:
        node = nodes[name]
        heard = tuple(names[source] for source in sources[name] if source in names)
        if name in (*inputs, *outputs):
            continue
        label = str(node.metadata.get("name", name))
        names[name] = label if label not in chart.parts and label != "input" else name
        kind = type(node).__name__
        if not heard:
            refusals.add(f"{name} ({kind})", "nothing leads to it; give it an edge, or leave it out")
            continue
        try:
            chart.add(names[name], kind, part_of(node, reading), heard)
        except ValueError as error:
            refusals.add(f"{name} ({kind})", str(error))
        kernels = [nodes[source].metadata.get("kernel") for source in sources[name]]
        if all(kernel is not None for kernel in kernels):
            chart.kernels[names[name]] = tuple(int(np.asarray(kernel)) for kernel in kernels)
    refusals.raise_any()
    read = [source for source in sources[outputs[0]] if source in names and source not in inputs]
    if len(sources[outputs[0]]) != 1 or not read:
        raise ValueError("one node must lead to its Output, and that not its Input")
    chart.last = names[read[0]]
    _prune(chart)
    return chart


def _prune(chart: Chart) -> None:
    """Refuse what does not lead to what is read; nothing is dropped in silence."""
    needed, open_ = {chart.last}, [chart.last]
    while open_:
        for source in chart.sources.get(open_.pop(), ()):
            if source not in needed:
                needed.add(source)
                open_.append(source)
    refusals = Refusals()
    for name in chart.parts:
        if name not in needed:
            refusals.add(chart.place(name), "it does not lead to the Output; leave it out")
    refusals.raise_any()


def _inlined(nir: Any, graph: Any, prefix: str = "",
             depth: int = 0) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Nodes and edges with those of graphs inside the graph among them, their names behind a dot."""
    if depth > 8:
        raise ValueError("its graphs are nested too deeply")
    nodes: dict[str, Any] = {}
    edges = [(f"{prefix}{source}", f"{prefix}{target}") for source, target in graph.edges]
    for name, node in graph.nodes.items():
        full = f"{prefix}{name}"
        if not isinstance(node, nir.NIRGraph):
            nodes[full] = node
            continue
        inner, inside = _inlined(nir, node, f"{full}.", depth + 1)
        doors = {kind: [key for key, item in inner.items() if isinstance(item, kind)]
                 for kind in (nir.Input, nir.Output)}
        if any(len(keys) != 1 for keys in doors.values()):
            raise ValueError(f"the graph {full} must have one Input and one Output")
        (door_in,), (door_out,) = doors[nir.Input], doors[nir.Output]
        firsts = [target for source, target in inside if source == door_in]
        lasts = [source for source, target in inside if target == door_out]
        nodes |= {key: item for key, item in inner.items() if key not in (door_in, door_out)}
        before = [source for source, target in edges if target == full]
        behind = [target for source, target in edges if source == full]
        edges = [edge for edge in edges if full not in edge]
        edges += [edge for edge in inside if door_in not in edge and door_out not in edge]
        edges += [(source, first) for source in before for first in firsts]
        edges += [(last, target) for last in lasts for target in behind]
    return nodes, edges
