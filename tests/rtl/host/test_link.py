# amaranth: UnusedElaboratable=no
"""The host link over its serial line: what it does, and what is left of frames that are wrong."""

import random

import pytest
from firstspike.rtl.host.link import HostLink
from firstspike.rtl.host.protocol import IDENTITY, RESULT, VERSION, Command, Error
from firstspike.rtl.streams.token import Kind
from harness.links import (
    DELAY,
    AmaranthPort,
    SampleCore,
    answers,
    request,
    sample_facts,
    sample_result,
    token,
)

IMAGE = [7, 199, 0, 130, 55]


def exchange(port, data) -> list[tuple[int, bytes]]:
    """Send, and read all that comes until the line is silent for long."""
    port.write(data)
    return answers(port.read(1000))


def spikes_payload(facts, words) -> bytes:
    return b"".join(word.to_bytes(facts.token_bytes, "little") for word in words)


def run_is_clean(port, facts, image=IMAGE, *, stop_early=True):
    """An image after whatever was before gives what it gives to a fresh core."""
    (status, payload), = exchange(port, request(Command.LEVELS, bytes(image)))
    assert status == 0x80 | Command.LEVELS
    assert RESULT.unpack(payload)[:2] == sample_result(facts, image, stop_early)


def test_identity_says_what_the_core_is():
    facts = sample_facts()
    port = AmaranthPort(facts)
    (status, payload), = exchange(port, request(Command.IDENTIFY))
    assert status == 0x80
    assert IDENTITY.unpack(payload) == (VERSION, 7, facts.digest[:8], 5, 3, 199, 20, 0, 10, 6_000_000)
    plain = sample_facts(levels=0, stop_early=False, online=False, value_bits=4, max_value=9, max_spikes=30)
    (_, payload), = exchange(AmaranthPort(plain), request(Command.IDENTIFY))
    assert IDENTITY.unpack(payload) == (VERSION, 0, facts.digest[:8], 5, 3, 0, 20, 4, 10, 6_000_000)


def test_images_one_after_the_other_and_the_cycles_of_the_core():
    facts = sample_facts()
    port = AmaranthPort(facts)
    rng = random.Random(1)
    for _ in range(4):
        image = [rng.randrange(facts.levels) for _ in range(facts.size)]
        (status, payload), = exchange(port, request(Command.LEVELS, bytes(image)))
        assert status == 0x80 | Command.LEVELS
        assert RESULT.unpack(payload) == (*sample_result(facts, image), DELAY)


def test_spikes_and_an_empty_window():
    facts = sample_facts()
    port = AmaranthPort(facts)
    words = [
        token(facts, Kind.SPIKE, 2, 0), token(facts, Kind.SPIKE, 0, 0), token(facts, Kind.STEP, 0, 1),
        token(facts, Kind.SPIKE, 1, 19), token(facts, Kind.STEP, 0, 19),
    ]
    for sent in (words, [], words[:3]):
        (status, payload), = exchange(port, request(Command.SPIKES, spikes_payload(facts, sent)))
        assert status == 0x80 | Command.SPIKES
        assert RESULT.unpack(payload) == (*sample_result(facts, sent), DELAY)


def test_wide_levels_and_wide_tokens():
    facts = sample_facts(levels=1000, window=300, max_spikes=100, value_bits=10, max_value=999,
                         addresses=5, outputs=300, output_window=1000)
    port = AmaranthPort(facts)
    assert (facts.level_bytes, facts.token_bytes) == (2, 3)
    image = [999, 0, 256, 513, 77]
    payload = b"".join(level.to_bytes(2, "little") for level in image)
    (status, answer), = exchange(port, request(Command.LEVELS, payload))
    assert (status, RESULT.unpack(answer)[:2]) == (0x81, sample_result(facts, image))
    words = [token(facts, Kind.SPIKE, 4, 299, 999)]
    (status, answer), = exchange(port, request(Command.SPIKES, spikes_payload(facts, words)))
    assert (status, RESULT.unpack(answer)[:2]) == (0x82, sample_result(facts, words))
    for sent in (token(facts, Kind.SPIKE, 5, 0, 1), token(facts, Kind.SPIKE, 0, 300, 1),
                 token(facts, Kind.SPIKE, 0, 0, 0), token(facts, Kind.SPIKE, 0, 0, 1000)):
        (status, _), = exchange(port, request(Command.SPIKES, spikes_payload(facts, [sent])))
        assert status == Error.VALUE, hex(sent)
    (status, _), = exchange(port, request(Command.LEVELS, (1000).to_bytes(2, "little") + payload[2:]))
    assert status == Error.VALUE


