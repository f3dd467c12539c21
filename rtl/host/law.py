"""Which tokens a window of spikes may bring."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..streams.token import Kind
from .protocol import CoreFacts

__all__ = ["TokenLaw"]


class TokenLaw(wiring.Component):
    """Whether a token may come next in a window.

    Its step is in the window. A spike's address and value are the network's, and its value is not 0. Where
    the first layer is online, the token may be an end of step, and its step is closed neither by one before
    it nor by a spike of a later step. Bits above the token's are 0. The end of the window is not lawful: the
    link adds it.

    Parameters
    ----------
    facts : :class:`~.protocol.CoreFacts`

    Members
    -------
    token : ``In(8 * facts.token_bytes)``
        The token in its whole bytes.
    lawful : ``Out(1)``
        In the same cycle.
    accept : ``In(1)``
        The token has come.
    clear : ``In(1)``
        A new window begins.

    Attributes
    ----------
    low : ``Signal(range(window + 1))``
        The first step that is not closed, where the first layer is online.
    """

    def __init__(self, facts: CoreFacts):
        self.facts = facts
        self.low = Signal(range(facts.window + 1))
        super().__init__({
            "token": In(8 * facts.token_bytes), "accept": In(1), "clear": In(1), "lawful": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        facts = self.facts
        token = facts.token(self.token[:facts.token.size])
        spike, step = token.kind == Kind.SPIKE, token.kind == Kind.STEP

        laws = [self.token[facts.token.size:] == 0, token.step < facts.window]
        spike_laws = [token.address < facts.addresses]
        if facts.value_bits:
            spike_laws += [token.value != 0, token.value <= facts.max_value]
        if facts.online:
            with m.If(self.clear):
                m.d.sync += self.low.eq(0)
            with m.Elif(self.accept):
                m.d.sync += self.low.eq(token.step + step)
            laws += [token.step >= self.low]
        all_laws = Cat(laws).all()
        m.d.comb += self.lawful.eq(all_laws & Mux(spike, Cat(spike_laws).all(), step if facts.online else 0))
        return m
