"""ROM images: the same network comes back, the bits lie where the manifest says, damage is one sentence."""

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Convolution, Dense, Fires, Input, Latency, Layer, Network, Spikes
from firstspike.quantize.export.rom import MANIFEST, WORD, export_rom, read_rom
from firstspike.quantize.export.rom_text import FORMATS, read_words, write_words
from harness.strategies import ALL, networks
from hypothesis import given, settings
from hypothesis import strategies as st

WEIGHTS = "layers.0.synapses.0.weights.0.hex"
SIGNS = np.array([[1, -1, -1], [1, 1, -1]], np.int8)


def small(weights: np.ndarray = SIGNS) -> Network:
    """3 inputs, 2 neurons."""
    return Network(Input(3, 4, Latency(np.array([-1, 3, 2, 1, 0]))), [
        Layer(Dense(weights), 4, threshold=[3, 300], initial=[-1, 2])], provenance={"recipe": "none"})


@settings(max_examples=60, deadline=None)
@given(networks(ALL), st.sampled_from(sorted(FORMATS)))
def test_the_same_network_comes_back(tmp_path_factory: pytest.TempPathFactory, network: Network,
                                     form: str) -> None:
    folder = tmp_path_factory.mktemp("rom") / "x"
    export_rom(network, folder, form)
    assert read_rom(folder).digest == network.digest
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    export_rom(read_rom(folder), folder, form)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.integers(1, 9), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_words_come_back(form: str, depth: int, width: int, seed: int) -> None:
    bits = np.random.default_rng(seed).random((depth, width)) < 0.5
    assert (read_words(form, write_words(form, bits), depth, width) == bits).all()


@pytest.mark.parametrize(("form", "text"), [
    ("hex", "3\n2\n0\n"),
    ("coe", "memory_initialization_radix=16;\nmemory_initialization_vector=\n3,\n2,\n0;\n"),
    ("mif", "DEPTH = 3;\nWIDTH = 2;\nADDRESS_RADIX = HEX;\nDATA_RADIX = HEX;\nCONTENT BEGIN\n"
            "0 : 3;\n1 : 2;\n2 : 0;\nEND;\n"),
    ("mi", "#File_format=Hex\n#Address_depth=3\n#Data_width=2\n3\n2\n0\n"),
])
def test_a_sign_takes_one_bit(form: str, text: str, tmp_path: Path) -> None:
    memories = export_rom(small(), tmp_path / "x", form)
    assert (tmp_path / "x" / f"layers.0.synapses.0.weights.0.{form}").read_text() == text
    weights = next(memory for memory in memories if memory.name.endswith("weights"))
    assert (weights.depth, weights.fields, weights.bits, weights.signed) == (3, 2, 1, False)


@pytest.mark.parametrize(("weights", "bits", "text"), [
    ([[1, -1, 0], [1, 1, -1]], 2, "5\n7\nC\n"),
    ([[3, -4, 0], [1, 2, -1]], 3, "0B\n14\n38\n"),
    ([[127, -128, 0], [1, 2, -1]], 8, "017F\n0280\nFF00\n"),
])
def test_other_weights_are_twos_complement(weights: list[list[int]], bits: int, text: str,
                                           tmp_path: Path) -> None:
    memories = export_rom(small(np.array(weights, np.int8)), tmp_path / "x")
    assert (tmp_path / "x" / "layers.0.synapses.0.weights.0.hex").read_text() == text
    assert next(memory.bits for memory in memories if memory.name.endswith("weights")) == bits
    assert read_rom(tmp_path / "x").digest == small(np.array(weights, np.int8)).digest


def test_numbers_are_one_a_word(tmp_path: Path) -> None:
    export_rom(small(), tmp_path / "x")
    assert (tmp_path / "x" / "layers.0.threshold.0.hex").read_text() == "003\n12C\n"
    assert (tmp_path / "x" / "layers.0.initial.0.hex").read_text() == "7\n2\n"
    assert (tmp_path / "x" / "input.table.0.hex").read_text() == "7\n3\n2\n1\n0\n"


