"""The readout: the last layer's spikes and potentials in, the class out."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from .streams.token import Kind, Token

__all__ = ["Readout", "ReadoutKind", "Result"]


class ReadoutKind(enum.Enum):
    """What decides."""

    FIRST_SPIKE = "first_spike"
    """The earliest spike; in its step the higher potential; without a spike the highest final potential."""

    POTENTIAL = "potential"
    """The highest final potential."""

    COUNT = "count"
    """The most spikes, then the higher final potential."""


class Result(data.StructLayout):
    """Layout of a result: the class, and the step that decided (the window's length where none did)."""

    def __init__(self, classes: int, window: int):
        super().__init__({"label": range(classes), "step": range(window + 1)})


class Readout(wiring.Component):
    """Reads the class off the last layer; at last, always, the lower index.

    Takes one token a cycle. The result is valid 1 cycle after the token that settles it: the end of the
    deciding step where ``stop_early`` is high and a spike decides, else the end of the window. While
    a result waits to be taken, the next end of a step or window waits too.

    Parameters
    ----------
    token : :class:`~.streams.token.Token`
        Layout of the last layer's tokens, with potentials.
    kind : :class:`ReadoutKind`
    early_stop : :class:`bool`
        Whether there is an early stop; needs a tagged token.

    Members
    -------
    tokens : ``In(stream.Signature(token))``
    stop_early : ``In(1)``
    decided : ``Out(2)``
        One bit a tag: the window of that tag is decided and not over yet.
    over : ``Out(1)``
        High for one cycle when a window ends here.
    result : ``Out(stream.Signature(Result(...)))``
    """

    def __init__(self, token: Token, kind, *, early_stop: bool):
        if not token.potential_bits:
            raise ValueError("A readout's tokens must carry potentials")
        self.token = token
        self.kind = ReadoutKind(kind)
        self.early_stop = early_stop
        if early_stop and (self.kind is not ReadoutKind.FIRST_SPIKE or not token.tagged):
            raise ValueError("Early stop needs a first-spike readout and tagged windows")
        super().__init__({
            "tokens": In(stream.Signature(token)), "stop_early": In(1),
            "decided": Out(2), "over": Out(1),
            "result": Out(stream.Signature(Result(token.addresses, token.window))),
        })

    def elaborate(self, platform):
        m = Module()
        token, result = self.tokens.payload, self.result.payload
        classes, window = self.token.addresses, self.token.window

        best = Signal(range(classes))
        best_score = Signal.like(token.potential)
        found = Signal()      # best and best_score hold something
        settled = Signal()    # a spike has decided
        sent = Signal()       # and the result is out
        free = Signal()       # a result can be put out
        accepted = Signal()
        settles = Signal()
        m.d.comb += [
            free.eq(~self.result.valid | self.result.ready),
            self.tokens.ready.eq((token.kind == Kind.SPIKE) | free),
            accepted.eq(self.tokens.valid & self.tokens.ready),
        ]
        with m.If(self.result.ready):
            m.d.sync += self.result.valid.eq(0)

        candidate = Signal()   # takes part in the comparison
        higher = token.potential > best_score
        equal = token.potential == best_score
        if self.kind is ReadoutKind.COUNT:
            counts = Array(Signal(range(window + 1), name=f"count_{i}") for i in range(classes))
            count = counts[token.address]
            best_count = Signal(range(window + 1))
            m.d.comb += candidate.eq(token.dump)
            higher = (count > best_count) | ((count == best_count) & higher)
            equal = (count == best_count) & equal
            with m.If(accepted & (token.kind == Kind.SPIKE)), m.If(~token.dump):
                m.d.sync += count.eq(count + 1)
            with m.If(accepted & (token.kind == Kind.WINDOW)):
                m.d.sync += Cat(*counts).eq(0)
        elif self.kind is ReadoutKind.POTENTIAL:
            m.d.comb += candidate.eq(token.dump)
        else:
            m.d.comb += candidate.eq(~settled)

        with m.If(accepted), m.Switch(token.kind):
            with m.Case(Kind.SPIKE):
                with m.If(candidate & (~found | higher | (equal & (token.address < best)))):
                    m.d.sync += found.eq(1), best.eq(token.address), best_score.eq(token.potential)
                    if self.kind is ReadoutKind.COUNT:
                        m.d.sync += best_count.eq(count)
            with m.Case(Kind.STEP):
                if self.kind is ReadoutKind.FIRST_SPIKE:
                    m.d.comb += settles.eq(token.some & ~settled)
                    with m.If(settles):
                        m.d.sync += settled.eq(1), result.step.eq(token.step), result.label.eq(best)
                        if self.early_stop:
                            with m.If(self.stop_early):
                                m.d.sync += self.result.valid.eq(1), sent.eq(1)
                                m.d.sync += self.decided.bit_select(token.tag, 1).eq(1)
            with m.Default():
                m.d.comb += self.over.eq(1)
                m.d.sync += found.eq(0), settled.eq(0), sent.eq(0)
                with m.If(~sent):
                    m.d.sync += self.result.valid.eq(1)
                    with m.If(~settled):
                        m.d.sync += result.step.eq(window), result.label.eq(best)
                if self.early_stop:
                    m.d.sync += self.decided.bit_select(token.tag, 1).eq(0)
        return m
