"""What stands in a network file: a network as tensors and one JSON object, and back.

==================================  =====================================================================
tensor                              content
==================================  =====================================================================
``input.mask``                      uint8, packed bits of the inputs that are used, most significant first
``input.table``                     latency encoding: the step of each level
``layers.N.FIELD``                  integers of one layer, of the shape in :class:`.network.Layer`
``layers.N.synapses.M.signs``       uint8, packed bits, neuron by neuron; 1 is +1, 0 is -1
``layers.N.synapses.M.kernel``      the kernel schedule
==================================  =====================================================================

Integers take the narrowest of int8, int16, int32 and int64 that holds them.
"""

from typing import Any

import numpy as np

from .checks import integer
from .network import Bits, Dense, Direct, Encoding, Fires, Input, Latency, Layer, Limits, Network, Spikes

__all__ = ["FEATURES", "RESERVED", "TYPES", "Fields", "Tensors", "describe", "rebuild", "short"]

ENCODINGS = {Latency: "latency", Direct: "direct", Bits: "bits", Spikes: "spikes"}
FEATURES = {"dense", "sign", *ENCODINGS.values()}
"""What this version reads: kinds of synapse, of weight and of encoding."""
RESERVED = {
    "convolution": "weights shared over positions",
    "sum_pooling": "pooling that passes every spike of a region",
    "max_pooling": "pooling that passes one spike of a region",
    "ternary": "weights of -1, 0 and +1",
    "integer": "weights of 2 to 9 bits",
    "probability": "synapses that pass a spike on with a probability",
    "delay": "a delay for each neuron",
    "lower_threshold": "a second threshold with its own reset",
    "persistent": "potentials that last from window to window",
    "wrap": "potentials that wrap around",
    "saturate": "potentials that saturate",
}
"""Names kept for what the format will hold one day; a file that uses one is refused by its name."""

