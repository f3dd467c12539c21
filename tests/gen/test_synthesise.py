"""Synthesis and bitstreams: how tools are run and read, with stand-ins for them; marked slow, for real."""

import dataclasses
import errno
import hashlib
import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path

import firstspike as fs
import numpy as np
import pytest
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
if "--pack-only" in arguments:
    Path("../pins_checked").write_text(" ".join(arguments))
    sys.exit(0)
if Path.cwd().name == "pins":
    sys.exit(0)
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
    assert stages == [f"{stage} ({name} named by {name.upper().replace('-', '_')})" for stage, name in (
        ("synthesise the core", "yosys"), ("synthesise the design", "yosys"),
        ("place and route the design", "nextpnr-ice40"), ("pack", "icepack"))]
    assert found.versions == {"yosys": "named by YOSYS", "nextpnr-ice40": "named by NEXTPNR_ICE40",
                              "icepack": "named by ICEPACK"}
    assert (found.core.luts, found.core.ffs, found.core.block_rams, found.core.fmax_hz) == (500, 250, 3, None)
    assert (found.design.luts, found.design.ffs, found.design.block_rams) == (700, 250, 3)
    assert found.design.fmax_hz == 41_500_000 and found.meets_clock
    assert found.design.cells == {"ICESTORM_LC": 700, "ICESTORM_RAM": 3}
    assert found.available == {"luts": 5280, "ffs": 5280, "block_rams": 30}
    told = json.loads((build.path / "reports" / "resources.json").read_text())
    assert told["format"] == 1 and told["design"]["luts"] == 700 and told["meets_clock"] is True
    assert (build.path / "reports" / "pins.tim").read_text() == "placed and routed"
    assert (build.path / "board" / "pins.bin").read_bytes() == b"bits 41.5"
    assert not list(build.path.glob(".tools-*"))
    fs.open_build(build.path)


def test_a_part_that_was_found_before_is_kept(build, tmp_path):
    first = synthesise(build, design=False)
    assert first.design is None and first.meets_clock is None
    assert calls(tmp_path) == ["yosys"]
    second = synthesise(build, core=False)
    assert second.core == first.core and second.design.luts == 700
    assert calls(tmp_path) == ["yosys", "nextpnr-ice40", "icepack"]


def test_a_bitstream_is_made_once_and_again_after_a_loss(build, tmp_path):
    path = bitstream(build)
    assert path == build.path / "board" / "pins.bin"
    assert calls(tmp_path) == ["yosys", "nextpnr-ice40", "icepack"]
    assert bitstream(build.path) == path
    assert calls(tmp_path) == []
    path.unlink()
    assert bitstream(build) == path
    assert calls(tmp_path) == ["yosys", "nextpnr-ice40", "icepack"]


def test_a_design_that_misses_its_clock_has_no_bitstream(build, monkeypatch, tmp_path):
    bitstream(build)
    monkeypatch.setenv("FMAX", "21.3")
    (build.path / "reports" / "resources.json").unlink()
    message = r"^the design stands 21\.3 MHz, not the 24 MHz that it was built for: build it with --clock 21$"
    with pytest.raises(fs.FirstspikeError, match=message):
        bitstream(build)
    calls(tmp_path)
    with pytest.raises(fs.FirstspikeError, match=message):
        bitstream(build)
    assert calls(tmp_path) == []
    assert not (build.path / "board" / "pins.bin").exists()
    assert json.loads((build.path / "reports" / "resources.json").read_text())["meets_clock"] is False


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
    assert not list(build.path.glob(".tools-*"))


