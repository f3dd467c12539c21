# amaranth: UnusedElaboratable=no
"""The core driver against a core that hashes its words: requests in parts, answers in bytes, any stalls."""

import random
from itertools import count

import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from firstspike.rtl.host.driver import CoreDriver
from firstspike.rtl.host.frames import PartKind
from firstspike.rtl.host.protocol import IDENTITY, RESULT, Command, Error
from firstspike.rtl.streams.token import Kind
from harness.amaranth import never, pauses, simulate, stream_get, stream_put
from harness.links import DELAY, SampleCore, sample_facts, sample_result, token

IMAGE = [7, 199, 0, 130, 55]
CLOCK = 6_000_000


def parts(command: int, payload: bytes = b"", length: int | None = None, end: bool = True) -> list[dict]:
    """A request as framing hands it on."""
    def part(kind, byte=0, left=0):
        return {"kind": kind, "byte": byte, "left": left}

    return [part(PartKind.COMMAND, command),
            part(PartKind.LENGTH, left=len(payload) if length is None else length),
            *(part(PartKind.DATA, byte, len(payload) - place) for place, byte in enumerate(payload)),
            *([part(PartKind.END)] if end else [])]


class Bench:
    """A driver and its core, in one reset; ``gap`` and ``stall``: probabilities of pauses at either end."""

    def __init__(self, facts=None, *, gap=0.0, stall=0.0, **core):
        self.facts = facts or sample_facts()
        self.driver = CoreDriver(self.facts, clock_hz=CLOCK, cycle_bits=8)
        self.core = SampleCore(self.facts, **core)
        self.reset = Signal()
        rng = random.Random(f"{gap} {stall}")
        self.gap = pauses(rng, gap) if gap else never
        self.stall = pauses(rng, stall) if stall else never
        m = Module()
        m.submodules.driver = driver = self.driver
        m.submodules.core = ResetInserter(driver.core_reset)(self.core)
        for name in ("spikes", "levels"):
            if hasattr(driver, name):
                wiring.connect(m, getattr(driver, name), getattr(self.core, name))
        wiring.connect(m, self.core.result, driver.result)
        if self.facts.stop_early:
            m.d.comb += self.core.stop_early.eq(driver.stop_early)
        self.module = ResetInserter(self.reset)(m)

    def run(self, *steps):
        """Each step is an async function of a context."""
        async def bench(ctx):
            for step in steps:
                await step(ctx)

        simulate(self.module, bench)

    async def begin(self, ctx):
        ctx.set(self.driver.open, 0)
        await ctx.tick().repeat(2)
        ctx.set(self.driver.open, 1)

    def answered(self, request, status, payload):
        async def step(ctx):
            await self.begin(ctx)
            await stream_put(ctx, self.driver.request, request, self.gap)
            got = await stream_get(ctx, self.driver.answer, pause=self.stall, until=lambda byte: byte["last"])
            data = bytes(byte["byte"] for byte in got)
            assert data[0] == status and data[1] == len(data) - 2
            assert data[2:] == payload
        return step

    def image(self, image=IMAGE, *, stop_early=True, cycles=DELAY):
        result = sample_result(self.facts, image, stop_early)
        payload = b"".join(level.to_bytes(self.facts.level_bytes, "little") for level in image)
        return self.answered(parts(Command.LEVELS, payload), 0x81, RESULT.pack(*result, cycles))

    def window(self, words, *, cycles=DELAY):
        payload = b"".join(word.to_bytes(self.facts.token_bytes, "little") for word in words)
        result = sample_result(self.facts, words)
        return self.answered(parts(Command.SPIKES, payload), 0x82, RESULT.pack(*result, cycles))

    def refused(self, request, reason, *, patience=700):
        """The request is refused, by its last part at the latest or within ``patience`` cycles."""
        async def step(ctx):
            await self.begin(ctx)
            for part in request:
                ctx.set(self.driver.request.payload, part)
                ctx.set(self.driver.request.valid, 1)
                for _ in range(patience):
                    ready, refused = ctx.get(self.driver.request.ready), ctx.get(self.driver.refused)
                    if refused:
                        break
                    await ctx.tick()
                    if ready:
                        break
                if refused:
                    break
            ctx.set(self.driver.request.valid, 0)
            for _ in range(patience):
                if ctx.get(self.driver.refused):
                    break
                await ctx.tick()
            assert ctx.get(self.driver.refused)
            assert ctx.get(self.driver.reason) == reason
        return step

    def cut_off(self, request, cycles):
        async def step(ctx):
            await self.begin(ctx)
            for part, _ in zip(request, range(cycles), strict=False):
                ctx.set(self.driver.request.payload, part)
                ctx.set(self.driver.request.valid, 1)
                await ctx.tick()
            ctx.set(self.driver.request.valid, 0)
        return step


@pytest.mark.parametrize("gap, stall, stalls", [
    (0, 0, False), (0.5, 0, False), (0, 0.6, True), (0.4, 0.4, True)])
def test_images_and_windows_come_out_as_results(gap, stall, stalls):
    bench = Bench(gap=gap, stall=stall, stalls=stalls)
    rng = random.Random(gap)
    words = [token(bench.facts, Kind.SPIKE, 2, 0), token(bench.facts, Kind.SPIKE, 0, 0),
             token(bench.facts, Kind.STEP, 0, 1), token(bench.facts, Kind.SPIKE, 1, 19)]
    steps = []
    for _ in range(3):
        image = [rng.randrange(200) for _ in range(5)]
        steps += [bench.image(image), bench.window(words[:rng.randint(0, 4)])]
    bench.run(*steps)