_ALWAYS = ("initial", "bias", "threshold_schedule", "reset_schedule")
TYPES = {"u1": "U8", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64"}
"""The types that a file may hold: numpy's name of each, and safetensors' name."""
_INTEGERS = {name: f"<{code}" for code, name in TYPES.items() if name != "U8"}


def describe(network: Network) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The tensors and the JSON object of a network."""
    heard = network.input
    kind = ENCODINGS[type(heard.encoding)]
    encoding: dict[str, Any] = {"kind": kind}
    tensors = {"input.mask": np.packbits(heard.mask)}
    match heard.encoding:
        case Latency(table):
            tensors["input.table"] = _narrow(table)
        case Direct(levels):
            encoding["levels"] = levels
        case Bits(width):
            encoding["width"] = width
        case Spikes(once):
            encoding["once"] = once
    layers = []
    for n, layer in enumerate(network.layers):
        for name in _arrays_of(layer.fires, layer.leak is not None):
            tensors[f"layers.{n}.{name}"] = _narrow(getattr(layer, name))
        for m, synapse in enumerate(layer.synapses):
            tensors[f"layers.{n}.synapses.{m}.signs"] = np.packbits(synapse.weights > 0)
            tensors[f"layers.{n}.synapses.{m}.kernel"] = _narrow(synapse.kernel)
        layers.append({
            "name": layer.name, "size": layer.size, "window": layer.window, "phase": layer.phase.value,
            "fires": layer.fires.value, "reset": layer.reset.value, "leak": layer.leak is not None,
            "synapses": [{"kind": "dense", "weights": "sign", "source": synapse.source}
                         for synapse in layer.synapses],
        })
    return tensors, {
        "features": sorted({"dense", "sign", kind}),
        "input": {"size": heard.size, "window": heard.window, "encoding": encoding},
        "layers": layers, "readout": network.readout.value,
        "provenance": network.provenance, "calibration": network.calibration,
    }


def _arrays_of(fires: Fires, leak: bool) -> list[str]:
    """The names of a layer's arrays of integers."""
    names: list[str] = list(_ALWAYS)
    if fires is not Fires.NEVER:
        names.append("threshold")
    if fires is Fires.MANY:
        names.append("reset_value")
    return [*names, "leak"] if leak else names


def _narrow(array: np.ndarray) -> np.ndarray:
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= array.min() and array.max() <= np.iinfo(dtype).max:
            return array.astype(dtype)
    return array


class Tensors:
    """The tensors of a file, each to be taken once; ``raw``: type, shape and bytes of each by its name."""

    def __init__(self, raw: list[tuple[str, dict[str, Any]]]):
        self.raw: dict[str, tuple[str, tuple[int, ...], bytes]] = {
            name: (tensor["dtype"], tuple(tensor["shape"]), bytes(tensor["data"])) for name, tensor in raw}
        self.left = set(self.raw)

    def take(self, name: str, shape: tuple[int, ...], bits: bool = False) -> np.ndarray:
        """The tensor ``name``: int64, or bool where it holds packed ``bits``. Raises ValueError."""
        if name not in self.left:
            raise ValueError(f"the tensor {name!r} is missing")
        self.left.remove(name)
        dtype, has, data = self.raw[name]
        if dtype not in (("U8",) if bits else _INTEGERS):
            wanted = "packed bits" if bits else "integers"
            raise ValueError(f"the tensor {name!r} must hold {wanted}, not {dtype}")
        size = int(np.prod(shape, dtype=np.int64))
        wanted = ((size + 7) // 8,) if bits else shape
        if has != wanted:
            raise ValueError(f"the tensor {name!r} must have the shape {wanted}, not {has}")
        if not bits:
            return np.frombuffer(data, _INTEGERS[dtype]).reshape(shape).astype(np.int64)
        return np.unpackbits(np.frombuffer(data, np.uint8), count=size).reshape(shape).astype(bool)

    def end(self) -> None:
        """Raises ValueError where a tensor was not taken."""
        if self.left:
            raise ValueError(f"the tensor {short(min(self.left))} is not known")


def short(value: Any) -> str:
    """A text that stands for ``value`` in an error, of 60 characters at most."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Fields:
    """A JSON object with a name, whose fields are to be taken one by one."""

    def __init__(self, value: Any, where: str):
        if not isinstance(value, dict):
            raise TypeError(f"{where} must be a JSON object, not {short(value)}")
        self.left, self.where = dict(value), where

    def take(self, name: str, kind: type) -> Any:
        """The field ``name``, of exactly this type. Raises ValueError, TypeError."""
        if name not in self.left:
            raise ValueError(f"the field {name!r} is missing in {self.where}")
        value = self.left.pop(name)
        if type(value) is not kind:
            raise TypeError(f"the field {name!r} of {self.where} must be of type {kind.__name__}, "
                            f"not {short(value)}")
        return value

    def size(self, name: str, high: int) -> int:
        """The field ``name``, an integer from 1 to ``high``. Raises ValueError, TypeError."""
        return integer(self.take(name, int), f"the field {name!r}", 1, high, self.where)

    def known(self, name: str, *known: str) -> str:
        """The field ``name``, one of the texts ``known``. Raises ValueError, TypeError."""
        value = self.take(name, str)
        if value not in known:
            raise ValueError(f"the field {name!r} of {self.where} must be one of {', '.join(known)}, "
                             f"not {short(value)}")
        return value

    def end(self) -> None:
        """Raises ValueError where a field was not taken."""
        if self.left:
            raise ValueError(f"the field {short(min(self.left))} of {self.where} is not known")


def rebuild(about: Fields, tensors: Tensors) -> Network:
    """The network that :func:`describe` described.

    Takes what it knows out of ``about`` and ``tensors``. Raises ValueError or TypeError where something is
    missing, is of another type, shape or range, or is no valid network.
    """
    heard = _input(Fields(about.take("input", dict), "the input"), tensors)
    sizes, windows = {"input": heard.size}, {"input": heard.window}
    layers = []
    entries = about.take("layers", list)
    integer(len(entries), "the number of layers", 1, Limits.LAYERS)
    synapses = 0
    for n, entry in enumerate(entries):
        layer = _layer(n, Fields(entry, f"layer {n}"), tensors, sizes, windows)
        sizes[layer.name], windows[layer.name] = layer.size, layer.window
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
    fields.end()
    return Input(size, window, encoding, tensors.take("input.mask", (size,), bits=True))


def _layer(n: int, fields: Fields, tensors: Tensors,
           sizes: dict[str, int], windows: dict[str, int]) -> Layer:
    name, size = fields.take("name", str), fields.size("size", Limits.SIZE)
    if not name:
        raise ValueError(f"the field 'name' of {fields.where} must not be empty")
    window, fires = fields.size("window", Limits.WINDOW), Fires(fields.known("fires", *Fires))
    synapses = []
    for m, entry in enumerate(fields.take("synapses", list)[:Limits.SOURCES + 1]):
        about = Fields(entry, f"synapse {m} of layer {n}")
        about.known("kind", "dense")
        about.known("weights", "sign")
        source = about.known("source", *sizes)
        about.end()
        prefix = f"layers.{n}.synapses.{m}"
        signs = tensors.take(f"{prefix}.signs", (size, sizes[source]), bits=True)
        kernel = tensors.take(f"{prefix}.kernel", (windows[source],))
        synapses.append(Dense(np.where(signs, np.int8(1), np.int8(-1)), kernel, source))
    arrays = {array: tensors.take(f"layers.{n}.{array}", (window,) if array.endswith("schedule") else (size,))
              for array in _arrays_of(fires, fields.take("leak", bool))}
    layer = Layer(synapses, window, phase=fields.take("phase", str), fires=fires,
                  reset=fields.take("reset", str), name=name, **arrays)
    fields.end()
    return layer
