"""How a neuron may fire, be reset and be read."""

from enum import StrEnum

__all__ = ["Fires", "Phase", "Readout", "Reset"]


class Phase(StrEnum):
    """When a layer fires.

    Members
    -------
    ONLINE
        In the window in which it listens: a spike fired at step t is heard downstream at step t.
    WINDOWED
        After it has heard its sources' whole window, in a window of its own.
    """

    ONLINE = "online"
    WINDOWED = "windowed"


class Fires(StrEnum):
    """How often a neuron may fire in a window.

    Members
    -------
    ONCE
        Once; it is not reset and goes on integrating.
    MANY
        In every step; it is reset where it fired.
    NEVER
        Not at all: an output layer that is read by its potentials.
    """

    ONCE = "once"
    MANY = "many"
    NEVER = "never"


class Reset(StrEnum):
    """What happens to a potential that fired (only where a layer fires many times).

    Members
    -------
    SUBTRACT
        ``V_j -= rho_j * R[t]``
    TO
        ``V_j = r_j``
    """

    SUBTRACT = "subtract"
    TO = "to"


class Readout(StrEnum):
    """How the class is read off the last layer. The lower index wins what is still equal after this.

    Members
    -------
    FIRST_SPIKE
        The earliest step; among those that fire in it the higher potential after that step's adds, before
        reset. Where none fires, the highest potential after the last step.
    POTENTIAL
        The highest potential after the last step; the layer never fires.
    COUNT
        The most spikes, then the higher final potential (after the last fire and reset).
    """

    FIRST_SPIKE = "first_spike"
    POTENTIAL = "potential"
    COUNT = "count"
