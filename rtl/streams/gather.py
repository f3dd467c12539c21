"""Where spikes of several transfers are gathered into one."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .token import Kind, Order, Spike, Token

__all__ = ["Gather"]


class Gather(wiring.Component):
    """Holds one transfer and lets spikes join it as long as they may, each in a lane that :meth:`lane` says.

    The transfer that is held is *whole* when all of its lanes are taken or its end has joined it, and may
    leave. What comes joins it if that is not so, and if it is of the same step (where a transfer has one):
    first its spikes, each if its lane is free, then, after all of them, its end. If something can not join,
    what is held leaves as it is, with those that could, and what could not is the next to be held, in the
    same cycle; what finds no lane there either stays on offer, and those *placed* before are not looked at
    again. A transfer without its end so leaves for a later one only, or when it is full; no end waits.

    Nothing is held longer than to the end of its step. Spikes and ends keep their step and the tag of their
    window; an end keeps its place behind all spikes that came before it.

    Latency 1 cycle from what makes a transfer whole to this transfer, 0 from what can not join it. One
    transfer is taken every cycle, but for one of which several spikes want the same lane: that takes a cycle
    for each transfer that leaves by it. The paths from ``i`` to ``o``, and back from ``o.ready`` to
    ``i.ready``, are combinational, but for the payload that leaves where one lane comes in: it is a register.
    A :class:`~.buffer.Buffer` on either side cuts them.

    Parameters
    ----------
    source : :class:`~.token.Token`
        Layout of the input.
    token : :class:`~.token.Token`
        Layout of the output.

    Members
    -------
    i : ``In(stream.Signature(source))``
    o : ``Out(stream.Signature(token))``
    """

    def __init__(self, source: Token, token: Token):
        self.source = source
        self.token = token
        super().__init__({"i": In(stream.Signature(source)), "o": Out(stream.Signature(token))})

    def lane(self, spike: Spike, free):
        """The lane that a spike takes, one bit a lane; ``free`` are those that are not taken."""
        raise NotImplementedError

    def address(self, spike: Spike):
        """What stands in its lane for its address."""
        return spike.address

    def elaborate(self, platform):
        m = Module()
        i, o, coming = self.i, self.o, self.i.payload
        spikes = self.source.spikes(coming)
        placed = Signal(len(spikes))
        waits = Signal(len(spikes))     # spikes on offer that are to be placed
        m.d.comb += waits.eq(Cat(spike.valid for spike in spikes) & ~placed)

        held = Signal(self.token)
        whole = Signal()
        taken = Cat(spike.valid for spike in held.spikes)
        empty = ~whole & ~taken.any()
        joins = Signal()
        if self.token.order is Order.STEP:
            no_step = (coming.kind == Kind.WINDOW) & ~waits.any()
            m.d.comb += joins.eq(~whole & (empty | no_step | (coming.step == held.step)))
        else:
            m.d.comb += joins.eq(~whole)

        joined = Signal(self.token)     # what is held, with those that join it
        m.d.comb += joined.eq(held)
        with m.If(empty):
            m.d.comb += self._head(joined, coming)
        first = self._place(m, "first", spikes, waits, joined, ~taken & joins.replicate(self.token.lanes))
        following = Signal(self.token)  # the next to be held, with those that did not
        m.d.comb += self._head(following, coming)
        left = waits & ~first
        second = self._place(m, "second", spikes, left, following, ~Const(0, self.token.lanes))
        rest = left & ~second

        moves = Signal()                # all there is joins what is held
        leaves = Signal()
        m.d.comb += [
            moves.eq(joins & ~left.any()),
            o.valid.eq(whole | (i.valid & ~moves)), leaves.eq(o.valid & o.ready),
            o.payload.eq(joined if len(spikes) > 1 else held),      # one alone joins, or it does not
            i.ready.eq(moves | (leaves & ~rest.any())),
        ]
        with m.If(i.valid & moves):
            m.d.sync += held.eq(joined)
            self._close(m, coming, held, whole, joined)
        with m.Elif(leaves):
            m.d.sync += held.eq(0), whole.eq(0)
            with m.If(i.valid):
                m.d.sync += held.eq(following), placed.eq(placed | first | second)
                with m.If(~rest.any()):
                    self._close(m, coming, held, whole, following)
        with m.If(i.valid & i.ready):
            m.d.sync += placed.eq(0)
        return m

    def _head(self, transfer, coming):
        """What a transfer that begins takes over, but for its spikes."""
        fields = ["tag", "step"] if self.token.order is Order.STEP else ["tag"]
        return [transfer[field].eq(coming[field]) for field in fields]

    def _place(self, m, name, spikes, waits, transfer, free):
        """Spikes into the free lanes of a transfer, the earlier first; which of them have found a place."""
        fits = Signal(len(spikes), name=name)
        for place, spike in enumerate(spikes):
            lanes = Signal(self.token.lanes, name=f"{name}_{place}")
            m.d.comb += lanes.eq(self.lane(spike, free) & free & waits[place].replicate(len(lanes)))
            m.d.comb += fits[place].eq(lanes.any())
            for lane, into in enumerate(transfer.spikes):
                with m.If(lanes[lane]):
                    m.d.comb += into.valid.eq(1), into.address.eq(self.address(spike))
                    m.d.comb += into.value.eq(spike.value)
                    if self.token.order is not Order.STEP:
                        m.d.comb += into.step.eq(spike.step)
            free &= ~lanes
        return fits

    def _close(self, m, coming, held, whole, transfer):
        """The end that came, if it did, joins the transfer that is held from now on."""
        full = Cat(spike.valid for spike in transfer.spikes).all()
        m.d.sync += held.kind.eq(coming.kind), whole.eq((coming.kind != Kind.SPIKE) | full)
