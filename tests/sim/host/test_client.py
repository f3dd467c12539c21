"""The host client against the simulated link, and against ports that are not what they should be."""

import errno
import random
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
import serial
from firstspike.errors import FirstspikeError
from firstspike.rtl.host.protocol import ANSWER, IDENTITY, VERSION, Command
from firstspike.rtl.streams.token import Kind
from firstspike.sim.host.client import Host, Identity
from harness.links import DELAY, AmaranthPort, SampleCore, sample_facts, sample_result


def build_of(facts, addresses=None, digest=None, path=None):
    """What the client looks at of a build."""
    if path is not None:
        (path / "board").mkdir()
        (path / "board" / "link.json").write_text('{"clock_hz": 12000000, "baud": 1000000}')
    return SimpleNamespace(
        path=path,
        top=SimpleNamespace(spikes=SimpleNamespace(addresses=addresses or tuple(range(facts.addresses)))),
        network=SimpleNamespace(digest=(digest or facts.digest).hex()))


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


def test_images_spikes_and_early_stop():
    facts = sample_facts()
    rng = np.random.default_rng(1)
    with Host(AmaranthPort(facts), build_of(facts, addresses=[0, 2, 4])) as host:
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


def test_another_network_is_refused():
    facts = sample_facts()
    message = (r"^the port runs another network \(1112131415161718…\) than this build's "
               r"\(0000000000000000…\): load the build's bitstream")
    with pytest.raises(FirstspikeError, match=message):
        Host(AmaranthPort(facts), build_of(facts, digest=bytes(32)))


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
    with pytest.raises(FirstspikeError, match=r"^the port speaks version 2 of the protocol, and this client"):
        Host(DeadPort(said)).identify()


class GonePort(DeadPort):
    def write(self, data):
        raise serial.SerialException("device reports readiness to read but returned no data")


def test_a_port_that_goes_away():
    with pytest.raises(FirstspikeError, match=r"^the port went away \(device reports.*\): plug it in again$"):
        Host(GonePort()).identify()


def test_no_such_port(monkeypatch, tmp_path):
    build = build_of(sample_facts(), path=tmp_path)
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    message = r"^there is no serial port /dev/ttyNONE: this machine has none; is the board connected\?$"
    with pytest.raises(FirstspikeError, match=message):
        Host("/dev/ttyNONE", build)
    there = [SimpleNamespace(device="/dev/ttyUSB1"), SimpleNamespace(device="/dev/ttyUSB0")]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: there)
    with pytest.raises(FirstspikeError, match=r": this machine has /dev/ttyUSB0, /dev/ttyUSB1$"):
        Host("/dev/ttyNONE", build)


@pytest.mark.parametrize("number, message", [
    (errno.EACCES, r"^this user may not use /dev/ttyX: add it to the group that owns the port"),
    (errno.EBUSY, r"^/dev/ttyX is in use: close the other program$"),
])
def test_a_port_that_may_not_be_used(monkeypatch, tmp_path, number, message):
    def refuse(name, baud, **__):
        assert baud == 1_000_000
        raise serial.SerialException(number, "could not open port")
    monkeypatch.setattr("serial.Serial", refuse)
    with pytest.raises(FirstspikeError, match=message):
        Host("/dev/ttyX", build_of(sample_facts(), path=tmp_path))


def test_a_build_that_does_not_say_its_rate(tmp_path):
    with pytest.raises(FirstspikeError, match=r"link\.json is missing or damaged: build it again$"):
        Host("/dev/ttyX", SimpleNamespace(path=tmp_path))


def test_a_name_without_a_rate_and_sim_without_a_build():
    with pytest.raises(FirstspikeError, match=r"^the rate of /dev/ttyX is not known"):
        Host("/dev/ttyX")
    with pytest.raises(FirstspikeError, match=r'^the port "sim" simulates a build: give one$'):
        Host("sim")
