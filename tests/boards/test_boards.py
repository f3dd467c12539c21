"""The boards, found by name or by file."""

import dataclasses
import json
import re

import pytest
from firstspike.boards import BOARDS, Board, BoardFacts, find
from firstspike.errors import FirstspikeError


def test_the_boards_have_the_sizes_of_their_devices():
    sizes = {name: (board.luts, board.ffs, board.block_rams) for name, board in BOARDS.items()}
    assert sizes == {
        "icebreaker": (5280, 5280, 30),
        "ulx3s-85f": (83640, 83640, 208),
        "tang-nano-9k": (8640, 6480, 26),
        "arty-a7-100": (63400, 126800, 270),
        "generic": (0, 0, 0),
        "chip": (0, 0, 0),
    }
    for name, board in BOARDS.items():
        assert board.block_ram_bits == board.block_rams * (4096 if name == "icebreaker" else 18432)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_platforms_have_a_clock_and_a_uart(board):
    if board.platform is None:
        assert board.toolchain is None
        return
    platform = board.platform()
    assert platform.default_clk_frequency > 0
    assert platform.lookup("uart", 0)


def test_find_by_name_by_file_and_as_it_is(root):
    assert find("icebreaker") is BOARDS["icebreaker"]
    assert find(BOARDS["generic"]) is BOARDS["generic"]
    mine = find(root / "examples" / "my_board.py")
    assert (mine.name, mine.family, mine.luts) == ("ice40-hx8k-b-evn", "ice40", 7680)
    assert find(str(root / "examples" / "my_board.py")).name == mine.name


def test_an_unknown_name_lists_the_known_ones():
    message = ("there is no board 'ulx3s' (did you mean 'ulx3s-85f'?): choose one of icebreaker, ulx3s-85f, "
               "tang-nano-9k, arty-a7-100, generic, chip, or a Python file that defines BOARD")
    with pytest.raises(FirstspikeError, match=f"^{re.escape(message)}$"):
        find("ulx3s")


@pytest.mark.parametrize("text, message", [
    ("import sys\nsys.exit(3)\n", r"^the board file .*mine\.py does not run: SystemExit: 3$"),
    (None, r"^there is no board file .*mine\.py: give the path"),
    ("x = 1\n", r"^the board file .*mine\.py defines no BOARD: set BOARD"),
    ("BOARD = 'ulx3s'\n", r"^the board file .*mine\.py defines no BOARD: set BOARD"),
    ("import nowhere_at_all\n", r"^the board file .*mine\.py does not run: ModuleNotFoundError: No module"),
    ("def\n", r"^the board file .*mine\.py does not run: SyntaxError"),
    ("from firstspike.boards import Board\nBOARD = Board('a b', '', 'generic', '', 1, 1, 1, 1, 1, 1)\n",
     r"does not run: ValueError: board name must be letters, digits and dashes, not 'a b'$"),
])
def test_a_board_file_that_is_none(tmp_path, text, message):
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FirstspikeError, match=message):
        find(path)


@pytest.mark.parametrize("change, error, message", [
    ({"luts": 0}, ValueError, "luts must be positive, not 0 (board icebreaker)"),
    ({"luts": "5k"}, TypeError, "luts must be an integer, not '5k' (board icebreaker)"),
    ({"clock_hz": 12e6}, TypeError, "clock_hz must be an integer, not 12000000.0 (board icebreaker)"),
    ({"family": "ice50"}, ValueError,
     "family must be one of ice40, ecp5, gowin, xilinx7, generic, chip, not 'ice50' (board icebreaker)"),
    ({"family": None}, TypeError, "family must be a string, not None (board icebreaker)"),
    ({"platform": None}, ValueError,
     "platform must make an Amaranth platform for the family ice40, not be None (board icebreaker)"),
    ({"family": "chip", "platform": int}, ValueError,
     "platform must be None for the family chip, which has no tools, not <class 'int'> (board icebreaker)"),
    ({"loader": "iceprog"}, TypeError, "loader must be a tuple of strings, not 'iceprog' (board icebreaker)"),
    ({"title": "one\nBit-exact"}, ValueError,
     "title must be one line of at most 200 printable characters, not 'one\\nBit-exact'"),
    ({"ffs": 1 << 50}, ValueError, f"ffs must be at most {1 << 40}, not {1 << 50} (board icebreaker)"),
    ({"name": ""}, ValueError, "board name must be letters, digits and dashes, not ''"),
])
def test_a_board_is_checked(change, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        dataclasses.replace(BOARDS["icebreaker"], **change)
    assert isinstance(BOARDS["icebreaker"], Board)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_facts_come_back_from_their_json_and_run_nothing(board):
    facts = BoardFacts.from_json(json.loads(json.dumps(board.to_json())))
    assert facts == board.facts and type(facts) is BoardFacts
    assert facts.toolchain is board.toolchain and facts.fabric is board.fabric
    assert not hasattr(facts, "platform") and not hasattr(facts, "loader")


@pytest.mark.parametrize("change, error", [
    ({"title": "\x1b[2J"}, ValueError), ({"name": "../x"}, ValueError), ({"family": "ice50"}, ValueError),
    ({"luts": "many"}, TypeError), ({"luts": True}, TypeError), ({"uart_baud": 1e999}, TypeError),
    ({"device": None}, TypeError), ({"platform": "os.system"}, TypeError),
    ({"device": "x" * 201}, ValueError),
])
def test_facts_from_a_file_are_checked(change, error):
    with pytest.raises(error):
        BoardFacts.from_json(BOARDS["icebreaker"].to_json() | change)
    with pytest.raises(TypeError):
        BoardFacts.from_json([change])
