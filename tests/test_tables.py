"""Tables can be read in 80 columns, and are as wide as they need to be where nobody looks."""

import re
from pathlib import Path

import pytest
from firstspike.boards import BOARDS
from firstspike.console import show_table
from harness.terminals import in_a_terminal, through_a_pipe

COMMANDS = {
    "boards": ("-m", "firstspike", "boards"),
    "bench": ("-m", "bench.table"),
    "info": ("-m", "firstspike", "info", "mnist-784-128-10-online"),
}


def words(lines: list[str]) -> list[str]:
    return sorted(re.findall(r"[^\s─]+", " ".join(lines)))


@pytest.mark.parametrize("name", COMMANDS)
def test_no_word_is_broken_in_80_columns(name: str, root: Path) -> None:
    seen = in_a_terminal(*COMMANDS[name], columns=80, folder=root)
    assert max(map(len, seen)) <= 80
    whole = words(through_a_pipe(*COMMANDS[name], folder=root))
    assert set(words(seen)) <= set(whole) and len(words(seen)) >= len(whole) - 8


def test_rows_stand_one_below_the_other_where_words_would_be_broken(root: Path) -> None:
    seen = in_a_terminal(*COMMANDS["boards"], columns=80, folder=root)
    assert seen[:3] == ["icebreaker", "  Title       1BitSquared iCEBreaker", "  Device      iCE40UP5K-SG48"]
    assert [line for line in seen if not line.startswith(" ")] == list(BOARDS)


def test_cells_are_wrapped_between_words_where_that_is_enough(root: Path) -> None:
    seen = in_a_terminal(*COMMANDS["boards"], columns=100, folder=root)
    assert "LUTs" in seen[1] and max(map(len, seen)) <= 100
    assert any(line.split() == ["ASIC", "flow"] or line.split() == ["an", "ASIC", "flow"] for line in seen)


@pytest.mark.parametrize("environment", [{}, {"COLUMNS": "40"}, {"FORCE_COLOR": "1", "COLUMNS": "40"}])
def test_a_pipe_takes_a_line_for_each_row(root: Path, environment: dict[str, str]) -> None:
    lines = through_a_pipe(*COMMANDS["boards"], folder=root, **environment)
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
    rows = [line.split()[0] for line in lines if line.strip() and "─" not in line]
    assert rows == ["Board", *BOARDS]
    assert len({len(line) for line in lines}) == 1


def test_titles_groups_and_empty_tables(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("A", "B"), [("one", 1), ("", 2), ("two", 3)], title="A title wider than its table",
               numbers=(1,), grouped=True)
    show_table(("A", "B"), [])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["A title wider than its table", "", " A    B", " ──────", " one  1", "      2", "",
                     " two  3", "", "", " A  B", " ────", ""]
