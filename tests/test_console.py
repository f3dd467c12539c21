"""What a file says is printed as text: it moves no cursor, changes no colour and makes no line of its own."""

import dataclasses

import click
import numpy as np
import pytest
from firstspike import console
from firstspike.boards import BOARDS
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


def test_where_nobody_looks_each_stage_has_a_line(capsys):
    """And what a program at work says that it does has none."""
    with console.working("Building x") as stage:
        for text in ("check", "check", "prepare Yosys for this machine, which takes minutes, but only once",
                     "synthesise the core", "synthesise the core: PROC", "synthesise the core: ABC", HOSTILE):
            stage(text)
    assert capsys.readouterr().err.splitlines() == [
        "Building x ...", "Building x: check ...",
        "Building x: prepare Yosys for this machine, which takes minutes, but only once ...",
        "Building x: synthesise the core ...", f"Building x: {SHOWN} ..."]


@pytest.mark.parametrize("arguments", [
    ("info", HOSTILE), ("build", HOSTILE, "--board", "generic", "-o", "b"),
    ("verify", HOSTILE, "--images", "x"),
    ("build", "net.safetensors", "--board", HOSTILE, "-o", "b"), ("report", HOSTILE), ("synth", HOSTILE),
    ("build", "net.safetensors", "--board", HOSTILE + ".py", "-o", "b"), ("compare", HOSTILE, HOSTILE),
    ("score", "net.safetensors", "--images", HOSTILE), ("import", HOSTILE, "-o", "x.safetensors"),
    ("convert", HOSTILE, "--model", HOSTILE, "--to", "relu", "--calibrate", HOSTILE, "-o", "x.safetensors"),
    ("train", "mnist-mlp", "--data", HOSTILE, "-o", "x.safetensors"), ("train", HOSTILE), (HOSTILE,),
    ("info", "--" + HOSTILE), ("build", "net.safetensors", "--aim", HOSTILE, "--board", "generic", "-o", "b"),
])
def test_names_that_are_typed_or_found_reach_no_terminal_raw(arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Network(Input(3, 2, Spikes()), Layer(Dense(np.ones((2, 3), int)), 2, threshold=1)).save("net.safetensors")
    assert console.main_program(firstspike, arguments) == 2
    shown_as_text("".join(capsys.readouterr()))


def test_files_and_boards_of_hostile_names_are_shown_as_text(tmp_path, capsys, monkeypatch):
    """What is there and works is shown so too: a network, a build, a board of one's own."""
    monkeypatch.chdir(tmp_path)
    name = HOSTILE.replace("/", "")
    network = Network(Input(3, 2, Spikes()), Layer(Dense(np.ones((2, 3), int)), 2, threshold=1))
    network.save(name + ".safetensors")
    board = dataclasses.replace(BOARDS["generic"], name="of-mine")
    monkeypatch.setitem(BOARDS, HOSTILE, board)
    for arguments in (("boards",), ("build", name + ".safetensors", "--board", HOSTILE, "-o", name),
                      ("report", name), ("compare", name, name, "--all")):
        assert console.main_program(firstspike, arguments) == 0
        shown_as_text("".join(capsys.readouterr()), named=arguments[0] != "boards")
    with pytest.raises(ValueError, match="printable characters"):
        dataclasses.replace(board, title=HOSTILE)


def shown_as_text(printed: str, named: bool = True) -> None:
    """Nothing in it acts on a terminal, no line of it is the name's own, and the name is there."""
    assert all(character.isprintable() for character in printed.replace("\n", ""))
    assert not any(line.strip().startswith("Bit-exact") for line in printed.splitlines())
    assert not named or "Bit-exact" in printed
