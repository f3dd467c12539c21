"""The operations that a layer's sequencer sends down its columns."""

from amaranth.lib import data, enum

__all__ = ["Op", "OpKind"]


class OpKind(enum.Enum, shape=2):
    """What every neuron of a layer does with its potential."""

    ADD = 0
    """Add or subtract the operand, as the weight of (address, neuron) says. Where ``closing``, the step
    before ends with it: neurons fire first, as in a ``FIRE``."""

    LEAK = 1
    """Leak and bias, at the start of a step."""

    FIRE = 2
    """Compare with the threshold of ``step``, fire, reset."""

    END = 3
    """End of window: show the final potential, start from the initial value again."""


class Op(data.StructLayout):
    """Layout of an operation.

    Parameters
    ----------
    addresses : :class:`int`
        Number of inputs of the layer.
    window : :class:`int`
        Number of steps of the layer's own window.
    operand : shape-like
        Shape of the number to add (``K[t] * value``); zero bits where it is always 1.
    tagged : :class:`bool`
        Whether windows carry a tag.
    closing : :class:`bool`
        Whether an ``ADD`` can close the step before it.
    """

    def __init__(self, addresses: int, window: int, *, operand=0, tagged: bool = False,
                 closing: bool = False):
        self.addresses = addresses
        self.window = window
        self.tagged = tagged
        self.closing = closing
        super().__init__({
            "kind": OpKind,
            "closing": 1 if closing else 0,
            "address": range(addresses),
            "operand": operand,
            "step": range(window),
            "tag": 1 if tagged else 0,
        })