def test_wide_words():
    facts = sample_facts(levels=1000, window=300, max_spikes=100, value_bits=10, max_value=999,
                         addresses=5, outputs=300, output_window=1000)
    bench = Bench(facts)
    words = [token(facts, Kind.SPIKE, 4, 299, 999)]
    bench.run(bench.image([999, 0, 256, 513, 77]), bench.window(words),
              bench.refused(parts(Command.LEVELS, (1000).to_bytes(2, "little") + bytes(8)), Error.VALUE))


def test_identity_and_early_stop_are_answered_at_once():
    bench = Bench()
    facts = bench.facts
    identity = facts.identity(CLOCK)
    assert len(identity) == IDENTITY.size
    bench.run(
        bench.answered(parts(Command.IDENTIFY), 0x80, identity),
        bench.answered(parts(Command.STOP_EARLY, b"\0"), 0x83, b""), bench.image(stop_early=False),
        bench.refused(parts(Command.STOP_EARLY, b"\2"), Error.VALUE), bench.image(stop_early=False),
        bench.cut_off(parts(Command.STOP_EARLY, b"\1", end=False), 9), bench.image(stop_early=False),
        bench.answered(parts(Command.STOP_EARLY, b"\1"), 0x83, b""), bench.image())


FACTS = sample_facts()
REFUSED = {
    "unknown": (parts(4), Error.COMMAND),
    "far from known": (parts(0xFD), Error.COMMAND),
    "identify with payload": (parts(Command.IDENTIFY, b"x"), Error.LENGTH),
    "a level short": (parts(Command.LEVELS, bytes(4)), Error.LENGTH),
    "a level long": (parts(Command.LEVELS, bytes(6)), Error.LENGTH),
    "too many tokens": (parts(Command.SPIKES, length=FACTS.spikes_length + 1), Error.LENGTH),
    "half a token": (parts(Command.SPIKES, b"\0"), Error.LENGTH),
    "no switch": (parts(Command.STOP_EARLY), Error.LENGTH),
    "a level too high": (parts(Command.LEVELS, bytes([0, 200, 0, 0, 0])), Error.VALUE),
    "the last too high": (parts(Command.LEVELS, bytes([0, 0, 0, 0, 255]), end=False), Error.VALUE),
    "a token of no kind": (parts(Command.SPIKES, b"\3\0", end=False), Error.VALUE),
    "an end of window": (parts(Command.SPIKES, b"\2\0", end=False), Error.VALUE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_core_cannot_have_is_refused_and_leaves_nothing(name):
    request, reason = REFUSED[name]
    bench = Bench(stalls=True)
    bench.run(bench.refused(request, reason), bench.image(), bench.window([]))


def test_commands_that_were_not_built_in():
    bench = Bench(sample_facts(levels=0, stop_early=False))
    bench.run(bench.refused(parts(Command.LEVELS, bytes(5)), Error.COMMAND),
              bench.refused(parts(Command.STOP_EARLY, b"\1"), Error.COMMAND), bench.window([]))


def test_a_core_that_gives_no_result_is_given_up():
    bench = Bench(delay=300)
    bench.run(bench.refused(parts(Command.LEVELS, bytes(IMAGE)), Error.NO_RESULT),
              bench.refused(parts(Command.SPIKES), Error.NO_RESULT))
    quick = Bench(delay=255)
    quick.run(quick.image(cycles=255))


def test_nothing_is_left_of_a_request_that_is_cut_off():
    bench = Bench(stalls=True)
    request = parts(Command.LEVELS, bytes(IMAGE))
    steps = []
    for cycles in range(1, 24, 2):
        steps += [bench.cut_off(request, cycles), bench.image(IMAGE[::-1])]
    bench.run(*steps)


def test_begins_anew_after_a_reset():
    bench = Bench(stalls=True)

    async def reset(ctx):
        ctx.set(bench.reset, 1)
        await ctx.tick()
        ctx.set(bench.reset, 0)

    steps = [bench.answered(parts(Command.STOP_EARLY, b"\0"), 0x83, b"")]
    for cycles in (2, 5, 9, 14):
        steps += [bench.cut_off(parts(Command.LEVELS, bytes(IMAGE)), cycles), reset, bench.image()]
    bench.run(*steps)


def test_every_word_in_its_cycle():
    """A word is offered in the third cycle after its last byte; the answer follows the result by a cycle."""
    bench = Bench(delay=4)
    driver, core = bench.driver, bench.core
    offers, results, bytes_out = [], [], []

    async def step(ctx):
        await bench.begin(ctx)
        request = parts(Command.LEVELS, bytes(IMAGE))
        taken = []
        ctx.set(driver.answer.ready, 1)
        for cycle in count():
            if request:
                ctx.set(driver.request.payload, request[0])
            ctx.set(driver.request.valid, bool(request))
            if request and ctx.get(driver.request.ready):
                taken.append(cycle)
                request.pop(0)
            if ctx.get(driver.levels.valid):
                offers.append(cycle)
            if ctx.get(core.result.valid):
                results.append(cycle)
            if ctx.get(driver.answer.valid):
                bytes_out.append(cycle)
            if len(bytes_out) == 10:
                break
            await ctx.tick()
        *levels, last, end = taken[2:]
        assert offers == [cycle + 3 for cycle in levels] + [end + 1]
        assert end == last + 3
        assert levels[1:] == [cycle + 4 for cycle in levels[:-1]], "a word every four cycles"
        assert bytes_out == list(range(results[0] + 1, results[0] + 11))

    bench.run(step)


@pytest.mark.parametrize("options, error, message", [
    ({"facts": 3}, TypeError, r"^Facts must be CoreFacts, not 3$"),
    ({"cycle_bits": 40}, ValueError, r"^Cycle bits must be from 8 to 31, not 40$"),
])
def test_parameters_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        CoreDriver(**{"facts": FACTS, "clock_hz": CLOCK, "cycle_bits": 8} | options)