def test_early_stop_is_switched_and_stays():
    facts = sample_facts()
    port = AmaranthPort(facts)
    assert exchange(port, request(Command.STOP_EARLY, b"\0")) == [(0x83, b"")]
    run_is_clean(port, facts, stop_early=False)
    damaged = bytearray(request(Command.STOP_EARLY, b"\1"))
    damaged[-1] ^= 1
    assert exchange(port, damaged) == [(Error.CHECKSUM, b"")]
    assert exchange(port, request(Command.STOP_EARLY, b"\2")) == [(Error.VALUE, b"")]
    run_is_clean(port, facts, stop_early=False)
    assert exchange(port, request(Command.STOP_EARLY, b"\1")) == [(0x83, b"")]
    run_is_clean(port, facts)


@pytest.mark.parametrize("place", range(len(request(Command.LEVELS, bytes(IMAGE)))))
def test_a_flip_of_any_byte_is_an_error_and_leaves_nothing(place):
    facts = sample_facts()
    port = AmaranthPort(facts)
    rng = random.Random(place)
    for flip in (1 << rng.randrange(8), rng.randrange(1, 256)):
        frame = bytearray(request(Command.LEVELS, bytes(IMAGE)))
        frame[place] ^= flip
        found = exchange(port, frame)
        assert [status for status, _ in found if status < 0x80] == [status for status, _ in found]
        assert len(found) == 1
        run_is_clean(port, facts, IMAGE[::-1])


@pytest.mark.parametrize("command, payload", [(Command.LEVELS, bytes(IMAGE)), (Command.SPIKES, b"\0\1\0\2")])
def test_a_frame_cut_anywhere_is_an_error_and_leaves_nothing(command, payload):
    facts = sample_facts()
    assert facts.token_bytes == 2
    port = AmaranthPort(facts)
    frame = request(command, payload)
    for end in range(1, len(frame), 3):
        found = exchange(port, frame[:end])
        assert len(found) == 1
        assert found[0][0] in (Error.CUT_OFF, Error.VALUE)
        run_is_clean(port, facts)


def test_wrong_frames_have_their_error():
    facts = sample_facts()
    port = AmaranthPort(facts)
    cases = [
        (b"AT\r\n", Error.GARBAGE),
        (request(4), Error.COMMAND),
        (request(Command.LEVELS, bytes(4)), Error.LENGTH),
        (request(Command.LEVELS, bytes(IMAGE), length=5 | 1 << 23), Error.LENGTH),
        (request(Command.SPIKES, bytes(1)), Error.LENGTH),
        (request(Command.LEVELS, bytes([0, 0, 0, 0, 255])), Error.VALUE),
        (request(Command.SPIKES, spikes_payload(facts, [token(facts, Kind.WINDOW, 0, 0)])), Error.VALUE),
        (request(Command.SPIKES, spikes_payload(facts, [
            token(facts, Kind.SPIKE, 0, 4), token(facts, Kind.STEP, 0, 4), token(facts, Kind.SPIKE, 1, 2),
        ])), Error.VALUE),
        ([*request(Command.LEVELS, bytes(IMAGE))[:8], None], Error.FRAMING),
        ([None], Error.FRAMING),
    ]
    for frame, error in cases:
        assert exchange(port, frame) == [(error, b"")], (frame, error)
        run_is_clean(port, facts)


def test_commands_that_were_not_built_in():
    facts = sample_facts(levels=0, stop_early=False)
    port = AmaranthPort(facts)
    for frame in (request(Command.LEVELS, bytes(IMAGE)), request(Command.STOP_EARLY, b"\1")):
        assert exchange(port, frame) == [(Error.COMMAND, b"")]


