"""Potentials that go up or down by one, several on one carry chain."""

from amaranth.hdl import Cat, Module, Signal, signed

__all__ = ["Counters"]


class Counters:
    """Lane values of which each moves by one at a time, all in the same cycles.

    So all of them change from even to odd together, and one bit holds the lowest bit of them all. Their
    other bits take turns with it on the carry chain: at its place both summands are the bit itself, so that
    it swallows what is carried there and carries itself on.

    ====================  =================================================
    an even value 2u      2u + 1 = 2(u) + 1       2u - 1 = 2(u - 1) + 1
    an odd value 2u + 1   2u + 2 = 2(u + 1)       2u = 2(u)
    ====================  =================================================

    So ``u`` changes by the lowest bit, less one where the value goes down.

    Parameters
    ----------
    starts : sequence of :class:`int`
        First values.
    width : :class:`int`
        Bits of a value, signed.
    together : :class:`int`
        Values on one carry chain.
    zero_init : :class:`bool`
        Whether all are 0 after a reset, and must be started before they move.
    """

    def __init__(self, starts, width: int, together: int, *, zero_init: bool = False):
        self.starts = tuple(starts)
        self.width = width
        self.together = together
        # Whether what began at 0 is odd now, or even.
        self._odd, self._even = Signal(name="odd"), Signal(name="even", init=not zero_init)
        self._halves = [Signal(signed(width - 1), name=f"half_{n}", init=0 if zero_init else start >> 1)
                        for n, start in enumerate(self.starts)]
        self.values = [Cat(self._odd if start % 2 == 0 else self._even, half).as_signed()
                       for start, half in zip(self.starts, self._halves, strict=True)]

    def add(self, m: Module, *, moves, starts, ups) -> None:
        """Where ``moves``, go up or down by one, as each of ``ups`` says; where ``starts``, start again."""
        m.d.sync += self._odd.eq(~starts & (self._odd ^ moves)), self._even.eq(starts | (self._even ^ moves))
        for first in range(0, len(self.starts), self.together):
            places = range(first, min(first + self.together, len(self.starts)))
            minuend = Cat(self.values[n] for n in places)
            subtrahend = Cat(
                Cat(self._even if self.starts[n] % 2 == 0 else self._odd, ups[n].replicate(self.width - 1))
                for n in places)
            sums = (minuend - subtrahend)[:len(minuend)]
            for n in places:
                total = sums.word_select(n - first, self.width)
                with m.If(moves):
                    m.d.sync += self._halves[n].eq(total[1:])
                with m.If(starts):
                    m.d.sync += self._halves[n].eq(self.starts[n] >> 1)
