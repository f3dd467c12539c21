"""What every encoder is to those around it."""

from amaranth.hdl import Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..streams.token import Kind, Token
from .parameters import check_mask, check_positive

__all__ = ["Encoder", "hear_drop"]


class Encoder(wiring.Component):
    """Images of levels in, windows of spikes out, one for each image and in their order.

    Each window is its spikes and then, exactly once, ``WINDOW``. For an online first layer the spikes come
    sorted by step, each step that has some is closed by its ``STEP``, and steps without spikes have no token;
    for a windowed one they come in any order, and no step is closed. A reset, which may come at any time,
    starts a new image.

    A drop leaves out the rest of a window: once ``drop`` has been high, nothing but ``WINDOW`` follows the
    token that was offered already. It speaks of the window of the token that is offered or, where none is, of
    the next one, and is not looked at while ``WINDOW`` is offered.

    Parameters
    ----------
    mask : sequence of :class:`bool`
        One for each input; those that are False are left out, the others numbered in order.
    window : :class:`int`
        Number of steps.
    level_bits : :class:`int`
        Width of a level.
    value_bits : :class:`int`
        Width of a spike's value; 0 where every spike has the value 1.

    Members
    -------
    levels : ``In(stream.Signature(unsigned(level_bits)))``
        One for each input of an image in order, masked ones too; image after image.
    spikes : ``Out(stream.Signature(Token(addresses, window, value_bits=value_bits)))``
        Of the inputs that the mask leaves in, by their new numbers.
    drop : ``In(1)``

    Attributes
    ----------
    size, addresses : :class:`int`
        Number of inputs, and of those that the mask leaves in.
    """

    def __init__(self, mask, window: int, level_bits: int, *, value_bits: int = 0):
        self.mask = check_mask(mask)
        self.size = len(self.mask)
        self.addresses = sum(self.mask)
        self.window = check_positive("Window", window)
        self.level_bits = level_bits
        self.value_bits = value_bits
        super().__init__({
            "levels": In(stream.Signature(unsigned(level_bits))),
            "spikes": Out(stream.Signature(Token(self.addresses, window, value_bits=value_bits))),
            "drop": In(1),
        })


def hear_drop(m, drop, spikes):
    """What a drop asks of the window at hand, after the contract of :class:`Encoder`.

    Parameters
    ----------
    m : :class:`~amaranth.hdl.Module`
    drop : ``Signal(1)``
    spikes : ``stream.Signature(Token(...))``
        On its way out.

    Returns
    -------
    dropping : ``Signal(1)``
        A drop was asked for in an earlier cycle. Whoever ends the window clears it.
    heard : value
        It is asked for in this cycle.
    """
    dropping = Signal(name="dropping")
    heard = drop & ~(spikes.valid & (spikes.payload.kind == Kind.WINDOW))
    with m.If(heard):
        m.d.sync += dropping.eq(1)
    return dropping, heard
