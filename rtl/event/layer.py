"""The event engine: one dense layer as a systolic chain of columns."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..streams.token import Token
from .column import Column
from .folded_column import FoldedColumn
from .forms import FoldedForm, ParallelForm
from .neuron import Neurons
from .sequencer import Sequencer

__all__ = ["EventLayer"]


class EventLayer(wiring.Component):
    """A dense layer that works spike by spike.

    A spike enters the first column and is handed from column to column, one a cycle; each adds to its own
    neurons' potentials by its own slice of the synapse ROM. Spikes that the neurons fire join the stream
    that runs along the chain the same way. Throughput: one spike every ``folds`` cycles. Latency: from a
    token that makes neurons fire to the last column's first spike, one cycle a column and 6 more, or what
    the options of :class:`~.column.Column` make of it.

    Parameters
    ----------
    source : :class:`~..streams.token.Token`
        Layout of the input.
    token : :class:`~..streams.token.Token`
        Layout of the output: as many addresses as neurons.
    neurons : :class:`~.neuron.Neurons`
    weights : array of :class:`bool`, shape (inputs, neurons)
        Whether a weight is +1 (else -1).
    kernel : sequence of :class:`int`
        ``K``, indexed by the source's step.
    form : :class:`~.forms.ParallelForm` or :class:`~.forms.FoldedForm`
    online, every_step, fires_at_start : :class:`bool`
        See :class:`~.sequencer.Sequencer`.
    ordered : :class:`bool`
        Whether ends of steps are sent on: for a layer that listens online, and for the readout.

    Members
    -------
    i : ``In(stream.Signature(source))``
    o : ``Out(stream.Signature(token))``
    decided : ``In(2)``
    ended : ``Out(columns)``
        One bit a column: its :py:`final` shows final potentials in this cycle.
    """

    def __init__(self, source: Token, token: Token, neurons: Neurons, weights, kernel, *,
                 form: ParallelForm | FoldedForm, online: bool, every_step: bool, fires_at_start: bool,
                 ordered: bool):
        self.source = source
        self.token = token
        self.sequencer = Sequencer(
            source, token.window, kernel, online=online, fires=neurons.fires, leaks=neurons.leaks,
            every_step=every_step, fires_at_start=fires_at_start,
            closing=online and neurons.fires and isinstance(form, ParallelForm) and not every_step
            and not neurons.moves)
        count = len(neurons.start)
        starts = range(0, count, form.per_column)
        self.columns = []
        for base in starts:
            slice_ = [row[base:base + form.per_column] for row in weights]
            make = Column if isinstance(form, ParallelForm) else FoldedColumn
            self.columns.append(make(
                self.sequencer.op, token, neurons, slice_, base=base, form=form, first=base == 0,
                last=base == starts[-1], ordered=ordered))
        super().__init__({
            "i": In(stream.Signature(source)),
            "o": Out(stream.Signature(token)),
            "decided": In(2),
            "ended": Out(len(self.columns)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.sequencer = sequencer = self.sequencer
        wiring.connect(m, wiring.flipped(self.i), sequencer.tokens)
        decided = Signal(2)
        if self.source.tagged:
            m.d.sync += decided.eq(self.decided)
        m.d.comb += sequencer.decided.eq(decided)

        ops, tokens = sequencer.ops, None
        for index, column in enumerate(self.columns):
            m.submodules[f"column_{index}"] = column
            wiring.connect(m, ops, column.ops)
            if tokens is not None:
                wiring.connect(m, tokens, column.before)
            m.d.comb += column.decided.eq(decided)
            ops, tokens, decided = column.next_ops, column.tokens, column.next_decided
        wiring.connect(m, tokens, wiring.flipped(self.o))
        m.d.comb += self.ended.eq(Cat(column.ended for column in self.columns))
        return m
