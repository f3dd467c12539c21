"""Spikes by the bank that their address lies in."""

from amaranth.hdl import Cat

from .banks import Banks
from .gather import Gather
from .token import Order, Token

__all__ = ["BankSorter"]


class BankSorter(Gather):
    """Gives each spike the lane of its bank, so that an engine works on one spike of every bank at a time.

    A transfer leaves when a spike comes whose bank has one in it, when all banks have, when the end of its
    step or window has come, or when a spike or an end of a later step has. Within a step, or the window of a
    windowed stream, spikes of different banks change their order; those of one bank do not. With as many
    banks as addresses a transfer is a whole step, one bit an address.

    One transfer is taken every cycle, but for one with several spikes of the same bank: that takes a cycle
    for each of them, or one less if none of that bank is held. Latency as in :class:`~.gather.Gather`.

    Parameters
    ----------
    source : :class:`~.token.Token`
        Layout of the input, of one lane or several.
    banks : :class:`~.banks.Banks`
        Two or more.

    Members
    -------
    i : ``In(stream.Signature(source))``
    o : ``Out(stream.Signature(source.with_lanes(banks.banks, banks)))``
    """

    def __init__(self, source: Token, banks: Banks):
        if source.banks is not None:
            raise ValueError("What is sorted into banks must not be so already")
        if source.order is Order.RASTER:
            raise ValueError("What is sorted into banks must not be a raster, whose order it would lose")
        self.banks = banks
        super().__init__(source, source.with_lanes(banks.banks, banks))

    def lane(self, spike, free):
        bank = self.banks.bank_of(spike.address)
        return Cat(bank == lane for lane in range(self.banks.banks))

    def address(self, spike):
        return self.banks.row_of(spike.address)
