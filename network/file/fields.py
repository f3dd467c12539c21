"""What a network file is read from, part by part, each once: its tensors, and the fields of its JSON."""

from math import prod
from typing import Any

import numpy as np

from ..checks import integer
from .container import TYPES, Raw

__all__ = ["Fields", "Tensors", "short"]

_INTEGERS = {name: f"<{code}" for code, name in TYPES.items() if name != "U8"}


def short(value: Any) -> str:
    """A text that stands for ``value`` in an error, of 60 characters at most."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Fields:
    """A JSON object whose fields are to be taken one by one.

    Attributes
    ----------
    left : dict
        The fields that were not taken yet.
    where : str
        What it is about, in a sentence.
    """

    def __init__(self, value: Any, where: str):
        if not isinstance(value, dict):
            raise TypeError(f"{where} must be a JSON object, not {short(value)}")
        self.left, self.where = dict(value), where

    def take(self, name: str, kind: type) -> Any:
        """The field ``name``, of exactly this type.

        Raises
        ------
        ValueError
            It is missing.
        TypeError
            It is of another type.
        """
        if name not in self.left:
            raise ValueError(f"the field {name!r} is missing in {self.where}")
        value = self.left.pop(name)
        if type(value) is not kind:
            raise TypeError(f"the field {name!r} of {self.where} must be of type {kind.__name__}, "
                            f"not {short(value)}")
        return value

    def size(self, name: str, high: int) -> int:
        """The field ``name``, an integer from 1 to ``high``. Raises as :meth:`take`."""
        return integer(self.take(name, int), f"the field {name!r}", 1, high, self.where)

    def integers(self, name: str, count: int, low: int, high: int) -> tuple[int, ...]:
        """The field ``name``, a list of ``count`` integers between ``low`` and ``high``. Raises as above."""
        values = self.take(name, list)
        if len(values) != count:
            raise ValueError(f"the field {name!r} of {self.where} must have {count} entries, "
                             f"not {len(values)}")
        return tuple(integer(value, f"the field {name!r}", low, high, self.where) for value in values)

    def known(self, name: str, *known: str) -> str:
        """The field ``name``, one of the texts ``known``. Raises as :meth:`take`."""
        value = self.take(name, str)
        if value not in known:
            raise ValueError(f"the field {name!r} of {self.where} must be one of {', '.join(known)}, "
                             f"not {short(value)}")
        return value

    def end(self) -> None:
        """Refuse fields that were not taken.

        Raises
        ------
        ValueError
            It names one.
        """
        if self.left:
            raise ValueError(f"the field {short(min(self.left))} of {self.where} is not known")


class Tensors:
    """The tensors of a file, each to be taken once.

    Attributes
    ----------
    raw : dict
        Type, shape and bytes of each by its name.
    left : set of str
        The names of those that were not taken yet.
    """

    def __init__(self, raw: Raw):
        self.raw, self.left = raw, set(raw)

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The tensor ``name``, of signed integers in the type that it has there.

        Raises
        ------
        ValueError
            It is missing, or of another type or shape.
        """
        dtype, data = self._take(name, shape, tuple(_INTEGERS), "integers")
        return np.frombuffer(data, _INTEGERS[dtype]).reshape(shape)

    def packed(self, name: str, count: int) -> np.ndarray:
        """The tensor ``name`` of ``count`` packed bits, most significant first: uint8.

        Raises
        ------
        ValueError
            It is missing, or of another type or shape, or has a bit after the last.
        """
        packed = np.frombuffer(self._take(name, ((count + 7) // 8,), ("U8",), "packed bits")[1], np.uint8)
        if count % 8 and packed[-1] & 0xFF >> count % 8:
            raise ValueError(f"the tensor {name!r} must have no more than {count} bits")
        return packed

    def _take(self, name: str, shape: tuple[int, ...], types: tuple[str, ...], what: str):
        if name not in self.left:
            raise ValueError(f"the tensor {name!r} is missing")
        self.left.remove(name)
        dtype, has, data = self.raw[name]
        if dtype not in types:
            raise ValueError(f"the tensor {name!r} must hold {what}, not {dtype}")
        if has != shape:
            raise ValueError(f"the tensor {name!r} must have the shape {shape}, not {has}")
        return dtype, data

    def by_channel(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The tensor ``name`` of one integer for each entry of ``shape``, or one for each of its channels."""
        shapes = [(shape[0],), (prod(shape),)]
        has = self.raw.get(name, ("", shapes[1], b""))[1]
        return self.take(name, has if has in shapes else shapes[1])

    def end(self) -> None:
        """Refuse tensors that were not taken.

        Raises
        ------
        ValueError
            It names one.
        """
        if self.left:
            raise ValueError(f"the tensor {short(min(self.left))} is not known")
