"""Helpers for tests on Amaranth's simulator: run with a deadline, drive and watch streams.

``stream_put`` and ``stream_get`` take idle cycles from an iterator, so that a test chooses how a stream
stalls: ``pauses(rng, 0.3)``, or ``never``. They await single ticks only: a bench that is left waiting in
``tick().until(...)`` raises once more when it is collected.
"""

import itertools
from collections.abc import Iterator
from contextlib import nullcontext

from amaranth.hdl import ClockDomain, Module
from amaranth.lib import data
from amaranth.sim import Simulator

__all__ = ["StreamMonitor", "never", "pauses", "plain", "simulate", "stream_get", "stream_put"]


def simulate(dut, *testbenches, deadline: int = 100_000, background=(), vcd=None):
    """Run ``testbenches`` (async functions of a context) to their end, or fail after ``deadline`` cycles."""

    top = Module()
    top.domains.sync = ClockDomain()    # there even where the design has no register
    top.submodules.dut = dut
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    for testbench in background:
        simulator.add_testbench(testbench, background=True)
    with simulator.write_vcd(str(vcd)) if vcd is not None else nullcontext():
        for _ in range(2 * deadline):       # a clock cycle is two events
            if not simulator.advance():
                return
        raise TimeoutError(f"the bench was not done after {deadline} cycles")


def pauses(rng, probability: float, longest: int = 3) -> Iterator[int]:
    """Random numbers of idle cycles: 0, or with ``probability`` 1 ... ``longest``."""
    while True:
        yield rng.randint(1, longest) if rng.random() < probability else 0


never = itertools.repeat(0)
"""No pauses."""


def plain(payload):
    """A payload as plain Python: an int, an enum member, or a dict of these."""
    if isinstance(payload, data.Const):
        shape = payload.shape()
        if isinstance(shape, data.StructLayout):
            return {name: plain(payload[name]) for name, _ in shape}
        return [plain(item) for item in payload]
    return payload


async def stream_put(ctx, stream, payloads, pause=never):
    """Offer the payloads one after the other; ``pause`` gives the idle cycles before each."""
    for payload in payloads:
        for _ in range(next(pause)):
            await ctx.tick()
        ctx.set(stream.payload, payload)
        ctx.set(stream.valid, 1)
        ready = False
        while not ready:
            *_, ready = await ctx.tick().sample(stream.ready)
        ctx.set(stream.valid, 0)


async def stream_get(ctx, stream, count: int | None = None, pause=never, until=None) -> list:
    """Take ``count`` payloads, or up to and with the first for which ``until`` is true."""
    taken = []
    while count is None or len(taken) < count:
        for _ in range(next(pause)):
            await ctx.tick()
        ctx.set(stream.ready, 1)
        valid = False
        while not valid:
            *_, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
        ctx.set(stream.ready, 0)
        taken.append(plain(payload))
        if until is not None and until(taken[-1]):
            break
    return taken


class StreamMonitor:
    """Its ``watch`` is a background testbench that records transfers and holds the stream to its law.

    ``transfers``: ``(cycle, payload)`` of each. Fails where ``valid`` falls or the payload changes before
    it was taken; a cycle with ``reset`` high ends the obligation.
    """

    def __init__(self, stream, reset=None):
        self.stream = stream
        self.reset = reset
        self.transfers: list[tuple[int, object]] = []

    async def watch(self, ctx):
        stream = self.stream
        signals = [stream.valid, stream.ready, stream.payload, *([] if self.reset is None else [self.reset])]
        held = None
        for cycle in itertools.count():
            _, _, valid, ready, payload, *reset = await ctx.tick().sample(*signals)
            payload = plain(payload)
            if held is not None:
                assert valid, f"valid fell in cycle {cycle} before the transfer of {held}"
                assert payload == held, f"payload changed from {held} to {payload} in cycle {cycle}"
            if valid and ready and not any(reset):
                self.transfers.append((cycle, payload))
            held = payload if valid and not ready and not any(reset) else None
