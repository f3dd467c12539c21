"""The host client against the simulated link, and against ports that are not what they should be."""

import random
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
import serial
from firstspike.errors import FirstspikeError
from firstspike.gen.board import core_facts
from firstspike.network import Dense, Input, Latency, Layer, Network, Phase
from firstspike.rtl.host.protocol import ANSWER, IDENTITY, RESULT, VERSION, Command
from firstspike.rtl.streams.token import Kind
from firstspike.sim.host.client import Host
from firstspike.sim.host.identity import Identity
from harness.links import DELAY, AmaranthPort, SampleCore, sample_facts, sample_result

CLOCK_HZ = 6_000_000  # AmaranthPort's


def network(**changes):
    """5 inputs, of which 1 and 3 are left out, 200 levels, 20 steps; 10 classes, 10 steps."""
    ones = np.ones((4, 5), np.int8), np.ones((10, 4), np.int8)
    table = np.arange(200) % 20
    return Network(Input(5, 20, Latency(table), np.array([1, 0, 1, 0, 1], bool)), [
        Layer(Dense(ones[0]), 20, threshold=1),
        Layer(Dense(ones[1]), 10, threshold=1, phase=Phase.WINDOWED)], **changes)


def build_of(folder, made=None, clock_hz=CLOCK_HZ):
    """What the client looks at of a build, and the facts of its core."""
    made = made or network()
    (folder / "board").mkdir(exist_ok=True)
    (folder / "board" / "link.json").write_text(f'{{"clock_hz": {clock_hz}, "baud": 1000000}}')
    build = SimpleNamespace(path=folder, network=made, plan=SimpleNamespace(cycles=100.0),
                            manifest={"options": {"early_stop": True, "encoder": True}})
    return build, core_facts(made, early_stop=True, encoder=True)


def words_of(facts, spikes, *, online=True):
    """The tokens of a window, shape (window, addresses), one by one."""
    layout, words = facts.token, []
    for step, row in enumerate(spikes):
        for address in np.flatnonzero(row):
            value = int(row[address]) if facts.value_bits else 0
            words.append(Kind.SPIKE.value | int(address) << layout["address"].offset
                         | step << layout["step"].offset | value << layout["value"].offset)
        if online and row.any():
            words.append(Kind.STEP.value | step << layout["step"].offset)
    return words


def test_identity():
    facts = sample_facts()
    host = Host(AmaranthPort(facts))
    assert host.identify() == Identity(
        digest=facts.digest.hex()[:16], size=5, addresses=3, levels=200, window=20, value_bits=0,
        output_window=10, online=True, early_stop=True, clock_hz=6_000_000)


def test_images_spikes_and_early_stop(tmp_path):
    build, facts = build_of(tmp_path)
    rng = np.random.default_rng(1)
    with Host(AmaranthPort(facts), build) as host:
        for _ in range(3):
            image = rng.integers(0, facts.levels, facts.size)
            result = host.run_levels(image)
            assert (result.label, result.step) == sample_result(facts, image.tolist())
            assert result.cycles == DELAY
        host.set_early_stop(False)
        result = host.run(image)
        assert (result.label, result.step) == sample_result(facts, image.tolist(), stop_early=False)
        host.set_early_stop(True)
        spikes = np.zeros((facts.window, facts.size), bool)
        spikes[[0, 0, 3, 19], [0, 4, 2, 1]] = True    # input 1 is left out by the mask
        result = host.run(spikes)
        words = words_of(facts, spikes[:, [0, 2, 4]])
        assert len(words) == 5
        assert (result.label, result.step) == sample_result(facts, words)
        assert host.run(np.zeros_like(spikes)).label == sample_result(facts, [])[0]


def test_values_and_windowed_spikes():
    facts = sample_facts(online=False, value_bits=7, max_value=99, size=3, max_spikes=60, levels=100)
    spikes = np.zeros((facts.window, 3), int)
    spikes[5, 1], spikes[19, 2], spikes[0, 0] = 99, 1, 64
    result = Host(AmaranthPort(facts)).run_spikes(spikes)
    assert (result.label, result.step) == sample_result(facts, words_of(facts, spikes, online=False))


def test_wide_levels():
    facts = sample_facts(levels=1000)
    image = np.array([999, 256, 255, 0, 1])
    result = Host(AmaranthPort(facts)).run_levels(image)
    assert (result.label, result.step) == sample_result(facts, image.tolist())


def test_another_network_is_refused(tmp_path):
    build, facts = build_of(tmp_path)
    _, other = build_of(tmp_path, network(provenance={"made": "later"}))
    message = (rf"^the port runs another network \({other.digest.hex()[:16]}…\) than this build's "
               rf"\({facts.digest.hex()[:16]}…\): load the build's bitstream")
    with pytest.raises(FirstspikeError, match=message):
        Host(AmaranthPort(other), build)


