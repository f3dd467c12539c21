"""``firstspike train``: what it says at the end, and where it is interrupted."""

from pathlib import Path

import numpy as np
import pytest
from firstspike.cli import firstspike
from firstspike.console import main_program
from firstspike.network import Dense, Input, Layer, Network, Spikes
from firstspike.quantize.train import Trained


@pytest.mark.parametrize("begun", [True, False])
def test_interrupted_it_tells_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str], begun: bool) -> None:
    def interrupted(recipe: str, data: Path, out: Path, **options: object) -> None:
        if begun:
            out.with_suffix(".checkpoint.pt").write_bytes(b"so far")
        raise KeyboardInterrupt

    monkeypatch.setattr("firstspike.quantize.train.train", interrupted)
    out = tmp_path / "net.safetensors"
    assert main_program(firstspike, ["train", "mnist-mlp", "--data", str(tmp_path), "-o", str(out)]) == 130
    said = " ".join(capsys.readouterr().err.split())
    assert ("net.checkpoint.pt: go on with --resume." in said) is begun and "Interrupted" in said


@pytest.mark.parametrize(("weights", "said"), [
    ([[1, -1], [1, 1]], "yes, by the event engine"),
    ([[1, 0], [1, 1]], "no: layer 'layer0' has ternary weights")])
def test_it_says_whether_there_is_hardware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str], weights, said: str) -> None:
    def trained(recipe: str, data: Path, out: Path, **options: object) -> Trained:
        Network(Input(2, 3, Spikes()), Layer(Dense(np.array(weights)), 3, threshold=1)).save(out)
        return Trained(out, (), {"test": {"accuracy": 0.5}})

    monkeypatch.setattr("firstspike.quantize.train.train", trained)
    out = tmp_path / "net.safetensors"
    assert main_program(firstspike, ["train", "mnist-mlp", "--data", str(tmp_path), "-o", str(out)]) == 0
    assert f"Hardware  {said}\n" in capsys.readouterr().out
