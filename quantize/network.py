"""The quantised description of a network: integers only, and everything that follows runs from it.

The neuron of a layer with window ``T``, potential ``V_j`` (all integers)::

    at the start of a window   V_j = b_j
    in each step t, in this order:
      leak and bias, if any    V_j = V_j - (V_j >> k_j) + c_j     (>> rounds to minus infinity)
      each spike of input i    V_j = V_j + a * w_ij * K[t_source]
      fire                     where V_j >= theta_j * G[t], once a step
      reset, where it fired    V_j = V_j - rho_j * R[t]   or   V_j = r_j

Everything is checked and normalised at construction: arrays become read-only int64 of their full shape
(weights int8, the mask bool), a single number is broadcast, names and sources are filled in. ``TypeError``
and ``ValueError`` say what must be what, and where.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

from .checks import array_of_integers, check_range, choice, integer, readonly, where_at
from .notes import calibration_notes, plain_notes

__all__ = [
    "Bits", "Dense", "Direct", "Encoding", "Fires", "Input", "Latency", "Layer", "Limits", "Network", "Phase",
    "Readout", "Reset", "Spikes",
]


Integers: TypeAlias = Any
"""A number, or what numpy makes an integer array of; an int64 array once the network is built."""


class Limits:
    """The largest of everything, so that no file can ask for more than a machine has."""

    SIZE = 1 << 16
    """Inputs, and neurons in a layer."""
    LEVELS = 1 << 16
    """Levels of an encoding."""
    WINDOW = 1 << 12
    """Steps in a window."""
    LAYERS = 256
    """Layers in a network."""
    SOURCES = 16
    """Synapse groups in a layer."""
    SYNAPSES = 1 << 28
    """Synapses in a network."""
    SCHEDULE = 1 << 24
    """An entry of a schedule."""
    VALUE = 1 << 40
    """A threshold, reset value, initial value or bias, either sign."""
    LEAK = 31
    """A leak's shift."""
    POTENTIAL = 1 << 47
    """What any potential, and any threshold times its schedule, stays below (so 48 bits hold it)."""
    NAME = 100
    """Characters in a layer's name."""


class Phase(StrEnum):
    """When a layer fires."""

    ONLINE = "online"
    """In the window in which it listens: a spike fired at step t is heard downstream at step t."""

    WINDOWED = "windowed"
    """After it has heard its sources' whole window, in a window of its own."""


class Fires(StrEnum):
    """How often a neuron may fire in a window."""

    ONCE = "once"
    """Once; it is not reset and goes on integrating."""

    MANY = "many"
    """In every step; it is reset where it fired."""

    NEVER = "never"
    """Not at all: an output layer that is read by its potentials."""


class Reset(StrEnum):
    """What happens to a potential that fired (only where a layer fires many times)."""

    SUBTRACT = "subtract"
    """``V_j -= rho_j * R[t]``"""

    TO = "to"
    """``V_j = r_j``"""


class Readout(StrEnum):
    """How the class is read off the last layer. The lower index wins what is still equal after this."""

    FIRST_SPIKE = "first_spike"
    """The earliest step; among those that fire in it the higher potential after that step's adds, before
    reset. Where none fires, the highest potential after the last step."""

    POTENTIAL = "potential"
    """The highest potential after the last step; the layer never fires."""

    COUNT = "count"
    """The most spikes, then the higher final potential (after the last fire and reset)."""


@dataclass(frozen=True, eq=False)
class Latency:
    """A level becomes one spike, at ``table[level]``; -1 is silence. ``table``: int, shape ``(levels,)``."""

    table: np.ndarray

    def __post_init__(self):
        table = np.asarray(self.table)
        if table.ndim != 1 or not 2 <= len(table) <= Limits.LEVELS:
            raise ValueError(f"table must have one entry for each of 2 to {Limits.LEVELS} levels, "
                             f"not the shape {table.shape} (latency encoding)")
        object.__setattr__(self, "table", array_of_integers(
            table, "table", table.shape, -1, Limits.WINDOW - 1, "latency encoding", "level"))

    @property
    def levels(self) -> int:
        """Number of levels; a level is from 0 to ``levels - 1``."""
        return len(self.table)