def test_another_build_of_the_same_network_is_refused(tmp_path):
    build, facts = build_of(tmp_path, clock_hz=12_000_000)
    message = (r"^the port runs another build of this network \(clock hz 6000000, not 12000000\): load the "
               r"build's bitstream")
    with pytest.raises(FirstspikeError, match=message):
        Host(AmaranthPort(facts), build)
    build, _ = build_of(tmp_path)
    build.manifest["options"]["encoder"] = False
    with pytest.raises(FirstspikeError, match=r"another build of this network \(levels 200, not 0\)"):
        Host(AmaranthPort(facts), build)


@pytest.mark.parametrize("image, message", [
    (np.zeros(4, int), r"^an image must have 5 levels, not the shape \(4,\)$"),
    (np.zeros((1, 5, 1), int), r"^an image must have 5 levels"),
    (np.array([0, 0, 0, 0, 200]), r"^levels must be integers from 0 to 199$"),
    (np.array([0, 0, 0, 0, -1]), r"^levels must be integers from 0 to 199$"),
    (np.zeros(5), r"^levels must be integers from 0 to 199$"),
    (np.zeros((19, 5), bool), r"^spikes must have the shape \(20, 5\), not \(19, 5\)$"),
    (np.full((20, 5), 2), r"^a spike's value must be an integer from 0 to 1$"),
])
def test_images_are_checked_before_they_are_sent(image, message):
    host = Host(AmaranthPort(sample_facts()))
    with pytest.raises(FirstspikeError, match=message):
        host.run(image)


def test_a_mask_needs_the_build():
    host = Host(AmaranthPort(sample_facts()))
    with pytest.raises(FirstspikeError, match=r"^the network leaves inputs out: give the build"):
        host.run_spikes(np.zeros((20, 5), bool))


def test_what_was_not_built_in():
    host = Host(AmaranthPort(sample_facts(levels=0, stop_early=False)), retries=0)
    with pytest.raises(FirstspikeError, match=r"^the port runs a core without an encoder: send spikes"):
        host.run_levels(np.zeros(5, int))
    message = r"^the port does not do as asked \(error 2, command\): it was built without what this command"
    with pytest.raises(FirstspikeError, match=message):
        host.set_early_stop(True)


def test_a_core_that_is_stuck():
    facts = sample_facts()
    host = Host(AmaranthPort(facts, core=SampleCore(facts, stuck=True), patience=2000), retries=0)
    with pytest.raises(FirstspikeError, match=r"error 7, overrun\): its core takes images too slowly"):
        host.run_levels(np.zeros(5, int))


class NoisyPort(AmaranthPort):
    """Flips a bit of every ``period``-th frame, and now and then of an answer."""

    def __init__(self, facts, period):
        super().__init__(facts)
        self.rng = random.Random(2)
        self.period = period
        self.frames = 0

    def _maybe(self, data):
        data = bytearray(data)
        if data and self.frames % self.period == 0:
            data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        return bytes(data)

    def write(self, data):
        self.frames += 1
        return super().write(self._maybe(data) if self.rng.random() < 0.5 else data)

    def read(self, size):
        data = super().read(size)
        return self._maybe(data) if size > 3 and self.rng.random() < 0.5 else data


def test_a_noisy_line_gives_right_answers_or_an_error():
    facts = sample_facts()
    host = Host(NoisyPort(facts, 3))
    rng = np.random.default_rng(3)
    for _ in range(12):
        image = rng.integers(0, facts.levels, facts.size)
        result = host.run_levels(image)
        assert (result.label, result.step) == sample_result(facts, image.tolist())
    lost = Host(NoisyPort(facts, 1), retries=1)
    given_up = 0
    for _ in range(8):
        image = rng.integers(0, facts.levels, facts.size)
        try:
            result = lost.run_levels(image)
            assert (result.label, result.step) == sample_result(facts, image.tolist())
        except FirstspikeError:
            given_up += 1
    assert given_up > 0


class DeadPort:
    """Says what it is given, whatever it is asked."""

    def __init__(self, answer=b""):
        self.answer = self.left = answer

    def write(self, data):
        self.left = self.answer
        return len(data)

    def read(self, size):
        given, self.left = self.left[:size], self.left[size:]
        return given


def answer(status, payload):
    body = bytes([status, len(payload)]) + payload
    return bytes([ANSWER]) + body + zlib.crc32(body).to_bytes(4, "little")


