"""Spikes of a group of neurons, one after the other, the lowest address first."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Emitter", "PriorityEmitter", "ScanEmitter"]


class Emitter(wiring.Component):
    """Takes a group's pending bits at once and gives the addresses of those that are set.

    Two circuits do it: :class:`PriorityEmitter` skips what is not set, :class:`ScanEmitter` is half as large.
    ``load`` is only allowed while ``empty``.

    Parameters
    ----------
    size : :class:`int`
        Neurons in the group.
    extra : :class:`int`
        Bits that each neuron sends along with its address (its potential, where the layer is read).
    base : :class:`int`
        Address of the first neuron.

    Members
    -------
    load : ``In(1)``
    pending : ``In(size)``
    extras : ``In(size * extra)``
        Looked at while ``valid``: of what was loaded, until all is taken. So with ``extra`` there may be no
        ``load`` while an address is on offer.
    valid, address, data, taken : the address on offer, what comes with it, and whether it is taken now.
    empties : ``Out(1)``
        ``empty`` in the next cycle.
    empty : ``Out(1)``
        Of what was loaded, all is taken but what is on offer. Comes up 2 cycles after ``load`` at the
        earliest.
    """

    def __init__(self, size: int, extra: int = 0, *, base: int = 0):
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"Size must be a positive integer, not {size!r}")
        self.size = size
        self.extra = extra
        self.base = base
        super().__init__({
            "load": In(1), "pending": In(size), "extras": In(size * extra),
            "valid": Out(1), "address": Out(range(base + size)), "data": Out(extra), "taken": In(1),
            "empties": Out(1), "empty": Out(1, init=1),
        })


class PriorityEmitter(Emitter):
    """The first address 2 cycles after ``load``, then one a cycle."""

    def elaborate(self, platform):
        m = Module()
        pending = Signal(self.size)
        rest = Signal(self.size)
        first = Signal(self.size)      # one-hot
        below = Signal(self.size)      # pending - 1: flips the lowest bit that is set and all below it
        m.d.comb += below.eq(pending - 1), rest.eq(pending & below), first.eq(pending & ~below)
        code = []
        for bit in range(len(self.address)):
            ones = [i for i in range(self.size) if self.base + i >> bit & 1]
            if len(ones) == self.size:
                code.append(Const(1))    # of every address, and nobody looks where there is none
            else:
                code.append(Cat(first[i] for i in ones).any())

        chosen = Signal(self.size, reset_less=True)    # the one on offer: its extra comes after the register
        if self.extra:
            words = [self.extras.word_select(i, self.extra) & chosen[i].replicate(self.extra)
                     for i in range(self.size)]
            m.d.comb += self.data.eq(reduce(or_, words))

        with m.If(self.taken | ~self.valid):
            m.d.sync += self.valid.eq(pending.any()), pending.eq(rest), self.address.eq(Cat(code))
            if self.extra:
                m.d.sync += chosen.eq(first)
        m.d.comb += self.empties.eq(~pending.any() & ~self.load)
        m.d.sync += self.empty.eq(self.empties)
        with m.If(self.load):
            m.d.sync += pending.eq(self.pending)
        return m


class ScanEmitter(Emitter):
    """One neuron a cycle, from the cycle after ``load`` on, whether its bit is set or not."""

    def __init__(self, size: int, *, base: int = 0):
        super().__init__(size, base=base)

    def elaborate(self, platform):
        m = Module()
        pending = Signal(self.size)
        m.d.comb += self.valid.eq(pending[0])
        m.d.comb += self.empties.eq(~pending.any() & ~self.load)
        m.d.sync += self.empty.eq(self.empties)
        with m.If(self.load | self.taken | ~self.valid):
            m.d.sync += [
                pending.eq(Mux(self.load, self.pending, pending >> 1)),
                self.address.eq(Mux(self.load, self.base, self.address + 1)),
            ]
        return m
