"""A column whose lanes each serve several neurons in turn, with their potentials in memory."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, fifo, wiring

from ..memory import Ram, Rom
from ..streams.buffer import Buffer
from ..streams.token import Token
from .column import ColumnSignature
from .drain import Drain
from .emitter import PriorityEmitter
from .forms import FoldedForm
from .neuron import Neurons, advance
from .op import Op, OpKind

__all__ = ["FoldedColumn"]

_QUEUE = 4      # fold's worth of spikes that wait for the emitter
_IN_FLIGHT = 2  # pipeline stages between issue and queue


@dataclass(frozen=True)
class _Stage:
    """One fold of an operation on its way through the lanes."""

    op: data.View
    valid: Value
    fold: Value
    fresh: Value | None = None     # the memory holds nothing of this window yet


class FoldedColumn(wiring.Component):
    """Lanes that each work through ``form.folds`` neurons for every operation.

    Neuron ``base + lane * folds + fold`` is lane ``lane`` in fold ``fold``. An operation is taken every
    ``folds`` cycles. A memory row is read in the cycle in which its fold is issued and written 2 cycles
    later, so with at least 4 folds no row is read that is being written. The first operation of a window
    starts from the initial values instead of the memory, which so needs no clearing, not even after a reset.

    An operation waits at the entry until the last fold of the one before is issued; one that *closes*, a
    ``FIRE`` or an ``END``, also until the one before that closes is settled. Then it is at work, and its
    folds are *issued*, one a cycle; of those that may bring spikes only where the queue has a place for what
    is on its way. What is issued is *fetched*, potentials and synapses, in the next cycle, and carried out
    *now*, in the one after. The spikes of a fold that has any wait in the queue until the emitter is idle,
    and leave one by one. When the last fold has been carried out and nothing waits any more, the end follows
    its spikes; with that, or at once where it is not sent, the operation is settled.

    Where nothing is in the way, the first spike leaves 8 cycles after its ``FIRE`` was taken, and one more
    for each fold before its own; the others of the fold follow one a cycle, and a fold with spikes takes 2
    cycles more than it has.

    The parameters are those of :class:`~.column.Column`, but for

    Parameters
    ----------
    form : :class:`~.forms.FoldedForm`
    """

    def __init__(self, op: Op, token: Token, neurons: Neurons, weights, *, base: int, form: FoldedForm,
                 first: bool, last: bool, ordered: bool):
        self.op = op
        self.token = token
        self.neurons = neurons
        self.weights = weights
        self.base = base
        self.folds = folds = form.folds
        self.first = first
        self.last = last
        self.ordered = ordered
        self.count = len(weights[0])
        self.lanes = -(-self.count // folds)
        self.synapses = Rom(self.lanes, (
            sum(bool(row[neuron]) << lane for lane, neuron in enumerate(range(fold, self.count, folds)))
            for row in weights for fold in range(folds)))
        self.final = Signal(self.lanes * neurons.width)
        self.final_fold = Signal(range(folds))
        self._read = bool(token.potential_bits)
        self._remembers = neurons.once and neurons.fires
        super().__init__(ColumnSignature(op, token))

    def elaborate(self, platform):
        m = Module()
        m.submodules.entry = entry = Buffer(self.op)
        m.submodules.synapses = self.synapses
        m.submodules.potentials = potentials = Ram(data.StructLayout({
            "values": data.ArrayLayout(signed(self.neurons.width), self.lanes),
            "fired": self.lanes if self._remembers else 0}), self.folds)
        m.submodules.drain = drain = Drain(self.token, first=self.first)
        wiring.connect(m, entry.i, wiring.flipped(self.ops))
        wiring.connect(m, wiring.flipped(self.before), drain.before)
        wiring.connect(m, wiring.flipped(self.tokens), drain.tokens)
        row = data.StructLayout({
            "mask": self.lanes, "fold": range(self.folds),
            "values": self.lanes * self.neurons.width if self._read else 0})
        m.submodules.queue = queue = fifo.SyncFIFO(width=row.size, depth=_QUEUE)

        busy = Signal()     # an operation that closes is not settled,
        closed = Signal()   # or just now
        issued, closing = self._issue(m, entry.o, queue, busy, closed)
        m.d.comb += potentials.read_address.eq(issued.fold)
        fetched, now, signs = self._fetch(m, issued)
        fires = Signal()
        ends = Signal()
        m.d.comb += [
            fires.eq(now.valid & (now.op.kind == OpKind.FIRE)),
            ends.eq(now.valid & (now.op.kind == OpKind.END)),
        ]

        m.d.comb += potentials.write_address.eq(now.fold), potentials.write_enable.eq(now.valid)
        values, mask = [], []
        for lane in range(self.lanes):
            value, spikes = self._lane(m, lane, potentials, fetched, now, signs[lane])
            values.append(value)
            mask.append(spikes)
        m.d.comb += self.final.eq(Cat(values)), self.final_fold.eq(now.fold), self.ended.eq(ends)

        m.d.sync += self.next_decided.eq(self.decided)
        m.d.comb += drain.decided.eq(self.next_decided)
        spikes = data.View(row, queue.w_data)
        load = fires | ends if self._read else fires
        m.d.comb += [
            spikes.mask.eq(Cat(mask)), spikes.fold.eq(now.fold),
            spikes["values"].eq(Cat(values) if self._read else 0),
            queue.w_en.eq(load & spikes.mask.any()),
        ]
        emitter, fold, nothing_waits = self._emit(m, queue, data.View(row, queue.r_data), drain.own.ready)
        self._settle(m, now, fires | ends, emitter, fold, nothing_waits, drain.own, busy, closed)
        with m.If(closing):
            m.d.sync += busy.eq(1)
        return m

    def _issue(self, m, entry, queue, busy, closed):
        """What is issued; and whether an operation that closes comes in."""
        op = Signal(self.op, reset_less=True)     # at work
        valid = Signal()
        fold = Signal(range(self.folds))
        fresh = Signal(init=1)
        issue = Signal()
        finish = Signal()
        closes = (entry.payload.kind == OpKind.FIRE) | (entry.payload.kind == OpKind.END)
        go = Signal()
        m.d.comb += [
            finish.eq(issue & (fold == self.folds - 1)),
            go.eq((~valid | finish) & (~closes | ~busy | closed)),
            entry.ready.eq(go & (1 if self.last else self.next_ops.ready)),
            self.next_ops.valid.eq(entry.valid & go),
            self.next_ops.payload.eq(entry.payload),
        ]
        with m.If(finish):
            m.d.sync += valid.eq(0), fresh.eq(op.kind == OpKind.END)
        with m.If(entry.valid & entry.ready):
            m.d.sync += op.eq(entry.payload), valid.eq(1)

        asks = (op.kind == OpKind.FIRE) | ((op.kind == OpKind.END) if self._read else 0)
        m.d.comb += [
            issue.eq(valid & ~(asks & (queue.w_level > _QUEUE - 1 - _IN_FLIGHT))),
            self.synapses.address.eq(Cat(fold, op.address)),
        ]
        with m.If(issue):
            m.d.sync += fold.eq(fold + 1)
        return _Stage(op, issue, fold, fresh), entry.valid & entry.ready & closes

    def _fetch(self, m, issued):
        """The two stages after it, and the synapses' signs for the second."""
        fetched = _Stage(Signal(self.op, name="fetched", reset_less=True), Signal(name="fetched_valid"),
                         Signal(range(self.folds), name="fetched_fold", reset_less=True),
                         Signal(name="fetched_fresh", reset_less=True))
        now = _Stage(Signal(self.op, name="now", reset_less=True), Signal(name="now_valid"),
                     Signal(range(self.folds), name="now_fold", reset_less=True))
        signs = Signal(self.lanes, reset_less=True)
        m.d.sync += [
            fetched.op.eq(issued.op), fetched.valid.eq(issued.valid), fetched.fold.eq(issued.fold),
            fetched.fresh.eq(issued.fresh),
            now.op.eq(fetched.op), now.valid.eq(fetched.valid), now.fold.eq(fetched.fold),
            signs.eq(self.synapses.data),
        ]
        return fetched, now, signs

    def _lane(self, m, lane, potentials, fetched, now, sign):
        """One lane: its value before the operation, and whether that makes a spike leave.

        The numbers of its neurons are looked up while their potentials are fetched.
        """
        neurons, kind = self.neurons, now.op.kind
        places = range(self.base + lane * self.folds, self.base + (lane + 1) * self.folds)
        value = Signal(signed(neurons.width), name=f"value_{lane}", reset_less=True)
        fired = Signal(name=f"fired_{lane}", reset_less=True)
        numbers = neurons.numbers(places, fetched.op.step, fetched.fold)
        registers = {}
        for name in ("threshold", "after", "after_fire", "reset_to", "leak", "bias"):
            number = getattr(numbers, name)
            if number is not None and not isinstance(number, Const):
                registers[name] = Signal(number.shape(), name=f"{name}_{lane}", reset_less=True)
                m.d.sync += registers[name].eq(number)
        m.d.sync += value.eq(Mux(fetched.fresh, numbers.start, potentials.read_data["values"][lane]))
        if self._remembers:
            m.d.sync += fired.eq(potentials.read_data.fired[lane] & ~fetched.fresh)

        operand = now.op.operand if self.op["operand"].width else None
        fire, following = advance(kind, value, fired, sign, operand, numbers.with_numbers(**registers))
        moves = kind == OpKind.ADD
        if neurons.leaks:
            moves |= kind == OpKind.LEAK
        if neurons.moves:
            moves |= kind == OpKind.FIRE
        m.d.comb += potentials.write_data["values"][lane].eq(Mux(moves, following, value))
        if self._remembers:
            m.d.comb += potentials.write_data.fired[lane].eq(fired | (fire & (kind == OpKind.FIRE)))
        there = self.count - lane * self.folds   # neurons of this lane
        exists = 1 if there >= self.folds else now.fold < there
        return value, (fire | (kind == OpKind.END)) & exists

    def _emit(self, m, queue, waiting, taken):
        """The spikes of one fold after the other, and which that is; whether all that was queued has left."""
        m.submodules.emitter = emitter = PriorityEmitter(
            self.lanes, self.neurons.width if self._read else 0)
        at_work = Signal(waiting.shape(), reset_less=True)
        idle = Signal()     # what comes with the address on offer is of ``at_work``
        m.d.comb += [
            idle.eq(emitter.empty & ~emitter.valid),
            emitter.load.eq(queue.r_rdy & idle), queue.r_en.eq(idle),
            emitter.pending.eq(waiting.mask), emitter.extras.eq(at_work["values"]),
            emitter.taken.eq(taken),
        ]
        with m.If(emitter.load):
            m.d.sync += at_work.eq(waiting)
        return emitter, at_work.fold, idle & ~queue.r_rdy

    def _settle(self, m, now, closes, emitter, fold, nothing_waits, own, busy, closed):
        """What the column itself contributes: spikes, and after those of all folds their end."""
        last = Signal(self.op, reset_less=True)   # the FIRE or END whose spikes are leaving,
        marked = Signal()                         # and whose end follows them
        silent = Signal()
        quiet = Signal()
        if not self.ordered:
            m.d.comb += silent.eq(last.kind == OpKind.FIRE)
        mine = own.payload
        m.d.comb += [
            quiet.eq(nothing_waits),
            mine.address.eq(self.base + Cat(fold, emitter.address)), mine.potential.eq(emitter.data),
            mine.window.eq(last.kind == OpKind.END), mine.step.eq(last.step), mine.tag.eq(last.tag),
            mine.end.eq(~emitter.valid), own.valid.eq(emitter.valid | (marked & quiet & ~silent)),
            closed.eq(marked & quiet & (silent | own.ready)),
        ]
        with m.If(closed):
            m.d.sync += marked.eq(0), busy.eq(0)
        with m.If(closes):
            m.d.sync += last.eq(now.op)
            with m.If(now.fold == self.folds - 1):
                m.d.sync += marked.eq(1)
