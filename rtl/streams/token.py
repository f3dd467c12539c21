"""Spike streams: what passes between encoder, engines and readout, and how it is laid out."""

import enum as plain_enum
from typing import NamedTuple

from amaranth.hdl import Value, signed
from amaranth.lib import data, enum

from .banks import Banks

__all__ = ["Kind", "Order", "Spike", "Token"]


class Kind(enum.Enum, shape=2):
    """Kind of a token; on several lanes of a transfer, what follows its spikes."""

    SPIKE = 0
    """A spike: address, step, value. In an online stream it closes all steps before its own. On several
    lanes: spikes, and no end."""

    STEP = 1
    """End of step: closes all steps up to and including its ``step`` (online streams only)."""

    WINDOW = 2
    """End of window: closes the rest."""


class Order(plain_enum.Enum):
    """What is known of the order of a window's spikes."""

    STEP = "step"
    """Steps rise; within one, order is free. This is an online stream, which may have ends of steps. On
    several lanes the spikes of a transfer are of one step."""

    RASTER = "raster"
    """Addresses rise, whatever the steps; there are no ends of steps."""

    NONE = "none"
    """Nothing, as a windowed stream needs no order; there are no ends of steps."""


class Spike(NamedTuple):
    """One lane of a transfer, as values: whether there is a spike, and which."""

    valid: Value
    address: Value
    step: Value
    value: Value


class Token(data.StructLayout):
    """Layout of a spike stream's payload.

    On one lane a transfer is one token: a spike, or an end. Its fields are ``kind``, ``address``, ``step``,
    ``value`` and ``tag``.

    On several lanes a transfer is a number of spikes, none to one a lane, and the end that follows them, if
    any: ``spikes``, one a lane, each with ``valid``, ``address`` and ``value``; ``kind``, ``tag``. So a step
    can take a single transfer, together with its end. In the order of steps the transfer has one
    ``step``, which is that of its spikes and of an end of step; of an end of window without spikes it says
    nothing. In any other order each spike has a ``step`` of its own. Spikes of lower lanes count as earlier.

    With ``banks`` lane ``l`` carries only spikes of bank ``l``, and an address is a row of it.

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
        spike but a final potential, ``some`` an end of step or window that closes at least one spike. On
        one lane only.
    lanes : :class:`int`
        Spikes a transfer, at most.
    order : :class:`Order`
        Of the spikes of a window; on one lane it does not change the layout.
    banks : :class:`~.banks.Banks` or None
        Of these addresses, one a lane; on several lanes only.

    Raises
    ------
    ValueError
        If these do not go together.
    """

    def __init__(self, addresses: int, window: int, *, value_bits: int = 0, tagged: bool = False,
                 potential_bits: int = 0, lanes: int = 1, order: Order = Order.STEP,
                 banks: Banks | None = None):
        if not isinstance(lanes, int) or lanes < 1:
            raise ValueError(f"Lanes must be a positive integer, not {lanes!r}")
        if lanes > 1 and potential_bits:
            raise ValueError(f"Potentials must travel on one lane, not on {lanes}")
        if banks is not None and (lanes == 1 or (banks.addresses, banks.banks) != (addresses, lanes)):
            raise ValueError(
                f"Banks must be those of {addresses} addresses, one for each of several lanes, not "
                f"{banks.banks} of {banks.addresses} for {lanes}")
        self.addresses = addresses
        self.window = window
        self.value_bits = value_bits
        self.tagged = tagged
        self.potential_bits = potential_bits
        self.lanes = lanes
        self.order = Order(order)
        self.banks = banks
        if lanes == 1:
            members = {
                "kind": Kind,
                "address": range(addresses),
                "step": range(window),
                "value": value_bits,
                "tag": 1 if tagged else 0,
            } | ({
                "potential": signed(potential_bits),
                "dump": 1,
                "some": 1,
            } if potential_bits else {})
        else:
            together = self.order is Order.STEP
            spike = data.StructLayout({
                "valid": 1,
                "address": range(addresses if banks is None else banks.rows),
                "step": 0 if together else range(window),
                "value": value_bits,
            })
            members = {
                "kind": Kind,
                "step": range(window) if together else 0,
                "tag": 1 if tagged else 0,
                "spikes": data.ArrayLayout(spike, lanes),
            }
        super().__init__(members)

    def with_lanes(self, lanes: int, banks: Banks | None = None) -> "Token":
        """The layout of the same spikes on so many lanes."""
        return Token(self.addresses, self.window, value_bits=self.value_bits, tagged=self.tagged,
                     potential_bits=self.potential_bits, lanes=lanes, order=self.order, banks=banks)

    def spikes(self, payload) -> list[Spike]:
        """The lanes of a payload, all in the same form; addresses are not rows."""
        if self.lanes == 1:
            return [Spike(payload.kind == Kind.SPIKE, payload.address, payload.step, payload.value)]
        together = self.order is Order.STEP
        return [
            Spike(spike.valid,
                  spike.address if self.banks is None else self.banks.address_of(lane, spike.address),
                  payload.step if together else spike.step, spike.value)
            for lane, spike in enumerate(payload.spikes)]
