"""The quantised description of a network: integers only, and everything that follows runs from it.

The neuron of a layer with window ``T``, potential ``V_j`` (all integers)::

    at the start of a window   V_j = b_j
    in each step t, in this order:
      leak and bias, if any    V_j = V_j - (V_j >> k_j) + c_j     (>> rounds to minus infinity)
      each spike of input i    V_j = V_j + a * w_ij * K[t_source]
      fire                     where V_j >= theta_j * G[t]
      reset, where it fired    V_j = V_j - rho_j * R[t]   or   V_j = r_j
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

__all__ = [
    "Bits", "Dense", "Direct", "Encoding", "Fires", "Input", "Latency", "Layer", "Network", "Phase",
    "Readout", "Reset", "Spikes",
]


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
    """How the class is read off the last layer."""

    FIRST_SPIKE = "first_spike"
    POTENTIAL = "potential"
    COUNT = "count"


@dataclass(frozen=True, eq=False)
class Latency:
    """A level becomes one spike, at ``table[level]``; -1 is silence. ``table``: int, shape ``(levels,)``."""

    table: np.ndarray


@dataclass(frozen=True, eq=False)
class Direct:
    """A level ``a`` becomes a spike of value ``a`` in every step (none where ``a`` is 0)."""

    levels: int


@dataclass(frozen=True, eq=False)
class Bits:
    """The binary digits of a level, most significant first: step ``t`` carries bit ``width-1-t``."""

    width: int


@dataclass(frozen=True, eq=False)
class Spikes:
    """Ready-made spikes of value 1; ``once``: at most one an input and window (checked)."""

    once: bool = True


Encoding = Latency | Direct | Bits | Spikes


@dataclass(frozen=True, eq=False)
class Input:
    """What the network listens to: ``size`` inputs over a window of ``window`` steps.

    ``mask``: bool, shape ``(size,)``; inputs that are False are left out. None: all are used.
    """

    size: int
    window: int
    encoding: Encoding
    mask: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Dense:
    """Every neuron listens to every address of one source.

    ``weights``: int8, shape ``(neurons, source size)``; all -1 or +1 for now.
    ``kernel``: ``K``, int, shape ``(source window,)``. ``source``: "input" or a layer's name.
    """

    weights: np.ndarray
    kernel: np.ndarray | int = 1
    source: str | None = None  # None: the layer before (the input, for the first)


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer; per-neuron integers have shape ``(neurons,)`` (a number is broadcast)."""

    synapses: tuple[Dense, ...] | Dense
    window: int
    phase: Phase = Phase.ONLINE
    fires: Fires = Fires.ONCE
    threshold: np.ndarray | int | None = None       # theta > 0; None where it never fires
    initial: np.ndarray | int = 0                   # b
    leak: np.ndarray | int | None = None            # k >= 0, None: no leak
    bias: np.ndarray | int = 0                      # c, added in every step
    reset: Reset = Reset.SUBTRACT
    reset_value: np.ndarray | int | None = None     # rho (None: theta) or r (None: 0)
    threshold_schedule: np.ndarray | int = 1        # G, shape (window,)
    reset_schedule: np.ndarray | int = 1            # R, shape (window,)
    name: str = ""                                  # "" becomes layer0, layer1, ...

    @property
    def size(self) -> int:
        """Number of neurons."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Network:
    """A whole network. Layers are in topological order; the last one is read."""

    input: Input
    layers: tuple[Layer, ...] | Sequence[Layer]
    readout: Readout = Readout.FIRST_SPIKE
    provenance: Mapping[str, object] = field(default_factory=dict)   # training: recipe, seed, accuracy, ...
    calibration: Mapping[str, object] = field(default_factory=dict)  # {"mean_spikes": [input, layer0, ...]}
