"""Networks from NIR, the neuromorphic intermediate representation: files, and graphs of the nir package."""

import json
import os
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from ...errors import FirstspikeError
from ...network import Limits, Network
from ...network.checks import integer
from ...network.inputs import Bits, Direct, Input, Latency, Spikes
from ..checks import positive_number
from .assemble import assemble
from .nir_file import nir_package, read_graph
from .nir_graph import graph_of, lengths
from .nir_nodes import Reading
from .report import Imported, imported

__all__ = ["OURS", "import_nir", "input_shape"]

OURS = "firstspike"
"""The key of a graph's metadata that holds what NIR has no words for, as JSON."""


def import_nir(graph: Any, input: Input | None = None, *, steps: int | None = None,
               readout: str | None = None, level: float = 1.0, dt: float = 1e-4, reset: str | None = None,
               strict: bool = True, images: Any = None, labels: Any = None, weights: str = "auto",
               bits: int = 8, places: int | None = None, approximate: bool = False) -> Imported:
    """A NIR graph as integers, spike for spike where its weights are on a grid of integers.

    Parameters
    ----------
    graph : path or nir.NIRGraph
        A NIR file, or what the nir package made.
    input : Input or None
        What it listens to; None: spikes over ``steps`` steps (or as the file says, if it is one of ours).
    steps : int or None
        How many steps a window has, which NIR does not say.
    readout, level, images, labels, weights, bits, places, approximate
        As in :func:`.snntorch.import_snntorch`.
    dt : float
        How long a step is, in the unit of the graph's time constants.
    reset : str or None
        "to": a neuron that fired goes to ``v_reset``; "subtract": it loses ``v_threshold - v_reset``. NIR
        states continuous time, where the two are one. None: as a node's metadata says, else "to".
    strict : bool
        Whether neurons fire above their threshold, as NIR states, not at it; False for files of tools whose
        neurons fire at it too, as SpikingJelly's do.

    Returns
    -------
    Imported
        The network, and the report of what that took.

    Raises
    ------
    FirstspikeError
        The file is missing, damaged, or holds what cannot be taken (every such node is named).
    ValueError
        The same of a graph, and options that are none of these.
    """
    if reset not in (None, "to", "subtract"):
        raise ValueError(f"reset must be 'to' or 'subtract', not {reset!r}")
    dt = positive_number(dt, "dt")
    from_file = isinstance(graph, str | os.PathLike)
    path = Path(graph) if from_file else None
    found = read_graph(path) if path is not None else graph
    nir = nir_package()
    if not isinstance(found, nir.NIRGraph):
        raise TypeError(f"graph must be a path or a nir.NIRGraph, not {found!r}")
    try:
        ours = _ours(found)
        read = graph_of(nir, found, Reading(dt, reset, strict))
        heard = _input(input, steps, read.input_shape, ours)
        origin = assemble(read, heard, readout or ours.get("readout"), level)
        made = imported(f"NIR {nir.__version__}", origin, images, labels, weights=weights, bits=bits,
                        places=places, approximate=approximate)
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
    try:
        shape = lengths(shapes[0])
    except ValueError as error:
        raise FirstspikeError(f"{path}: {error}") from None
    if shape is None:
        raise FirstspikeError(f"{path}: its Input has no shape; give it one")
    return shape


def _ours(graph: Any) -> dict[str, Any]:
    """What our own export wrote beside the graph; empty where it is another's, or was damaged."""
    try:
        ours = json.loads(graph.metadata.get(OURS, "{}"))
    except (TypeError, ValueError, RecursionError):
        return {}
    return ours if isinstance(ours, dict) else {}


def _input(given: Input | None, steps: int | None, whole: tuple[int, ...], ours: dict[str, Any]) -> Input:
    shape = whole if len(whole) == 3 else None
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
        raise ValueError("steps must be given (--steps of the command): NIR does not say how many steps a "
                         "window has")
    steps = integer(steps, "steps", 1, Limits.WINDOW)
    return Input(prod(whole), steps, Spikes(once=False), shape=shape)


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
