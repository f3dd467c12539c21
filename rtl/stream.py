"""Spike streams: the tokens that pass between encoder, engines and readout."""

from amaranth.lib import data, enum

__all__ = ["Kind", "Token"]


class Kind(enum.Enum, shape=2):
    """Kind of a token."""

    SPIKE = 0
    """A spike: address, step, value."""

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
    """

    def __init__(self, addresses: int, window: int, *, value_bits: int = 0, tagged: bool = False):
        self.addresses = addresses
        self.window = window
        self.value_bits = value_bits
        self.tagged = tagged
        super().__init__({
            "kind": Kind,
            "address": range(addresses),
            "step": range(window),
            "value": value_bits,
            "tag": 1 if tagged else 0,
        })
