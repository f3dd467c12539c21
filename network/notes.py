"""Notes that travel with a network: provenance and calibration, plain JSON values of a limited size."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["NOTES_LIMIT", "calibration_notes", "canonical_json", "plain_notes"]

NOTES_LIMIT = 1 << 20
"""The most bytes that one mapping of notes may take as JSON."""


def canonical_json(value: Any) -> str:
    """The one JSON text of ``value``: keys sorted, no spaces, ASCII, no NaN. Raises TypeError, ValueError."""
    def plain(item: Any) -> Any:
        if isinstance(item, np.generic | np.ndarray):
            return item.tolist()
        raise TypeError(f"{type(item).__name__} is no JSON value")

    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=plain)


def _all_texts(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _all_texts(item) for key, item in value.items())
    return all(map(_all_texts, value)) if isinstance(value, list | tuple) else True


def plain_notes(notes: Any, name: str) -> dict[str, Any]:
    """A copy of ``notes`` made of plain JSON values. Raises TypeError or ValueError where it is not JSON."""
    if not isinstance(notes, Mapping):
        raise TypeError(f"{name} must be a mapping of texts to JSON values, not {notes!r}")
    try:
        if not _all_texts(notes):
            raise TypeError("a key is no text")
        text = canonical_json(dict(notes))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} must be a mapping of texts to JSON values, but {error}") from None
    if len(text) > NOTES_LIMIT:
        raise ValueError(f"{name} must take at most {NOTES_LIMIT} bytes, not {len(text)}")
    return json.loads(text)


def calibration_notes(notes: Any, layers: int) -> dict[str, Any]:
    """``notes`` as :func:`plain_notes`, with ``mean_spikes`` checked where it is there.

    It holds the mean number of spikes per image of the input and of each layer. Raises TypeError, ValueError.
    """
    plain = plain_notes(notes, "calibration")
    means = plain.get("mean_spikes")
    if means is not None:
        numbers = isinstance(means, list) and all(type(mean) in (int, float) and mean >= 0 for mean in means)
        if not numbers or len(means) != layers + 1:
            raise ValueError(f"calibration must hold {layers + 1} non-negative numbers in 'mean_spikes', "
                             f"one for the input and one a layer, not {means!r}")
    return plain
