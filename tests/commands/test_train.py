"""``firstspike train``: what it says where it is interrupted."""

from pathlib import Path

import pytest
from firstspike.cli import firstspike
from firstspike.console import main_program


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
