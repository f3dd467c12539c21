"""What stands in a network file: a network as tensors and one JSON object, and the file itself.

==================================  =====================================================================
tensor                              content
==================================  =====================================================================
``input.mask``                      uint8, packed bits of the inputs that are used, most significant first
``input.table``                     latency encoding: the step of each level
``layers.N.FIELD``                  integers of one layer, of the shape in :class:`..layer.Layer`; one for
                                    each channel where a layer of channels has the same at all positions
``layers.N.synapses.M.NAME``        a group of synapses: see :mod:`.writing_synapses`
==================================  =====================================================================

Integers take the narrowest of int8, int16, int32 and int64 that holds them. What a network does not use
leaves no trace, so that one of signs and dense layers alone has the same file as ever. ``features`` names
what a reader must know.
"""

import os
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from ...files import replacing
from ..description import Description
from ..inputs import Bits, Direct, Latency, Spikes
from .container import decode, digest_of, encode, raw
from .format import ENCODINGS, FILE_LIMIT, FORMAT, SCHEDULES, VERSION, arrays_of
from .writing_synapses import by_channel, describe_synapses, narrow

__all__ = ["content", "describe", "digest", "save"]


def digest(network: Description) -> str:
    """SHA-256 of the network's content, 64 hex digits: the same for the same numbers and notes, anywhere."""
    return content(network)[1]["digest"]


def save(network: Description, path: str | os.PathLike[str]) -> None:
    """Write ``network`` to ``path``, whole or not at all; the same network gives the same bytes.

    What was written is read back and compared before it takes the place of what was there.

    Raises
    ------
    FirstspikeError
        The file cannot be written (no such folder, no right, no space left), does not come back as it was
        written, or would be larger than a network file may be.
    """
    tensors, about = content(network)
    data = encode(tensors, about)
    if len(data) > FILE_LIMIT:
        raise FirstspikeError(f"the network takes {len(data)} bytes, more than the {FILE_LIMIT} that a "
                              "network file may have; give it fewer weights, or weights of fewer bits")
    with replacing(path) as file:
        file.write(data)
        file.seek(0)
        if not _comes_back(file.read(), tensors, about):
            raise FirstspikeError(f"{path} does not come back as it was written, and what was there is kept; "
                                  "check the disk, or choose another place")


def _comes_back(data: bytes, tensors: dict[str, np.ndarray], about: dict[str, Any]) -> bool:
    try:
        found, said = decode(data)
    except (TypeError, ValueError, RecursionError):
        return False
    return said == about and found == raw(tensors) and digest_of(found, said) == about["digest"]


def content(network: Description) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Tensors and complete JSON object of a network's file."""
    tensors, about = describe(network)
    about |= {"format": FORMAT, "version": VERSION}
    about["digest"] = digest_of(raw(tensors), about)
    return tensors, about


def describe(network: Description, weights: bool = True) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The tensors and the JSON object of a network, but for what is about the file.

    ``weights``: whether the tensors of the weights are wanted, too.
    """
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
        for name in arrays_of(layer.fires, layer.leak is not None):
            values = getattr(layer, name)
            tensors[f"layers.{n}.{name}"] = narrow(
                values if name in SCHEDULES else by_channel(values, layer.shape))
        groups = []
        for m, synapse in enumerate(layer.synapses):
            arrays, about, uses = describe_synapses(synapse, weights)
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
