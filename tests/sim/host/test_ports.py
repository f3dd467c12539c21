# amaranth: UnusedElaboratable=no
"""Ports by name: what is said where there is none, and how long one is waited for."""

import errno
from types import SimpleNamespace

import firstspike as fs
import numpy as np
import pytest
import serial
from firstspike.errors import FirstspikeError
from firstspike.rtl.host.link import HostLink
from firstspike.sim.host.port import LinkSettings
from firstspike.sim.host.ports import open_port
from firstspike.sim.host.serial_port import patience
from harness.links import sample_facts


@pytest.fixture
def build(tmp_path):
    """What opening a port looks at of a build."""
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "link.json").write_text('{"clock_hz": 12000000, "baud": 1000000}')
    ones = np.ones((2, 784), np.int8)
    network = fs.Network(fs.Input(784, 4, fs.Latency([-1, 3, 2, 1, 0])),
                         [fs.Layer(fs.Dense(ones), 4, threshold=1)])
    return SimpleNamespace(path=tmp_path, network=network, plan=SimpleNamespace(cycles=100.0),
                           manifest={"options": {"early_stop": True, "encoder": True}})


def test_no_such_port(monkeypatch, build):
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    message = r"^there is no serial port /dev/ttyNONE: this machine has none; is the board connected\?$"
    with pytest.raises(FirstspikeError, match=message):
        open_port("/dev/ttyNONE", build)
    there = [SimpleNamespace(device="/dev/ttyUSB1"), SimpleNamespace(device="/dev/ttyUSB0")]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: there)
    with pytest.raises(FirstspikeError, match=r": this machine has /dev/ttyUSB0, /dev/ttyUSB1$"):
        open_port("/dev/ttyNONE", build)


@pytest.mark.parametrize("number, message", [
    (errno.EACCES, r"^this user may not use /dev/ttyX: add it to the group that owns the port"),
    (errno.EBUSY, r"^/dev/ttyX is in use: close the other program$"),
])
def test_a_port_that_may_not_be_used(monkeypatch, build, number, message):
    def refuse(name, baud, *, timeout, write_timeout, exclusive):
        assert baud == 1_000_000 and exclusive
        assert (timeout, write_timeout) == patience(build, baud)
        raise serial.SerialException(number, "could not open port")
    monkeypatch.setattr("serial.Serial", refuse)
    with pytest.raises(FirstspikeError, match=message):
        open_port("/dev/ttyX", build)


def test_an_answer_is_waited_for_as_long_as_it_can_take(build):
    read, write = patience(build, 1_000_000)
    frame = 10 * (784 * 4 + 8) / 1e6  # its spikes, with ends of steps, take more bytes than its levels
    assert 3 + frame / 4 + (1 << 24) / 12e6 < read < 6
    assert 3 < write < 4
    build.plan.cycles = 12e6
    assert patience(build, 1_000_000)[0] > 200
    assert patience(None, 115_200)[1] > 10 * (1 << 24) / 115_200


@pytest.mark.parametrize("clock_hz", [1_000_000, 12_000_000, 25_000_000, 133_333_333])
def test_the_links_silence_is_not_longer_than_said(clock_hz):
    link = HostLink(sample_facts(), clock_hz=clock_hz, baud=100_000)
    assert link.idle_cycles <= LinkSettings(clock_hz, 100_000).silence <= 4 * link.idle_cycles


@pytest.mark.parametrize("text, message", [
    (None, r"link\.json is missing or damaged: build it again$"),
    ("{", r"link\.json is missing or damaged: build it again$"),
    ('{"clock_hz": 12000000}', r"link\.json is missing or damaged: build it again$"),
    ('{"clock_hz": Infinity, "baud": 1}', r"link\.json is missing or damaged: build it again$"),
    ('{"clock_hz": 0, "baud": 115200}', r"link\.json is damaged \(0 Hz, 115200 baud\): build it again$"),
    ('{"clock_hz": 12000000, "baud": 0}', r"link\.json is damaged \(12000000 Hz, 0 baud\): build it again$"),
])
def test_a_build_that_does_not_say_its_rate(build, text, message):
    path = build.path / "board" / "link.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(FirstspikeError, match=message):
        open_port("/dev/ttyX", build)


def test_a_name_without_a_rate_and_sim_without_a_build():
    with pytest.raises(FirstspikeError, match=r"^the rate of /dev/ttyX is not known"):
        open_port("/dev/ttyX", None)
    with pytest.raises(FirstspikeError, match=r'^the port "sim" simulates a build: give one$'):
        open_port("sim", None)