def test_a_convolution_has_a_word_for_each_tap(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights = rng.choice([-1, 1], (5, 2, 3, 3)).astype(np.int8)
    network = Network(Input(128, 2, Spikes(), shape=(2, 8, 8)), [
        Layer(Convolution(weights, (2, 8, 8)), 2, threshold=4, fires=Fires.ONCE)])
    export_rom(network, tmp_path / "x")
    words = (tmp_path / "x" / "layers.0.synapses.0.weights.0.hex").read_text().split()
    assert len(words) == 2 * 3 * 3
    assert int(words[9 + 3 + 2], 16) == sum(1 << out for out in range(5) if weights[out, 1, 1, 2] > 0)
    assert read_rom(tmp_path / "x").digest == network.digest


def test_wide_words_are_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights = rng.integers(-3, 4, (700, 3)).astype(np.int8)
    network = Network(Input(3, 2, Spikes()), [Layer(Dense(weights), 2, threshold=4)])
    memories = [memory for memory in export_rom(network, tmp_path / "x") if memory.name.endswith("weights")]
    assert [memory.fields for memory in memories] == [341, 341, 18]
    assert all(memory.width <= WORD for memory in memories)
    assert read_rom(tmp_path / "x").digest == network.digest


def test_manifest_names_every_file(tmp_path: Path) -> None:
    export_rom(small(), tmp_path / "x", "mif")
    manifest = json.loads((tmp_path / "x" / MANIFEST).read_text())
    for memory in manifest["memories"]:
        assert sha256((tmp_path / "x" / memory["file"]).read_bytes()).hexdigest() == memory["sha256"]
    assert {memory["file"] for memory in manifest["memories"]} | {MANIFEST} == {
        path.name for path in (tmp_path / "x").iterdir()}
    assert manifest["network"]["digest"] == small().digest


def test_verilog_reads_the_hex_files(tmp_path: Path, icarus: str) -> None:
    rng = np.random.default_rng(1)
    weights = rng.choice([-1, 1], (37, 20)).astype(np.int8)
    export_rom(Network(Input(20, 2, Spikes()), [Layer(Dense(weights), 2, threshold=4)]), tmp_path / "x")
    (tmp_path / "t.v").write_text(f"""
        module t;
          reg [36:0] rom [0:19]; integer i;
          initial begin
            $readmemh("{tmp_path}/x/{WEIGHTS}", rom);
            for (i = 0; i < 20; i = i + 1) $display("%b", rom[i]);
          end
        endmodule""")
    subprocess.run([icarus, "-o", tmp_path / "t", tmp_path / "t.v"], check=True)
    printed = subprocess.run([Path(icarus).with_name("vvp"), tmp_path / "t"], check=True, text=True,
                             capture_output=True).stdout.split()
    read = np.array([[digit == "1" for digit in reversed(line)] for line in printed])
    np.testing.assert_array_equal(read.T, weights > 0)


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "precious.txt").write_text("kept")
    with pytest.raises(FirstspikeError, match="x is there and holds no ROM images"):
        export_rom(small(), tmp_path / "x")
    assert (tmp_path / "x" / "precious.txt").read_text() == "kept"
    with pytest.raises(ValueError, match="format must be one of"):
        export_rom(small(), tmp_path / "y", "bin")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def change(folder: Path, name: str, edit) -> None:
    """Edit a file, and set its hash in the manifest right."""
    text = edit((folder / name).read_text())
    (folder / name).write_text(text)
    manifest = json.loads((folder / MANIFEST).read_text())
    for memory in manifest["memories"]:
        if memory["file"] == name:
            memory["sha256"] = sha256(text.encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(("damage", "sentence"), [
    (lambda folder: (folder / WEIGHTS).unlink(), "weights.0.hex cannot be read"),
    (lambda folder: (folder / WEIGHTS).write_text("3\n2\n1\n"), "weights.0.hex was changed or damaged"),
    (lambda folder: change(folder, WEIGHTS, lambda text: "3\n2\n"), "it holds 2 words and not 3"),
    (lambda folder: change(folder, WEIGHTS, lambda text: "3\n2\n8\n"), "a word has more than 2 bits"),
    (lambda folder: change(folder, WEIGHTS, lambda text: "3\nx\n0\n"), "word 1 is not of 1 hexadecimal"),
    (lambda folder: change(folder, WEIGHTS, lambda text: "3\n2\n1\n"), "'digest' does not match"),
    (lambda folder: (folder / WEIGHTS).write_text("3" * 9999), "is larger than it can be"),
    (lambda folder: (folder / MANIFEST).unlink(), "manifest.json cannot be read"),
    (lambda folder: (folder / MANIFEST).write_text("{"), "manifest.json is no JSON"),
    (lambda folder: (folder / MANIFEST).write_text("[]"), "manifest.json must be a JSON object"),
    (lambda folder: (folder / MANIFEST).write_text('{"version": NaN}'), "holds NaN"),
    (lambda folder: shutil.rmtree(folder), "manifest.json cannot be read"),
])
def test_damage_is_one_sentence(damage, sentence: str, tmp_path: Path) -> None:
    export_rom(small(), tmp_path / "x")
    damage(tmp_path / "x")
    with pytest.raises(FirstspikeError) as caught:
        read_rom(tmp_path / "x")
    assert sentence in str(caught.value) and "\n" not in str(caught.value)
    assert "write them again with firstspike export" in str(caught.value)


@pytest.mark.parametrize("edit", [
    lambda manifest: manifest["memories"][0].update(file="../../etc/passwd"),
    lambda manifest: manifest["memories"][0].update(name="../x", file="../x.0.hex"),
    lambda manifest: manifest["memories"][0].update(depth=1 << 60),
    lambda manifest: manifest["memories"].pop(0),
    lambda manifest: manifest["memories"].append(manifest["memories"][0]),
    lambda manifest: manifest["network"].update(layers=[[]]),
    lambda manifest: manifest["network"].update(layers=[{"synapses": [[]]}]),
    lambda manifest: manifest["network"].pop("layers"),
    lambda manifest: manifest.update(more=1),
    lambda manifest: manifest.update(network=7),
])
def test_manifests_of_others_are_refused(edit, tmp_path: Path) -> None:
    export_rom(small(), tmp_path / "x")
    path = tmp_path / "x" / MANIFEST
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(FirstspikeError, match="holds no sound ROM images"):
        read_rom(tmp_path / "x")


def test_newer_versions_are_refused_by_name(tmp_path: Path) -> None:
    export_rom(small(), tmp_path / "x")
    path = tmp_path / "x" / MANIFEST
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"version": 2}))
    with pytest.raises(FirstspikeError, match=r"is of a newer version; update firstspike"):
        read_rom(tmp_path / "x")
