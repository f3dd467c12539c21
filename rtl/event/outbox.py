"""Where the spikes that a column's neurons fire wait to leave it."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..streams.buffer import Buffer
from ..streams.queue import Queue
from ..streams.token import Token
from .drain import OwnToken
from .emitter import PriorityEmitter, ScanEmitter

__all__ = ["Outbox"]


class Outbox(wiring.Component):
    """Takes what a ``FIRE`` or ``END`` made of a column's neurons at once, and sends it spike by spike.

    After the spikes follows their end. Where ``queue``, those of 16 operations can wait, so that one
    can follow another while ``room`` is up; otherwise ``room`` falls with ``enters`` until all has left.

    The first spike is on offer 3 cycles after ``load`` (2 with ``scan``, where it is the first neuron's), 2
    later with ``queue``; the others follow one a cycle, or their neurons do with ``scan``. Batches that wait
    in the queue leave one every ``spikes + 2`` cycles, their ends among them; ``+ 1`` where the last group
    that has any has one spike and is not the only one, ``+ 3`` with ``scan`` where all that fired come first.

    Parameters
    ----------
    token : :class:`~..streams.token.Token`
        Layout of the spikes that leave the layer.
    base, size : :class:`int`
        Address of the column's first neuron, and how many there are.
    group : :class:`int`
        Neurons that share an :class:`~.emitter.Emitter`.
    ordered : :class:`bool`
        Whether ends of steps are sent.
    scan : :class:`bool`
        Which emitter.
    queue : :class:`bool`
        Whether there is a :class:`~..streams.queue.Queue`.

    Members
    -------
    enters : ``In(1)``
        An operation has entered the column; its ``load`` follows.
    room : ``Out(1)``
        One may enter.
    load : ``In(1)``
    pending : ``In(size)``
        The neurons that fired. Not looked at where a window ends, but for one of a layer that is read.
    potentials : ``In(size * token.potential_bits)``
        What they bring along. Looked at in the cycle of ``load``.
    window, step, tag : ``In``
        The end that follows: of the window, or of a step.
    own : ``Out(stream.Signature(OwnToken(token)))``
    """

    def __init__(self, token: Token, *, base: int, size: int, group: int, ordered: bool, scan: bool,
                 queue: bool):
        if queue and token.potential_bits:
            raise ValueError("An outbox of spikes with potentials must have no queue")
        self.token = token
        self.base = base
        self.size = size
        self.group = group
        self.ordered = ordered
        self.scan = scan
        self.queue = queue
        super().__init__({
            "enters": In(1), "room": Out(1), "load": In(1),
            "pending": In(size), "potentials": In(size * token.potential_bits),
            "window": In(1), "step": In(range(token.window)), "tag": In(1 if token.tagged else 0),
            "own": Out(stream.Signature(OwnToken(token))),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = Buffer(OwnToken(self.token))
        wiring.connect(m, buffer.o, wiring.flipped(self.own))
        bits, own = self.token.potential_bits, buffer.i.payload
        end = data.StructLayout({
            "window": 1, "step": range(self.token.window), "tag": 1 if self.token.tagged else 0})
        batch = data.StructLayout({"pending": self.size, "end": end})
        came = Signal(batch)
        m.d.comb += [
            came.pending.eq(self.pending), came.end.window.eq(self.window), came.end.step.eq(self.step),
            came.end.tag.eq(self.tag),
        ]

        marked = Signal()     # a batch is at the emitters,
        its_end = Signal(end, reset_less=True)
        leaves = Signal()     # and makes way for the next, since all that is left of it is on offer
        spent = Signal(init=1)
        ending = Signal()     # its end waits for that to be taken,
        old = Signal(-(-self.size // self.group))   # which is this,
        last_end = Signal(end, reset_less=True)
        closed = Signal()     # and is settled
        taken, take = came, self.load
        if self.queue:
            m.submodules.queue = queue = Queue(batch)
            m.d.comb += [
                self.room.eq(queue.room), queue.keep.eq(self.enters), queue.put.eq(self.load),
                queue.entry.eq(came), queue.o.ready.eq(~marked | leaves),
            ]
            taken, take = queue.o.payload, queue.o.valid & queue.o.ready
        else:
            busy = Signal()
            m.d.comb += self.room.eq(~busy)
            with m.If(closed):
                m.d.sync += busy.eq(0)
            with m.If(self.enters):
                m.d.sync += busy.eq(1)
        if bits:
            held = Signal(self.size * bits, reset_less=True)
            with m.If(self.load):
                m.d.sync += held.eq(self.potentials)

        emitters = []
        for start in range(0, self.size, self.group):
            size, base = min(self.group, self.size - start), self.base + start
            emitter = (ScanEmitter(size, base=base) if self.scan and not bits
                       else PriorityEmitter(size, bits, base=base))
            m.submodules[f"emitter_{len(emitters)}"] = emitter
            m.d.comb += [
                emitter.load.eq(take if bits else take & ~taken.end.window),
                emitter.pending.eq(taken.pending[start:start + size]),
            ]
            if bits:
                m.d.comb += emitter.extras.eq(held[start * bits:(start + size) * bits])
            emitters.append(emitter)

        offered = Signal(len(emitters))   # the addresses on offer that no end goes before
        valid = Cat(emitter.valid for emitter in emitters)
        m.d.comb += offered.eq(Mux(ending, valid & old, valid))
        ready = buffer.i.ready
        for place, emitter in reversed([*enumerate(emitters)]):   # the lowest group on offer goes first
            with m.If(offered[place]):
                m.d.comb += own.address.eq(emitter.address), own.potential.eq(emitter.data)
        for place, emitter in enumerate(emitters):
            m.d.comb += emitter.taken.eq(ready & offered[place])
            ready = ready & ~offered[place]

        silent = Signal()
        if not self.ordered:
            m.d.comb += silent.eq(~last_end.window)
        now = Signal(end)
        m.d.comb += [
            now.eq(Mux(ending, last_end.as_value(), its_end.as_value())),
            own.window.eq(now.window), own.step.eq(now.step), own.tag.eq(now.tag),
            own.end.eq(~offered.any()),
            buffer.i.valid.eq(offered.any() | (ending & ~silent)),
            closed.eq(ending & ~offered.any() & (silent | buffer.i.ready)),
            leaves.eq(marked & spent & ~ending),
        ]
        m.d.sync += spent.eq(Cat(emitter.empties for emitter in emitters).all())
        with m.If(closed):
            m.d.sync += ending.eq(0)
        with m.If(leaves):
            m.d.sync += marked.eq(0), ending.eq(1), last_end.eq(its_end)
            m.d.sync += old.eq(Cat(emitter.valid & ~emitter.taken for emitter in emitters))
        with m.Else():
            m.d.sync += old.eq(old & ~Cat(emitter.taken for emitter in emitters))
        with m.If(take):
            m.d.sync += marked.eq(1), its_end.eq(taken.end)
        return m
