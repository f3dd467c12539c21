"""The bytes of a network file: tensors and one JSON object, as safetensors, under one digest.

The JSON lies under the one metadata key ``firstspike``, in canonical form, so that the same network gives the
same bytes in every process. Its ``digest`` is the SHA-256 over every tensor and over the JSON without its
digest.
"""

import hashlib
import json
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save as serialise

from ..canonical_json import canonical_json
from .format import HEADER_LIMIT

__all__ = ["METADATA", "TYPES", "Raw", "decode", "digest_of", "encode", "raw"]

METADATA = "firstspike"
TYPES = {"u1": "U8", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64"}
"""The types that a file may hold: numpy's name of each, and safetensors' name."""

Raw = dict[str, tuple[str, tuple[int, ...], bytes | bytearray]]
"""Tensors as they lie in a file: type, shape and bytes of each by its name."""

_OTHER_FILES = {
    b"PK": "a zip archive, as torch and numpy write them",
    b"\x80": "a pickle, which can run code and is never opened",
    b"\x89HDF": "an HDF5 file",
    b"\x1f\x8b": "a gzip file",
    b"\x93NUMPY": "a numpy array",
}


def raw(tensors: dict[str, np.ndarray]) -> Raw:
    """Arrays as they lie in a file."""
    return {name: (TYPES[array.dtype.str[1:]], array.shape, array.tobytes())
            for name, array in tensors.items()}


def digest_of(tensors: Raw, about: dict[str, Any]) -> str:
    """SHA-256 over tensors and JSON, whatever digest that holds: 64 hex digits."""
    total = hashlib.sha256()
    parts = [canonical_json({key: value for key, value in about.items() if key != "digest"}).encode()]
    for name, (dtype, shape, data) in sorted(tensors.items()):
        parts += [canonical_json([name, dtype, shape]).encode(), data]
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()


def encode(tensors: dict[str, np.ndarray], about: dict[str, Any]) -> bytes:
    """The bytes of a file: the same for the same tensors and JSON, in any process."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    return serialise(contiguous, metadata={METADATA: canonical_json(about)})


def decode(data: bytes) -> tuple[Raw, dict[str, Any]]:
    """Tensors and JSON object in the bytes of a file.

    Raises
    ------
    ValueError, TypeError, RecursionError
        It is no such file, or not whole. (The digest is not looked at.)
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or not 2 <= length <= HEADER_LIMIT or data[8:9] != b"{":
        for start, what in _OTHER_FILES.items():
            if data.startswith(start):
                raise ValueError(f"it is {what}")
        raise ValueError("it does not begin as a safetensors file" if data else "it is empty")
    try:
        tensors = deserialize(data)
    except SafetensorError as error:
        raise ValueError(f"it is no whole safetensors file ({error})") from None
    return ({name: (tensor["dtype"], tuple(tensor["shape"]), tensor["data"]) for name, tensor in tensors},
            _metadata(data[8:8 + length]))


def _metadata(header: bytes) -> dict[str, Any]:
    """The JSON object about the network, out of a safetensors header."""
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name stands twice in its JSON")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"its JSON holds {constant}")

    def parse(text: str | bytes) -> Any:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)

    metadata = parse(header.decode()).get("__metadata__")
    if not isinstance(metadata, dict) or list(metadata) != [METADATA]:
        raise ValueError(f"its metadata must be one text under the key {METADATA!r}")
    about = parse(metadata[METADATA])
    if not isinstance(about, dict) or canonical_json(about) != metadata[METADATA]:
        raise ValueError(f"its metadata {METADATA!r} must be a canonical JSON object")
    return about