@dataclass(frozen=True, eq=False)
class Direct:
    """A level ``a``, from 0 to ``levels - 1``, becomes a spike of value ``a`` in every step (none for 0)."""

    levels: int

    def __post_init__(self):
        levels = integer(self.levels, "levels", 2, Limits.LEVELS, "direct encoding")
        object.__setattr__(self, "levels", levels)


@dataclass(frozen=True, eq=False)
class Bits:
    """The binary digits of a level, most significant first: step ``t`` carries bit ``width - 1 - t``.

    The input's window is ``width`` steps.
    """

    width: int

    def __post_init__(self):
        object.__setattr__(self, "width", integer(self.width, "width", 1, 16, "bits encoding"))

    @property
    def levels(self) -> int:
        """Number of levels, ``2 ** width``."""
        return 1 << self.width


@dataclass(frozen=True, eq=False)
class Spikes:
    """Ready-made spikes of value 1; ``once``: at most one an input and window (checked)."""

    once: bool = True

    def __post_init__(self):
        if not isinstance(self.once, bool | np.bool_):
            raise TypeError(f"once must be True or False, not {self.once!r} (spikes encoding)")
        object.__setattr__(self, "once", bool(self.once))


Encoding = Latency | Direct | Bits | Spikes


@dataclass(frozen=True, eq=False)
class Input:
    """What the network listens to: ``size`` inputs over a window of ``window`` steps.

    ``mask``: bool, shape ``(size,)``; inputs that are False are left out. None: all are used.
    """

    size: int
    window: int
    encoding: Encoding
    mask: Any = None

    def __post_init__(self):
        put = object.__setattr__
        put(self, "size", integer(self.size, "size", 1, Limits.SIZE, "input"))
        put(self, "window", integer(self.window, "window", 1, Limits.WINDOW, "input"))
        if not isinstance(self.encoding, Encoding):
            raise TypeError("encoding must be a Latency, Direct, Bits or Spikes, "
                            f"not {self.encoding!r} (input)")
        if isinstance(self.encoding, Latency):
            check_range(self.encoding.table, "table", -1, self.window - 1, "latency encoding", "level")
        if isinstance(self.encoding, Bits) and self.encoding.width != self.window:
            raise ValueError(f"window must be {self.encoding.width}, one step for each bit, "
                             f"not {self.window} (input)")
        mask = np.ones(self.size, bool) if self.mask is None else np.asarray(self.mask)
        if mask.dtype != np.bool_:
            raise TypeError(f"mask must be an array of bool, not of {mask.dtype} (input)")
        if mask.shape != (self.size,):
            raise ValueError(f"mask must have the shape ({self.size},), not {mask.shape} (input)")
        if not mask.any():
            raise ValueError("mask must leave at least one input in (input)")
        put(self, "mask", readonly(mask, np.bool_))

    @property
    def used(self) -> np.ndarray:
        """The inputs that the mask leaves in, in order: int64."""
        return np.flatnonzero(self.mask)

    @property
    def levels(self) -> int | None:
        """Number of levels of an input; None where the spikes come ready-made."""
        return None if isinstance(self.encoding, Spikes) else self.encoding.levels

    @property
    def fires(self) -> Fires:
        """Whether an address spikes at most once in a window, or may in every step."""
        encoding = self.encoding
        once = encoding.once if isinstance(encoding, Spikes) else isinstance(encoding, Latency)
        return Fires.ONCE if once else Fires.MANY

    @property
    def highest_value(self) -> int:
        """The highest value ``a`` of a spike: 1 but for direct encoding."""
        return self.encoding.levels - 1 if isinstance(self.encoding, Direct) else 1

    @property
    def active_steps(self) -> np.ndarray:
        """The steps in which a spike can come at all: bool, shape ``(window,)``."""
        steps = np.ones(self.window, bool)
        if isinstance(self.encoding, Latency):
            steps = np.isin(np.arange(self.window), self.encoding.table)
        return steps


