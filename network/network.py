"""The quantised description of a network: integers only, and everything that follows runs from it.

The neuron of a layer with window ``T``, potential ``V_j`` (all integers)::

    at the start of a window   V_j = b_j
    in each step t, in this order:
      leak and bias, if any    V_j = V_j - (V_j >> k_j) + c_j     (>> rounds to minus infinity)
      each spike of input i    V_j = V_j + a * w_ij * K[t_source]    (through :mod:`.synapses`)
      fire                     where V_j >= theta_j * G[t], once a step
      reset, where it fired    V_j = V_j - rho_j * R[t]   or   V_j = r_j

Everything is checked and normalised at construction: arrays become read-only int64 of their full shape
(weights int8, the mask bool), a single number is broadcast, names and sources are filled in. ``TypeError``
and ``ValueError`` say what must be what, and where.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np

from .checks import array_of_integers, choice, integer, where_at
from .inputs import Bits, Direct, Encoding, Input, Latency, Spikes
from .notes import calibration_notes, plain_notes
from .probability import Draw, Probability
from .synapses import Convolution, Dense, Pool, PoolKind, Synapses, WeightKind, unrolled
from .terms import Fires, Integers, Limits, Phase, Readout, Reset

__all__ = [
    "Bits", "Convolution", "Dense", "Direct", "Draw", "Encoding", "Fires", "Input", "Latency", "Layer",
    "Limits", "Network", "Phase", "Pool", "PoolKind", "Probability", "Readout", "Reset", "Spikes",
    "WeightKind", "unrolled",
]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer; per-neuron integers have shape ``(neurons,)``.

    A number is broadcast; where the layer has a shape (channels, height, width), one for each channel too.
    """

    synapses: Any                           # a Dense or Convolution, or a sequence of them; becomes a tuple
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
            value = getattr(self, name)
            if np.shape(value) == self.shape[:1] != (self.size,):
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
        if any(0xD800 <= ord(character) < 0xE000 for character in self.name):
            raise ValueError(f"name must be valid Unicode, not {self.name!r}")

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
        total = sum(layer.window for layer in self.layers)
        if total > Limits.STEPS:
            raise ValueError(f"the windows must have at most {Limits.STEPS} steps together, not {total}")
        total = sum(layer.size * layer.window for layer in self.layers)
        if total > Limits.NEURON_STEPS:
            raise ValueError(f"neurons times steps must be at most {Limits.NEURON_STEPS} in all, not {total}")
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
            window = self.window_of(source)
            self._check_shape(synapse, source, where)
            if layer.phase is Phase.ONLINE and layer.window != window:
                raise ValueError(f"window must be the {window} steps of {source!r} where a layer is online, "
                                 f"not {layer.window} ({where})")
            kernel = array_of_integers(synapse.kernel, "kernel", (window,), 0, Limits.SCHEDULE, where, "step")
            synapses.append(replace(synapse, source=source, kernel=kernel))
        return replace(layer, name=name, synapses=tuple(synapses))

    def _check_shape(self, synapse: Dense | Convolution, source: str, where: str) -> None:
        """Refuse what listens to other addresses, or to planes of another shape, than ``source`` has."""
        size, shape = self.size_of(source), self.shape_of(source)
        wants = synapse.heard_shape if synapse.pool is None else synapse.pool.source_shape
        if len(wants) == 1 and prod(wants) != size:
            raise ValueError(f"weights must have {size} columns, one for each address of {source!r}, "
                             f"not {wants[0]} ({where})")
        if len(wants) == 3 and (prod(wants) != size or (len(shape) == 3 and wants != shape)):
            raise ValueError(f"source_shape must be that of {source!r}, {shape}, not {wants} ({where})")

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

    def source_of(self, synapse: Dense | Convolution) -> Input | Layer:
        """What a synapse group listens to."""
        return self.input if synapse.source == "input" else self.layer(synapse.source)

    def size_of(self, source: str) -> int:
        """Number of addresses of ``source`` ("input" or a layer's name); masked inputs count."""
        return self.input.size if source == "input" else self.layer(source).size

    def shape_of(self, source: str) -> tuple[int, ...]:
        """Shape of ``source``: (channels, height, width) where it has one, else (addresses,)."""
        return (self.input.shape or (self.input.size,)) if source == "input" else self.layer(source).shape

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
