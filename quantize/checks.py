"""Numbers that come from outside, checked before anything is made of them."""

from math import inf
from typing import Any

import numpy as np

__all__ = ["number_from_0", "positive_number"]


def positive_number(value: Any, name: str) -> float:
    """A number above 0 as a float.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        Of it, for the sentence of an error.

    Raises
    ------
    TypeError
        It is no number.
    ValueError
        It is not above 0, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a number above 0, not {value!r}")
    if not 0 < value < inf:
        raise ValueError(f"{name} must be a number above 0, not {value}")
    return float(value)


def number_from_0(value: Any, name: str) -> float:
    """A number, 0 or more, as a float; errors are those of `positive_number`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a number, 0 or more, not {value!r}")
    if not 0 <= value < inf:
        raise ValueError(f"{name} must be 0 or more, not {value}")
    return float(value)
