"""The neurons of other tools: what each does in a step, in float64 as the tool states it."""

from dataclasses import dataclass
from typing import Any

from .operations import Shape, spread

__all__ = ["Integrator", "Neuron"]


@dataclass(frozen=True, eq=False)
class Neuron:
    """Integrate, leak and fire, once a step and in this order::

        V = decay * V + gain * x;   fire where V > threshold (strict) or V >= threshold;
        where it fired   V = V - reset_value   or   V = reset_value

    Attributes
    ----------
    threshold, reset_value, decay, initial, gain : array_like
        Each one number for all, or of a shape that broadcasts to the neurons' (:func:`.operations.spread`);
        ``V`` starts at ``initial``.
    strict : bool
        Whether it fires above its threshold only.
    subtract : bool
        Which of the two resets.
    value : float
        What a spike is worth to what listens.
    again : bool
        Whether a ``V`` that is still above the threshold after its reset is reset before the next step's
        comparison, not after it.
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

    def behind(self, shape: Shape) -> Shape:
        """The shape that it gives for ``shape``. Raises ValueError where its numbers have another."""
        for name, value in (("threshold", self.threshold), ("reset", self.reset_value),
                            ("decay", self.decay), ("initial potential", self.initial),
                            ("input gain", self.gain)):
            spread(value, shape, name)
        return shape


@dataclass(frozen=True, eq=False)
class Integrator:
    """A neuron that never fires, read by its potential: ``V = decay * V + gain * x``.

    Attributes
    ----------
    decay, initial, gain : array_like
        As of a :class:`Neuron`.
    """

    decay: Any = 1.0
    initial: Any = 0.0
    gain: Any = 1.0

    def behind(self, shape: Shape) -> Shape:
        """The shape that it gives for ``shape``. Raises ValueError where its numbers have another."""
        for name, value in (("decay", self.decay), ("initial potential", self.initial),
                            ("input gain", self.gain)):
            spread(value, shape, name)
        return shape
