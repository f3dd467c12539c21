"""A network as one safetensors file: weights packed (a sign is one bit), integers, one JSON text about them.

The JSON lies under the one metadata key ``firstspike``, in canonical form, so that the same network gives the
same bytes in every process. Its ``digest`` is the SHA-256 over every tensor and over the JSON without its
digest. ``features`` names what a reader must know; what is reserved for later is refused by name. The tensors
and fields stand in :mod:`.network_schema`.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save as serialise

from ..errors import FirstspikeError
from .checks import integer
from .file_parts import TYPES, Fields, Tensors, short
from .network import Network
from .network_schema import FEATURES, RESERVED, describe, rebuild
from .notes import NOTES_LIMIT, canonical_json

__all__ = [
    "FILE_LIMIT", "FORMAT", "VERSION", "Newer", "content", "digest", "from_content", "load", "save",
    "write_whole",
]

FORMAT = "firstspike-network"
VERSION = 1
FILE_LIMIT = 1 << 27
"""The most bytes that a network file may have."""
HEADER_LIMIT = 8 * NOTES_LIMIT
"""The most bytes that its header may have."""
METADATA = "firstspike"

_OTHER_FILES = {
    b"PK": "a zip archive, as torch and numpy write them",
    b"\x80": "a pickle, which can run code and is never opened",
    b"\x89HDF": "an HDF5 file",
    b"\x1f\x8b": "a gzip file",
    b"\x93NUMPY": "a numpy array",
}


class Newer(Exception):
    """The file is sound, and of a version or with a feature that this reader does not know."""


def digest(network: Network) -> str:
    """SHA-256 of the network's content, 64 hex digits: the same for the same numbers and notes, anywhere."""
    return content(network)[1]["digest"]


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write ``network`` to ``path``, whole or not at all; the same network gives the same bytes.

    Raises FirstspikeError where the file cannot be written (no such folder, no right, no space left), or
    would be larger than :func:`load` takes.
    """
    tensors, about = content(network)
    data = serialise(tensors, metadata={METADATA: canonical_json(about)})
    if len(data) > FILE_LIMIT:
        raise FirstspikeError(f"the network takes {len(data)} bytes, more than the {FILE_LIMIT} that a "
                              "network file may have; give it fewer weights, or weights of fewer bits")
    write_whole(path, data)


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Put ``data`` into the file ``path`` in one move: the old file is there or the new, never half of it.

    Raises FirstspikeError where it cannot be written.
    """
    path = Path(path)
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            raise FirstspikeError(f"{path} cannot be written: {error.strerror or error}; "
                                  "free some space or choose another place") from None
        raise


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network from the file that :func:`save` wrote.

    Nothing of the file is run, no path in it is followed, and every size is checked before memory is taken.

    Raises
    ------
    FirstspikeError: the file is missing, no network file, damaged, too large, of a newer version, uses what
    is reserved for later, or does not hold a valid network. It names the file, the field and the remedy.
    """
    data = _read(Path(path))
    try:
        return _decode(data)
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


def content(network: Network) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Tensors and complete JSON object of a network's file."""
    tensors, about = describe(network)
    about |= {"format": FORMAT, "version": VERSION}
    about["digest"] = _digest({name: (TYPES[array.dtype.str[1:]], array.shape, array.tobytes())
                               for name, array in tensors.items()}, about)
    return tensors, about


def _digest(tensors: dict[str, tuple[str, tuple[int, ...], bytes]], about: dict[str, Any]) -> str:
    total = hashlib.sha256()
    parts = [canonical_json({key: value for key, value in about.items() if key != "digest"}).encode()]
    for name, (dtype, shape, data) in sorted(tensors.items()):
        parts += [canonical_json([name, dtype, shape]).encode(), data]
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()


def _decode(data: bytes) -> Network:
    """The network in the bytes of a file. Raises ValueError, TypeError, RecursionError, Newer."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or not 2 <= length <= HEADER_LIMIT or data[8:9] != b"{":
        for start, what in _OTHER_FILES.items():
            if data.startswith(start):
                raise ValueError(f"it is {what}")
        raise ValueError("it does not begin as a safetensors file" if data else "it is empty")
    try:
        tensors = Tensors(deserialize(data))
    except SafetensorError as error:
        raise ValueError(f"it is no whole safetensors file ({error})") from None
    return from_content(tensors, _metadata(data[8:8 + length]))


def from_content(tensors: Tensors, about: dict[str, Any]) -> Network:
    """The network of what :func:`content` gave. Raises ValueError, TypeError, RecursionError, Newer."""
    fields = Fields(about, "the file")
    if fields.take("format", str) != FORMAT:
        raise ValueError(f"'format' must be {FORMAT!r}, not {short(about['format'])}")
    version = integer(fields.take("version", int), "'version'", 1, 1 << 31)
    if version > VERSION:
        raise Newer(f"is a network file of version {version}, and this firstspike reads up to "
                     f"version {VERSION}")
    if _digest(tensors.raw, about) != fields.take("digest", str):
        raise ValueError("its 'digest' does not match its content, so it was damaged or changed")
    _check_features(fields.take("features", list))
    network = rebuild(fields, tensors)
    fields.end()
    tensors.end()
    if network.digest != about["digest"]:
        raise ValueError("it is not in the form that Network.save() gives it")
    return network


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


def _check_features(features: list[Any]) -> None:
    for feature in features:
        if not isinstance(feature, str):
            raise TypeError(f"'features' must be a list of texts, not of {short(feature)}")
        if feature in RESERVED:
            raise Newer(f"uses {feature!r} ({RESERVED[feature]}), which this firstspike reserves and "
                         "cannot run yet")
        if feature not in FEATURES:
            raise Newer(f"uses {short(feature)}, a feature that this firstspike does not know")
