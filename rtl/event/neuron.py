"""The neuron's arithmetic: plain numbers of a layer's neurons, and one step of a lane."""

from dataclasses import dataclass, replace

from amaranth.hdl import Cat, Const, Mux, Value, signed

from ..schedule import lookup
from .op import OpKind

__all__ = ["LaneNumbers", "Neurons", "advance"]


@dataclass(frozen=True)
class Neurons:
    """The neurons of one layer as plain numbers, in *lane values*.

    A lane value is the membrane potential less an offset that the planner chooses, so that where the
    threshold moves by a line or stands still, firing is a test of the sign. In a ``FIRE`` of step
    ``t``, neuron ``j`` with lane value ``v``::

        fires where  v >= threshold[j][t]    (and it has not fired yet, where it fires once)
        fired:       v <- reset_to[j][t], or v + after_fire[j][t]
        otherwise:   v <- v + after[j][t]

    Attributes
    ----------
    width : :class:`int`
        Bits of a lane value (signed), proven sufficient by the planner.
    start : tuple of :class:`int`, one a neuron
        Lane value at the start of a window.
    threshold, after, after_fire : tuple of tuple of :class:`int`, ``[neuron][step]``
    reset_to : the same, or None
    leak : tuple of :class:`int`, or None
        Right shift ``k`` of ``v <- v - (v >> k)``; only with an offset of 0.
    bias : tuple of :class:`int`
        Added in every step.
    fires : :class:`bool`
        Whether the layer fires at all.
    once : :class:`bool`
        Whether a neuron fires at most once in a window.
    """

    width: int
    start: tuple[int, ...]
    threshold: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    after_fire: tuple[tuple[int, ...], ...]
    reset_to: tuple[tuple[int, ...], ...] | None
    leak: tuple[int, ...] | None
    bias: tuple[int, ...]
    fires: bool
    once: bool

    @property
    def leaks(self) -> bool:
        """Whether a step begins with an operation."""
        return self.leak is not None or any(self.bias)

    @property
    def moves(self) -> bool:
        """Whether firing changes lane values."""
        return self.reset_to is not None or any(map(any, self.after)) or any(map(any, self.after_fire))

    def numbers(self, neurons, step, fold=None) -> "LaneNumbers":
        """What a lane that stands for ``neurons`` (one a fold) needs in ``step``, as values.

        ``neurons`` past the end repeat the last one.
        """
        last = len(self.start) - 1
        neurons = [min(neuron, last) for neuron in neurons]

        def by_fold(values):
            values = [values[neuron] for neuron in neurons]
            return Const(values[0], signed(self.width)) if fold is None else lookup(values, fold)

        def by_step(table):
            rows = [table[neuron] for neuron in neurons]
            if fold is None:
                return lookup(rows[0], step)
            if all(len(set(row)) == 1 for row in rows):
                return lookup([row[0] for row in rows], fold)
            stride = 1 << (len(rows[0]) - 1).bit_length()
            return lookup([value for row in rows for value in (*row, *[row[-1]] * (stride - len(row)))],
                          Cat(step, fold))

        return LaneNumbers(
            width=self.width, once=self.once, fires=self.fires, moves=self.moves, leaks=self.leaks,
            start=by_fold(self.start), threshold=by_step(self.threshold),
            after=by_step(self.after), after_fire=by_step(self.after_fire),
            reset_to=None if self.reset_to is None else by_step(self.reset_to),
            leak=None if self.leak is None else lookup(
                [min(self.leak[neuron], self.width - 1) for neuron in neurons], 0 if fold is None else fold),
            bias=by_fold(self.bias))


@dataclass(frozen=True)
class LaneNumbers:
    """The numbers of one lane in one step: those of :class:`Neurons`, as values."""

    width: int
    once: bool
    fires: bool
    moves: bool
    leaks: bool
    start: Value
    threshold: Value
    after: Value
    after_fire: Value
    reset_to: Value | None
    leak: Value | None
    bias: Value

    def with_numbers(self, **numbers) -> "LaneNumbers":
        """The same with other values, registers for instance."""
        return replace(self, **numbers)


def advance(kind, value, fired, positive, operand, numbers: LaneNumbers):
    """One operation on one lane, combinational, with one adder.

    Parameters
    ----------
    kind : value-like, :class:`~.op.OpKind`
    value : value-like
        The lane value, signed.
    fired : value-like
        Whether the neuron has fired in this window (ignored unless it fires once).
    positive : value-like
        The weight's sign bit: 1 is +1, 0 is -1.
    operand : value-like or None
        What an ``ADD`` adds; None: always 1.

    Returns
    -------
    (fire, next)
        Whether it fires if this is a ``FIRE``; the lane value afterwards if this is no ``END``.
    """
    width = numbers.width
    fire = (value >= numbers.threshold) if numbers.fires else Const(0, 1)
    if numbers.once:
        fire &= ~fired

    negate = ~positive
    if operand is None:
        addend, carry = Cat(Const(1, 1), negate.replicate(width - 1)), None
    else:
        extended = Cat(operand, (operand[-1] if operand.shape().signed else Const(0, 1)).replicate(width))
        addend, carry = extended[:width] ^ negate.replicate(width), negate

    def fit(expression):
        return (expression + Const(0, signed(width)))[:width]

    if numbers.moves:
        change = fit(Mux(fire, numbers.after_fire, numbers.after))
        addend = Mux(kind == OpKind.FIRE, change, addend)
        carry = None if carry is None else carry & (kind != OpKind.FIRE)
    if numbers.leaks:
        loss = Const(0, signed(width)) if numbers.leak is None else value >> numbers.leak
        addend = Mux(kind == OpKind.LEAK, fit(numbers.bias - loss), addend)
        carry = None if carry is None else carry & (kind != OpKind.LEAK)
    if carry is None:
        total = (value + addend.as_signed())[:width]
    else:
        total = (Cat(Const(1, 1), value) + Cat(carry, addend))[1:width + 1]
    if numbers.reset_to is not None:
        total = Mux((kind == OpKind.FIRE) & fire, fit(numbers.reset_to), total)
    return fire, total.as_signed()
