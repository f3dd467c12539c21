"""What a network file is read from, part by part, each once: its tensors, and the fields of its JSON."""

from math import prod
from typing import Any

import numpy as np

from .checks import integer

__all__ = ["TYPES", "Fields", "Tensors", "narrow", "short"]

TYPES = {"u1": "U8", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64"}
"""The types that a file may hold: numpy's name of each, and safetensors' name."""
_INTEGERS = {name: f"<{code}" for code, name in TYPES.items() if name != "U8"}


def narrow(array: np.ndarray) -> np.ndarray:
    """``array``, of int64, in the narrowest of int8, int16, int32 and int64 that holds it."""
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

    def by_channel(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The tensor ``name`` of one integer for each entry of ``shape``, or one for each of its channels."""
        shapes = [(shape[0],), (prod(shape),)]
        has = self.raw.get(name, ("", shapes[1], b""))[1]
        return self.take(name, has if has in shapes else shapes[1])

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

    def integers(self, name: str, count: int, low: int, high: int) -> tuple[int, ...]:
        """The field ``name``, a list of ``count`` integers between ``low`` and ``high``. Raises as above."""
        values = self.take(name, list)
        if len(values) != count:
            raise ValueError(f"the field {name!r} of {self.where} must have {count} entries, "
                             f"not {len(values)}")
        return tuple(integer(value, f"the field {name!r}", low, high, self.where) for value in values)

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
