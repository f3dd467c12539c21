"""A small core for the host link to run, and a serial port into Amaranth's simulation of the two."""

import zlib
from collections import deque

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Shape, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from firstspike.boards.tools import to_verilog
from firstspike.rtl.description import CoreDescription, InputPort, LevelPort
from firstspike.rtl.host.link import HostLink
from firstspike.rtl.host.protocol import ANSWER, REQUEST, CoreFacts
from firstspike.rtl.streams.port import stream_port
from firstspike.rtl.streams.token import Kind

__all__ = [
    "DELAY", "AmaranthPort", "SampleCore", "answers", "request", "sample_facts", "sample_result",
    "sample_top", "token",
]

DELAY = 9  # cycles from the end of a window to the result
PAUSE = 50  # most cycles for which a core that stalls takes nothing: a byte lasts 60


def sample_facts(**changes) -> CoreFacts:
    """A core with a latency encoder of five inputs, two of which the mask leaves out."""
    return CoreFacts(**{
        "size": 5, "levels": 200, "addresses": 3, "window": 20, "value_bits": 0, "max_value": 1,
        "online": True, "max_spikes": 3, "outputs": 10, "output_window": 10, "stop_early": True,
        "digest": bytes(range(0x11, 0x31)),
    } | changes)


def sample_result(facts: CoreFacts, words: list[int], stop_early: bool = True) -> tuple[int, int]:
    """What :class:`SampleCore` says to the words of a window: order and every bit of them matter."""
    total = 0
    for word in words:
        total = (3 * total + word + 1) & 0xFFFF
    label = total & ((1 << facts.outputs.bit_length() - 1) - 1)
    step = (total >> 4) & ((1 << facts.output_window.bit_length() - 1) - 1)
    return label, step ^ (stop_early and facts.stop_early)


def token(facts: CoreFacts, kind: Kind, address: int, step: int, value: int = 0) -> int:
    """A token as a number, as it stands on the line."""
    layout = facts.token
    return (kind.value << layout["kind"].offset | address << layout["address"].offset
            | step << layout["step"].offset | value << layout["value"].offset)


