"""From the lanes that one component speaks to those that another hears."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .bank_sorter import BankSorter
from .buffer import Buffer
from .narrow import Narrow
from .token import Token
from .widen import Widen

__all__ = ["Join"]


def _spikes(token: Token) -> tuple:
    return (token.addresses, token.window, token.value_bits, token.tagged, token.potential_bits, token.order)


class Join(wiring.Component):
    """Adapters between two streams of the same spikes on other lanes, with a buffer before and behind each.

    What comes on several lanes and shall leave on others goes through one lane; so does what is in banks.
    Latency: 1 cycle a buffer and what the adapters take (:class:`~.narrow.Narrow`, :class:`~.widen.Widen`,
    :class:`~.bank_sorter.BankSorter`); throughput, theirs.

    Parameters
    ----------
    source, token : :class:`~.token.Token`
        Layouts of the input and of the output.

    Members
    -------
    i : ``In(stream.Signature(source))``
    o : ``Out(stream.Signature(token))``

    Raises
    ------
    ValueError
        The two differ in more than their lanes.
    """

    def __init__(self, source: Token, token: Token):
        if _spikes(source) != _spikes(token):
            raise ValueError("Streams that are joined must differ in their lanes alone")
        self.source = source
        self.token = token
        self.adapters = []
        here = source
        if here.lanes > 1 and (here.lanes, here.banks) != (token.lanes, token.banks):
            self.adapters.append(Narrow(here))
            here = self.adapters[-1].token
        if token.banks is not None and here.banks != token.banks:
            self.adapters.append(BankSorter(here, token.banks))
        elif token.lanes > here.lanes:
            self.adapters.append(Widen(here, token.lanes))
        super().__init__({"i": In(stream.Signature(source)), "o": Out(stream.Signature(token))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.entry = entry = Buffer(self.source)
        wiring.connect(m, wiring.flipped(self.i), entry.i)
        here = entry.o
        for place, adapter in enumerate(self.adapters):
            m.submodules[f"adapter_{place}"] = adapter
            m.submodules[f"buffer_{place}"] = buffer = Buffer(adapter.token)
            wiring.connect(m, here, adapter.i)
            wiring.connect(m, adapter.o, buffer.i)
            here = buffer.o
        wiring.connect(m, here, wiring.flipped(self.o))
        return m
