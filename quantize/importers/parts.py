"""What a network of another tool is made of, in the words that all importers share.

A :class:`Chart` holds named parts and which of them feed which; :mod:`.assemble` makes layers of it. Numbers
are float64 as the tool states them; nothing is rounded here. Everything that cannot be taken is collected in
:class:`Refusals`, so that one error names it all.
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

__all__ = [
    "Chart", "Flat", "Gain", "Geometry", "Integrator", "Neuron", "Part", "Pooling", "Refusals", "Shape",
    "Weights", "spread",
]

Shape = tuple[int, ...]
"""``(features,)`` or ``(channels, height, width)``."""


@dataclass(frozen=True)
class Geometry:
    """Where the weights of a convolution lie; ``padding``: top, bottom, left, right."""

    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass(frozen=True, eq=False)
class Weights:
    """``weight`` times what comes, plus ``bias`` in every step.

    ``weight``: ``(out, in)``, or ``(out, in / groups, height, width)`` with a ``geometry``. ``bias``:
    ``(out,)``.
    """

    weight: np.ndarray
    bias: np.ndarray
    geometry: Geometry | None = None


@dataclass(frozen=True, eq=False)
class Gain:
    """``factor * x + shift``; each a number, one for each channel or feature, or one for each value."""

    factor: np.ndarray
    shift: Any = 0.0


@dataclass(frozen=True)
class Pooling:
    """The maximum of each region, or its sum over ``divisor``; ``padding``: top, bottom, left, right."""

    maximum: bool
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    divisor: int = 1


@dataclass(frozen=True)
class Flat:
    """Planes become features, in C order."""


@dataclass(frozen=True, eq=False)
class Neuron:
    """Integrate, leak and fire, once a step and in this order::

        V = decay * V + gain * x;   fire where V > threshold (strict) or V >= threshold;
        where it fired   V = V - reset_value   or   V = reset_value

    Each number is one for all, one for each channel, or one for each neuron; ``V`` starts at ``initial``.
    ``subtract``: which of the two resets. ``value``: what a spike is worth to what listens. ``again``: a
    ``V`` that is still above the threshold after its reset is reset before the next step's comparison, not
    after it.
    """

    threshold: Any
    strict: bool
    subtract: bool
    reset_value: Any
    decay: Any = 1.0
    initial: Any = 0.0
    gain: Any = 1.0
    value: float = 1.0
    again: bool = False


@dataclass(frozen=True, eq=False)
class Integrator:
    """A neuron that never fires, read by its potential: ``V = decay * V + gain * x``."""

    decay: Any = 1.0
    initial: Any = 0.0
    gain: Any = 1.0


Part = Weights | Gain | Pooling | Flat | Neuron | Integrator


class Refusals:
    """What cannot be taken, one clause each, so that one error names everything."""

    def __init__(self) -> None:
        self.clauses: list[str] = []

    def add(self, place: str, why: str) -> None:
        """Refuse what stands at ``place``; ``why`` ends in what would be accepted."""
        self.clauses.append(f"{place}: {why}")

    def raise_any(self) -> None:
        """Raise ValueError with all that was collected, if anything was."""
        if self.clauses:
            raise ValueError(f"the network cannot be taken exactly: {'; '.join(self.clauses)}")


@dataclass(eq=False)
class Chart:
    """Named parts and their sources.

    ``parts``: in topological order, by name. ``sources``: of each part the names that feed it, "input" among
    them; what several bring is added up. ``kinds``: what the tool calls each part. ``last``: the name that is
    read. ``input_shape``: of one step of the input.
    """

    input_shape: Shape
    parts: dict[str, Part] = field(default_factory=dict)
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    last: str = "input"
    kernels: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def add(self, name: str, kind: str, part: Part, sources: tuple[str, ...] | None = None) -> None:
        """Add a part; without ``sources`` it follows the one before."""
        self.parts[name], self.kinds[name] = part, kind
        self.sources[name] = (self.last,) if sources is None else sources
        self.last = name

    def place(self, name: str) -> str:
        """A part's name and kind, for a sentence."""
        return f"{name} ({self.kinds[name]})" if name in self.kinds else name


def spread(value: Any, shape: Shape, name: str) -> np.ndarray:
    """``value``, one number, one a channel or one a neuron, as float64 of ``(neurons,)``; or ValueError."""
    array = np.asarray(value, np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"its {name} must be finite numbers; train it again")
    size = prod(shape)
    if array.size == 1:
        return np.full(size, array.item())
    if array.size == size:
        return array.reshape(size).copy()
    if array.size == shape[0]:
        return np.repeat(array.reshape(-1), size // shape[0])
    raise ValueError(f"its {name} must be one number, {shape[0]} or {size}, not of the shape {array.shape}")
