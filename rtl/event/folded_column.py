"""A column whose lanes each serve several neurons in turn, with their potentials in memory."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
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


class FoldedColumn(wiring.Component):
    """Lanes that each work through ``form.folds`` neurons for every operation.

    Neuron ``base + lane * folds + fold`` is lane ``lane`` in fold ``fold``. An operation is taken every
    ``folds`` cycles. A memory row is read in the cycle in which its fold is issued and written 2 cycles
    later, so with at least 4 folds no row is read that is being written. The first operation of a window
    starts from the initial values instead of the memory, which so needs no clearing, not even after a reset.

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
        super().__init__(ColumnSignature(op, token))

    def elaborate(self, platform):
        m = Module()
        neurons, width, lanes, folds = self.neurons, self.neurons.width, self.lanes, self.folds
        read = bool(self.token.potential_bits)
        remembers = neurons.once and neurons.fires

        m.submodules.entry = entry = Buffer(self.op)
        m.submodules.synapses = synapses = self.synapses
        state = data.StructLayout({
            "values": data.ArrayLayout(signed(width), lanes), "fired": lanes if remembers else 0})
        m.submodules.potentials = potentials = Ram(state, folds)
        m.submodules.drain = drain = Drain(self.token, first=self.first)
        wiring.connect(m, entry.i, wiring.flipped(self.ops))
        wiring.connect(m, wiring.flipped(self.before), drain.before)
        wiring.connect(m, wiring.flipped(self.tokens), drain.tokens)

        op = Signal(self.op, reset_less=True)     # the operation at work
        valid = Signal()
        fold = Signal(range(folds))
        fresh = Signal(init=1)                    # the memory holds nothing of this window yet
        busy = Signal()
        issue = Signal()
        finish = Signal()
        closes = (entry.o.payload.kind == OpKind.FIRE) | (entry.o.payload.kind == OpKind.END)
        go = Signal()
        closed = Signal()
        m.d.comb += [
            finish.eq(issue & (fold == folds - 1)),
            go.eq((~valid | finish) & (~closes | ~busy | closed)),
            entry.o.ready.eq(go & (1 if self.last else self.next_ops.ready)),
            self.next_ops.valid.eq(entry.o.valid & go),
            self.next_ops.payload.eq(entry.o.payload),
        ]
        with m.If(finish):
            m.d.sync += valid.eq(0), fresh.eq(op.kind == OpKind.END)
        with m.If(entry.o.valid & entry.o.ready):
            m.d.sync += op.eq(entry.o.payload), valid.eq(1)

        queue_row = data.StructLayout({
            "mask": lanes, "fold": range(folds), "values": lanes * width if read else 0})
        m.submodules.queue = queue = fifo.SyncFIFO(width=queue_row.size, depth=_QUEUE)
        asks = (op.kind == OpKind.FIRE) | ((op.kind == OpKind.END) if read else 0)
        m.d.comb += [
            issue.eq(valid & ~(asks & (queue.w_level > _QUEUE - 1 - _IN_FLIGHT))),
            synapses.address.eq(Cat(fold, op.address)),
            potentials.read_address.eq(fold),
        ]
        with m.If(issue):
            m.d.sync += fold.eq(fold + 1)

        fetched = Signal(self.op, reset_less=True)
        fetched_valid = Signal()
        fetched_fold = Signal(range(folds), reset_less=True)
        fetched_fresh = Signal(reset_less=True)
        now = Signal(self.op, reset_less=True)
        now_valid = Signal()
        now_fold = Signal(range(folds), reset_less=True)
        signs = Signal(lanes, reset_less=True)
        m.d.sync += [
            fetched.eq(op), fetched_valid.eq(issue), fetched_fold.eq(fold), fetched_fresh.eq(fresh),
            now.eq(fetched), now_valid.eq(fetched_valid), now_fold.eq(fetched_fold), signs.eq(synapses.data),
        ]
        fires = Signal()
        ends = Signal()
        m.d.comb += [
            fires.eq(now_valid & (now.kind == OpKind.FIRE)),
            ends.eq(now_valid & (now.kind == OpKind.END)),
        ]

        written = potentials.write_data
        m.d.comb += potentials.write_address.eq(now_fold), potentials.write_enable.eq(now_valid)
        values, mask = [], []
        for lane in range(lanes):
            places = range(self.base + lane * folds, self.base + (lane + 1) * folds)
            value = Signal(signed(width), name=f"value_{lane}", reset_less=True)
            fired = Signal(name=f"fired_{lane}", reset_less=True)
            values.append(value)
            fetch = neurons.numbers(places, fetched.step, fetched_fold)
            numbers = {}
            for name in ("threshold", "after", "after_fire", "reset_to", "leak", "bias"):
                number = getattr(fetch, name)
                if number is not None and not isinstance(number, Const):
                    register = Signal(number.shape(), name=f"{name}_{lane}", reset_less=True)
                    m.d.sync += register.eq(number)
                    number = register
                numbers[name] = number
            m.d.sync += value.eq(Mux(fetched_fresh, fetch.start, potentials.read_data["values"][lane]))
            if remembers:
                m.d.sync += fired.eq(potentials.read_data.fired[lane] & ~fetched_fresh)
            operand = now.operand if self.op["operand"].width else None
            fire, following = advance(now.kind, value, fired, signs[lane], operand,
                                      fetch.with_numbers(**numbers))
            moves = now.kind == OpKind.ADD
            if neurons.leaks:
                moves |= now.kind == OpKind.LEAK
            if neurons.moves:
                moves |= now.kind == OpKind.FIRE
            m.d.comb += written["values"][lane].eq(Mux(moves, following, value))
            if remembers:
                m.d.comb += written.fired[lane].eq(fired | (fire & (now.kind == OpKind.FIRE)))
            there = self.count - lane * folds   # neurons of this lane
            exists = 1 if there >= folds else now_fold < there
            mask.append((fire | (now.kind == OpKind.END)) & exists)
        m.d.comb += self.final.eq(Cat(values)), self.final_fold.eq(now_fold), self.ended.eq(ends)

        m.d.sync += self.next_decided.eq(self.decided)
        m.d.comb += drain.decided.eq(self.next_decided)

        row = data.View(queue_row, queue.w_data)
        load = fires | ends if read else fires
        m.d.comb += [
            row.mask.eq(Cat(mask)), row.fold.eq(now_fold), row["values"].eq(Cat(values) if read else 0),
            queue.w_en.eq(load & row.mask.any()),
        ]
        m.submodules.emitter = emitter = PriorityEmitter(lanes, width if read else 0)
        waiting = data.View(queue_row, queue.r_data)
        at_work = Signal(queue_row, reset_less=True)
        idle = Signal()     # what comes with the address on offer is of ``at_work``
        m.d.comb += [
            idle.eq(emitter.empty & ~emitter.valid),
            emitter.load.eq(queue.r_rdy & idle), queue.r_en.eq(idle),
            emitter.pending.eq(waiting.mask), emitter.extras.eq(at_work["values"]),
            emitter.taken.eq(drain.own.ready),
        ]
        with m.If(emitter.load):
            m.d.sync += at_work.eq(waiting)

        own = drain.own.payload
        last = Signal(self.op, reset_less=True)   # the FIRE or END whose spikes are leaving,
        marked = Signal()                         # and whose end follows them
        silent = Signal()
        quiet = Signal()
        if not self.ordered:
            m.d.comb += silent.eq(last.kind == OpKind.FIRE)
        m.d.comb += [
            quiet.eq(idle & ~queue.r_rdy),
            own.address.eq(self.base + Cat(at_work.fold, emitter.address)), own.potential.eq(emitter.data),
            own.window.eq(last.kind == OpKind.END), own.step.eq(last.step), own.tag.eq(last.tag),
            own.end.eq(~emitter.valid), drain.own.valid.eq(emitter.valid | (marked & quiet & ~silent)),
            closed.eq(marked & quiet & (silent | drain.own.ready)),
        ]
        with m.If(closed):
            m.d.sync += marked.eq(0), busy.eq(0)
        with m.If(fires | ends):
            m.d.sync += last.eq(now)
            with m.If(now_fold == folds - 1):
                m.d.sync += marked.eq(1)
        with m.If(entry.o.valid & entry.o.ready & closes):
            m.d.sync += busy.eq(1)
        return m
