"""One layer: what it hears through which synapses, and how its neurons fire."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .behaviour import Fires, Phase, Reset
from .checks import Integers, array, array_of_integers, choice, integer, where_at
from .convolution import Convolution
from .limits import Limits
from .synapses import Synapses

__all__ = ["Layer"]

_UNPRINTED = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Control and format characters, halves of a pair, ends of lines: kinds of Unicode that no name has."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer.

    Integers of the neurons have shape ``(neurons,)``. A number is broadcast; where the layer has a shape
    (channels, height, width), one for each channel too.

    Attributes
    ----------
    synapses : tuple of Dense or Convolution
        What it listens to; one group may be given without a tuple.
    window : int
        Number of steps.
    phase : Phase
        When it fires.
    fires : Fires
        How often.
    threshold : numpy.ndarray or None
        theta > 0; None where it never fires.
    initial : numpy.ndarray
        b, the potential at the start of a window.
    leak : numpy.ndarray or None
        k, 0 to 31; None: no leak.
    bias : numpy.ndarray
        c, added in every step.
    reset : Reset
        What happens to a potential that fired.
    reset_value : numpy.ndarray or None
        rho >= 0 (None: theta) or r (None: 0); None where unused.
    threshold_schedule : numpy.ndarray
        G > 0, shape ``(window,)``.
    reset_schedule : numpy.ndarray
        R >= 0, shape ``(window,)``.
    name : str
        Of printable characters; "" becomes layer0, layer1, ... in a network.

    Raises
    ------
    TypeError, ValueError
        One of them is of another type, shape or range, or has no effect beside the others.
    """

    synapses: Any
    window: int
    phase: Phase = Phase.ONLINE
    fires: Fires = Fires.ONCE
    threshold: Integers = None
    initial: Integers = 0
    leak: Integers = None
    bias: Integers = 0
    reset: Reset = Reset.SUBTRACT
    reset_value: Integers = None
    threshold_schedule: Integers = 1
    reset_schedule: Integers = 1
    name: str = ""

    def __post_init__(self):
        where = f"layer {self.name!r}" if isinstance(self.name, str) and self.name else ""
        self._check_name(where)
        self._check_synapses(where)
        put, value = object.__setattr__, Limits.VALUE
        put(self, "window", integer(self.window, "window", 1, Limits.WINDOW, where))
        put(self, "phase", choice(self.phase, Phase, "phase", where))
        put(self, "fires", choice(self.fires, Fires, "fires", where))
        put(self, "reset", choice(self.reset, Reset, "reset", where))

        def of_neurons(name: str, low: int, high: int):
            value = array(getattr(self, name), name, where)
            if value.shape == self.shape[:1] != (self.size,):
                value = np.repeat(value, self.size // self.shape[0])
            put(self, name, array_of_integers(value, name, (self.size,), low, high, where, "neuron"))

        def of_steps(name: str, low: int):
            put(self, name, array_of_integers(
                getattr(self, name), name, (self.window,), low, Limits.SCHEDULE, where, "step"))

        of_neurons("initial", -value, value)
        of_neurons("bias", -value, value)
        if self.leak is not None:
            of_neurons("leak", 0, Limits.LEAK)
        of_steps("threshold_schedule", 1)
        of_steps("reset_schedule", 0)
        if self.phase is Phase.WINDOWED and self.leak is not None:
            raise ValueError(f"leak must be None where a layer is windowed{where_at(where)}")
        if self.phase is Phase.WINDOWED and np.any(self.bias):
            raise ValueError("bias must be 0 where a layer is windowed, put it into the initial value"
                             f"{where_at(where)}")

        if self.fires is Fires.NEVER:
            self._check_unused(where, "never fires", "threshold", "threshold_schedule")
        else:
            if self.threshold is None:
                raise ValueError(f"threshold must be given where a layer fires{where_at(where)}")
            of_neurons("threshold", 1, value)
        if self.fires is not Fires.MANY:
            how_often = "never fires" if self.fires is Fires.NEVER else "fires once"
            self._check_unused(where, how_often, "reset", "reset_value", "reset_schedule")
        else:
            if self.reset is Reset.TO:
                self._check_unused(where, "resets to a value", "reset_schedule")
            if self.reset_value is None:
                put(self, "reset_value", self.threshold if self.reset is Reset.SUBTRACT else 0)
            of_neurons("reset_value", 0 if self.reset is Reset.SUBTRACT else -value, value)
        for number, schedule in (("threshold", "threshold_schedule"), ("reset_value", "reset_schedule")):
            if getattr(self, number) is not None:
                largest = int(np.abs(getattr(self, number)).max()) * int(getattr(self, schedule).max())
                if largest >= Limits.POTENTIAL:
                    raise ValueError(f"{number} times its schedule must be below {Limits.POTENTIAL}, "
                                     f"not {largest}{where_at(where)}")

    def _check_name(self, where: str) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a text, not {self.name!r}")
        if len(self.name) > Limits.NAME:
            raise ValueError(f"name must have at most {Limits.NAME} characters, not {len(self.name)}")
        if self.name == "input":
            raise ValueError(f"name must not be 'input', which names the network's input{where_at(where)}")
        if any(unicodedata.category(character) in _UNPRINTED for character in self.name):
            raise ValueError(f"name must be made of printable characters, not {self.name!r}")

    def _check_synapses(self, where: str) -> None:
        synapses = (self.synapses,) if isinstance(self.synapses, Synapses) else self.synapses
        if not isinstance(synapses, Sequence) or not all(isinstance(group, Synapses) for group in synapses):
            raise TypeError("synapses must be a Dense or a Convolution, or a sequence of them, "
                            f"not {self.synapses!r}{where_at(where)}")
        if not 1 <= len(synapses) <= Limits.SOURCES:
            raise ValueError(f"synapses must have 1 to {Limits.SOURCES} entries, "
                             f"not {len(synapses)}{where_at(where)}")
        sizes = [group.size for group in synapses]
        if len(set(sizes)) > 1:
            raise ValueError("weights must be of as many neurons in all synapses, "
                             f"not of {sizes}{where_at(where)}")
        shapes = {group.output_shape for group in synapses if isinstance(group, Convolution)}
        if len(shapes) > 1:
            raise ValueError("convolutions must have one shape in all synapses, "
                             f"not {sorted(shapes)}{where_at(where)}")
        object.__setattr__(self, "synapses", tuple(synapses))

    def _check_unused(self, where: str, why: str, *names: str) -> None:
        """Refuse values that would have no effect; what normalising filled in is no such value."""
        for name in names:
            unused = self.__dataclass_fields__[name].default
            value = getattr(self, name)
            if unused is None or isinstance(unused, Reset):
                used = value is not unused
            else:
                used = bool(np.any(np.asarray(value) != unused))
            if used:
                wanted = unused.value if isinstance(unused, Reset) else unused
                raise ValueError(f"{name} must be {wanted!r} where a layer {why}, "
                                 f"not {np.asarray(value).tolist()!r}{where_at(where)}")

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.synapses[0].size

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, height, width) where a convolution leads here, else (neurons,)."""
        return max((group.output_shape for group in self.synapses), key=len)
