"""What a build's folder ``board`` holds: pins, clocks and commands, without running any of the tools."""

import dataclasses
import json
import re

import pytest
from firstspike.boards import BOARDS, find
from firstspike.boards.clock import clock_for
from firstspike.boards.design import board_design, pins_alone
from firstspike.boards.programs import YOSYS
from harness.links import sample_facts, sample_top


@pytest.fixture(scope="module")
def made():
    """The design of every board around the sample core."""
    facts = sample_facts()
    _, top = sample_top(facts)
    return {name: board_design(board, facts, top, clock_for(board), seed=5) for name, board in BOARDS.items()}


def commands(design, part="design"):
    return [" ".join((command.runs.name, *command.arguments)) for command in getattr(design, part)]


def test_the_module_board_is_the_same_circuit_with_its_own_rate(made):
    for name, design in made.items():
        text = design.files["board.v"]
        assert re.search(r"^module board\(", text, re.MULTILINE), name
        assert re.search(r"^  top core \(", text, re.MULTILINE), name
        assert {"clk", "rst", "rx", "tx"} == set(re.findall(r"^  (?:input|output) (\w+);", text.partition(
            "module board(")[2].partition("endmodule")[0], re.MULTILINE))
        assert "/work/" not in text and "src =" not in text


def test_generic_and_chip_are_verilog_alone(made):
    for name in ("generic", "chip"):
        assert set(made[name].files) == {"board.v", "link.json"}
        assert json.loads(made[name].files["link.json"]) == {"clock_hz": 100_000_000, "baud": 1_000_000}
        assert made[name].core == made[name].design == () and made[name].bitstream is None


def test_icebreaker(made):
    design = made["icebreaker"]
    files = design.files
    pins = dict(re.findall(r"^set_io (\w+) (\d+)$", files["pins.pcf"], re.MULTILINE))
    assert pins == {"clk12_0__io": "35", "uart_0__rx__io": "6", "uart_0__tx__io": "9"}
    assert "set_frequency clk12_0__io 12.0" in files["pins.pcf"]
    assert "\\SB_PLL40_PAD" in files["pins.il"]
    for name, bits in (("DIVR", "0000"), ("DIVF", "0111111"), ("DIVQ", "101"), ("FILTER_RANGE", "001")):
        assert re.search(rf"parameter \\{name} {len(bits)}'{bits}\b", files["pins.il"]), name
    assert re.search(r"nextpnr-ice40 .*--up5k --package sg48", commands(design)[1])
    assert "--seed 5 --freq 24 " in commands(design)[1]
    assert "read_verilog board.v ../rtl/top.v" in files["pins.ys"]
    assert commands(design)[2].startswith("icepack")


def test_ulx3s(made):
    design = made["ulx3s-85f"]
    files = design.files
    sites = dict(re.findall(r'LOCATE COMP "(\w+)" SITE "(\w+)"', files["pins.lpf"]))
    assert sites == {"clk25_0__io": "G2", "uart_0__rx__io": "M1", "uart_0__tx__io": "L4"}
    for name, value in (("CLKI_DIV", 1), ("CLKFB_DIV", 4), ("CLKOP_DIV", 6)):
        assert re.search(rf"parameter (signed )?\\{name} (32'0*{value:b}|{value})\b", files["pins.il"]), name
    assert commands(design)[1] == "ecp5-output-registers pins.json"
    assert re.search(r"nextpnr-ecp5 .*--freq 100 .*--85k --package CABGA381 --speed 6", commands(design)[2])
    assert re.search(r'^"\$YOSYS" .* pins\.ys\n'
                     r"python3 -m firstspike\.boards\.families ecp5-output-registers pins\.json\n"
                     r'"\$NEXTPNR_ECP5" .* --json pins\.json ', files["build_pins.sh"], re.MULTILINE)
    core = commands(design, "core")
    assert "synth_ecp5 -top top" in core[0] and "../rtl/top.v" in core[0]
    assert core[1] == "ecp5-output-registers core.json"
    assert core[2].startswith("nextpnr-ecp5 --85k --package CABGA381 --speed 6 --out-of-context ")
    assert "--seed 5 --freq 100 " in core[2]


