"""Spike streams: the tokens that pass between encoder, engines and readout."""

from amaranth.hdl import signed
from amaranth.lib import data, enum

__all__ = ["Kind", "Token"]


class Kind(enum.Enum, shape=2):
    """Kind of a token."""

    SPIKE = 0
    """A spike: address, step, value. In an online stream it closes all steps before its own."""

    STEP = 1
    """End of step: closes all steps up to and including its ``step`` (online streams only)."""

    WINDOW = 2
    """End of window: closes the rest."""


class Token(data.StructLayout):
    """Layout of a spike stream's payload.

    Parameters
    ----------
    addresses : :class:`int`
        Number of addresses.
    window : :class:`int`
        Number of steps.
    value_bits : :class:`int`
        Width of the spike's (unsigned) value; 0 where every spike has the value 1.
    tagged : :class:`bool`
        Whether windows carry a one-bit tag, for early stop. All tokens of a window carry it.
    potential_bits : :class:`int`
        Width of the (signed) membrane potential that a spike of a layer that is read brings along; 0: none.
        Such a layer's tokens have two more fields: ``dump`` marks a token of kind ``SPIKE`` that is no
        spike but a final potential, ``some`` an end of step or window that closes at least one spike.
    """

    def __init__(self, addresses: int, window: int, *, value_bits: int = 0, tagged: bool = False,
                 potential_bits: int = 0):
        self.addresses = addresses
        self.window = window
        self.value_bits = value_bits
        self.tagged = tagged
        self.potential_bits = potential_bits
        super().__init__({
            "kind": Kind,
            "address": range(addresses),
            "step": range(window),
            "value": value_bits,
            "tag": 1 if tagged else 0,
        } | ({
            "potential": signed(potential_bits),
            "dump": 1,
            "some": 1,
        } if potential_bits else {}))
