"""The boards, found by name or by file."""

import dataclasses
import re

import pytest
from firstspike.boards import BOARDS, Board, find
from firstspike.errors import FirstspikeError


def test_the_boards_have_the_sizes_of_their_devices():
    sizes = {name: (board.luts, board.ffs, board.block_rams) for name, board in BOARDS.items()}
    assert sizes == {
        "icebreaker": (5280, 5280, 30),
        "ulx3s-85f": (83640, 83640, 208),
        "tang-nano-9k": (8640, 6480, 26),
        "arty-a7-100": (63400, 126800, 270),
        "generic": (0, 0, 0),
    }
    for name, board in BOARDS.items():
        assert board.block_ram_bits == board.block_rams * (4096 if name == "icebreaker" else 18432)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_platforms_have_a_clock_and_a_uart(board):
    if board.platform is None:
        assert board.family is None
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
    message = ("there is no board 'ulx3s': choose one of icebreaker, ulx3s-85f, tang-nano-9k, arty-a7-100, "
               "generic, or a Python file that defines BOARD")
    with pytest.raises(FirstspikeError, match=f"^{re.escape(message)}$"):
        find("ulx3s")


@pytest.mark.parametrize("text, message", [
    (None, r"^there is no board file .*mine\.py: give the path"),
    ("x = 1\n", r"^the board file .*mine\.py defines no BOARD: set BOARD"),
    ("BOARD = 'ulx3s'\n", r"^the board file .*mine\.py defines no BOARD: set BOARD"),
    ("import nowhere_at_all\n", r"^the board file .*mine\.py does not run: ModuleNotFoundError: No module"),
    ("def\n", r"^the board file .*mine\.py does not run: SyntaxError"),
    ("from firstspike.boards import Board\nBOARD = Board('a b', '', None, '', 1, 1, 1, 1, 1, 1)\n",
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
     "family must be None or one of ice40, ecp5, gowin, xilinx7, not 'ice50' (board icebreaker)"),
    ({"platform": None}, ValueError, "platform must be given where there is a family (board icebreaker)"),
    ({"name": ""}, ValueError, "board name must be letters, digits and dashes, not ''"),
])
def test_a_board_is_checked(change, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        dataclasses.replace(BOARDS["icebreaker"], **change)
    assert isinstance(BOARDS["icebreaker"], Board)
