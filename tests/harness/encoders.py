"""An encoder as a function: images in, windows of tokens out, every cycle under control of the test."""

import random
from dataclasses import dataclass, field

from amaranth.hdl import Fragment, ResetInserter, Signal
from amaranth.sim import Simulator
from firstspike.rtl.streams.token import Kind

__all__ = [
    "Run", "Session", "Spike", "Window", "bits_spikes", "check", "direct_spikes", "encode", "latency_spikes",
]

Spike = tuple[int, int, int]
"""Step, compact address, value."""


def _addressed(image, mask):
    return enumerate(level for level, used in zip(image, mask, strict=True) if used)


def latency_spikes(image, mask, table) -> list[Spike]:
    return [(table[level], address, 1) for address, level in _addressed(image, mask)
            if level < len(table) and table[level] >= 0]


def direct_spikes(image, mask, window) -> list[Spike]:
    return [(step, address, level) for address, level in _addressed(image, mask)
            for step in range(window) if level]


def bits_spikes(image, mask, width) -> list[Spike]:
    return [(step, address, 1) for address, level in _addressed(image, mask)
            for step in range(width) if level >> (width - 1 - step) & 1]


@dataclass
class Window:
    """What came out for one image; ``tokens`` without the ``WINDOW``, which was taken in cycle ``end``."""

    tokens: list[tuple[Kind, int, int, int]] = field(default_factory=list)    # kind, address, step, value
    cycles: list[int] = field(default_factory=list)
    end: int = 0
    kept: int | None = None
    """Tokens that were out or offered when a drop was asked for; None: there was none."""


@dataclass
class Session:
    """What to do to an encoder: send all levels of ``images``, take tokens until each has its window.

    ``gap``, ``stall``: probability of an idle cycle at either end. ``drop``: probability of a cycle in
    which a drop begins, ``drop_at``: such a cycle; it lasts until ``WINDOW`` is taken, or one cycle with
    ``pulse``. ``reset_at``: the cycle in which a reset cuts the session off. ``deadline``: cycles after
    which it has failed.
    """

    images: list
    gap: float = 0.0
    stall: float = 0.0
    drop: float = 0.0
    drop_at: int | None = None
    pulse: bool = False
    reset_at: int | None = None
    seed: int = 0
    deadline: int = 20_000


@dataclass
class Run:
    """``windows`` that ended, the ``rest`` of one that did not; the cycle in which each level was taken."""

    windows: list[Window] = field(default_factory=list)
    rest: Window = field(default_factory=Window)
    levels: list[int] = field(default_factory=list)


def encode(encoder, *sessions: Session, platform=None) -> list[Run]:
    """Run the sessions one after the other on one encoder, all between two of its resets.

    ``platform``: what the encoder is elaborated for; :class:`~harness.memories.Careless`, say.
    """
    reset = Signal()
    runs = []

    async def testbench(ctx):
        for session in sessions:
            runs.append(await _run(ctx, encoder, reset, session))

    simulator = Simulator(Fragment.get(ResetInserter(reset)(encoder), platform))
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return runs


async def _run(ctx, encoder, reset, session) -> Run:
    rng = random.Random(session.seed)
    levels, spikes = encoder.levels, encoder.spikes
    waiting = [level for image in session.images for level in image][::-1]
    run = Run()
    dropping, held = False, None
    for cycle in range(session.deadline):
        if cycle == session.reset_at:
            ctx.set(levels.valid, 0)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            return run
        if len(run.windows) == len(session.images):
            assert session.reset_at is None, "all was over before the reset"
            assert not ctx.get(spikes.valid), "something came after the last window"
            return run

        if not ctx.get(levels.valid) and waiting and rng.random() >= session.gap:
            ctx.set(levels.payload, waiting[-1])
            ctx.set(levels.valid, 1)
        ctx.set(spikes.ready, rng.random() >= session.stall)
        dropping = dropping or cycle == session.drop_at or rng.random() < session.drop
        ctx.set(encoder.drop, dropping)

        token = None
        if ctx.get(spikes.valid):
            payload = ctx.get(spikes.payload)
            token = (payload.kind, payload.address, payload.step, payload.value)
        assert held in (None, token), f"{held} was offered and became {token} in cycle {cycle}"
        taken = token is not None and ctx.get(spikes.ready)
        ended = token is not None and token[0] is Kind.WINDOW
        if dropping and run.rest.kept is None and not ended:
            run.rest.kept = len(run.rest.tokens) + (token is not None)
        if taken and ended:
            run.rest.end = cycle
            run.windows.append(run.rest)
            run.rest = Window()
        elif taken:
            run.rest.tokens.append(token)
            run.rest.cycles.append(cycle)
        held = None if taken else token
        dropping = dropping and not session.pulse and not (taken and ended)
        took_level = ctx.get(levels.valid) and ctx.get(levels.ready)
        await ctx.tick()
        if took_level:
            waiting.pop()
            run.levels.append(cycle)
            ctx.set(levels.valid, 0)
    raise AssertionError(f"not done after {session.deadline} cycles, with {len(run.windows)} windows")


def check(window: Window, expected: list[Spike], *, online: bool, values: bool = False) -> None:
    """The window holds just the expected spikes, online in the order of steps with their ``STEP``.

    A window with a drop holds just what it had when the drop came, and no more than it would have held.
    """
    spikes = [(step, address, value if values else 1)
              for kind, address, step, value in window.tokens if kind is Kind.SPIKE]
    assert len(set(spikes)) == len(spikes), "a spike came twice"
    assert set(spikes) <= set(expected)
    if window.kept is None:
        assert len(spikes) == len(expected)
    else:
        assert len(window.tokens) == window.kept
    if not online:
        assert len(window.tokens) == len(spikes), "a step was closed in a windowed stream"
        return
    counts = {step: sum(1 for spike in expected if spike[0] == step) for step, _, _ in expected}
    shape = [item for step, count in sorted(counts.items())
             for item in [(Kind.SPIKE, step)] * count + [(Kind.STEP, step)]]
    assert [(kind, step) for kind, _, step, _ in window.tokens] == shape[:len(window.tokens)]
