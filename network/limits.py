"""The largest of everything, so that no file can ask for more than a machine has.

With these, and with the bytes that a file may have, any network is loaded or refused in about two seconds and
a gigabyte.
"""

__all__ = ["Limits"]


class Limits:
    """The largest of everything.

    Attributes
    ----------
    SIZE : int
        Inputs, and neurons in a layer.
    SIDE : int
        Side of a window that slides over planes, its stride, padding and dilation.
    LEVELS : int
        Levels of an encoding.
    WINDOW : int
        Steps in a window.
    LAYERS : int
        Layers in a network.
    SOURCES : int
        Synapse groups in a layer.
    GROUPS : int
        Synapse groups in a network.
    SYNAPSES : int
        Synapses in a network; those that positions share count once.
    CONNECTIONS : int
        Synapses of a network, counted at every position.
    ADDRESSES : int
        Neurons of a network and addresses that its synapse groups listen to, together.
    STEPS : int
        Steps of all layers' windows together.
    NEURON_STEPS : int
        Neurons times steps, over all layers of a network.
    RANGE_WORK : int
        Additions that the ranges of a network's potentials may take to derive.
    SCHEDULE : int
        An entry of a schedule.
    SCALE : int
        An input's scale.
    VALUE : int
        A threshold, reset value, initial value or bias, either sign.
    LEAK : int
        A leak's shift.
    POTENTIAL : int
        What any potential, and any threshold times its schedule, stays below (so 48 bits hold it).
    NAME : int
        Characters in a layer's name.
    """

    SIZE = 1 << 17
    SIDE = 1 << 12
    LEVELS = 1 << 16
    WINDOW = 1 << 12
    LAYERS = 256
    SOURCES = 16
    GROUPS = 1 << 10
    SYNAPSES = 1 << 27
    CONNECTIONS = 1 << 33
    ADDRESSES = 1 << 22
    STEPS = 1 << 16
    NEURON_STEPS = 1 << 26
    RANGE_WORK = 1 << 32
    SCHEDULE = 1 << 24
    SCALE = 1 << 24
    VALUE = 1 << 40
    LEAK = 31
    POTENTIAL = 1 << 47
    NAME = 100