@pytest.mark.parametrize("said, message", [
    (b"", "no answer"),
    (b"Z", "the answer was cut off"),
    (b"login: ", "its first byte is 0x6c, not 0x5a"),
    (answer(0x80, bytes(29))[:-1], "the answer was cut off"),
    (answer(0x80, bytes(29))[:-1] + b"!", "the answer's checksum differs"),
    (answer(0x81, bytes(8)), "status 0x81"),
    (answer(0x80, bytes(28)), "status 0x80"),
])
def test_a_port_that_is_no_host_link(said, message):
    with pytest.raises(FirstspikeError, match=rf"^the port does not do as asked \({message}\): is the design "
                                              r"loaded, and is this its serial port\?$"):
        Host(DeadPort(said)).identify()


def test_another_version_of_the_protocol():
    said = answer(0x80 | Command.IDENTIFY, IDENTITY.pack(VERSION + 1, 0, bytes(8), 1, 1, 0, 1, 0, 1, 1))
    with pytest.raises(FirstspikeError, match=r"^the design behind the port speaks version 2 of the "
                                              r"protocol, and this client version 1: build and load"):
        Host(DeadPort(said)).identify()


@pytest.mark.parametrize("told, message", [
    ((5, 3, 199, 20, 0, 10, 0), "it says that it has no clock cycles a second"),
    ((0, 0, 199, 20, 0, 10, 1), "it says that it has no inputs"),
    ((5, 3, 199, 0, 0, 10, 1), "it says that it has no steps"),
    ((5, 3, 199, 20, 0, 0, 1), "it says that it has no steps of the last layer"),
    ((5, 6, 199, 20, 0, 10, 1), "it says that it has 6 addresses for 5 inputs, and values of 0 bits"),
    ((5, 3, 199, 20, 33, 10, 1), "it says that it has 3 addresses for 5 inputs, and values of 33 bits"),
])
def test_an_identity_that_no_design_has(told, message):
    said = answer(0x80 | Command.IDENTIFY, IDENTITY.pack(VERSION, 7, bytes(8), *told))
    with pytest.raises(FirstspikeError, match=rf"^the port does not do as asked \({message}\): load the "
                                              r"build's bitstream again$"):
        Host(DeadPort(said)).identify()


class LyingPort(AmaranthPort):
    """Answers every image with the same, whatever the core says."""

    def __init__(self, facts, result, times=1 << 30):
        super().__init__(facts)
        self.result, self.times = result, times
        self.asked = bytearray()

    def write(self, data):
        self.asked = bytearray(answer(0x80 | Command.LEVELS, RESULT.pack(*self.result)))
        self.lies = data[1] == Command.LEVELS and self.times > 0
        self.times -= self.lies
        return len(data) if self.lies else super().write(data)

    def read(self, size):
        if not self.lies:
            return super().read(size)
        given = bytes(self.asked[:size])
        del self.asked[:size]
        return given


@pytest.mark.parametrize("result, message", [
    ((65535, 3, 9), "it answers class 65535 of 10"),
    ((10, 3, 9), "it answers class 10 of 10"),
    ((9, 11, 9), "it answers step 11 of 10"),
    ((9, 10, 0), "it answers after 0 cycles"),
])
def test_an_answer_that_no_core_gives(tmp_path, result, message):
    build, facts = build_of(tmp_path)
    host = Host(LyingPort(facts, result), build)
    with pytest.raises(FirstspikeError, match=rf"^the port does not do as asked \({message}\): load the "
                                              r"build's bitstream again$"):
        host.run_levels(np.zeros(5, int))
    host = Host(LyingPort(facts, result, times=2), build)   # and two of three times is a disturbance
    assert host.run_levels(np.zeros(5, int)).label == sample_result(facts, [0] * 5)[0]


class TalkingPort(DeadPort):
    """Never silent, however often it is read."""

    def __init__(self, said):
        super().__init__()
        self.said, self.reads = said, 0

    def read(self, size):
        self.reads += 1
        assert self.reads < 1000, "this is for ever"
        return (self.said * size)[:size]


@pytest.mark.parametrize("said", [b"login: ", b"Z", b"Z\x80\x00", b"\0"])
def test_a_port_that_keeps_talking(said):
    port = TalkingPort(said)
    with pytest.raises(FirstspikeError, match=r"^the port keeps talking, as no host link does: "):
        Host(port).identify()
    assert port.reads < 100


class GonePort(DeadPort):
    """Is pulled out when it has said what it has to say."""

    def __init__(self, reads):
        super().__init__(b"login: " * 100)
        self.reads = reads

    def read(self, size):
        self.reads -= 1
        if self.reads < 0:
            raise serial.SerialException("device reports readiness to read but returned no data")
        return super().read(size)


@pytest.mark.parametrize("reads", [0, 1, 2])
def test_a_port_that_goes_away(reads):
    with pytest.raises(FirstspikeError, match=r"^the port went away \(device reports.*\): plug it in again$"):
        Host(GonePort(reads)).identify()


def test_retries_are_checked():
    with pytest.raises(ValueError, match=r"^retries must be at least 0, not -1$"):
        Host(DeadPort(), retries=-1)
