"""What is noted about a network beside its numbers: provenance and calibration, as JSON of limited size."""

import json
from collections.abc import Mapping
from typing import Any

from .canonical_json import canonical_json
from .limits import Limits

__all__ = ["NOTES_LIMIT", "calibration_notes", "plain_notes"]

NOTES_LIMIT = 1 << 20
"""The most bytes that one mapping of notes may take as JSON."""


def _all_texts(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _all_texts(item) for key, item in value.items())
    return all(map(_all_texts, value)) if isinstance(value, list | tuple) else True


def plain_notes(notes: Any, name: str) -> dict[str, Any]:
    """A copy of ``notes`` made of plain JSON values.

    Raises
    ------
    TypeError
        ``notes`` is no mapping.
    ValueError
        It is not JSON, or takes more than ``NOTES_LIMIT`` bytes.
    """
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

    It holds the mean number of spikes per image of the input and of each layer; a source cannot send more
    than one from each of its addresses in each step.

    Raises
    ------
    TypeError, ValueError
        As :func:`plain_notes`, or ``mean_spikes`` is something else.
    """
    plain = plain_notes(notes, "calibration")
    means = plain.get("mean_spikes")
    if means is not None:
        if not isinstance(means, list) or len(means) != layers + 1 or not all(map(_is_mean, means)):
            raise ValueError(f"calibration must hold {layers + 1} non-negative numbers in 'mean_spikes', one "
                             f"for the input and one a layer, none above {Limits.SIZE * Limits.WINDOW}, "
                             f"not {_short(means)}")
    return plain


def _is_mean(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= Limits.SIZE * Limits.WINDOW


def _short(value: Any) -> str:
    text = canonical_json(value)
    return text if len(text) <= 60 else text[:57] + "..."
