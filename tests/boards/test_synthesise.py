"""Synthesis and bitstreams: how tools are run and read, with stand-ins for them; marked slow, for real."""

import dataclasses
import errno
import json
import os
import shutil
import stat
import sys
from pathlib import Path

import firstspike as fs
import numpy as np
import pytest
from firstspike.boards.files import FAMILIES, clock_for
from firstspike.gen import run_tools
from firstspike.gen.synthesise import bitstream, program, synthesise

BOARDS = ("icebreaker", "ulx3s-85f", "tang-nano-9k", "arty-a7-100")

STAND_IN = """#!{python}
import json, os, sys
from pathlib import Path
name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(name + "\\n")
if os.environ.get("FAIL") == name:
    print("Info: reading")
    print("ERROR: Unable to place cell 'x', no Bels remaining of type 'ICESTORM_LC'")
    sys.exit(1)
assert Path("../rtl/top.v").is_file() and Path("board.v").is_file()
if name == "yosys":
    part = "design" if "pins.ys" in arguments else "core"
    cells = {{"SB_LUT4": 500, "SB_DFFESR": 200, "SB_DFF": 50, "SB_RAM40_4K": 3, "SB_CARRY": 70}}
    Path(part + ".stat").write_text(json.dumps({{"design": {{"num_cells_by_type": cells}}}}))
elif name == "nextpnr-ice40":
    report = arguments[arguments.index("--report") + 1]
    Path(report).write_text(json.dumps({{
        "fmax": {{"clk": {{"achieved": float(os.environ["FMAX"]), "constraint": 24.0}}}},
        "utilization": {{"ICESTORM_LC": {{"used": 700, "available": 5280}},
                         "ICESTORM_RAM": {{"used": 3, "available": 30}},
                         "ICESTORM_DSP": {{"used": 0, "available": 8}}}}}}))
    Path("pins.tim").write_text("placed and routed")
else:
    Path("pins.bin").write_bytes(b"bits " + os.environ["FMAX"].encode())
"""


def small_network(inputs: int = 12, hidden: int = 6) -> fs.Network:
    rng = np.random.default_rng(4)
    table = np.array([-1, 7, 6, 5, 4, 3, 2, 1, 0])
    return fs.Network(fs.Input(inputs, 8, fs.Latency(table)), [
        fs.Layer(fs.Dense(rng.choice([-1, 1], (hidden, inputs)).astype(np.int8)), 8, threshold=2),
        fs.Layer(fs.Dense(rng.choice([-1, 1], (3, hidden)).astype(np.int8)), 8, threshold=2),
    ])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return fs.build(small_network(), "icebreaker", tmp_path_factory.mktemp("made") / "build")


