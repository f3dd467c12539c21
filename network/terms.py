"""The words of a network: how a neuron may fire and be read, and the largest of everything."""

from enum import StrEnum
from typing import Any, TypeAlias

__all__ = ["Fires", "Integers", "Limits", "Phase", "Readout", "Reset"]

Integers: TypeAlias = Any
"""A number, or what numpy makes an integer array of; an int64 array once the network is built."""


class Limits:
    """The largest of everything, so that no file can ask for more than a machine has."""

    SIZE = 1 << 17
    """Inputs, and neurons in a layer."""
    SIDE = 1 << 12
    """Side of a window that slides over planes, its stride, padding and dilation."""
    LEVELS = 1 << 16
    """Levels of an encoding."""
    WINDOW = 1 << 12
    """Steps in a window."""
    LAYERS = 256
    """Layers in a network."""
    SOURCES = 16
    """Synapse groups in a layer."""
    SYNAPSES = 1 << 28
    """Synapses in a network; those that positions share count once."""
    CONNECTIONS = 1 << 33
    """Synapses of a convolution, counted at every position."""
    STEPS = 1 << 16
    """Steps of all layers' windows together."""
    NEURON_STEPS = 1 << 26
    """Neurons times steps, over all layers of a network."""
    SCHEDULE = 1 << 24
    """An entry of a schedule."""
    SCALE = 1 << 24
    """An input's scale."""
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
