"""A core's clock: what a board's crystal and serial line allow."""

import dataclasses
import re

import pytest
from firstspike.boards import BOARDS
from firstspike.boards.clock import clock_for, fastest_clock
from firstspike.errors import FirstspikeError


def test_the_crystal_needs_no_pll_and_the_default_clock_is_exact():
    for board in BOARDS.values():
        clock = clock_for(board)
        assert clock.hz == board.clock_hz
    assert clock_for(BOARDS["tang-nano-9k"]).setting is None
    assert clock_for(BOARDS["icebreaker"], 12e6).setting is None
    assert clock_for(BOARDS["icebreaker"]).setting is not None
    assert clock_for(BOARDS["generic"], 123456789).hz == 123456789


@pytest.mark.parametrize("board, asked, message", [
    ("icebreaker", 300e6, "icebreaker cannot make a clock of 300 MHz from its crystal of 12 MHz: "
                          "the nearest it can is 270 MHz"),
    ("icebreaker", 13e6, "icebreaker cannot make a clock of 13 MHz from its crystal of 12 MHz: "
                         "the nearest it can is 12 MHz and 16.125 MHz"),
    ("ulx3s-85f", 19.3e6, "ulx3s-85f cannot make a clock of 19.3 MHz from its crystal of 25 MHz: "
                          "the nearest it can is 18.75 MHz and 20 MHz"),
    ("ulx3s-85f", 17e6, "the clock must be at least 18 MHz for the serial line of ulx3s-85f at 3,000,000 "
                        "baud, not 17 MHz: ask for a faster one"),
])
def test_what_cannot_be_made_is_refused_with_what_can(board, asked, message):
    with pytest.raises(FirstspikeError, match=f"^{re.escape(message)}$"):
        clock_for(BOARDS[board], asked)


@pytest.mark.parametrize("asked", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_frequency(asked):
    for board in BOARDS.values():
        with pytest.raises(FirstspikeError, match=r"^the clock must be a number of MHz, not -?(nan|inf)$"):
            clock_for(board, asked)


def test_a_serial_line_that_is_too_slow_for_its_clock():
    board = dataclasses.replace(BOARDS["icebreaker"], uart_baud=7)
    message = "uart_baud must be at least 23 for a clock of 24 MHz, not 7 (board icebreaker)"
    with pytest.raises(FirstspikeError, match=f"^{re.escape(message)}$"):
        clock_for(board)
    assert clock_for(dataclasses.replace(board, uart_baud=23)).hz == 24_000_000


def test_the_fastest_clock_below_a_bound():
    board = BOARDS["icebreaker"]
    assert fastest_clock(board, 21.3e6) == 21e6
    assert clock_for(board, 21e6).hz == 21_000_000
    assert fastest_clock(board, 12e6) == 12e6
    assert fastest_clock(board, 11.9e6) is None
