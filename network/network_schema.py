"""What stands in a network file: a network as tensors and one JSON object, and back.

==================================  =====================================================================
tensor                              content
==================================  =====================================================================
``input.mask``                      uint8, packed bits of the inputs that are used, most significant first
``input.table``                     latency encoding: the step of each level
``layers.N.FIELD``                  integers of one layer, of the shape in :class:`.network.Layer`; one for
                                    each channel where a layer of channels has the same at all positions
``layers.N.synapses.M.NAME``        a group of synapses: see :mod:`.synapses_schema`
==================================  =====================================================================

Integers take the narrowest of int8, int16, int32 and int64 that holds them. What a network does not use
leaves no trace, so that one of signs and dense layers alone has the same file as ever.
"""

from typing import Any

import numpy as np

from .checks import integer
from .file_parts import Fields, Tensors, narrow
from .network import Bits, Direct, Encoding, Fires, Input, Latency, Layer, Limits, Network, Spikes
from .synapses_schema import SYNAPSE_FEATURES, by_channel, describe_synapses, rebuild_synapses

__all__ = ["FEATURES", "RESERVED", "describe", "rebuild"]

ENCODINGS = {Latency: "latency", Direct: "direct", Bits: "bits", Spikes: "spikes"}
FEATURES = {*ENCODINGS.values(), "shape", *SYNAPSE_FEATURES}
"""What this version reads: kinds of encoding, the shape of an input, and what synapses may be."""
RESERVED = {
    "delay": "a delay for each neuron",
    "lower_threshold": "a second threshold with its own reset",
    "persistent": "potentials that last from window to window",
    "wrap": "potentials that wrap around",
    "saturate": "potentials that saturate",
}
"""Names kept for what the format will hold one day; a file that uses one is refused by its name."""

_SCHEDULES = ("threshold_schedule", "reset_schedule")
_ALWAYS = ("initial", "bias", *_SCHEDULES)


def describe(network: Network) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The tensors and the JSON object of a network."""
    heard = network.input
    kind = ENCODINGS[type(heard.encoding)]
    encoding: dict[str, Any] = {"kind": kind}
    tensors = {"input.mask": np.packbits(heard.mask)}
    match heard.encoding:
        case Latency(table):
            tensors["input.table"] = narrow(table)
        case Direct(levels):
            encoding["levels"] = levels
        case Bits(width):
            encoding["width"] = width
        case Spikes(once):
            encoding["once"] = once
    layers, features = [], {kind}
    about_input = {"size": heard.size, "window": heard.window, "encoding": encoding}
    if heard.shape is not None:
        about_input["shape"] = list(heard.shape)
        features.add("shape")
    for n, layer in enumerate(network.layers):
        for name in _arrays_of(layer.fires, layer.leak is not None):
            values = getattr(layer, name)
            tensors[f"layers.{n}.{name}"] = narrow(
                values if name in _SCHEDULES else by_channel(values, layer.shape))
        groups = []
        for m, synapse in enumerate(layer.synapses):
            arrays, about, uses = describe_synapses(synapse)
            tensors |= {f"layers.{n}.synapses.{m}.{name}": array for name, array in arrays.items()}
            features |= uses
            groups.append(about)
        layers.append({
            "name": layer.name, "size": layer.size, "window": layer.window, "phase": layer.phase.value,
            "fires": layer.fires.value, "reset": layer.reset.value, "leak": layer.leak is not None,
            "synapses": groups,
        })
    return tensors, {
        "features": sorted(features), "input": about_input, "layers": layers,
        "readout": network.readout.value, "provenance": network.provenance,
        "calibration": network.calibration,
    }


def _arrays_of(fires: Fires, leak: bool) -> list[str]:
    """The names of a layer's arrays of integers."""
    names: list[str] = list(_ALWAYS)
    if fires is not Fires.NEVER:
        names.append("threshold")
    if fires is Fires.MANY:
        names.append("reset_value")
    return [*names, "leak"] if leak else names


def rebuild(about: Fields, tensors: Tensors) -> Network:
    """The network that :func:`describe` described.

    Takes what it knows out of ``about`` and ``tensors``. Raises ValueError or TypeError where something is
    missing, is of another type, shape or range, or is no valid network.
    """
    heard = _input(Fields(about.take("input", dict), "the input"), tensors)
    sources = {"input": (heard.size, heard.window)}
    layers = []
    entries = about.take("layers", list)
    integer(len(entries), "the number of layers", 1, Limits.LAYERS)
    synapses = 0
    for n, entry in enumerate(entries):
        layer = _layer(n, Fields(entry, f"layer {n}"), tensors, sources)
        sources[layer.name] = layer.size, layer.window
        synapses += sum(synapse.weights.size for synapse in layer.synapses)
        integer(synapses, "the number of synapses", 1, Limits.SYNAPSES)
        layers.append(layer)
    return Network(heard, layers, about.take("readout", str), about.take("provenance", dict),
                   about.take("calibration", dict))


def _input(fields: Fields, tensors: Tensors) -> Input:
    size, window = fields.size("size", Limits.SIZE), fields.size("window", Limits.WINDOW)
    about = Fields(fields.take("encoding", dict), "the encoding")
    encoding: Encoding
    match about.known("kind", *ENCODINGS.values()):
        case "latency":
            shape = tensors.raw.get("input.table", ("", (), b""))[1]
            levels = integer(shape[0] if shape else 0, "the length of 'input.table'", 2, Limits.LEVELS)
            encoding = Latency(tensors.take("input.table", (levels,)))
        case "direct":
            encoding = Direct(about.take("levels", int))
        case "bits":
            encoding = Bits(about.take("width", int))
        case _:
            encoding = Spikes(about.take("once", bool))
    about.end()
    shape = fields.integers("shape", 3, 1, Limits.SIZE) if "shape" in fields.left else None
    fields.end()
    return Input(size, window, encoding, tensors.take("input.mask", (size,), bits=True), shape)


def _layer(n: int, fields: Fields, tensors: Tensors, sources: dict[str, tuple[int, int]]) -> Layer:
    """``sources``: size and window of each."""
    name, size = fields.take("name", str), fields.size("size", Limits.SIZE)
    if not name:
        raise ValueError(f"the field 'name' of {fields.where} must not be empty")
    window, fires = fields.size("window", Limits.WINDOW), Fires(fields.known("fires", *Fires))
    synapses = [
        rebuild_synapses(Fields(entry, f"synapse {m} of layer {n}"), tensors, f"layers.{n}.synapses.{m}",
                         size, sources)
        for m, entry in enumerate(fields.take("synapses", list)[:Limits.SOURCES + 1])]
    shape = max([group.output_shape for group in synapses], key=len, default=(size,))
    arrays = {array: tensors.take(f"layers.{n}.{array}", (window,)) if array in _SCHEDULES
              else tensors.by_channel(f"layers.{n}.{array}", shape)
              for array in _arrays_of(fires, fields.take("leak", bool))}
    layer = Layer(synapses, window, phase=fields.take("phase", str), fires=fires,
                  reset=fields.take("reset", str), name=name, **arrays)
    fields.end()
    return layer
