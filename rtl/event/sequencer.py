"""The head of a layer: tokens in, operations for its columns out."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..schedule import lookup, shape_of
from ..streams.token import Kind, Token
from .op import Op, OpKind

__all__ = ["Sequencer", "operand_shape"]


def operand_shape(kernel, value_bits: int):
    """Shape of ``K[t] * value``; zero bits where that is always 1."""
    kernel = [int(k) for k in kernel]
    if not value_bits:
        return 0 if set(kernel) == {1} else shape_of([*kernel, 1])
    top = (1 << value_bits) - 1
    return shape_of([1, *(k * top for k in kernel)])


class Sequencer(wiring.Component):
    """Turns a layer's input tokens into operations, step by step.

    *Online*, a spike is an ``ADD``, an end of step a ``FIRE``; *windowed*, spikes are ``ADD`` and the
    end of the window is a ``FIRE`` for every step; both then an ``END``. Where nothing can fire or change
    in a step without spikes (``every_step`` false), only steps that were heard and, with
    ``fires_at_start``, step 0 get their ``FIRE``. A spike of a later step closes the one before as well: with
    ``closing``, its ``ADD`` does it on the way, so that the end of a step costs no cycle.

    Latency: combinational, one operation a cycle. What belongs to a window that is decided is dropped at
    one token a cycle, but for its end; so an operation on offer is withdrawn where ``decided`` rises.

    Parameters
    ----------
    source : :class:`~..streams.token.Token`
        Layout of the input.
    window : :class:`int`
        Steps of the layer's own window.
    kernel : sequence of :class:`int`
        ``K``, as long as the source's window.
    online, fires, leaks, every_step, fires_at_start : :class:`bool`
    closing : :class:`bool`
        Whether an ``ADD`` may close the step before it; not with ``every_step``.

    Members
    -------
    tokens : ``In(stream.Signature(source))``
    ops : ``Out(stream.Signature(Op(...)))``
    decided : ``In(2)``
        One bit a tag; only looked at where ``source`` is tagged.
    """

    def __init__(self, source: Token, window: int, kernel, *, online: bool, fires: bool, leaks: bool,
                 every_step: bool, fires_at_start: bool, closing: bool = False):
        if closing and not (online and fires and not every_step):
            raise ValueError("Closing must come with an online layer that fires, and not take every step")
        if online and source.window != window:
            raise ValueError(f"An online layer's window must be its source's, {source.window}, not {window}")
        if leaks and not (online and every_step):
            raise ValueError("Leak and bias must come with an online layer that takes every step")
        self.source = source
        self.window = window
        self.kernel = tuple(int(k) for k in kernel)
        self.online = online
        self.fires = fires
        self.leaks = leaks
        self.every_step = every_step
        self.fires_at_start = fires_at_start
        self.closing = closing
        self.op = Op(source.addresses, window, operand=operand_shape(self.kernel, source.value_bits),
                     tagged=source.tagged, closing=closing)
        super().__init__({
            "tokens": In(stream.Signature(source)),
            "ops": Out(stream.Signature(self.op)),
            "decided": In(2),
        })

    def elaborate(self, platform):
        m = Module()
        token, op = self.tokens.payload, self.ops.payload
        accepted = self.ops.valid & self.ops.ready

        drop = Signal()
        if self.source.tagged:
            m.d.comb += drop.eq(self.decided.bit_select(token.tag, 1))

        step = Signal(range(self.window + 1))   # the first step that is not finished
        leaked = Signal()                       # it had its LEAK
        heard = Signal()                        # a spike came since the last FIRE,
        heard_step = Signal(range(self.window)) # and this was its step

        # Whether a FIRE is due before the token can be taken. Tokens come in the order of their steps, so
        # that a step that was heard is never later than the token's, and one FIRE settles an end of step.
        fire_step = Signal(range(self.window))
        behind = Signal()
        completes = Signal()   # and takes an end of step with it
        closing = Signal()     # or a spike takes the FIRE with it
        at_end = token.kind == Kind.WINDOW
        at_step = token.kind == Kind.STEP
        if not self.online:
            last = 0 if not self.fires else self.window if self.every_step else 1
            m.d.comb += fire_step.eq(step), behind.eq(at_end & (step != last))
        elif self.every_step:
            m.d.comb += [
                fire_step.eq(step),
                behind.eq(Mux(at_end, step != self.window,
                              (step < token.step) | (at_step & (step == token.step)))),
                completes.eq(at_step & (step == token.step)),
            ]
        elif self.fires:
            at_start = (step == 0) & ~heard if self.fires_at_start else 0
            later = heard & (token.step != heard_step) | at_start & (token.step != 0)
            m.d.comb += [
                fire_step.eq(Mux(heard, heard_step, 0)),
                behind.eq(Mux(token.kind == Kind.SPIKE, later & (not self.closing), heard | at_start)),
                completes.eq(at_step),
            ]
            if self.closing:
                m.d.comb += closing.eq(later)

        def emit(kind, consume):
            m.d.comb += self.ops.valid.eq(1), op.kind.eq(kind), self.tokens.ready.eq(self.ops.ready & consume)

        m.d.comb += op.address.eq(token.address), op.step.eq(fire_step), op.tag.eq(token.tag)
        if self.op["operand"].width:
            factor = lookup(self.kernel, token.step)
            m.d.comb += op.operand.eq(factor * token.value if self.source.value_bits else factor)

        with m.If(self.tokens.valid):
            with m.If(behind & ~drop):
                with m.If(self.leaks & ~leaked):
                    emit(OpKind.LEAK, 0)
                    with m.If(accepted):
                        m.d.sync += leaked.eq(1)
                with m.Else():
                    if self.fires:
                        emit(OpKind.FIRE, completes)
                    else:
                        m.d.comb += self.tokens.ready.eq(completes)
                    with m.If(accepted if self.fires else 1):
                        m.d.sync += step.eq(step + 1 if self.every_step else 1), leaked.eq(0), heard.eq(0)
            with m.Elif(token.kind == Kind.WINDOW):
                emit(OpKind.END, 1)
                with m.If(accepted):
                    m.d.sync += step.eq(0), leaked.eq(0), heard.eq(0)
            with m.Elif(drop | (token.kind == Kind.STEP)):
                m.d.comb += self.tokens.ready.eq(1)
            with m.Elif(self.leaks & ~leaked):
                emit(OpKind.LEAK, 0)
                with m.If(accepted):
                    m.d.sync += leaked.eq(1)
            with m.Else():
                emit(OpKind.ADD, 1)
                if self.closing:
                    m.d.comb += op.closing.eq(closing)
                with m.If(accepted):
                    m.d.sync += heard.eq(1), heard_step.eq(token.step)
                    if self.closing:
                        with m.If(closing):
                            m.d.sync += step.eq(1)
        return m
