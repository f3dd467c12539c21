"""The host client and the simulated board: a network's answers through the serial pins of what was built."""

import firstspike as fs
import numpy as np
import pytest
from firstspike.network.golden import run
from firstspike.sim.host.client import Host
from firstspike.sim.host.ports import open_port
from firstspike.sim.host.simulated_port import SimulatedPort


def network(first_spike: bool = True) -> fs.Network:
    rng = np.random.default_rng(6)
    table = np.array([-1, 7, 6, 5, 4, 3, 2, 1, 0])
    mask = np.arange(10) != 3
    output = fs.Layer(fs.Dense(rng.choice([-1, 1], (3, 6)).astype(np.int8)), 8, threshold=1)
    return fs.Network(fs.Input(10, 8, fs.Latency(table), mask), [
        fs.Layer(fs.Dense(rng.choice([-1, 1], (6, 10)).astype(np.int8)), 8, threshold=1), output,
    ], fs.Readout.FIRST_SPIKE if first_spike else fs.Readout.COUNT)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    return fs.build(network(), "icebreaker", tmp_path_factory.mktemp("made") / "build")


def test_a_build_behind_its_serial_pins(build, simulator):
    rng = np.random.default_rng(7)
    with Host(SimulatedPort(build, name=simulator), build) as host:
        identity = host.identify()
        assert (identity.size, identity.addresses, identity.levels) == (10, 9, 9)
        assert identity.clock_hz == build.plan.clock_hz == 24_000_000
        for early in (True, False):
            host.set_early_stop(early)
            for _ in range(2):
                image = rng.integers(0, 9, 10)
                trace = run(build.network, image)
                for result in (host.run_levels(image), host.run_spikes(trace.input_spikes)):
                    assert (result.label, result.step) == (trace.label, trace.step)
                    assert 0 < result.cycles < 1000


def test_the_port_named_sim_and_its_end(build):
    stages = []
    port = open_port("sim", build, progress=stages.append)
    host = Host(port, build)
    assert isinstance(port, SimulatedPort) and port.running
    assert stages == ["compile for verilator", "simulate"]
    host.close()
    assert not port.running
    with pytest.raises(fs.FirstspikeError, match=r"^the simulated port is closed$"):
        host.identify()


def test_a_generic_build_has_the_same_port(tmp_path, icarus):
    build = fs.build(network(first_spike=False), "generic", tmp_path / "build", clock_hz=10e6)
    image = np.arange(10) % 9
    with Host(SimulatedPort(build, name="icarus"), build) as host:
        trace = run(build.network, image)
        result = host.run(image)
        assert (result.label, result.step) == (trace.label, trace.step)


def test_another_builds_simulation_is_refused(build, tmp_path, icarus):
    other = fs.build(network(first_spike=False), "icebreaker", tmp_path / "build")
    with pytest.raises(fs.FirstspikeError, match=r"^the port runs another network"):
        Host(SimulatedPort(other, name="icarus"), build)


class DisturbedPort(SimulatedPort):
    """Turns a bit over in the length of the second frame, so that the link waits for what does not come."""

    def __init__(self, build):
        super().__init__(build)
        self.frames = 0

    def write(self, data):
        self.frames += 1
        data = bytearray(data)
        if self.frames == 2:
            data[3] ^= 4
        return super().write(data)


def test_a_disturbed_byte_is_recovered_from(build):
    with Host(DisturbedPort(build), build) as host:
        image = np.arange(10) % 9
        trace = run(build.network, image)
        answer = host.run(image)
        assert (answer.label, answer.step) == (trace.label, trace.step)


def test_a_folder_for_temporary_files_may_be_called_what_it_likes(build, tmp_path, monkeypatch, icarus):
    long = tmp_path / ("a b#c:d$HOME'e" * 10)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with Host(SimulatedPort(build, name="icarus"), build) as host:
        assert len(list(long.iterdir())) == 1
        assert host.identify().size == 10
    assert not list(long.iterdir())


def test_a_board_that_does_not_compile(build, tmp_path, icarus):
    other = fs.build(network(), "generic", tmp_path / "build")
    (other.path / "board" / "board.v").write_text("module board(")
    with pytest.raises(fs.FirstspikeError, match=r"^Icarus Verilog cannot compile .*board\.v: "):
        SimulatedPort(other, name="icarus")
    (other.path / "board" / "board.v").unlink()
    with pytest.raises(fs.FirstspikeError, match=r"board\.v is missing: build it again$"):
        SimulatedPort(other, name="icarus")