def test_a_full_disk(build, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr("firstspike.files._new_folder", full)
    with pytest.raises(fs.FirstspikeError, match=r"^cannot write in .*: No space left on device; make it"):
        synthesise(build)


@pytest.mark.parametrize("name", ["pins.ys", "pins.pcf", "board.v"])
def test_what_was_changed_in_a_build_is_not_run(build, tmp_path, name):
    path = build.path / "board" / name
    hostile = path.read_text()[:-40] + "\ntee -q -o ../../../PWNED log 0123456789x"
    message = (rf"board/{re.escape(name)} is not what this version of Firstspike makes for icebreaker, and "
               "nothing that was changed there is used: build it again$")
    for spoil in (lambda: path.write_text(hostile), path.unlink, lambda: path.symlink_to("/dev/zero")):
        spoil()
        with pytest.raises(fs.FirstspikeError, match=message):
            synthesise(build)
    with pytest.raises(fs.FirstspikeError, match=message):
        bitstream(build)
    assert calls(tmp_path) == []


def test_commands_that_a_build_brings_are_not_run(build, tmp_path):
    hostile = [["yosys", "-q", "-p", "tee -q -o ../../../PWNED log x"]]
    (build.path / "board" / "tools.json").write_text(
        json.dumps({"core": hostile, "design": hostile, "bitstream": "../x", "loader": ["sh", "-c", "ls"]}))
    found = synthesise(build, design=False)
    assert found.core.luts == 500 and calls(tmp_path) == ["yosys"]
    assert not list(tmp_path.rglob("PWNED"))


@pytest.mark.parametrize("name", ["reports", "board"])
def test_nothing_is_written_through_a_link(build, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    if name == "board":
        (build.path / "board").rename(elsewhere)
    else:
        elsewhere.mkdir()
    (build.path / name).symlink_to(elsewhere)
    before = contents(elsewhere)
    with pytest.raises(fs.FirstspikeError, match=rf"/{name} is a link, and nothing is written outside a"):
        synthesise(build)
    assert contents(elsewhere) == before


@pytest.mark.parametrize("change", [
    {"design": 3}, {"design": {"luts": "many"}}, {"core": {"luts": 1, "run": "x"}}, {"clock_hz": "fast"},
    {"versions": ["x"]}, {"versions": {"yosys": 3}}, {"inputs": 1}, {"format": 2}, {"meets_clock": True},
])
def test_results_of_an_earlier_run_are_believed_only_if_they_are_whole(build, tmp_path, change):
    synthesise(build, core=False)
    calls(tmp_path)
    path = build.path / "reports" / "resources.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | change))
    found = synthesise(build, design=False)
    assert (found.design is None) == (change != {"meets_clock": True})


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "null", "\x00"])
def test_what_is_no_result_at_all_is_made_again(build, text):
    (build.path / "reports").mkdir()
    (build.path / "reports" / "resources.json").write_text(text)
    found = synthesise(build, design=False)
    assert found.design is None and found.core.luts == 500


@pytest.mark.parametrize("change, message", [
    ({"board": {}}, r"manifest\.json is damaged \(board: "),
    ({"board": "icebreaker"}, r"manifest\.json is damaged \(board: a board must be an object, not 'iceb"),
    ({"luts": 10**6}, r"was built for the board icebreaker, of which this version of Firstspike says"),
    ({"name": "icebraker"}, r"was built for the board icebraker, of which this version of Firstspike says"),
    ({"family": "ice50"}, r"manifest\.json is damaged \(board: family must be one of"),
    ({"seed": "1; rm"}, r"manifest\.json is damaged \(seed '1; rm'\): build it again$"),
    ({"seed": True}, r"manifest\.json is damaged \(seed True\): build it again$"),
    ({"board_file": "/etc/evil.py"}, r"was built for icebreaker, a board of your own, and a build keeps no "
                                     r"code: give its file again, --board evil\.py$"),
])
def test_a_changed_manifest_is_refused(build, tmp_path, change, message):
    path = build.path / "manifest.json"
    manifest = json.loads(path.read_text())
    inside = change.keys() & {"luts", "name", "family"}
    path.write_text(json.dumps(manifest | ({"board": manifest["board"] | change} if inside else change)))
    with pytest.raises(fs.FirstspikeError, match=message):
        synthesise(build.path)
    assert calls(tmp_path) == []


@pytest.mark.parametrize("name, change", [
    ("rtl/top.json", {"ports": {}}), ("rtl/top.json", {"ports": 3}), ("plan.json", {"cycles": "many"}),
    ("plan.json", {"clock_hz": float("nan")}), ("plan.json", {"clock_hz": "fast"})])
