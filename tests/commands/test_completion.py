"""What a shell offers, and what a mistyped name is answered with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from firstspike.boards import BOARDS
from firstspike.cli import firstspike
from firstspike.console import main_program
from firstspike.models import shipped
from firstspike.quantize.train import RECIPES


def offered(*words: str) -> list[tuple[str, str]]:
    """What is offered for the last of the words: texts and kinds."""
    complete = ShellComplete(firstspike, {}, "firstspike", "_FIRSTSPIKE_COMPLETE")
    return [(item.value, item.type) for item in complete.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize("words", [("info", ""), ("score", ""), ("build", ""), ("export", ""),
                                   ("train", "mnist-mlp", "--teacher", "")])
def test_networks_are_offered(words):
    assert offered(*words) == [(name, "plain") for name in shipped()]


def test_boards_and_recipes_and_commands_are_offered():
    assert offered("build", "x", "--board", "") == [(name, "plain") for name in BOARDS]
    assert offered("build", "x", "--board", "ice") == [("icebreaker", "plain")]
    assert offered("train", "") == [(name, "plain") for name in RECIPES]
    assert {value for value, _ in offered("")} == set(firstspike.commands)


def test_where_no_name_fits_files_are_offered():
    assert offered("info", "./mine") == [("./mine", "file")]
    assert offered("build", "x", "--board", "./mine") == [("./mine", "file")]


def test_the_line_that_the_help_gives_works_in_a_real_shell(tmp_path: Path):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = ('eval "$(_FIRSTSPIKE_COMPLETE=bash_source firstspike)" && complete -p firstspike && '
              'COMP_WORDS=(firstspike build x --board ulx) COMP_CWORD=4 && '
              '_firstspike_completion firstspike && echo "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True,
                          text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "ulx3s-85f"


@pytest.mark.parametrize(("typed", "meant"), [
    (("biuld",), "there is no command 'biuld' (did you mean 'build'?)"),
    (("train", "mnist-mpl"), "there is no command 'mnist-mpl' (did you mean 'mnist-mlp'?)"),
    (("xyzzy",), "there is no command 'xyzzy'"),
])
def test_a_mistyped_command_names_the_nearest(typed, meant, capsys):
    assert main_program(firstspike, typed) == 2
    assert f"Error: {meant}\n" in capsys.readouterr().err


def test_the_package_runs_as_a_module(tmp_path: Path):
    command = [sys.executable, "-m", "firstspike", "info", "mnist-784-128-10-onlin"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "(did you mean 'mnist-784-128-10-online'?)" in done.stderr