@pytest.fixture
def build(made, tmp_path, monkeypatch):
    """A build of its own, and stand-ins for its tools."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("yosys", "nextpnr-ice40", "icepack"):
        path = tools / name
        path.write_text(STAND_IN.format(python=sys.executable))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv(name.upper().replace("-", "_"), str(path))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FMAX", "41.5")
    monkeypatch.delenv("FAIL", raising=False)
    folder = tmp_path / "build"
    shutil.copytree(made.path, folder)
    return fs.open_build(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def calls(tmp_path) -> list[str]:
    path = tmp_path / "calls"
    names = path.read_text().split() if path.is_file() else []
    path.unlink(missing_ok=True)
    return names


def test_figures_come_from_the_tools_reports(build, tmp_path):
    stages = []
    found = synthesise(build, progress=stages.append)
    assert calls(tmp_path) == ["yosys", "yosys", "nextpnr-ice40", "icepack"]
    assert stages == ["synthesise the core", "synthesise the design", "place and route the design", "pack"]
    assert (found.core.luts, found.core.ffs, found.core.block_rams, found.core.fmax_hz) == (500, 250, 3, None)
    assert (found.design.luts, found.design.ffs, found.design.block_rams) == (700, 250, 3)
    assert found.design.fmax_hz == 41_500_000 and found.meets_clock
    assert found.design.cells == {"ICESTORM_LC": 700, "ICESTORM_RAM": 3}
    assert found.available == {"luts": 5280, "ffs": 5280, "block_rams": 30}
    told = json.loads((build.path / "reports" / "resources.json").read_text())
    assert told["format"] == 1 and told["design"]["luts"] == 700 and told["meets_clock"] is True
    assert (build.path / "reports" / "pins.tim").read_text() == "placed and routed"
    assert (build.path / "board" / "pins.bin").read_bytes() == b"bits 41.5"
    assert not list(build.path.glob(".tools.*"))
    fs.open_build(build.path)


def test_a_part_that_was_found_before_is_kept(build, tmp_path):
    first = synthesise(build, design=False)
    assert first.design is None and first.meets_clock is None
    assert calls(tmp_path) == ["yosys"]
    second = synthesise(build, core=False)
    assert second.core == first.core and second.design.luts == 700
    assert calls(tmp_path) == ["yosys", "nextpnr-ice40", "icepack"]


def test_a_bitstream_is_made_once_and_again_after_a_change(build, tmp_path):
    path = bitstream(build)
    assert path == build.path / "board" / "pins.bin"
    assert calls(tmp_path) == ["yosys", "nextpnr-ice40", "icepack"]
    assert bitstream(build.path) == path
    assert calls(tmp_path) == []
    pcf = build.path / "board" / "pins.pcf"
    pcf.write_text(pcf.read_text() + "# moved\n")
    assert bitstream(build) == path
    assert calls(tmp_path) == ["yosys", "nextpnr-ice40", "icepack"]


def test_a_design_that_misses_its_clock_has_no_bitstream(build, monkeypatch, tmp_path):
    bitstream(build)
    monkeypatch.setenv("FMAX", "21.3")
    pcf = build.path / "board" / "pins.pcf"
    pcf.write_text(pcf.read_text() + "# moved\n")
    message = r"^the design stands 21\.3 MHz, not the 24 MHz that it was built for: build it with --clock 21$"
    with pytest.raises(fs.FirstspikeError, match=message):
        bitstream(build)
    calls(tmp_path)
    with pytest.raises(fs.FirstspikeError, match=message):
        bitstream(build)
    assert calls(tmp_path) == []
    assert not (build.path / "board" / "pins.bin").exists()
    assert json.loads((build.path / "reports" / "resources.json").read_text())["meets_clock"] is False
    assert clock_for(build.board, 21e6).hz == 21_000_000


@pytest.mark.parametrize("name", ["yosys", "nextpnr-ice40", "icepack"])
def test_a_tool_that_fails_changes_nothing(build, monkeypatch, name):
    before = contents(build.path)
    monkeypatch.setenv("FAIL", name)
    with pytest.raises(fs.FirstspikeError, match=rf"^{name} failed: Unable to place cell 'x', no Bels"):
        synthesise(build)
    assert contents(build.path) == before


def test_an_interrupt_changes_nothing_and_leaves_no_process(build, monkeypatch):
    before, started = contents(build.path), []
    real = run_tools.subprocess.Popen

    class Interrupted(real):
        def wait(self, timeout=None):
            if not started:
                started.append(self)
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(run_tools.subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        synthesise(build)
    assert started[0].poll() is not None
    assert contents(build.path) == before
    assert not list(build.path.glob(".tools.*"))


def test_a_full_disk(build, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(fs.FirstspikeError, match=r"^cannot write in .*: No space left on device; make it"):
        synthesise(build)


@pytest.mark.parametrize("change, message", [
    ({"family": "ice50"}, r"tools\.json is damaged \(family 'ice50'\): build it again$"),
    ({"core": [["yosys", 3]]}, r"tools\.json is damaged \(core\): build it again$"),
    ({"bitstream": "../../x"}, r"tools\.json is damaged \(bitstream '\.\./\.\./x'\): build it again$"),
    ({"available": {}}, r"tools\.json is damaged \('luts'\): build it again$"),
    ({"clock_hz": None}, r"tools\.json is damaged .*: build it again$"),
    ({"core": [["rm", "-rf", "x"]]}, r"^a build may not run 'rm': make it again with firstspike build$"),
    ({"core": [["ecp5-output-registers", "../x.json"]]}, r"^a build may not run 'ecp5-output-registers'"),
    ({"core": [["ecp5-output-registers", "board.v"]]}, r"board\.v is no netlist of Yosys' .*: synthesise"),
])
def test_a_damaged_build_is_refused(build, change, message):
    path = build.path / "board" / "tools.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(fs.FirstspikeError, match=message):
        synthesise(build)


def test_program(build, tmp_path, monkeypatch):
    with pytest.raises(fs.FirstspikeError, match=r"^there is no bitstream .*pins\.bin: make it with"):
        program(build)
    bitstream(build)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(fs.FirstspikeError, match=r"^openFPGALoader is not installed, .*apt-get install open"):
        program(build)
    loader = tmp_path / "openFPGALoader"
    loader.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/loaded\n')
    loader.chmod(0o755)
    program(build)
    made = str(build.path / "board" / "pins.bin")
    assert (tmp_path / "loaded").read_text().split() == ["-b", "ice40_generic", made]
    loader.write_text("#!/bin/sh\necho unable to open ftdi device\nexit 1\n")
    with pytest.raises(fs.FirstspikeError, match=r"^openFPGALoader could not load the board: unable to open"):
        program(build)
    path = build.path / "board" / "tools.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"loader": ["sh", "-c", "echo"]}))
    with pytest.raises(fs.FirstspikeError, match=r"^sh is none of the programs that may load a board"):
        program(build)


def test_generic_has_nothing_to_synthesise_for(tmp_path):
    build = fs.build(small_network(), "generic", tmp_path / "build")
    assert {path.name for path in (build.path / "board").iterdir()} == {"board.v", "link.json"}
    for action in (synthesise, bitstream, program):
        with pytest.raises(fs.FirstspikeError, match=r"was built for generic, which has no device to"):
            action(build)


@pytest.mark.slow
@pytest.mark.parametrize("board", BOARDS)
def test_every_board_for_real(board, tmp_path):
    build = fs.build(small_network(60, 20), board, tmp_path / "build")
    found = synthesise(build)
    for usage in (found.core, found.design):
        assert 0 < usage.luts <= found.available["luts"]
        assert 0 < usage.ffs <= found.available["ffs"]
    assert found.design.luts > found.core.luts
    if FAMILIES[build.board.family].bitstream:
        assert found.meets_clock
        path = bitstream(build)
        assert path.stat().st_size > 10_000
        assert dataclasses.asdict(found)["design"]["fmax_hz"] >= build.board.clock_hz
    else:
        assert found.design.fmax_hz is None
        with pytest.raises(fs.FirstspikeError, match=r"^no open tool makes bitstreams for arty-a7-100: run"):
            bitstream(build)