class SampleCore(wiring.Component):
    """A core's ports around a hash of all words since its reset.

    ``stuck``: it takes nothing; ``stalls``: it takes a word when it likes, within :data:`PAUSE` cycles.
    """

    def __init__(self, facts: CoreFacts, *, delay: int = DELAY, stuck: bool = False, stalls: bool = False):
        self.facts = facts
        self.delay = delay
        self.stuck = stuck
        self.stalls = stalls
        members = {
            "spikes": In(stream.Signature(facts.token)),
            "result": Out(stream.Signature(facts.result)),
        }
        if facts.levels:
            members["levels"] = In(stream.Signature(facts.level_bits))
        if facts.stop_early:
            members |= {"stop_early": In(1), "decided": Out(1)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        facts = self.facts
        total = Signal(16)
        count = Signal(range(facts.size + 1))
        wait = Signal(range(self.delay + 1))
        ended = Signal()

        listens = Signal()
        if self.stalls:
            chance = Signal(16, init=0xACE1, reset_less=True)   # a shift register with feedback
            pause = Signal(range(PAUSE))
            m.d.sync += chance.eq(Cat(chance[1:], chance[0] ^ chance[2] ^ chance[3] ^ chance[5]))
            m.d.sync += pause.eq(Mux(listens, 0, pause + 1))
            m.d.comb += listens.eq((chance[:5] == 0) | (pause == PAUSE - 1))
        else:
            m.d.comb += listens.eq(not self.stuck)

        sources = [(self.spikes, self.spikes.payload.kind == Kind.WINDOW)]
        if facts.levels:
            sources.append((self.levels, count == facts.size - 1))
        for source, ends in sources:
            m.d.comb += source.ready.eq(~ended & listens)
            with m.If(source.valid & source.ready):
                value = Cat(source.payload) if source is self.spikes else source.payload
                with m.If(ends):
                    m.d.sync += ended.eq(1)
                with m.If(~ends | (source is not self.spikes)):
                    m.d.sync += total.eq(3 * total + value + 1)
                m.d.sync += count.eq(count + 1)
        with m.If(ended & (wait != self.delay - 1)):
            m.d.sync += wait.eq(wait + 1)
        stopping = self.stop_early if facts.stop_early else 0
        m.d.comb += [
            self.result.valid.eq(wait == self.delay - 1),
            self.result.payload.label.eq(total[:facts.outputs.bit_length() - 1]),
            self.result.payload.step.eq(total[4:4 + facts.output_window.bit_length() - 1] ^ stopping),
        ]
        with m.If(self.result.valid & self.result.ready):
            m.d.sync += [total.eq(0), count.eq(0), wait.eq(0), ended.eq(0)]
        return m


def sample_top(facts: CoreFacts) -> tuple[str, CoreDescription]:
    """The Verilog of a :class:`SampleCore`, and the core from outside."""
    spikes = InputPort(stream_port("spikes", facts.token), tuple(range(facts.addresses)))
    levels = LevelPort(stream_port("levels", Shape(facts.level_bits)), facts.size) if facts.levels else None
    top = CoreDescription("top", "clk", "rst", spikes, levels, stream_port("result", facts.result),
                          "stop_early" if facts.stop_early else None, None, ())
    return to_verilog(SampleCore(facts), "top"), top


class AmaranthPort:
    """A serial port, as the host client wants it, into a simulated link and core.

    Time stands still between calls. ``read`` gives up after ``patience`` cycles without a byte.
    """

    def __init__(self, facts: CoreFacts, *, core=None, baud: int = 1_000_000, divisor: int = 6,
                 idle_cycles: int = 200, cycle_bits: int = 10, patience: int = 600):
        m = Module()
        self.core = SampleCore(facts) if core is None else core
        self.link = HostLink(facts, clock_hz=baud * divisor, baud=baud, idle_cycles=idle_cycles,
                             cycle_bits=cycle_bits)
        m.submodules.link = self.link
        m.submodules.core = ResetInserter(self.link.core_reset)(self.core)
        for name in ("spikes", "levels"):
            if hasattr(self.link, name):
                wiring.connect(m, getattr(self.link, name), getattr(self.core, name))
        wiring.connect(m, self.core.result, self.link.result)
        if facts.stop_early:
            m.d.comb += self.core.stop_early.eq(self.link.stop_early)
        self._divisor = divisor
        self._patience = patience
        self._out, self._in = deque(), deque()
        self._cycles = 0
        self._simulator = Simulator(m)
        self._simulator.add_clock(1e-6)
        self._simulator.add_testbench(self._drive, background=True)
        self._simulator.add_testbench(self._watch, background=True)

    async def _drive(self, ctx):
        ctx.set(self.link.rx, 1)
        await ctx.tick().repeat(10)
        while True:
            while not self._out:
                await ctx.tick()
            byte = self._out.popleft()
            levels = [0] * 12 + [1]
            if byte is not None:
                levels = [0, *(byte >> place & 1 for place in range(8)), 1]
            for level in levels:
                ctx.set(self.link.rx, level)
                await ctx.tick().repeat(self._divisor)

    async def _watch(self, ctx):
        while True:
            await ctx.negedge(self.link.tx)
            await ctx.tick().repeat(self._divisor * 3 // 2 + 1)
            byte = 0
            for place in range(8):
                byte |= ctx.get(self.link.tx) << place
                await ctx.tick().repeat(self._divisor)
            assert ctx.get(self.link.tx) == 1
            self._in.append(byte)

    def run(self, cycles: int) -> None:
        """Let time pass."""
        self._cycles += cycles
        self._simulator.run_until(self._cycles * 1e-6)

    def write(self, data) -> int:
        """Put bytes on the line, one after the other; None in a list of bytes is a break."""
        self._out.extend(data)
        while self._out:
            self.run(self._divisor * 10)
        return len(data)

    def read(self, size: int) -> bytes:
        """``size`` bytes, or fewer where they do not come in time."""
        silence, there = 0, len(self._in)
        while len(self._in) < size and silence < self._patience:
            self.run(self._divisor * 10)
            silence = silence + self._divisor * 10 if len(self._in) == there else 0
            there = len(self._in)
        return bytes(self._in.popleft() for _ in range(min(size, len(self._in))))


def request(command: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """A frame."""
    length = len(payload) if length is None else length
    body = bytes([command]) + length.to_bytes(3, "little") + payload
    return bytes([REQUEST]) + body + zlib.crc32(body).to_bytes(4, "little")


def answers(data: bytes) -> list[tuple[int, bytes]]:
    """(status, payload) of each answer in ``data``; everything about their form is asserted."""
    found = []
    while data:
        assert data[0] == ANSWER
        end = 3 + data[2]
        assert int.from_bytes(data[end:end + 4], "little") == zlib.crc32(data[1:end])
        assert len(data) >= end + 4
        found.append((data[1], data[3:end]))
        data = data[end + 4:]
    return found