def test_tang_nano(made):
    design = made["tang-nano-9k"]
    files = design.files
    places = dict(re.findall(r'IO_LOC "(\w+)" (\d+);', files["pins.cst"]))
    assert places == {"clk27_0__io": "52", "uart_0__rx__io": "18", "uart_0__tx__io": "17"}
    assert "rPLL" not in files["pins.il"]
    run = commands(design)[1]
    assert "--vopt family=GW1N-9C" in run and "--vopt cst=pins.cst" in run and "--freq 27 " in run
    assert "--device GW1NR-LV9QN88PC6/I5" in run
    assert "--sspi_as_gpio" in commands(design)[2]


def test_tang_nano_with_a_pll():
    board, facts = BOARDS["tang-nano-9k"], sample_facts()
    design = board_design(board, facts, sample_top(facts)[1], clock_for(board, 54e6))
    files = design.files
    assert '\\rPLL' in files["pins.il"]
    assert 'parameter \\DEVICE "GW1NR-9C"' in files["pins.il"]
    assert "--freq 54 " in commands(design)[1]


def test_arty_is_a_vivado_project(made):
    design = made["arty-a7-100"]
    files = design.files
    places = dict(re.findall(r'set_property LOC (\w+) \[get_ports "(\w+)"\]', files["pins.xdc"]))
    assert places == {
        "E3": "clk100_0__io", "C2": "rst_0__io", "A9": "uart_0__rx__io", "D10": "uart_0__tx__io"}
    assert "create_clock -name clk100_0__io -period 10.0" in files["pins.xdc"]
    assert "create_project -force -name pins -part xc7a100tcsg324-1\n" in files["pins.tcl"]
    assert "add_files [list board.v ../rtl/top.v]" in files["pins.tcl"]
    assert "module pins(" in files["pins.v"]
    assert design.bitstream is None
    assert [command.runs for command in (*design.core, *design.design)] == [YOSYS, YOSYS]
    assert "synth_xilinx -family xc7 -top board" in commands(design)[0]


def test_arty_with_a_pll():
    board, facts = BOARDS["arty-a7-100"], sample_facts()
    design = board_design(board, facts, sample_top(facts)[1], clock_for(board, 142e6))
    files = design.files
    assert "PLLE2_BASE" in files["pins.v"] and "BUFG" in files["pins.v"]


def test_a_board_of_ones_own(root):
    board, facts = find(root / "examples" / "my_board.py"), sample_facts()
    design = board_design(board, facts, sample_top(facts)[1], clock_for(board, 48e6))
    files = design.files
    assert "SB_PLL40_CORE" in files["pins.il"]
    assert "--hx8k --package ct256" in commands(design)[1]


def test_the_same_files_every_time(made):
    board, facts = BOARDS["ulx3s-85f"], sample_facts()
    again = board_design(board, facts, sample_top(facts)[1], clock_for(board), seed=5)
    assert again == made["ulx3s-85f"]


def test_pins_alone_have_the_board_s_constraints_and_stop_after_packing(made):
    for name, board in BOARDS.items():
        alone = pins_alone(board)
        if made[name].bitstream is None:
            assert alone.design == () == alone.core
            continue
        constraints = [file for file in made[name].files if file.endswith((".pcf", ".lpf", ".cst"))]
        for file in constraints:
            lines = [sorted(design.files[file].splitlines()) for design in (alone, made[name])]
            assert lines[0] == lines[1]
        assert len(constraints) == 1
        assert len(alone.design) == 2 and "--pack-only" in alone.design[1].arguments
        assert "top.v" not in alone.files["pins.ys"]


def test_a_core_with_another_token_is_refused():
    facts = sample_facts()
    _, top = sample_top(dataclasses.replace(facts, window=200))
    with pytest.raises(ValueError, match=r"^spike token's step must be at \(4, 5\), not \(4, 8\)$"):
        board_design(BOARDS["generic"], facts, top, clock_for(BOARDS["generic"]))
