"""The event engine: one dense layer as a systolic chain of columns."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..streams.token import Token
from .column import Column
from .folded_column import FoldedColumn
from .neuron import Neurons
from .sequencer import Sequencer

__all__ = ["EventLayer", "Folding"]


@dataclass(frozen=True)
class Folding:
    """How a layer's neurons are laid out.

    Attributes
    ----------
    per_column : :class:`int`
        Neurons in each column of the chain; the last has what is left.
    folds : :class:`int`
        Neurons that share one adder; 1, or a power of two from 4 on.
    group : :class:`int`
        Neurons that share one spike emitter (``folds`` 1 only).
    queue : :class:`bool`
        Whether a column's spikes can wait to leave the layer without keeping it from the next step
        (``folds`` 1 only, and not in a layer that is read).
    scan : :class:`bool`
        Whether emitters scan, which is small, rather than skip, which is fast (``folds`` 1 only).
    fetch_registers : :class:`int`
        Registers after the synapse ROM, for a fast clock: the first can lie beside the block RAM or in it,
        the last beside the adders (``folds`` 1 only).
    zero_init : :class:`bool`
        Whether flip-flops power up at 0 only, so that potentials are set in the first cycle after a reset
        instead of by it (``folds`` 1 only).
    carry : :class:`int`
        Neurons that share a carry chain where their potentials only go up or down by one, which is smaller
        where a chain takes cells beyond its bits (``folds`` 1 only).
    """

    per_column: int
    folds: int = 1
    group: int = 18
    queue: bool = False
    scan: bool = False
    fetch_registers: int = 1
    zero_init: bool = False
    carry: int = 1


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
    folding : :class:`Folding`
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

    def __init__(self, source: Token, token: Token, neurons: Neurons, weights, kernel, *, folding: Folding,
                 online: bool, every_step: bool, fires_at_start: bool, ordered: bool):
        self.source = source
        self.token = token
        self.sequencer = Sequencer(
            source, token.window, kernel, online=online, fires=neurons.fires, leaks=neurons.leaks,
            every_step=every_step, fires_at_start=fires_at_start,
            closing=online and neurons.fires and folding.folds == 1 and not every_step and not neurons.moves)
        count = len(neurons.start)
        starts = range(0, count, folding.per_column)
        self.columns = []
        for base in starts:
            slice_ = [row[base:base + folding.per_column] for row in weights]
            place = {"base": base, "first": base == 0, "last": base == starts[-1], "ordered": ordered}
            if folding.folds == 1:
                column = Column(self.sequencer.op, token, neurons, slice_, group=folding.group,
                                queue=folding.queue, scan=folding.scan,
                                fetch_registers=folding.fetch_registers, zero_init=folding.zero_init,
                                carry=folding.carry, **place)
            else:
                column = FoldedColumn(self.sequencer.op, token, neurons, slice_, folds=folding.folds, **place)
            self.columns.append(column)
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
