"""Boards of one's own whose pins, clocks or families are wrong: one sentence each, before a build begins."""

import re

import pytest
from firstspike.boards import BOARDS, find
from firstspike.boards.clock import clock_for
from firstspike.boards.design import board_design, pins_alone
from firstspike.boards.pins import check_pins, make_platform
from firstspike.errors import FirstspikeError
from harness.links import sample_facts, sample_top

BOARD = """
import sys
from amaranth.build import Attrs, Clock, DiffPairs, Pins, PinsN, Resource, Subsignal
from amaranth.vendor import {base}
from amaranth_boards.resources import UARTResource
from firstspike.boards import Board


class Mine({base}):
    {device}
    connectors = []
    default_clk = "clk12"
    resources = [
        Resource("clk12", 0, Pins("{clock}", dir="i"), Clock(12e6)),
        UARTResource(0, rx="{rx}", tx="{tx}"),
    ]
    {more}


{before}
BOARD = Board(name="mine", title="Mine", family="{family}", device="x", luts=7680, ffs=7680, block_rams=32,
              block_ram_bits=131072, clock_hz=12_000_000, uart_baud={baud}, platform={platform})
"""

ICE40 = {"base": "LatticeICE40Platform", "device": 'device, package = "iCE40HX8K", "CT256"',
         "clock": "J3", "rx": "B10", "tx": "B12", "family": "ice40"}
GOWIN = {"base": "GowinPlatform", "device": 'part, family = "GW1NR-LV9QN88PC6/I5", "GW1NR-9C"',
         "clock": "52", "rx": "18", "tx": "17", "family": "gowin"}
DEFAULTS = {"more": "", "before": "", "baud": 1_000_000, "platform": "Mine"}


def board_file(folder, text=BOARD, **changes):
    path = folder / "mine.py"
    path.write_text(text.format(**DEFAULTS | ICE40 | changes))
    return path


@pytest.mark.parametrize("changes, message", [
    ({"more": "del resources[1]"}, "the platform of the board mine has no resource 'uart': add one"),
    ({"more": "resources[1] = Resource('uart', 0, Subsignal('rx', Pins('B10', dir='i')))"},
     "the resource uart of the board mine has no pin tx: give it rx and tx, as "
     "amaranth_boards.resources.UARTResource does"),
    ({"more": "resources[1] = Resource('uart', 0, Pins('B10', dir='i'))"},
     "the resource uart of the board mine has no pin rx"),
    ({"tx": "B10"},
     "a pin of the resource 'uart' of the board mine is used twice: resource component uart_0.tx uses "
     "physical pin B10, but it is already used by resource component uart_0.rx"),
    ({"rx": "J3"},
     "a pin of the resource 'uart' of the board mine is used twice: resource component uart_0.rx uses "
     "physical pin J3, but it is already used by resource component clk12_0"),
    ({"more": "resources[1] = Resource('uart', 0, Subsignal('rx', Pins('B10 B11', dir='i')), "
              "Subsignal('tx', Pins('B12', dir='o')))"}, "uart.rx of the board mine must be one pin, not 2"),
    ({"more": "resources[1] = Resource('uart', 0, Subsignal('rx', Pins('B10', dir='o')), "
              "Subsignal('tx', Pins('B12', dir='o')))"}, "uart.rx of the board mine must be an input, not "),
    ({"more": "resources[0] = Resource('clk12', 0, Pins('J3', dir='o'), Clock(12e6))"},
     "clk12 of the board mine must be an input, not "),
    ({"more": "default_clk = None"},
     "default_clk must name a clock of the platform of the board mine, not be None"),
    ({"more": "default_clk = 'clk13'"},
     "default_clk must name a resource with a Clock on the platform of the board mine, not 'clk13' ("),
    ({"more": "resources[0] = Resource('clk12', 0, Pins('J3', dir='i'))"},
     "default_clk must name a resource with a Clock on the platform of the board mine, not 'clk12' ("),
    ({"more": "default_rst = 'button'"}, "the platform of the board mine has no resource 'button': add one"),
    ({"more": "resources[0] = Resource('clk12', 0, Pins('x', dir='i', conn=('j', 7)), Clock(12e6))"},
     "the resource 'clk12' of the board mine cannot be used: "),
    ({"family": "ecp5"}, "the family of the board mine must be that of its platform: ecp5 is none for a "),
    ({"family": "gowin"}, "the family of the board mine must be that of its platform: gowin is none for a "),
    ({"platform": "lambda: 3"}, "the family of the board mine must be that of its platform: ice40 is none"),
    ({"platform": "lambda: sys.exit(1)"}, "the platform of the board mine cannot be made: SystemExit: 1"),
    ({"platform": "lambda: Mine(1, 2, 3)"}, "the platform of the board mine cannot be made: TypeError: "),
])
def test_what_a_design_cannot_be_connected_to(tmp_path, changes, message):
    with pytest.raises(FirstspikeError, match=f"^{re.escape(message)}"):
        find(board_file(tmp_path, **changes))


@pytest.mark.parametrize("changes, message", [
    ({"before": "sys.exit(0)"}, "SystemExit: 0"),
    ({"family": "ice50"}, "ValueError: family must be one of ice40, ecp5, gowin, xilinx7, generic, chip, "),
    ({"baud": 0}, "ValueError: uart_baud must be positive, not 0 (board mine)"),
    ({"platform": "None"}, "ValueError: platform must make an Amaranth platform for the family ice40, not "),
])
def test_a_file_that_does_not_run(tmp_path, changes, message):
    path = board_file(tmp_path, **changes)
    with pytest.raises(FirstspikeError, match=f"^the board file {re.escape(str(path))} does not run: "
                                              f"{re.escape(message)}"):
        find(path)


def test_a_device_that_amaranth_does_not_know(tmp_path):
    board, facts = find(board_file(tmp_path, device='device, package = "iCE40XX9K", "CT256"')), sample_facts()
    with pytest.raises(FirstspikeError, match=r"^nothing can be built from the platform of the board mine: "):
        board_design(board, facts, sample_top(facts)[1], clock_for(board))


def test_every_shipped_board_s_pins_will_do():
    for board in BOARDS.values():
        if board.toolchain is not None:
            check_pins(board)


def test_a_gowin_board_of_ones_own_gets_the_nextpnr_that_there_is(tmp_path):
    board, facts = find(board_file(tmp_path, **GOWIN)), sample_facts()
    for design in (board_design(board, facts, sample_top(facts)[1], clock_for(board)), pins_alone(board)):
        names = [command.runs.name for command in design.design]
        assert names[:2] == ["yosys", "nextpnr-himbaechel"]
        told = " ".join(design.design[1].arguments)
        assert "--vopt family=GW1N-9C --json" in told and "--vopt cst=pins.cst" in told
    assert names == ["yosys", "nextpnr-himbaechel"]


def test_a_platform_is_mended_once_and_its_class_left_alone():
    board = BOARDS["tang-nano-9k"]
    platforms = [make_platform(board) for _ in range(2)]
    assert type(platforms[0]) is not board.platform
    assert all(type(platform).__mro__.count(board.toolchain.mixin) == 1 for platform in platforms)
    assert not issubclass(board.platform, board.toolchain.mixin)