@dataclass(frozen=True, eq=False)
class Dense:
    """Every neuron listens to every address of one source.

    ``weights``: int8, shape ``(neurons, source size)``; all -1 or +1 for now.
    ``kernel``: ``K >= 0``, int, shape ``(source window,)``. ``source``: "input" or a layer's name.
    """

    weights: np.ndarray
    kernel: Integers = 1
    source: str = ""  # "": the layer before (the input, for the first)

    def __post_init__(self):
        weights = np.asarray(self.weights)
        if weights.dtype.kind not in "iu":
            raise TypeError(f"weights must be integers, -1 or +1, not an array of {weights.dtype}")
        if weights.ndim != 2 or not all(1 <= size <= Limits.SIZE for size in weights.shape):
            raise ValueError("weights must have the shape (neurons, source size), "
                             f"each from 1 to {Limits.SIZE}, not {weights.shape}")
        wrong = (weights != 1) & (weights != -1)
        if wrong.any():
            j, i = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
            raise ValueError(f"weights must be -1 or +1, not {weights[j, i]} (neuron {j}, address {i})")
        if not isinstance(self.source, str | None):
            raise TypeError(f"source must be a layer's name or 'input', not {self.source!r}")
        object.__setattr__(self, "source", self.source or "")
        object.__setattr__(self, "weights", readonly(weights, np.int8))


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer; per-neuron integers have shape ``(neurons,)`` (a number is broadcast)."""

    synapses: Any                           # a Dense, or a sequence of them; becomes a tuple
    window: int
    phase: Phase = Phase.ONLINE
    fires: Fires = Fires.ONCE
    threshold: Integers = None              # theta > 0; None where it never fires
    initial: Integers = 0                   # b
    leak: Integers = None                   # k >= 0; None: no leak
    bias: Integers = 0                      # c, added in every step
    reset: Reset = Reset.SUBTRACT
    reset_value: Integers = None            # rho >= 0 (None: theta) or r (None: 0); None where unused
    threshold_schedule: Integers = 1        # G > 0, shape (window,)
    reset_schedule: Integers = 1            # R >= 0, shape (window,)
    name: str = ""                          # "" becomes layer0, layer1, ...

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
            put(self, name, array_of_integers(
                getattr(self, name), name, (self.size,), low, high, where, "neuron"))

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
            self._check_unused(where, f"fires {self.fires.value}", "reset", "reset_value", "reset_schedule")
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
        if any(0xD800 <= ord(character) < 0xE000 for character in self.name):
            raise ValueError(f"name must be valid Unicode, not {self.name!r}")

    def _check_synapses(self, where: str) -> None:
        synapses = (self.synapses,) if isinstance(self.synapses, Dense) else self.synapses
        if not isinstance(synapses, Sequence) or not all(isinstance(synapse, Dense) for synapse in synapses):
            raise TypeError("synapses must be a Dense or a sequence of them, "
                            f"not {self.synapses!r}{where_at(where)}")
        if not 1 <= len(synapses) <= Limits.SOURCES:
            raise ValueError(f"synapses must have 1 to {Limits.SOURCES} entries, "
                             f"not {len(synapses)}{where_at(where)}")
        sizes = [len(synapse.weights) for synapse in synapses]
        if len(set(sizes)) > 1:
            raise ValueError("weights must have one row for each neuron in all synapses, "
                             f"not {sizes} rows{where_at(where)}")
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
        return len(self.synapses[0].weights)


@dataclass(frozen=True, eq=False)
class Network:
    """A whole network. Layers are in topological order; the last one is read."""

    input: Input
    layers: tuple[Layer, ...] | Sequence[Layer]
    readout: Readout = Readout.FIRST_SPIKE
    provenance: Mapping[str, object] = field(default_factory=dict)   # training: recipe, seed, accuracy, ...
    calibration: Mapping[str, object] = field(default_factory=dict)  # {"mean_spikes": [input, layer0, ...]}

    def __post_init__(self):
        put = object.__setattr__
        if not isinstance(self.input, Input):
            raise TypeError(f"input must be an Input, not {self.input!r}")
        layers = (self.layers,) if isinstance(self.layers, Layer) else self.layers
        if not isinstance(layers, Sequence) or not all(isinstance(layer, Layer) for layer in layers):
            raise TypeError(f"layers must be a sequence of Layer, not {self.layers!r}")
        if not 1 <= len(layers) <= Limits.LAYERS:
            raise ValueError(f"layers must have 1 to {Limits.LAYERS} entries, not {len(layers)}")
        put(self, "readout", choice(self.readout, Readout, "readout"))
        put(self, "layers", ())
        for index, layer in enumerate(layers):
            put(self, "layers", (*self.layers, self._connect(index, layer)))
        self._check_output()
        total = sum(synapse.weights.size for layer in self.layers for synapse in layer.synapses)
        if total > Limits.SYNAPSES:
            raise ValueError(f"a network must have at most {Limits.SYNAPSES} synapses, not {total}")
        put(self, "provenance", plain_notes(self.provenance, "provenance"))
        put(self, "calibration", calibration_notes(self.calibration, len(self.layers)))
        from .ranges import potential_range
        for layer in self.layers:
            potential_range(self, layer)

    def _connect(self, index: int, layer: Layer) -> Layer:
        """The layer with its name, its sources and the shapes of its kernels filled in and checked."""
        name = layer.name or f"layer{index}"
        where = f"layer {index}" if not layer.name else f"layer {layer.name!r}"
        earlier = [other.name for other in self.layers]
        if name in earlier:
            raise ValueError(f"name must be another for each layer, not {name!r} twice")
        synapses = []
        for synapse in layer.synapses:
            source = synapse.source or (earlier[-1] if earlier else "input")
            if source != "input" and source not in earlier:
                raise ValueError(f"source must be 'input' or an earlier layer, not {source!r} ({where})")
            size, window = self.size_of(source), self.window_of(source)
            if synapse.weights.shape[1] != size:
                raise ValueError(f"weights must have {size} columns, one for each address of {source!r}, "
                                 f"not {synapse.weights.shape[1]} ({where})")
            if layer.phase is Phase.ONLINE and layer.window != window:
                raise ValueError(f"window must be the {window} steps of {source!r} where a layer is online, "
                                 f"not {layer.window} ({where})")
            kernel = array_of_integers(synapse.kernel, "kernel", (window,), 0, Limits.SCHEDULE, where, "step")
            synapses.append(replace(synapse, source=source, kernel=kernel))
        return replace(layer, name=name, synapses=tuple(synapses))

    def _check_output(self) -> None:
        read_by_potential = self.readout is Readout.POTENTIAL
        if read_by_potential != (self.output.fires is Fires.NEVER):
            raise ValueError(f"readout must be 'potential' where the last layer never fires, and only there, "
                             f"not {self.readout.value!r} (layer {self.output.name!r})")
        heard = {synapse.source for layer in self.layers for synapse in layer.synapses}
        for layer in self.layers[:-1]:
            if layer.fires is Fires.NEVER:
                raise ValueError(f"fires must not be 'never' but in the last layer (layer {layer.name!r})")
            if layer.name not in heard:
                raise ValueError("every layer but the last must be the source of a later one, "
                                 f"which nothing makes of layer {layer.name!r}")

    @property
    def output(self) -> Layer:
        """The last layer, which is read."""
        return self.layers[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' names."""
        return tuple(layer.name for layer in self.layers)

    def layer(self, name: str) -> Layer:
        """The layer of that name. Raises ValueError where there is none."""
        return self.layers[self.index(name)]

    def index(self, name: str) -> int:
        """The place of the layer of that name in ``layers``. Raises ValueError where there is none."""
        for index, layer in enumerate(self.layers):
            if layer.name == name:
                return index
        raise ValueError(f"name must be one of the network's layers, not {name!r}")

    def source_of(self, synapse: Dense) -> Input | Layer:
        """What a synapse group listens to."""
        return self.input if synapse.source == "input" else self.layer(synapse.source)

    def size_of(self, source: str) -> int:
        """Number of addresses of ``source`` ("input" or a layer's name); masked inputs count."""
        return self.input.size if source == "input" else self.layer(source).size

    def window_of(self, source: str) -> int:
        """Number of steps of ``source``."""
        return self.input.window if source == "input" else self.layer(source).window

    def fires_of(self, source: str) -> Fires:
        """ONCE where an address of ``source`` spikes at most once in a window, else MANY."""
        return self.input.fires if source == "input" else self.layer(source).fires

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over every number and note of the network; what its file holds and checks."""
        from .network_file import digest
        return digest(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to one safetensors file (see :mod:`.network_file`), whole or not at all."""
        from .network_file import save
        save(self, path)
