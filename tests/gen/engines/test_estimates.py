"""The record of estimates beside the truth is the present code's, and the documents say what it says."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from firstspike.bench.estimates import BOARD_NAMES, error_rows, errors, estimated
from firstspike.boards import BOARDS
from firstspike.boards.families import FAMILIES

ROOT = Path(__file__).resolve().parents[3]
RECORD = json.loads((ROOT / "bench" / "results" / "estimates.json").read_text())
ENTRIES = RECORD["details"]["entries"]
FIGURES = {figure["figure"]: figure["value"] for figure in RECORD["figures"]}


def test_there_is_a_record_of_every_board():
    measured = [entry for entry in ENTRIES if entry["estimate"]]
    assert {entry["board"] for entry in measured} == set(BOARD_NAMES)
    assert all(entry["truth"]["luts"] > 0 and entry["truth"]["ffs"] > 0 for entry in measured)


@pytest.mark.parametrize("board", BOARD_NAMES)
def test_the_present_code_gives_the_recorded_estimates(board):
    recorded = {entry["name"]: entry["estimate"] for entry in ENTRIES
                if entry["board"] == board and entry["estimate"]}
    present = {piece.name: asdict(piece.estimate) for piece in estimated(board) if piece.estimate}
    assert {name: present[name] for name in recorded} == recorded


def test_the_figures_are_those_of_the_entries():
    assert all(FIGURES[figure.figure] == figure.value for figure in errors(ENTRIES))


def test_the_documents_state_the_errors():
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert [row for row in error_rows(ENTRIES) if row not in text] == []


def test_the_fastest_clock_of_a_family_is_what_was_measured():
    """In the results of the benches, rounded down to 100 kHz; the same family of board and of fabric."""
    def of(name: str, start: str) -> float:
        figures = json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text())["figures"]
        return max(figure["value"] for figure in figures if figure["figure"].startswith(start))

    measured = {"ulx3s-85f": of("mnist_ulx3s", "Fmax"), "icebreaker": of("mnist_icebreaker", "Fmax"),
                "tang-nano-9k": of("estimates", "Fmax")}
    assert {board: FAMILIES[BOARDS[board].family].fabric.fastest_hz for board in measured} == {
        board: int(megahertz * 10) * 100_000 for board, megahertz in measured.items()}
