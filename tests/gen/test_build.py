"""Build folders: complete, reproducible, checked when read back, and never half-written."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.gen import build as build_module
from firstspike.gen.build import build, open_build
from firstspike.network import Dense, Input, Latency, Layer, Network

HOSTILE = "x]; endmodule /* \\ \" ' \n module é 名"


def network(name="hidden"):
    rng = np.random.default_rng(5)

    def signs(*shape):
        return rng.choice(np.array([-1, 1], np.int8), shape)
    mask = np.arange(70) % 7 != 3
    return Network(
        Input(70, 4, Latency([-1, 3, 2, 1, 0]), mask=mask),
        [Layer(Dense(signs(40, 70)), 4, threshold=2, name=name), Layer(Dense(signs(6, 40)), 4, threshold=2)])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return build(network(), "generic", tmp_path_factory.mktemp("build") / "net")


def test_the_folder_is_complete(made):
    for name in ("manifest.json", "network.safetensors", "plan.json", "rtl/top.v", "rtl/top.json",
                 "rtl/rom/layer_0_column_0.hex", "rtl/rom/layer_1_column_0.hex"):
        assert (made.path / name).is_file(), name
    assert made.manifest["network"] == network().digest


def test_it_reads_back(made):
    again = open_build(made.path)
    assert again.plan == made.plan and again.top == made.top and again.manifest == made.manifest
    assert again.network.digest == made.network.digest


def test_rom_files_hold_the_weights(made):
    for entry in made.manifest["roms"]:
        layer = made.network.layers[entry["layer"]]
        weights = layer.synapses[0].weights
        if entry["layer"] == 0:
            weights = weights[:, made.network.input.used]
        rows = [int(line, 16) for line in (made.path / entry["file"]).read_text().split()]
        assert len(rows) == entry["rows"] == weights.shape[1] * entry["folds"]
        for neuron in range(entry["neurons"]):
            lane, fold = divmod(neuron, entry["folds"])
            bits = [row >> lane & 1 for row in rows[fold::entry["folds"]]]
            assert (np.array(bits) * 2 - 1 == weights[entry["first"] + neuron]).all()


def test_the_verilog_holds_the_same_roms(made):
    text = made.verilog.read_text()
    memories = [{int(i): int(value, 2 if base == "b" else 16) for i, base, value in
                 re.findall(r"\[(\d+)\] = \d+'([bh])([0-9a-f]+);", block)}
                for block in re.findall(r"initial begin\n(.*?)end\n", text, re.S)]
    for entry in made.manifest["roms"]:
        rows = [int(line, 16) for line in (made.path / entry["file"]).read_text().split()]
        assert dict(enumerate(rows)) in memories, entry["file"]


def test_the_same_bytes_whatever_the_hash_seed(tmp_path):
    network().save(tmp_path / "n.safetensors")
    code = ("import sys, firstspike.gen.build as b, firstspike.network.network_file as f;"
            "b.build(f.load('n.safetensors'), 'generic', sys.argv[1])")
    hashes = []
    for seed in ("0", "1"):
        subprocess.run([sys.executable, "-c", code, f"b{seed}"], cwd=tmp_path, check=True,
                       env=os.environ | {"PYTHONHASHSEED": seed})
        files = sorted(p for p in (tmp_path / f"b{seed}").rglob("*") if p.is_file())
        hashes.append({str(p.relative_to(tmp_path / f"b{seed}")): p.read_bytes() for p in files})
    assert hashes[0].keys() == hashes[1].keys()
    assert [name for name in hashes[0] if hashes[0][name] != hashes[1][name]] == []


def test_names_from_a_file_never_reach_the_verilog(made, tmp_path):
    hostile = build(network(HOSTILE), "generic", tmp_path / "h")
    assert hostile.verilog.read_text() == made.verilog.read_text()
    assert hostile.top["layers"][0]["name"] == HOSTILE


@pytest.mark.parametrize("name", [
    "rtl/top.v", "plan.json", "network.safetensors", "rtl/rom/layer_0_column_0.hex"])
def test_a_changed_file_is_noticed(tmp_path, name):
    path = build(network(), "generic", tmp_path / "b").path
    (path / name).write_bytes((path / name).read_bytes() + b" ")
    with pytest.raises(FirstspikeError, match="was changed after it was built"):
        open_build(path)


def test_what_is_no_build_is_refused_and_left_alone(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("all my work")
    with pytest.raises(FirstspikeError, match="is no build folder"):
        build(network(), "generic", precious)
    assert (precious / "thesis.tex").read_text() == "all my work"
    with pytest.raises(FirstspikeError, match=r"manifest\.json is missing"):
        open_build(precious)


@pytest.mark.parametrize("change", [
    {"format": 1}, {"files": {"../../etc/passwd": "0"}}, {"files": 3}, {"files": {"plan.json": None}}])
def test_a_damaged_manifest_is_refused(tmp_path, change):
    path = build(network(), "generic", tmp_path / "b").path
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | change))
    with pytest.raises(FirstspikeError, match="build it again"):
        open_build(path)


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(build_module, "write_roms", full)
    with pytest.raises(FirstspikeError, match="No space left on device"):
        build(network(), "generic", tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_the_old_build(tmp_path, monkeypatch):
    old = build(network(), "generic", tmp_path / "b")

    def interrupt(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(build_module, "write_roms", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(network(), "generic", tmp_path / "b")
    assert open_build(old.path).manifest == old.manifest
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_residual_layers_are_refused_by_name(tmp_path):
    rng = np.random.default_rng(2)

    def signs(*shape):
        return rng.choice(np.array([-1, 1], np.int8), shape)
    residual = Network(Input(5, 4, Latency([-1, 3, 2, 1, 0])), [
        Layer(Dense(signs(4, 5)), 4, threshold=1, name="one"),
        Layer([Dense(signs(3, 4)), Dense(signs(3, 5), source="input")], 4, threshold=1, name="both")])
    with pytest.raises(FirstspikeError, match="layer 'both' listens to 'one', 'input'"):
        build(residual, "generic", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_build_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path, monkeypatch):
    out, rename = tmp_path / "out", Path.rename
    before = build(network(), "generic", out).manifest

    def failing(path, target):
        if Path(target) == out and path.parent == tmp_path:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(FirstspikeError, match="No space left"):
        build(network(), "generic", out, early_stop=False)
    assert open_build(out).manifest == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
