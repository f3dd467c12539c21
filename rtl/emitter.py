"""Spikes of a group of neurons, one after the other, the lowest index first."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Emitter", "PriorityEmitter", "ScanEmitter"]


class Emitter(wiring.Component):
    """Takes a group's pending bits at once and gives the indices of those that are set.

    Two circuits do it: :class:`PriorityEmitter` skips what is not set, :class:`ScanEmitter` is half as large.
    ``load`` is only allowed while ``quiet``, which falls with it, and comes up in the cycle after the last
    index was taken, or 2 cycles after ``load`` where nothing is set.

    Parameters
    ----------
    size : :class:`int`
        Neurons in the group.
    extra : :class:`int`
        Bits that each neuron sends along with its index (its potential, where the layer is read).

    Members
    -------
    load : ``In(1)``
    pending : ``In(size)``
    extras : ``In(size * extra)``
        Looked at while not ``quiet``: must be stable from the cycle after ``load`` on.
    drop : ``In(1)``
        Forget everything.
    valid, index, data, taken : the index on offer, what comes with it, and whether it is taken now.
    quiet : ``Out(1)``
        Nothing pending.
    """

    def __init__(self, size: int, extra: int = 0):
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"Size must be a positive integer, not {size!r}")
        self.size = size
        self.extra = extra
        super().__init__({
            "load": In(1), "pending": In(size), "extras": In(size * extra), "drop": In(1),
            "valid": Out(1), "index": Out(range(size)), "data": Out(extra), "taken": In(1),
            "quiet": Out(1, init=1),
        })


class PriorityEmitter(Emitter):
    """The first index 2 cycles after ``load``, then one a cycle."""

    def elaborate(self, platform):
        m = Module()
        pending = Signal(self.size)
        rest = Signal(self.size)
        first = Signal(self.size)      # one-hot
        below = Signal(self.size)      # pending - 1: flips the lowest bit that is set and all below it
        m.d.comb += below.eq(pending - 1), rest.eq(pending & below), first.eq(pending & ~below)
        code = [Cat(first[i] for i in range(self.size) if i >> bit & 1).any()
                for bit in range(len(self.index))]

        with m.If(self.taken | ~self.valid):
            m.d.sync += self.valid.eq(pending.any()), pending.eq(rest), self.index.eq(Cat(code))
            if self.extra:
                words = [self.extras.word_select(i, self.extra) & first[i].replicate(self.extra)
                         for i in range(self.size)]
                chosen = words[0]
                for word in words[1:]:
                    chosen = chosen | word
                m.d.sync += self.data.eq(chosen)
        m.d.sync += self.quiet.eq(~pending.any() & (self.taken | ~self.valid))
        with m.If(self.load):
            m.d.sync += pending.eq(self.pending), self.quiet.eq(0)
        with m.If(self.drop):
            m.d.sync += pending.eq(0), self.valid.eq(0), self.quiet.eq(1)
        return m


class ScanEmitter(Emitter):
    """One neuron a cycle, from the cycle after ``load`` on, whether its bit is set or not."""

    def __init__(self, size: int):
        super().__init__(size)

    def elaborate(self, platform):
        m = Module()
        pending = Signal(self.size)
        m.d.comb += self.valid.eq(pending[0])
        with m.If(self.load | self.taken | ~self.valid):
            m.d.sync += [
                pending.eq(Mux(self.load, self.pending, pending >> 1)),
                self.index.eq(Mux(self.load, 0, self.index + 1)),
            ]
        m.d.sync += self.quiet.eq(~self.load & ~(pending >> self.taken).any())
        with m.If(self.drop):
            m.d.sync += pending.eq(0), self.quiet.eq(1)
        return m
