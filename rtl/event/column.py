"""A column of a layer's systolic array: neurons side by side, each with its own adder."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..memory import Rom
from ..streams.buffer import Buffer
from ..streams.token import Token
from .counter import Counters
from .drain import Drain
from .forms import ParallelForm
from .neuron import Neurons, advance
from .op import Op, OpKind
from .outbox import Outbox

__all__ = ["Column", "ColumnSignature"]


class ColumnSignature(wiring.Signature):
    """The ports by which columns are chained.

    Members
    -------
    ops : ``In(stream.Signature(op))``, next_ops : ``Out``
        Operations, handed on unchanged to the next column.
    before : ``In(stream.Signature(token))``, tokens : ``Out``
        The spikes of the columns before this one, and the same with its own.
    decided : ``In(2)``, next_decided : ``Out(2)``
        The decided windows, one bit a tag, one cycle later for every column.
    ended : ``Out(1)``
        High for the cycle in which :py:`final` (an attribute) shows final potentials.
    """

    def __init__(self, op: Op, token: Token):
        super().__init__({
            "ops": In(stream.Signature(op)), "next_ops": Out(stream.Signature(op)),
            "before": In(stream.Signature(token)), "tokens": Out(stream.Signature(token)),
            "decided": In(2), "next_decided": Out(2),
            "ended": Out(1),
        })


class Column(wiring.Component):
    """Neurons with an adder and a register each, behind one slice of the synapse ROM.

    An operation is taken every cycle, handed to the next column in the cycle after, and carried out
    ``2 + form.fetch_registers`` cycles after it was taken; the potentials show it in the cycle after that.
    One that makes neurons fire, or ends the window, waits at the entry until the :class:`~.outbox.Outbox`
    has room; what is stalled by it is only what stands behind it.

    The first spike of a ``FIRE`` leaves ``6 + form.fetch_registers`` cycles after this was taken, 2 later
    with a queue, 1 earlier with ``form.scan`` (where it is the first neuron's).

    Parameters
    ----------
    op : :class:`~.op.Op`
    token : :class:`~..streams.token.Token`
        Layout of the spikes that leave the layer.
    neurons : :class:`~.neuron.Neurons`
        Of the whole layer.
    weights : sequence of sequence of :class:`bool`
        ``weights[address][n]``: whether the weight of this column's ``n``-th neuron is +1.
    base : :class:`int`
        Address of the column's first neuron.
    form : :class:`~.forms.ParallelForm`
    first, last : :class:`bool`
        Whether this column is the first or the last of its chain.
    ordered : :class:`bool`
        Whether ends of steps leave the layer.
    """

    final_fold = None

    def __init__(self, op: Op, token: Token, neurons: Neurons, weights, *, base: int, form: ParallelForm,
                 first: bool, last: bool, ordered: bool):
        self.op = op
        self.token = token
        self.neurons = neurons
        self.weights = weights
        self.base = base
        self.form = form
        self.first = first
        self.last = last
        self.ordered = ordered
        self.lanes = len(weights[0])
        self.synapses = Rom(
            self.lanes, (sum(bool(sign) << n for n, sign in enumerate(row)) for row in weights))
        self.final = Signal(self.lanes * neurons.width)
        super().__init__(ColumnSignature(op, token))

    def elaborate(self, platform):
        m = Module()
        neurons = self.neurons
        read = bool(self.token.potential_bits)

        waiting = data.StructLayout({"op": self.op, "closes": 1})    # decoded before it is looked at
        m.submodules.entry = entry = Buffer(waiting)
        m.submodules.synapses = synapses = self.synapses
        m.submodules.outbox = outbox = Outbox(
            self.token, base=self.base, size=self.lanes, group=self.form.group, ordered=self.ordered,
            scan=self.form.scan, queue=self.form.queue and not read)
        m.submodules.drain = drain = Drain(self.token, first=self.first)
        wiring.connect(m, wiring.flipped(self.before), drain.before)
        wiring.connect(m, outbox.own, drain.own)
        wiring.connect(m, wiring.flipped(self.tokens), drain.tokens)
        m.d.sync += self.next_decided.eq(self.decided)
        m.d.comb += drain.decided.eq(self.next_decided)

        coming = self.ops.payload
        closing = (coming.kind == OpKind.FIRE) | (coming.kind == OpKind.END)
        if self.op.closing:
            closing |= coming.closing
        m.d.comb += [
            entry.i.valid.eq(self.ops.valid), self.ops.ready.eq(entry.i.ready),
            entry.i.payload.op.eq(coming), entry.i.payload.closes.eq(closing),
        ]
        op, closes = entry.o.payload.op, entry.o.payload.closes
        go = Signal()
        next_ready = 1 if self.last else self.next_ops.ready
        m.d.comb += [
            go.eq(~closes | outbox.room),
            entry.o.ready.eq(go & next_ready),
            self.next_ops.valid.eq(entry.o.valid & go),
            self.next_ops.payload.eq(op),
            synapses.address.eq(op.address),
            outbox.enters.eq(entry.o.valid & entry.o.ready & closes),
        ]

        coming, coming_valid = op, entry.o.valid & entry.o.ready    # carried out in the next cycle
        signs = synapses.data
        for stage in range(self.form.fetch_registers):
            fetched = Signal(self.op, name=f"fetched_{stage}", reset_less=True)
            fetched_valid = Signal(name=f"fetched_{stage}_valid")
            fetched_signs = Signal(self.lanes, name=f"fetched_{stage}_signs", reset_less=True)
            m.d.sync += fetched.eq(coming), fetched_valid.eq(coming_valid), fetched_signs.eq(signs)
            coming, coming_valid, signs = fetched, fetched_valid, fetched_signs

        now = Signal(self.op, reset_less=True)
        moves = Signal()    # the potentials change
        fires = Signal()
        ends = Signal()
        moving = [OpKind.ADD, *[OpKind.LEAK] * neurons.leaks, *[OpKind.FIRE] * neurons.moves]
        firing = coming.kind == OpKind.FIRE
        if self.op.closing:
            firing |= coming.closing
        m.d.sync += [
            now.eq(coming),
            moves.eq(coming_valid & Cat(coming.kind == kind for kind in moving).any()),
            fires.eq(coming_valid & firing),
            ends.eq(coming_valid & (coming.kind == OpKind.END)),
        ]
        starts = ends
        if self.form.zero_init:
            awake = Signal()
            m.d.sync += awake.eq(1)
            starts = ends | ~awake

        values, fire_bits = self._lanes(m, now, signs, moves=moves, fires=fires, ends=ends, starts=starts)
        m.d.comb += self.final.eq(Cat(values)), self.ended.eq(ends)
        m.d.comb += [
            outbox.load.eq(fires | ends), outbox.pending.eq(Cat(fire_bits)),
            outbox.window.eq(ends), outbox.step.eq(now.step), outbox.tag.eq(now.tag),
        ]
        if read:
            m.d.comb += outbox.potentials.eq(Cat(values))
            with m.If(ends):
                m.d.comb += outbox.pending.eq(-1)
        return m

    def _lanes(self, m, now, signs, *, moves, fires, ends, starts):
        """The neurons: their lane values, and whether each fires if this is a ``FIRE``."""
        neurons, width = self.neurons, self.neurons.width
        first_values = neurons.start[self.base:self.base + self.lanes]
        operand = now.operand if self.op["operand"].width else None
        counters = None
        if self.form.carry > 1 and operand is None and not neurons.moves and not neurons.leaks:
            counters = Counters(first_values, width, self.form.carry, zero_init=self.form.zero_init)
            counters.add(m, moves=moves, starts=starts, ups=signs)
            values = counters.values
        else:
            # Where a start is the only reset, it is one for all bits of a value: they may lie side by side.
            values = [Signal(signed(width), name=f"value_{n}", init=0 if self.form.zero_init else start,
                             reset_less=self.form.zero_init) for n, start in enumerate(first_values)]
        fire_bits = []
        for n, value in enumerate(values):
            fired = Signal(name=f"fired_{n}")
            numbers = neurons.numbers([self.base + n], now.step)
            fire, following = advance(now.kind, value, fired, signs[n], operand, numbers)
            fire_bits.append(fire)
            if counters is None:
                with m.If(moves):
                    m.d.sync += value.eq(following)
                with m.If(starts):
                    m.d.sync += value.eq(first_values[n])
            if neurons.once and neurons.fires:
                m.d.sync += fired.eq(fired | (fires & fire))
                with m.If(ends):
                    m.d.sync += fired.eq(0)
        return values, fire_bits
