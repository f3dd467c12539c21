"""``firstspike import`` and ``firstspike export``: what they print, write and refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

nir = pytest.importorskip("nir", reason="nir is not installed (pip install -e '.[import]')")

import firstspike as fs  # noqa: E402
from firstspike.cli import firstspike  # noqa: E402
from firstspike.console import main_program  # noqa: E402


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with NIR files and images."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)

    def neuron(size: int):
        return nir.IF(np.ones(size), np.full(size, 1.5), np.zeros(size))

    weights = rng.integers(-2, 3, (6, 8)).astype(float), rng.integers(-2, 3, (3, 6)).astype(float)
    nir.write("exact.nir", nir.NIRGraph.from_list(
        nir.Linear(weights[0]), neuron(6), nir.Linear(weights[1]), neuron(3)))
    nir.write("real.nir", nir.NIRGraph.from_list(
        nir.Linear(rng.normal(size=(6, 8))), neuron(6), nir.Linear(rng.normal(size=(3, 6))), neuron(3)))
    np.savez("images.npz", images=rng.random((40, 5, 8)) < 0.4, labels=rng.integers(0, 3, 40))
    np.save("levels.npy", rng.integers(0, 256, (20, 8)))
    return tmp_path


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    """Run the command line in this process: (exit code, stdout, stderr)."""
    def run(*args: str) -> tuple[int, str, str]:
        code = main_program(firstspike, args)
        said = capsys.readouterr()
        return code, said.out, said.err
    return run


def test_an_exact_import(place: Path, call) -> None:
    code, text, _ = call("import", "exact.nir", "-o", "net.safetensors", "--steps", "5")
    assert code == 0 and "Exact: every spike as in the file." in text and "if (IF)" in text
    network = fs.load("net.safetensors")
    assert network.digest == fs.import_nir("exact.nir", steps=5).network.digest
    code, out, _ = call("import", "exact.nir", "-o", "net.safetensors", "--steps", "5", "--json",
                        "--calibrate", "images.npz")
    told = json.loads(out)
    assert code == 0 and told["exact"]
    assert told["measured"]["changed"] == 0 and told["measured"]["images"] == 40
    assert told["digest"] == fs.load("net.safetensors").digest
    assert told["hardware"].startswith("no: layer 'if' has integer weights of 3 bits; ")
    assert "Hardware  no: layer 'if' has integer weights of 3 bits" in text


def test_a_loss_above_the_bound_is_loud(place: Path, call) -> None:
    rounded = ("import", "real.nir", "-o", "net.safetensors", "--steps", "5", "--weights", "sign")
    code, out, _ = call(*rounded)
    assert code == 1 and "What rounding lost is not known: give --calibrate DATA" in out
    code, out, _ = call(*rounded, "--accept-loss")
    assert code == 0 and "not known" in out
    np.savez("before.npz", **dict(np.load("images.npz")) | {"labels": stated_labels()})
    code, out, _ = call(*rounded, "--calibrate", "before.npz")
    assert code == 1 and "Rounding lost" in out and "1.00% was the bound" in out and "100.00% before" in out
    code, out, _ = call(*rounded, "--calibrate", "before.npz", "--accept-loss")
    assert code == 0 and "Rounding lost" in out
    code, out, _ = call(*rounded, "--calibrate", "before.npz", "--bound", "100")
    assert code == 0 and "Rounding lost" not in out
    code, out, _ = call("import", "real.nir", "-o", "net.safetensors", "--steps", "5", "--calibrate",
                        "before.npz", "--count", "30", "--bound", "10")
    assert code == 0 and "of 30 images" in out


def stated_labels() -> np.ndarray:
    """The classes that the network gives before it is rounded."""
    from firstspike.network import batched
    from firstspike.quantize.importers.finest import finest
    before = finest(fs.import_nir("real.nir", steps=5).origin)
    assert before is not None
    with np.load("images.npz") as data:
        return batched.run(before, data["images"]).label


@pytest.mark.parametrize("encoding", ["direct", "bits", "latency", "spikes"])
def test_encodings(encoding: str, place: Path, call) -> None:
    code, _, _ = call("import", "exact.nir", "-o", "net.safetensors", "--steps", "8", "--encoding", encoding,
                      "--level", "1/255")
    assert code == 0
    heard = fs.load("net.safetensors").input
    assert type(heard.encoding).__name__.lower() == encoding and heard.window == 8
    code, out, _ = call("info", "net.safetensors")
    assert code == 0 and "8 inputs over 8 steps" in out


def test_options_reach_the_import(place: Path, call) -> None:
    code, _, _ = call("import", "exact.nir", "-o", "net.safetensors", "--steps", "5", "--reset", "subtract",
                      "--readout", "first_spike")
    network = fs.load("net.safetensors")
    assert code == 0 and network.layers[0].reset == "subtract" and network.readout == "first_spike"


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("import", "nothing.nir", "-o", "x.safetensors", "--steps", "4"), "there is no NIR file nothing.nir"),
    (("import", "exact.nir", "-o", "x.safetensors"), "exact.nir: steps must be given (--steps of the"),
    (("import", "exact.nir", "-o", "x.zip", "--steps", "4"), "must end in .safetensors"),
    (("import", "exact.nir", "-o", "no/x.safetensors", "--steps", "4"), "there is no folder no"),
    (("import", "images.npz", "-o", "x.safetensors", "--steps", "4"), "cannot be read as a NIR file"),
    (("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--readout", "potential"),
     "readout must be 'count' or 'first_spike'"),
    (("export", "mnist-784-600-10-online", "--nir", "x.nir"), "NIR cannot say the network: layer layer0: it"),
    (("export", "nothing.safetensors", "--rom", "hex", "-o", "rom"), "there is no network file"),
])
def test_what_is_wrong_is_one_sentence(arguments: tuple[str, ...], sentence: str, place: Path, call) -> None:
    before = sorted(path.name for path in place.iterdir())
    code, out, err = call(*arguments)
    lines = [line for line in err.splitlines() if not line.endswith("...")]
    assert code == 2 and out == "" and len(lines) == 1 and sentence in lines[0]
    assert sorted(path.name for path in place.iterdir()) == before


def test_bad_arguments_are_refused(place: Path, call) -> None:
    for arguments in (("import", "exact.nir", "-o", "x.safetensors", "--encoding", "direct"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "0"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--level", "1/0"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--level", "0"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--level", "1e400"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--dt", "inf"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--dt", "nan"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--dt", "0"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--bound", "nan"),
                      ("import", "exact.nir", "-o", "x.safetensors", "--steps", "4", "--encoding", "direct",
                       "--levels", "99999999999"),
                      ("export", "x.safetensors"), ("export", "x.safetensors", "--rom", "hex"),
                      ("export", "x.safetensors", "--rom", "hex", "-o", "rom", "--nir", "x.nir"),
                      ("export", "x.safetensors", "--nir", "x.nir", "-o", "rom")):
        code, _, err = call(*arguments)
        assert code == 2 and "Error: " in err and "Traceback" not in err


def test_export_and_back(place: Path, call) -> None:
    assert call("import", "exact.nir", "-o", "net.safetensors", "--steps", "5")[0] == 0
    digest = fs.load("net.safetensors").digest
    code, out, _ = call("export", "net.safetensors", "--nir", "again.nir")
    assert code == 0 and "again.nir" in out
    assert fs.import_nir("again.nir").network.digest == digest
    code, out, _ = call("export", "net.safetensors", "--nir", "again.nir", "--json")
    assert code == 0 and json.loads(out) == {"path": "again.nir", "digest": digest}
    code, out, _ = call("export", "net.safetensors", "--rom", "mif", "-o", "rom")
    assert code == 0 and "of them weights" in out and fs.read_rom("rom").digest == digest
    code, out, _ = call("export", "net.safetensors", "--rom", "mi", "-o", "rom", "--json")
    assert code == 0 and json.loads(out)["digest"] == digest == fs.read_rom("rom").digest
