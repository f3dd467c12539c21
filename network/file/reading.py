"""A network out of its file; the opposite of :mod:`.writing`.

What the file holds is checked part by part, each before memory or time is given to it. ``features`` names
what a reader must know; what is reserved for later is refused by name.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from ..behaviour import Fires
from ..budget import Budget
from ..canonical_json import canonical_json
from ..checks import integer
from ..inputs import Bits, Direct, Encoding, Input, Latency, Spikes
from ..layer import Layer
from ..limits import Limits
from ..network import Network
from .container import Raw, decode, digest_of, raw
from .fields import Fields, Tensors, short
from .format import ENCODINGS, FEATURES, FILE_LIMIT, FORMAT, RESERVED, SCHEDULES, VERSION, arrays_of
from .packing import PACKED
from .reading_synapses import rebuild_synapses
from .writing import describe

__all__ = ["Newer", "from_content", "load"]


class Newer(Exception):
    """The file is sound, and of a version or with a feature that this reader does not know."""


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network from the file that :meth:`.network.Network.save` wrote.

    Nothing of the file is run, no path in it is followed, and every size is checked before memory is taken.

    Raises
    ------
    FirstspikeError
        The file is missing, no network file, damaged, too large, of a newer version, uses what is reserved
        for later, or does not hold a valid network. It names the file, the field and the remedy.
    """
    path = Path(path)
    try:
        return from_content(*decode(_read(path)))
    except (TypeError, ValueError, RecursionError) as error:
        reason = "its JSON is nested too deeply" if isinstance(error, RecursionError) else error
        raise FirstspikeError(f"{path} is no valid network file: {reason}; fetch it again, "
                              "or save it again with Network.save()") from None
    except Newer as error:
        raise FirstspikeError(f"{path} {error}; update firstspike to use it") from None


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            what = "is no file" if path.exists() else "does not exist"
            raise FirstspikeError(f"network file {path} {what}; check the path")
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FirstspikeError(f"network file {path} cannot be read: {reason}; "
                              "check the path and its permissions") from None
    if len(data) > FILE_LIMIT:
        raise FirstspikeError(f"network file {path} is larger than the {FILE_LIMIT} bytes that a network may "
                              "take; check that it is the right file")
    return data


def from_content(found: Raw, about: dict[str, Any]) -> Network:
    """The network of what :func:`.writing.content` gave.

    Parameters
    ----------
    found : dict
        The tensors, as they lie in a file.
    about : dict
        The JSON object.

    Raises
    ------
    ValueError, TypeError, RecursionError
        It is no valid network, or not in the form that is written.
    Newer
        It is of a version or has a feature that is not known here.
    """
    fields, tensors = Fields(about, "the file"), Tensors(found)
    if fields.take("format", str) != FORMAT:
        raise ValueError(f"'format' must be {FORMAT!r}, not {short(about['format'])}")
    version = integer(fields.take("version", int), "'version'", 1, 1 << 31)
    if version > VERSION:
        raise Newer(f"is a network file of version {version}, and this firstspike reads up to "
                     f"version {VERSION}")
    if digest_of(found, about) != fields.take("digest", str):
        raise ValueError("its 'digest' does not match its content, so it was damaged or changed")
    _check_features(fields.take("features", list))
    network = _rebuild(fields, tensors)
    fields.end()
    tensors.end()
    written, said = describe(network, weights=False)  # what is packed has one form, if of this kind
    others = {name: tensor for name, tensor in found.items()
              if name.startswith("input.") or name.rsplit(".", 1)[-1] not in PACKED}
    if raw(written) != others or canonical_json(said) != canonical_json({name: about[name] for name in said}):
        raise ValueError("it is not in the form that Network.save() gives it")
    return network


def _check_features(features: list[Any]) -> None:
    for feature in features:
        if not isinstance(feature, str):
            raise TypeError(f"'features' must be a list of texts, not of {short(feature)}")
        if feature in RESERVED:
            raise Newer(f"uses {feature!r} ({RESERVED[feature]}), which this firstspike reserves and "
                         "cannot run yet")
        if feature not in FEATURES:
            raise Newer(f"uses {short(feature)}, a feature that this firstspike does not know")


def _rebuild(about: Fields, tensors: Tensors) -> Network:
    """The network that :func:`.writing.describe` described, out of its ``about`` and ``tensors``.

    Raises
    ------
    ValueError, TypeError
        Something is missing, is of another type, shape or range, or is no valid network.
    """
    budget = Budget()
    heard = _input(Fields(about.take("input", dict), "the input"), tensors)
    sources = {"input": (heard.size, heard.window)}
    layers = []
    entries = about.take("layers", list)
    integer(len(entries), "the number of layers", 1, Limits.LAYERS)
    for n, entry in enumerate(entries):
        layer = _layer(n, Fields(entry, f"layer {n}"), tensors, sources, budget)
        sources[layer.name] = layer.size, layer.window
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
    mask = np.unpackbits(tensors.packed("input.mask", size), count=size).view(bool)
    return Input(size, window, encoding, mask, shape)


def _layer(n: int, fields: Fields, tensors: Tensors, sources: dict[str, tuple[int, int]],
           budget: Budget) -> Layer:
    """``sources``: size and window of each."""
    name, size = fields.take("name", str), fields.size("size", Limits.SIZE)
    if not name:
        raise ValueError(f"the field 'name' of {fields.where} must not be empty")
    window, fires = fields.size("window", Limits.WINDOW), Fires(fields.known("fires", *Fires))
    budget.spend_layer(size, window)
    synapses = [
        rebuild_synapses(Fields(entry, f"synapse {m} of layer {n}"), tensors, f"layers.{n}.synapses.{m}",
                         size, sources, budget)
        for m, entry in enumerate(fields.take("synapses", list)[:Limits.SOURCES + 1])]
    shape = max([group.output_shape for group in synapses], key=len, default=(size,))
    arrays = {array: tensors.take(f"layers.{n}.{array}", (window,)) if array in SCHEDULES
              else tensors.by_channel(f"layers.{n}.{array}", shape)
              for array in arrays_of(fires, fields.take("leak", bool))}
    layer = Layer(synapses, window, phase=fields.take("phase", str), fires=fires,
                  reset=fields.take("reset", str), name=name, **arrays)
    fields.end()
    return layer