def test_what_else_is_read_back_is_refused_if_it_makes_no_sense(build, tmp_path, name, change):
    path = build.path / name
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    manifest = json.loads((build.path / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (build.path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(fs.FirstspikeError, match=r"build it again$|^the clock must be a number of MHz, not"):
        synthesise(build.path)
    assert calls(tmp_path) == []


def test_a_board_of_ones_own_is_asked_for_again(build, tmp_path, monkeypatch, root):
    mine = tmp_path / "my_board.py"
    shutil.copy(root / "examples" / "my_board.py", mine)
    monkeypatch.chdir(tmp_path)
    made = fs.build(small_network(), "my_board.py", tmp_path / "mine")
    assert str(tmp_path) not in (made.path / "manifest.json").read_text()
    mine.write_text(f"open({str(tmp_path / 'RUN')!r}, 'w').close()\n" + mine.read_text())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    again = fs.open_build(made.path)
    assert (again.board.title, again.board_file) == ("Lattice iCE40HX8K breakout board", "my_board.py")
    for action in (synthesise, bitstream, program):
        with pytest.raises(fs.FirstspikeError, match=r"give its file again, --board my_board\.py$"):
            action(again)
    assert not (tmp_path / "RUN").exists() and calls(tmp_path) == []
    path = bitstream(again, board=mine)
    assert path.read_bytes() == b"bits 41.5" and (tmp_path / "RUN").exists()
    assert calls(tmp_path) == ["yosys", "nextpnr-ice40", "yosys", "nextpnr-ice40", "icepack"]
    with pytest.raises(fs.FirstspikeError, match=r"of which the board that is given says something else"):
        synthesise(again, board="icebreaker")
    mine.write_text(mine.read_text().replace("luts=7680", "luts=7681"))
    with pytest.raises(fs.FirstspikeError, match=r"of which the board that is given says something else"):
        synthesise(again, board=mine)


def test_a_pin_that_the_device_lacks_is_said_before_synthesis(build, tmp_path, monkeypatch, root):
    made = fs.build(small_network(), root / "examples" / "my_board.py", tmp_path / "mine")
    before = contents(made.path)
    monkeypatch.setenv("FAIL", "nextpnr-ice40")
    with pytest.raises(fs.FirstspikeError, match=r"^the pins of the platform of the board ice40-hx8k-b-evn "
                                                 r"are not such as its device has: nextpnr-ice40 failed: "):
        synthesise(made, board=root / "examples" / "my_board.py")
    assert calls(tmp_path) == ["yosys", "nextpnr-ice40"]
    assert contents(made.path) == before


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


@pytest.mark.parametrize("name", ["generic", "chip"])
def test_generic_and_chip_have_nothing_to_synthesise_for(tmp_path, name):
    build = fs.build(small_network(), name, tmp_path / "build")
    assert {path.name for path in (build.path / "board").iterdir()} == {"board.v", "link.json"}
    for action in (synthesise, bitstream, program):
        with pytest.raises(fs.FirstspikeError, match=rf"was built for {name}, which has no device to"):
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
    if not build.board.toolchain.by_hand:
        assert found.meets_clock
        path = bitstream(build)
        assert path.stat().st_size > 10_000
        assert dataclasses.asdict(found)["design"]["fmax_hz"] >= build.board.clock_hz
    else:
        assert found.design.fmax_hz is None
        with pytest.raises(fs.FirstspikeError, match=r"^no open tool makes bitstreams for arty-a7-100: run"):
            bitstream(build)


@pytest.mark.slow
@pytest.mark.parametrize("shipped, base, rx, tx, wrong, complaint", [
    ("icebreaker", "icebreaker.ICEBreaker", "6", "9", "Z99", "package does not have a pin named 'Z99'"),
    ("ulx3s-85f", "ulx3s.ULX3S_85F_", "M1", "L4", "Z99", "constrained to pin 'Z99', which does not exist"),
    ("tang-nano-9k", "tang_nano_9k.TangNano9k", "18", "17", "999", "Pin 999 not found"),
])
def test_an_impossible_pin_for_real(shipped, base, rx, tx, wrong, complaint, tmp_path):
    module, _, name = base.partition(".")
    text = f"""
import dataclasses
from amaranth_boards.{module} import {name}Platform
from amaranth_boards.resources import UARTResource
from firstspike.boards import BOARDS

class Mine({name}Platform):
    resources = [resource for resource in {name}Platform.resources if resource.name != "uart"]
    resources += [UARTResource(0, rx="{rx}", tx="TX")]

BOARD = dataclasses.replace(BOARDS["{shipped}"], name="mine", platform=Mine)
"""
    for pin in (wrong, tx):
        path = tmp_path / f"{pin}.py"
        path.write_text(text.replace("TX", pin))
        build, stages = fs.build(small_network(), path, tmp_path / pin), []
        if pin == wrong:
            with pytest.raises(fs.FirstspikeError, match=f"^the pins of the .*{re.escape(complaint)}"):
                synthesise(build, board=path, progress=stages.append)
            assert set(stages) == {"check the pins"}
        else:
            assert synthesise(build, board=path, design=False).core.luts > 0
