"""The one JSON text of a value: the same bytes in every process."""

import json
from typing import Any

import numpy as np

__all__ = ["canonical_json"]


def canonical_json(value: Any) -> str:
    """The one JSON text of ``value``: keys sorted, no spaces, ASCII, no NaN.

    Raises
    ------
    TypeError, ValueError
        ``value`` is not JSON; arrays and numbers of numpy are.
    """
    def plain(item: Any) -> Any:
        if isinstance(item, np.generic | np.ndarray):
            return item.tolist()
        raise TypeError(f"{type(item).__name__} is no JSON value")

    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=plain)
