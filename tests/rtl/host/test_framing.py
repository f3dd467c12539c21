# amaranth: UnusedElaboratable=no
"""Frames against a plain model: a line at one end, a core driver at the other, both of which may stall."""

import random
import zlib
from dataclasses import dataclass, field

import pytest
from amaranth.hdl import ResetInserter, Signal
from firstspike.rtl.host.frames import PartKind
from firstspike.rtl.host.framing import Framing
from firstspike.rtl.host.protocol import Error
from harness.amaranth import plain, simulate
from harness.links import answers, request

LONGEST, IDLE = 300, 64


@dataclass
class Turn:
    """What comes from the line, and what the core driver does.

    ``data``: bytes; None is one that was damaged. ``reply``: status and payload of its answer, after
    ``delay`` cycles. ``refuse``: it refuses after that many parts. ``lose``: the line does not wait.
    ``late``: bytes that come when three of the answer are out.
    """

    data: list
    reply: tuple[int, bytes] = (0x80, b"")
    delay: int = 0
    refuse: int | None = None
    lose: bool = False
    late: bytes = b""


@dataclass
class Seen:
    """``parts`` and their cycles, ``bytes`` to the line and theirs; ``taken``: cycles of the line's bytes."""

    parts: list = field(default_factory=list)
    handed: list = field(default_factory=list)
    bytes: list = field(default_factory=list)
    sent: list = field(default_factory=list)
    taken: list = field(default_factory=list)
    falls: int = 0


async def play(ctx, dut, turn, rng, gap=0.0, stall=0.0, cycles=None) -> Seen:
    """One turn, until the line has been quiet for long, or for that many ``cycles``."""
    seen = Seen()
    waiting, late, reply = list(turn.data), list(turn.late), None
    quiet, held, offered, was_open = 0, None, None, False
    cycle = 0
    while quiet < 3 * IDLE if cycles is None else cycle < cycles:
        ctx.set(dut.damaged, 0)
        if late and len(seen.bytes) == 3:
            waiting, late = late, []
        if turn.lose or not ctx.get(dut.received.valid):
            ctx.set(dut.received.valid, 0)
            if waiting and rng.random() >= gap:
                byte = waiting.pop(0)
                ctx.set(dut.damaged, byte is None)
                ctx.set(dut.received.valid, byte is not None)
                ctx.set(dut.received.payload, byte or 0)
        ctx.set(dut.request.ready, rng.random() >= stall)
        ctx.set(dut.lost, turn.lose and ctx.get(dut.received.valid) and not ctx.get(dut.received.ready))
        ctx.set(dut.sent.ready, rng.random() >= stall)
        if reply and turn.delay == 0:
            ctx.set(dut.answer.payload, {"byte": reply[0], "last": len(reply) == 1})
            ctx.set(dut.answer.valid, 1)
        elif reply:
            turn.delay -= 1
        ctx.set(dut.refused, turn.refuse is not None and len(seen.parts) >= turn.refuse)
        ctx.set(dut.reason, Error.VALUE)

        is_open = ctx.get(dut.open)
        seen.falls += was_open and not is_open
        now = plain(ctx.get(dut.request.payload)) if ctx.get(dut.request.valid) else None
        if now is not None and now["kind"] in (PartKind.LENGTH, PartKind.END):
            now["byte"] = None
        if held is not None and is_open and not turn.lose:
            assert now == held, f"{held} was offered and became {now}"
        held = now if not ctx.get(dut.request.ready) else None
        was_open = is_open
        if now is not None and ctx.get(dut.request.ready):
            seen.parts.append((now["kind"], now["left"] if now["kind"] is PartKind.LENGTH else now["byte"]))
            seen.handed.append(cycle)
            if now["kind"] is PartKind.END:
                status, payload = turn.reply
                reply = [status, len(payload), *payload]
        byte = ctx.get(dut.sent.payload) if ctx.get(dut.sent.valid) else None
        assert offered in (None, byte)
        offered = byte if not ctx.get(dut.sent.ready) else None
        if byte is not None and offered is None:
            seen.bytes.append(byte)
            seen.sent.append(cycle)
        took = ctx.get(dut.received.valid) and ctx.get(dut.received.ready)
        if took:
            seen.taken.append(cycle)
        gave = ctx.get(dut.answer.valid) and ctx.get(dut.answer.ready)
        busy = waiting or took or ctx.get(dut.received.valid) or byte is not None
        quiet = 0 if busy else quiet + 1
        await ctx.tick()
        cycle += 1
        if took:
            ctx.set(dut.received.valid, 0)
        if gave:
            reply = reply[1:]
            ctx.set(dut.answer.valid, 0)
    return seen


def parts_of(command, payload):
    return [(PartKind.COMMAND, command), (PartKind.LENGTH, len(payload)),
            *((PartKind.DATA, byte) for byte in payload), (PartKind.END, None)]


async def is_clean(ctx, dut, rng, **stalls):
    """A request after whatever was before is handed on and answered as by a fresh one."""
    payload = rng.randbytes(3)
    seen = await play(ctx, dut, Turn(list(request(1, payload)), (0x81, b"done")), rng, **stalls)
    assert seen.parts == parts_of(1, payload)
    assert answers(bytes(seen.bytes)) == [(0x81, b"done")]


