"""The network file: the same bytes each time, back whole, and nothing but a network is taken for one."""

import errno
import hashlib
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from firstspike import models
from firstspike.errors import FirstspikeError
from firstspike.network import Convolution, Dense, Input, Latency, Layer, Network, Readout, Spikes
from firstspike.network.file import writing
from firstspike.network.file.reading import load
from harness.network_files import same, small, taken_apart
from harness.strategies import ALL, networks, random_network
from hypothesis import given, settings


@settings(deadline=None, max_examples=200)
@given(networks() | networks(ALL))
def test_comes_back_whole(tmp_path_factory, network):
    path = tmp_path_factory.mktemp("files") / "x.safetensors"
    network.save(path)
    assert same(network, load(path)) and same(network, load(str(path)))


def test_comes_back_whole_with_all_kinds_of_values(file):
    assert same(small(), load(file))


def test_a_synapse_is_a_bit(tmp_path):
    weights = np.random.default_rng(0).choice([-1, 1], (600, 784))
    Network(Input(784, 16, Spikes()), Layer(Dense(weights), 16, threshold=25)).save(tmp_path / "x")
    tensors, _ = taken_apart(tmp_path / "x")
    assert tensors["layers.0.synapses.0.signs"].nbytes == 600 * 784 // 8
    assert (tmp_path / "x").stat().st_size < 600 * 784 // 8 + 8_000


def test_dense_signs_have_the_same_file_as_ever(file):
    """What the first version wrote, before there were convolutions: to the last bit."""
    assert hashlib.sha256(file.read_bytes()).hexdigest() == (
        "d0b412a7bad0de93bc4de52c94103bc7e4cf36d4a736f8f9e06feff32ed8528c")
    rng = np.random.default_rng(1)
    digests = "".join(random_network(rng).digest for _ in range(100))
    assert hashlib.sha256(digests.encode()).hexdigest() == (
        "4e16fae536acf8c2e5c9070c15d5bece3c606c2fd3dabf341c0b70b553da0367")


@pytest.mark.parametrize("path", sorted(Path(models.__file__).parent.glob("*.safetensors")),
                         ids=lambda path: path.stem)
def test_shipped_networks_come_back_to_the_last_byte(tmp_path, path):
    load(path).save(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == path.read_bytes()


def test_same_bytes_in_any_process(file, tmp_path):
    program = ("import sys; from firstspike.network.file.reading import load; "
               "network = load(sys.argv[1]); network.save(sys.argv[2]); print(network.digest)")
    for seed in ("0", "1", "77"):
        copy = tmp_path / seed
        done = subprocess.run([sys.executable, "-c", program, file, copy], capture_output=True, text=True,
                              check=True, env=os.environ | {"PYTHONHASHSEED": seed})
        assert done.stdout.strip() == small().digest
        assert copy.read_bytes() == file.read_bytes()


def test_can_be_read_without_any_library(file):
    """The format is what docs/network-format.md says: sizes, bits and digest, by the standard library."""
    data = file.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    about = json.loads(header.pop("__metadata__")["firstspike"])
    arrays = {name: data[8 + length:][slice(*entry["data_offsets"])] for name, entry in header.items()}

    said = about.pop("digest")
    parts = [json.dumps(about, sort_keys=True, separators=(",", ":")).encode()]
    for name in sorted(header):
        entry = [name, header[name]["dtype"], header[name]["shape"]]
        parts += [json.dumps(entry, separators=(",", ":")).encode(), arrays[name]]
    assert hashlib.sha256(b"".join(struct.pack("<Q", len(part)) + part for part in parts)).hexdigest() == said

    network = small()
    for n, layer in enumerate(network.layers):
        packed = arrays[f"layers.{n}.synapses.0.signs"]
        weights = layer.synapses[0].weights.ravel().tolist()
        assert [2 * (packed[i // 8] >> 7 - i % 8 & 1) - 1 for i in range(len(weights))] == weights
        assert header[f"layers.{n}.synapses.0.kernel"]["dtype"] == "I8"
    assert header["layers.0.threshold"]["dtype"] == "I16" and header["layers.1.threshold"]["dtype"] == "I32"
    assert struct.unpack("<3i", arrays["layers.1.threshold"]) == (1, 2, 70_000)
    assert [layer["name"] for layer in about["layers"]] == ["größer ]; endmodule", "layer1"]


def test_every_number_counts_in_the_digest():
    rng = np.random.default_rng(1)
    digests = {random_network(rng).digest for _ in range(200)}
    base = small()
    digests |= {Network(base.input, base.layers, readout, notes, base.calibration).digest
                for readout in (Readout.FIRST_SPIKE, Readout.COUNT) for notes in ({}, {"a": 1}, {"a": 1.5})}
    assert len(digests) == 206


def test_save_says_what_is_in_the_way(tmp_path):
    with pytest.raises(FirstspikeError, match="No such file or directory; free some space or choose another"):
        small().save(tmp_path / "nowhere" / "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FirstspikeError, match="cannot be written"):
        small().save(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_save_leaves_the_old_file(file, monkeypatch, failure):
    before = file.read_bytes()

    def fail(descriptor):
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    other = Network(Input(3, 2, Spikes()), Layer(Dense(np.ones((2, 3), int)), 2, threshold=1))
    with pytest.raises((KeyboardInterrupt, FirstspikeError)) as refused:
        other.save(file)
    assert isinstance(refused.value, KeyboardInterrupt) == isinstance(failure, KeyboardInterrupt)
    if isinstance(failure, OSError):
        assert str(refused.value) == (f"{file} cannot be written: No space left on device; "
                                      "free some space or choose another place")
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_value_per_channel_is_written_in_one_piece(tmp_path):
    """Numbers that fit no narrower type, one for each channel, are a strided view before they are written."""
    convolution = Convolution(np.ones((2, 1, 2, 2), int), (1, 3, 3))
    network = Network(Input(9, 4, Latency([-1, 3, 2, 1, 0]), shape=(1, 3, 3)),
                      [Layer(convolution, 4, threshold=[1 << 31, 1 << 32])])
    network.save(tmp_path / "b.safetensors")
    assert same(network, load(tmp_path / "b.safetensors"))


def test_what_does_not_come_back_takes_no_place(file, monkeypatch):
    before = file.read_bytes()
    encode = writing.encode

    def spoilt(tensors, about):
        data = bytearray(encode(tensors, about))
        data[-1] ^= 1
        return bytes(data)

    monkeypatch.setattr(writing, "encode", spoilt)
    other = Network(Input(3, 2, Spikes()), Layer(Dense(np.ones((2, 3), int)), 2, threshold=1))
    with pytest.raises(FirstspikeError, match="does not come back as it was written, and what was there is"):
        other.save(file)
    assert file.read_bytes() == before and list(file.parent.iterdir()) == [file]
