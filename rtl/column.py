"""A column of a layer's systolic array: neurons side by side, each with its own adder."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .buffer import Buffer
from .drain import Drain
from .emitter import PriorityEmitter, ScanEmitter
from .memory import Rom
from .neuron import Neurons, advance
from .op import Op, OpKind
from .stream import Token

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
    ``2 + fetch_registers`` cycles after it was taken; the potentials show it in the cycle after that.
    A ``FIRE`` or ``END`` waits at the entry until the spikes of the one before have left; what is stalled by
    it is only what stands behind it.

    The first spike of a ``FIRE`` leaves ``5 + fetch_registers`` cycles after this was taken, 1 later with a
    queue, 1 earlier with ``scan`` (where it is the first neuron's); the others follow one a cycle, or their
    neurons do with ``scan``.

    Parameters
    ----------
    op : :class:`~.op.Op`
    token : :class:`~.stream.Token`
        Layout of the spikes that leave the layer.
    neurons : :class:`~.neuron.Neurons`
        Of the whole layer.
    weights : sequence of sequence of :class:`bool`
        ``weights[address][n]``: whether the weight of this column's ``n``-th neuron is +1.
    base : :class:`int`
        Address of the column's first neuron.
    group : :class:`int`
        Neurons that share an :class:`~.emitter.Emitter`.
    first, last : :class:`bool`
        Whether this column is the first or the last of its chain.
    ordered : :class:`bool`
        Whether ends of steps leave the layer.
    queue, scan, fetch_registers, zero_init
        See :class:`~.layer.Folding`.
    """

    final_fold = None

    def __init__(self, op: Op, token: Token, neurons: Neurons, weights, *, base: int, group: int,
                 first: bool, last: bool, ordered: bool, queue: bool = False, scan: bool = False,
                 fetch_registers: int = 1, zero_init: bool = False):
        self.op = op
        self.token = token
        self.neurons = neurons
        self.weights = weights
        self.base = base
        self.group = group
        self.first = first
        self.last = last
        self.ordered = ordered
        self.queue = queue
        self.scan = scan
        self.fetch_registers = fetch_registers
        self.zero_init = zero_init
        self.lanes = len(weights[0])
        self.synapses = Rom(
            self.lanes, (sum(bool(sign) << n for n, sign in enumerate(row)) for row in weights))
        self.final = Signal(self.lanes * neurons.width)
        super().__init__(ColumnSignature(op, token))

    def elaborate(self, platform):
        m = Module()
        neurons, width = self.neurons, self.neurons.width
        read = bool(self.token.potential_bits)

        m.submodules.entry = entry = Buffer(self.op)
        m.submodules.synapses = synapses = self.synapses
        m.submodules.drain = drain = Drain(self.token, self.lanes, base=self.base, first=self.first,
                                           queue=self.queue)
        wiring.connect(m, entry.i, wiring.flipped(self.ops))
        wiring.connect(m, wiring.flipped(self.before), drain.before)
        wiring.connect(m, wiring.flipped(self.tokens), drain.tokens)

        busy = Signal()   # a FIRE or END is on its way, or its spikes are
        op = entry.o.payload
        closes = (op.kind == OpKind.FIRE) | (op.kind == OpKind.END)
        go = Signal()
        next_ready = 1 if self.last else self.next_ops.ready
        m.d.comb += [
            entry.o.ready.eq(go & next_ready),
            self.next_ops.valid.eq(entry.o.valid & go),
            self.next_ops.payload.eq(op),
            synapses.address.eq(op.address),
        ]

        coming, coming_valid = op, entry.o.valid & entry.o.ready    # carried out in the next cycle
        signs = synapses.data
        for stage in range(self.fetch_registers):
            fetched = Signal(self.op, name=f"fetched_{stage}", reset_less=True)
            fetched_valid = Signal(name=f"fetched_{stage}_valid")
            fetched_signs = Signal(self.lanes, name=f"fetched_{stage}_signs", reset_less=True)
            m.d.sync += fetched.eq(coming), fetched_valid.eq(coming_valid), fetched_signs.eq(signs)
            coming, coming_valid, signs = fetched, fetched_valid, fetched_signs

        coming_closes = coming_valid & ((coming.kind == OpKind.FIRE) | (coming.kind == OpKind.END))
        now = Signal(self.op, reset_less=True)
        moves = Signal()    # the potentials change
        fires = Signal()
        ends = Signal()
        moving = [OpKind.ADD, *[OpKind.LEAK] * neurons.leaks, *[OpKind.FIRE] * neurons.moves]
        m.d.sync += [
            now.eq(coming),
            moves.eq(coming_valid & Cat(coming.kind == kind for kind in moving).any()),
            fires.eq(coming_valid & (coming.kind == OpKind.FIRE)),
            ends.eq(coming_valid & (coming.kind == OpKind.END)),
        ]

        starts = ends
        if self.zero_init:
            awake = Signal()
            m.d.sync += awake.eq(1)
            starts = ends | ~awake
        first_values = neurons.start[self.base:self.base + self.lanes]
        values = [Signal(signed(width), name=f"value_{n}", init=0 if self.zero_init else start)
                  for n, start in enumerate(first_values)]
        fire_bits = []
        for n, value in enumerate(values):
            fired = Signal(name=f"fired_{n}")
            operand = now.operand if self.op["operand"].width else None
            numbers = neurons.numbers([self.base + n], now.step)
            fire, following = advance(now.kind, value, fired, signs[n], operand, numbers)
            fire_bits.append(fire)
            with m.If(moves):
                m.d.sync += value.eq(following)
            with m.If(starts):
                m.d.sync += value.eq(first_values[n])
            if neurons.once and neurons.fires:
                m.d.sync += fired.eq(fired | (fires & fire))
                with m.If(ends):
                    m.d.sync += fired.eq(0)
        m.d.comb += self.final.eq(Cat(values)), self.ended.eq(ends)

        pending = Signal(self.lanes)
        m.d.comb += pending.eq(Cat(fire_bits))
        load = fires | ends if read else fires
        if read:
            held = Signal(self.lanes * width, reset_less=True)
            with m.If(load):
                m.d.sync += held.eq(Cat(values))
            with m.If(ends):
                m.d.comb += pending.eq(-1)

        drop = Signal()
        if self.token.tagged:
            tag = Signal()        # of the spikes that are pending, or will be in the next cycle
            next_tag = Signal()
            m.d.comb += next_tag.eq(Mux(coming_closes, coming.tag, tag)), drain.decided.eq(self.next_decided)
            m.d.sync += [
                tag.eq(next_tag), self.next_decided.eq(self.decided),
                drop.eq(self.next_decided.bit_select(next_tag, 1)),
            ]

        emitters = []
        for start in range(0, self.lanes, self.group):
            size = min(self.group, self.lanes - start)
            emitter = ScanEmitter(size) if self.scan and not read else PriorityEmitter(size, width * read)
            m.submodules[f"emitter_{len(emitters)}"] = emitter
            m.d.comb += [
                emitter.load.eq(load), emitter.drop.eq(drop), emitter.pending.eq(pending[start:start + size]),
            ]
            if read:
                m.d.comb += emitter.extras.eq(held[start * width:(start + size) * width])
            emitters.append((emitter, start))
        own = drain.own.payload
        for emitter, start in reversed(emitters):   # the lowest group on offer goes first
            with m.If(emitter.valid):
                m.d.comb += own.index.eq(start + emitter.index), own.potential.eq(emitter.data)
        ready = drain.own.ready
        for emitter, _ in emitters:
            m.d.comb += emitter.taken.eq(ready)
            ready = ready & ~emitter.valid

        last = Signal(self.op, reset_less=True)   # the FIRE or END whose spikes are leaving,
        marked = Signal()                         # and whose end follows them
        silent = Signal()
        closed = Signal()
        offered = Cat(emitter.valid for emitter, _ in emitters).any()
        quiet = Cat(emitter.quiet for emitter, _ in emitters).all()
        if not self.ordered:
            m.d.comb += silent.eq(last.kind == OpKind.FIRE)
        m.d.comb += [
            own.window.eq(last.kind == OpKind.END), own.step.eq(last.step), own.tag.eq(last.tag),
            own.end.eq(~offered), drain.own.valid.eq(offered | (marked & quiet & ~silent)),
            closed.eq(marked & quiet & (silent | drain.own.ready)),
            go.eq(~closes | ~busy),
        ]
        with m.If(closed):
            m.d.sync += marked.eq(0), busy.eq(0)
        with m.If(fires | ends):
            m.d.sync += marked.eq(1), last.eq(now)
        with m.If(entry.o.valid & entry.o.ready & closes):
            m.d.sync += busy.eq(1)
        return m
