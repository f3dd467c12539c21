"""The parameters of a network as ROM images, and the same network out of them.

A folder of text files, each a memory, and ``manifest.json``, which says what lies where. Weights lie as an
engine reads them: a word for each address that is heard (of a convolution: for each channel in, row and
column of the kernel), and in it a field for each neuron (channel out), the first in the lowest bits: a bit
for a sign (1 is +1, 0 is -1), two's complement for others. What is wider than ``WORD`` bits is split into
memories side by side. Every other array of numbers is a memory with one number a word: unsigned where none is
negative, else two's complement.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from ...files import replacing_folder
from ...network import Limits, Network, WeightKind
from ...network.file.container import Raw, raw
from ...network.file.fields import Fields
from ...network.file.packing import pack
from ...network.file.reading import Newer, from_content
from ...network.file.writing import content
from ...network.file.writing_synapses import narrow
from .rom_text import FORMATS, read_words, write_words

__all__ = ["MANIFEST", "WORD", "Memory", "export_rom", "read_rom"]

MANIFEST = "manifest.json"
FORMAT = "firstspike-rom"
VERSION = 1
WORD = 1024
"""The widest word, in bits."""
MANIFEST_LIMIT = 1 << 24
"""The most bytes that a manifest may have."""
_PACKED = ("signs", "mask", "weights", "levels")
"""Arrays of a synapse group that lie as its weights do (the first three are the weights)."""


@dataclass(frozen=True)
class Memory:
    """One file of words, each of fields, the first one in the lowest bits.

    Attributes
    ----------
    name : str
        The array that it holds, as the network file names it.
    part : int
        Which share of the array's columns.
    depth : int
        How many words.
    fields, bits : int
        How many fields a word has, and bits a field.
    signed : bool
        Two's complement, else unsigned; signs are unsigned, of one bit.
    sha256 : str
        Of the file.
    """

    name: str
    part: int
    depth: int
    fields: int
    bits: int
    signed: bool
    sha256: str

    @property
    def width(self) -> int:
        """Bits of a word."""
        return self.fields * self.bits


def export_rom(network: Network, folder: str | os.PathLike[str], format: str = "hex") -> tuple[Memory, ...]:
    """Write the parameters of a network as ROM images, whole or not at all.

    Parameters
    ----------
    network : Network
        The same network gives the same bytes.
    folder : path
        Where they go; one that is there is replaced where it holds ROM images.
    format : str
        "hex", "coe" (Xilinx), "mif" (Intel) or "mi" (Gowin).

    Returns
    -------
    tuple of Memory
        What was written.

    Raises
    ------
    ValueError
        The format is none of these.
    FirstspikeError
        The folder is there and holds something else, or cannot be written.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(map(repr, FORMATS))}, not {format!r}")
    folder = Path(folder)
    if folder.exists() and not _is_ours(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise FirstspikeError(f"{folder} is there and holds no ROM images; give another -o, or remove it")
    memories: list[Memory] = []
    files: dict[str, bytes] = {}
    for name, matrix, bits, signed in _matrices(network):
        each = max(1, WORD // bits)
        for part, start in enumerate(range(0, matrix.shape[1], each)):
            share = matrix[:, start:start + each]
            text = write_words(format, _to_bits(share, bits)).encode()
            files[_file_name(name, part, format)] = text
            depth, fields = share.shape
            memories.append(Memory(name, part, depth, fields, bits, signed, hashlib.sha256(text).hexdigest()))
    manifest = {"format": FORMAT, "version": VERSION, "files": format, "network": content(network)[1],
                "memories": [asdict(memory) | {"file": _file_name(memory.name, memory.part, format),
                                               "width": memory.width} for memory in memories]}
    files[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=True) + "\n").encode()
    _put(folder, files)
    return tuple(memories)


def read_rom(folder: str | os.PathLike[str]) -> Network:
    """The network of a folder that :func:`export_rom` wrote: the same, to its digest.

    No path in the manifest is followed: file names follow from what a memory holds.

    Parameters
    ----------
    folder : path
        The folder.

    Raises
    ------
    FirstspikeError
        A file is missing, damaged or changed, or what they hold is no valid network.
    """
    folder = Path(folder)
    try:
        manifest = _manifest(folder)
        format = manifest.known("files", *FORMATS)
        about = manifest.take("network", dict)
        memories = [_memory(Fields(entry, f"memory {index}"), format)
                    for index, entry in enumerate(manifest.take("memories", list))]
        manifest.end()
        arrays: dict[str, list[np.ndarray]] = {}
        total = 0
        for memory in memories:
            total += memory.depth * memory.width
            if total > 16 * Limits.SYNAPSES:
                raise ValueError("its memories hold more than a network may take")
            if memory.part != len(arrays.setdefault(memory.name, [])):
                raise ValueError(f"part {memory.part} of {memory.name!r} is out of its order")
            arrays[memory.name].append(_from_bits(_read(folder, memory, format), memory))
        whole = {name: np.concatenate(shares, axis=1) for name, shares in arrays.items()}
        return from_content(_tensors(whole, about), about)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise FirstspikeError(f"{folder} holds no sound ROM images: {reason}; write them again with "
                              "firstspike export") from None
    except Newer as error:
        raise FirstspikeError(f"{folder} {error}; update firstspike to use it") from None


def _matrices(network: Network) -> list[tuple[str, np.ndarray, int, bool]]:
    """Name, entries ``(depth, fields)``, bits of one, and whether it is signed, of each array."""
    tensors, _ = content(network)
    found: list[tuple[str, np.ndarray, int, bool]] = []
    for n, layer in enumerate(network.layers):
        for m, synapse in enumerate(layer.synapses):
            name = f"layers.{n}.synapses.{m}"
            weights = _by_address(synapse.weights).astype(np.int64)
            sign = synapse.weight_kind is WeightKind.SIGN
            entries = (weights > 0).astype(np.int64) if sign else weights
            found.append((f"{name}.weights", entries, synapse.weight_bits, not sign))
            if synapse.probability is not None:
                levels = _by_address(synapse.probability.levels).astype(np.int64)
                found.append((f"{name}.levels", levels, 9, False))
    for name, tensor in tensors.items():
        *home, kind = name.split(".")
        if len(home) == 4 and kind in _PACKED:
            continue
        if name == "input.mask":
            found.append((name, network.input.mask.astype(np.int64)[:, None], 1, False))
            continue
        values = tensor.astype(np.int64)
        signed = bool((values < 0).any())
        most = int(np.maximum(values, ~values).max())
        found.append((name, values[:, None], max(1, most.bit_length() + signed), signed))
    return sorted(found, key=lambda entry: entry[0])


def _by_address(weights: np.ndarray) -> np.ndarray:
    """Weights ``(out, ...)`` as ``(heard, out)``."""
    return weights.reshape(len(weights), -1).T


def _to_bits(entries: np.ndarray, bits: int) -> np.ndarray:
    """The words of ``entries``: bool ``(depth, width)``, most significant bit first."""
    places = np.arange(bits - 1, -1, -1)
    digits = (entries[:, ::-1, None] >> places) & 1
    return digits.reshape(len(entries), -1).astype(bool)


def _from_bits(words: np.ndarray, memory: Memory) -> np.ndarray:
    """The entries of words: int64 ``(depth, fields)``."""
    digits = words.reshape(memory.depth, memory.fields, memory.bits)[:, ::-1].astype(np.int64)
    values = np.zeros(digits.shape[:2], np.int64)
    for place in range(memory.bits):
        values = 2 * values + digits[:, :, place]
    if memory.signed:
        values -= digits[:, :, 0] << memory.bits
    return values


def _tensors(whole: dict[str, np.ndarray], about: dict[str, Any]) -> Raw:
    """The arrays as the network file holds them. Raises ValueError, TypeError, KeyError."""
    tensors: dict[str, np.ndarray] = {}
    groups = {f"layers.{n}.synapses.{m}": group for n, layer in enumerate(about["layers"])
              for m, group in enumerate(layer["synapses"])}
    for name, entries in whole.items():
        home, _, kind = name.rpartition(".")
        if home in groups and kind in ("weights", "levels"):
            shape = groups[home].get("shape", list(entries.shape[::-1]))
            if np.prod(shape) != entries.size:
                raise ValueError(f"{name!r} has {entries.size} entries, and must have the shape {shape}")
            table = entries.T.reshape(shape)
            if kind == "levels":
                tensors[name] = narrow(table)
                continue
            weights = 2 * table - 1 if groups[home]["weights"] == "sign" else table
            if np.abs(weights).max() > 128:
                raise ValueError(f"{name!r} holds weights of more than 8 bits")
            packed = pack(weights.astype(np.int8), WeightKind(groups[home]["weights"]),
                          int(groups[home].get("bits", 1)))
            tensors |= {f"{home}.{part}": array for part, array in packed.items()}
        elif name == "input.mask":
            tensors[name] = np.packbits(entries[:, 0] != 0)
        else:
            tensors[name] = narrow(entries[:, 0])
    return raw(tensors)


def _file_name(name: str, part: int, format: str) -> str:
    return f"{name}.{part}.{format}"


def _is_ours(folder: Path) -> bool:
    try:
        return f'"{FORMAT}"' in (folder / MANIFEST).read_text()[:100]
    except (OSError, ValueError):
        return False


def _put(folder: Path, files: dict[str, bytes]) -> None:
    """Make ``folder`` of ``files`` in one move. Raises FirstspikeError."""
    with replacing_folder(folder) as made:
        for name, data in files.items():
            (made / name).write_bytes(data)


def _manifest(folder: Path) -> Fields:
    data = _bytes(folder / MANIFEST, MANIFEST_LIMIT)

    def refuse(constant: str) -> None:
        raise ValueError(f"its {MANIFEST} holds {constant}")

    try:
        fields = Fields(json.loads(data, parse_constant=refuse), f"its {MANIFEST}")
    except json.JSONDecodeError as error:
        raise ValueError(f"its {MANIFEST} is no JSON ({error})") from None
    if fields.take("format", str) != FORMAT:
        raise ValueError(f"its {MANIFEST} is not that of ROM images")
    if fields.size("version", 1 << 31) > VERSION:
        raise Newer("is of a newer version")
    return fields


def _memory(fields: Fields, format: str) -> Memory:
    name, part = fields.take("name", str), fields.take("part", int)
    memory = Memory(name, part, fields.size("depth", 1 << 28), fields.size("fields", WORD),
                    fields.size("bits", 64), fields.take("signed", bool), fields.take("sha256", str))
    file, width = fields.take("file", str), fields.take("width", int)
    fields.end()
    if file != _file_name(name, part, format) or Path(file).name != file or width != memory.width:
        raise ValueError(f"its {MANIFEST} does not name the file of {name!r} as it must be")
    return memory


def _read(folder: Path, memory: Memory, format: str) -> np.ndarray:
    name = _file_name(memory.name, memory.part, format)
    data = _bytes(folder / name, memory.depth * (memory.width // 4 + 24) + 1024)
    if hashlib.sha256(data).hexdigest() != memory.sha256:
        raise ValueError(f"{name} was changed or damaged")
    try:
        return read_words(format, data.decode("ascii"), memory.depth, memory.width)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _bytes(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror or error})") from None
    if len(data) > limit:
        raise ValueError(f"{path.name} is larger than it can be")
    return data