@pytest.mark.parametrize("gap, stall", [(0.0, 0.0), (0.8, 0.0), (0.0, 0.6), (0.5, 0.5)])
def test_requests_become_parts_and_answers_frames(gap, stall):
    dut, rng = Framing(LONGEST, IDLE), random.Random(f"{gap} {stall}")

    async def bench(ctx):
        for length in (0, 1, 7, LONGEST if not gap else 2):
            payload, body = rng.randbytes(length), rng.randbytes(rng.choice([0, 1, 9]))
            command = rng.randrange(256)
            turn = Turn(list(request(command, payload)), (0x80 | command, body), delay=rng.randrange(30))
            seen = await play(ctx, dut, turn, rng, gap, stall)
            assert seen.parts == parts_of(command, payload)
            assert answers(bytes(seen.bytes)) == [(0x80 | command, body)]
            assert seen.falls == 1

    simulate(dut, bench)


def test_every_part_and_byte_in_its_cycle():
    dut, rng = Framing(LONGEST, IDLE), random.Random(0)

    async def bench(ctx):
        seen = await play(ctx, dut, Turn(list(request(1, b"abc")), (0x81, b"xy")), rng)
        assert seen.taken == [0, *range(1, 100, 9)], "nine cycles a byte"
        command, length, *data, end = seen.handed
        assert command == seen.taken[1]
        assert length == seen.taken[4] + 1
        assert data == seen.taken[5:8]
        assert end == seen.taken[-1] + 9
        first = seen.sent[0]
        assert first == end + 2, "the answer came with the cycle after END"
        assert seen.sent == [first, *range(first + 1, first + 1 + 9 * 4, 9), *range(first + 37, first + 41)]

    simulate(dut, bench)


FRAME = list(request(1, b"abcd"))
FAULTS = {
    "garbage": (Turn([0x41, *FRAME]), Error.GARBAGE),
    "damaged first": (Turn([None]), Error.FRAMING),
    "damaged": (Turn([*FRAME[:7], None, *FRAME[8:]]), Error.FRAMING),
    "too long": (Turn(list(request(1, b"abcd", length=1 << 9 | 4))), Error.LENGTH),
    "far too long": (Turn(list(request(1, b"abcd", length=1 << 23 | 4))), Error.LENGTH),
    "checksum": (Turn([*FRAME[:-1], FRAME[-1] ^ 1]), Error.CHECKSUM),
    "impatient": (Turn([*FRAME, 7], delay=300), Error.IMPATIENT),
    "lost": (Turn(FRAME, lose=True), Error.OVERRUN),
} | {
    f"cut off after {count}": (Turn(FRAME[:count]), Error.CUT_OFF) for count in range(1, len(FRAME))
} | {
    f"refused after {count}": (Turn(FRAME, refuse=count), Error.VALUE) for count in range(1, 8)
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_answered_once_the_line_is_silent_and_leaves_nothing(name):
    turn, error = FAULTS[name]
    dut, rng = Framing(LONGEST, IDLE), random.Random(name)

    async def bench(ctx):
        seen = await play(ctx, dut, Turn(**vars(turn)), rng)
        assert answers(bytes(seen.bytes)) == [(error, b"")]
        assert seen.falls == (name not in ("garbage", "damaged first"))
        assert PartKind.END not in [kind for kind, _ in seen.parts] or name == "impatient" or turn.refuse == 7
        if name not in ("damaged first", "impatient", "lost"):
            assert seen.sent[0] >= seen.taken[-1] + IDLE
        await is_clean(ctx, dut, rng)

    simulate(dut, bench)


def test_a_byte_during_the_answer_is_one_more_error_after_it():
    dut, rng = Framing(LONGEST, IDLE), random.Random(1)

    async def bench(ctx):
        seen = await play(ctx, dut, Turn(FRAME, (0x81, bytes(20)), late=b"\x11"), rng)
        assert answers(bytes(seen.bytes)) == [(0x81, bytes(20)), (Error.IMPATIENT, b"")]
        await is_clean(ctx, dut, rng)

    simulate(dut, bench)


def test_begins_anew_after_a_reset():
    reset = Signal()
    dut = Framing(LONGEST, IDLE)
    rng = random.Random(2)

    async def bench(ctx):
        for _ in range(25):
            turn = Turn(FRAME, (0x81, bytes(4)), refuse=rng.choice([None, None, 3]))
            await play(ctx, dut, turn, rng, stall=0.2, cycles=rng.randrange(230))
            for signal in (dut.received.valid, dut.answer.valid, dut.refused, dut.damaged):
                ctx.set(signal, 0)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            await is_clean(ctx, dut, rng, gap=0.2, stall=0.2)

    simulate(ResetInserter(reset)(dut), bench)


@pytest.mark.parametrize("arguments, error, message", [
    ((0, 64), ValueError, r"^longest must be a positive integer, not 0$"),
    ((4, 2.5), TypeError, r"^idle_cycles must be a positive integer, not 2\.5$"),
])
def test_parameters_are_checked(arguments, error, message):
    with pytest.raises(error, match=message):
        Framing(*arguments)


def test_the_model_request_is_a_frame():
    """What these tests send is the wire format in its own words."""
    body = b"\x01\x04\0\0abcd"
    assert bytes(FRAME) == b"\xa5" + body + zlib.crc32(body).to_bytes(4, "little")