def test_windowed_spikes_come_in_any_order_without_ends_of_steps():
    facts = sample_facts(online=False, stop_early=False)
    port = AmaranthPort(facts)
    words = [token(facts, Kind.SPIKE, 1, 8), token(facts, Kind.SPIKE, 0, 3), token(facts, Kind.SPIKE, 2, 9)]
    (status, payload), = exchange(port, request(Command.SPIKES, spikes_payload(facts, words)))
    assert (status, RESULT.unpack(payload)[:2]) == (0x82, sample_result(facts, words))
    ended = spikes_payload(facts, [token(facts, Kind.STEP, 0, 3)])
    assert exchange(port, request(Command.SPIKES, ended)) == [(Error.VALUE, b"")]


def test_a_frame_before_the_answer_is_an_error_for_both():
    facts = sample_facts()
    port = AmaranthPort(facts, core=SampleCore(facts, delay=400), patience=1500)
    frame = request(Command.LEVELS, bytes(IMAGE))
    assert exchange(port, frame + frame) == [(Error.IMPATIENT, b"")]
    run_is_clean(port, facts)
    quick = AmaranthPort(facts)
    found = exchange(quick, frame + b"\0")
    assert [status for status, _ in found] == [0x81, Error.IMPATIENT]
    run_is_clean(quick, facts)


def test_a_core_that_does_not_listen_or_does_not_answer():
    facts = sample_facts()
    stuck = AmaranthPort(facts, core=SampleCore(facts, stuck=True), patience=3000)
    assert exchange(stuck, request(Command.LEVELS, bytes(IMAGE))) == [(Error.OVERRUN, b"")]
    assert exchange(stuck, request(Command.SPIKES)) == [(Error.NO_RESULT, b"")]
    slow = AmaranthPort(facts, core=SampleCore(facts, delay=1100), patience=3000)
    assert exchange(slow, request(Command.LEVELS, bytes(IMAGE))) == [(Error.NO_RESULT, b"")]


def test_a_core_that_stalls_loses_nothing():
    """And its pauses are none of the cycles that it is said to take."""
    facts = sample_facts(max_spikes=12)
    port = AmaranthPort(facts, core=SampleCore(facts, stalls=True))
    rng = random.Random(2)
    for _ in range(6):
        image = [rng.randrange(facts.levels) for _ in range(facts.size)]
        (status, payload), = exchange(port, request(Command.LEVELS, bytes(image)))
        assert status == 0x80 | Command.LEVELS
        assert RESULT.unpack(payload) == (*sample_result(facts, image), DELAY)
        steps = sorted(rng.choices(range(facts.window), k=rng.randint(0, facts.max_spikes)))
        sent = [token(facts, Kind.SPIKE, rng.randrange(facts.addresses), step) for step in steps]
        (status, payload), = exchange(port, request(Command.SPIKES, spikes_payload(facts, sent)))
        assert status == 0x80 | Command.SPIKES
        assert RESULT.unpack(payload) == (*sample_result(facts, sent), DELAY)


def test_noise_never_looks_like_an_answer_to_a_frame():
    facts = sample_facts()
    port = AmaranthPort(facts)
    rng = random.Random(8)
    for _ in range(6):
        noise = [None if rng.random() < 0.1 else rng.choice([0xA5, rng.randrange(256)]) for _ in range(30)]
        assert all(status < 0x80 for status, _ in exchange(port, noise))
        run_is_clean(port, facts)


@pytest.mark.parametrize("options, error, message", [
    ({"baud": 3_000_000}, ValueError, r"^Divisor must be from 6 to"),
    ({"idle_cycles": 10}, ValueError, r"^Idle time must be at least that of two bytes, not 10 clock cycles$"),
    ({"cycle_bits": 40}, ValueError, r"^Cycle bits must be from 8 to 31, not 40$"),
])
def test_parameters_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        HostLink(sample_facts(), **{"clock_hz": 12_000_000, "baud": 1_000_000} | options)
    with pytest.raises(TypeError, match=r"^Facts must be CoreFacts, not 3$"):
        HostLink(3, clock_hz=12_000_000, baud=1_000_000)
