"""Images on the command line: negatives are told, and turned with --invert."""

import json
from pathlib import Path

import numpy as np
import pytest
from firstspike.cli import firstspike
from firstspike.console import main_program
from firstspike.models import DEMO_IMAGES

NET = "mnist-784-128-10-windowed"


@pytest.fixture
def negatives(tmp_path: Path) -> Path:
    """The demo images with dark and bright exchanged, and their labels."""
    with np.load(DEMO_IMAGES, allow_pickle=False) as demo:
        np.savez(tmp_path / "x.npz", images=255 - demo["images"], labels=demo["labels"])
    return tmp_path / "x.npz"


def test_score_tells_of_negatives_and_turns_them(negatives: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def score(*more: str) -> tuple[int, str]:
        assert main_program(firstspike, ["score", NET, "--images", str(negatives), "--json", *more]) == 0
        told = capsys.readouterr()
        return json.loads(told.out)["correct"], told.err

    right, said = score()
    assert right < 32 and f"Note: {str(negatives)!r} looks like the negative of what the network" in said
    right, said = score("--invert")
    assert right >= 60 and "Note:" not in said
    assert main_program(firstspike, ["score", NET, "--images", str(DEMO_IMAGES), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["correct"] == right


@pytest.mark.parametrize("command", ["score", "verify", "run", "report"])
def test_every_command_that_takes_images_for_a_network_has_it(command: str,
                                                              capsys: pytest.CaptureFixture[str]) -> None:
    assert main_program(firstspike, [command, "--help"]) == 0
    assert "--invert" in capsys.readouterr().out
