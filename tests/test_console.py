"""What a file says is printed as text: it moves no cursor, changes no colour and makes no line of its own."""

import click
import numpy as np
import pytest
from firstspike import console
from firstspike.cli import firstspike
from firstspike.network import Dense, Input, Layer, Network, Spikes

HOSTILE = "\x1b[2J\x1b[31m\nBit-exact\r\x9b1A\u202e"
SHOWN = r"\x1b[2J\x1b[31m\nBit-exact\r\x9b1A\u202e"


@pytest.mark.parametrize("show", [
    lambda: console.say(HOSTILE),
    lambda: console.show_table([HOSTILE], [[HOSTILE]], title=HOSTILE),
    lambda: console.show_pairs({HOSTILE: HOSTILE}, HOSTILE),
    lambda: console.working(HOSTILE).__enter__(),
    lambda: console.counting(HOSTILE).__enter__()(0, 1),
])
def test_text_is_taken_literally(show, capsys):
    show()
    printed = "".join(capsys.readouterr())
    assert "Bit-exact" in printed.replace("\n", "")
    for character in set(HOSTILE) - set("\n"):
        assert character.isprintable() or character not in printed
    assert not any(line.strip().startswith("Bit-exact") for line in printed.splitlines())


def test_info_prints_no_line_of_the_file_s(tmp_path, capsys):
    Network(Input(3, 2, Spikes()), Layer(Dense(np.ones((2, 3), int)), 2, threshold=1),
            provenance={"recipe": HOSTILE, "data": HOSTILE, HOSTILE: HOSTILE}).save(tmp_path / "x")
    assert console.main_program(firstspike, ["info", str(tmp_path / "x")]) == 0
    printed = "".join(capsys.readouterr())
    assert "\x1b" not in printed and not any(line.strip().startswith("Bit-exact")
                                             for line in printed.splitlines())


def test_an_error_of_click_and_of_the_system_is_printable(tmp_path, capsys):
    @click.command()
    def broken():
        raise OSError(5, "Input/output error", HOSTILE)

    assert console.main_program(broken, []) == 2
    assert SHOWN in capsys.readouterr().err.replace("\n", "")
