"""Network files that are damaged, hostile or of another time are refused in one sentence."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from firstspike.network.file.format import FILE_LIMIT, VERSION
from harness.network_files import change, put_together, refusal, small, taken_apart
from safetensors.numpy import save as serialise


def test_refuses_what_is_no_network_file(tmp_path):
    path = tmp_path / "x.safetensors"
    assert "does not exist; check the path" in refusal(path)
    assert "is no file; check the path" in refusal(tmp_path)
    for data, what in [
        (b"", "it is empty"),
        (b"\0", "it does not begin as a safetensors file"),
        (pickle.dumps(small().layers[0].threshold), "it is a pickle, which can run code and is never opened"),
        (b"\x93NUMPY\x01\x00", "it is a numpy array"),
        (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file"),
        (b"\x1f\x8b" + bytes(20), "it is a gzip file"),
        (b"\xff" * 100, "it does not begin as a safetensors file"),
        ((1 << 40).to_bytes(8, "little") + b"{" * 100, "it does not begin as a safetensors file"),
        (b"#!/bin/sh\nexit 1\n" * 3, "it does not begin as a safetensors file"),
        (serialise({"a": np.zeros(3)}), "its metadata must be one text under the key 'firstspike'"),
        (serialise({"a": np.zeros(3)}, {"format": "pt"}), "its metadata must be one text under the key"),
        (serialise({}, {"firstspike": "{}"}), "the field 'format' is missing in the file"),
        (serialise({}, {"firstspike": "[" * 100_000}), "its JSON is nested too deeply"),
        (serialise({}, {"firstspike": '{"a":1,"a":1}'}), "a name stands twice in its JSON"),
        (serialise({}, {"firstspike": '{"a":NaN}'}), "its JSON holds NaN"),
        (serialise({}, {"firstspike": '{"a": 1}'}), "must be a canonical JSON object"),
        (serialise({}, {"firstspike": "3"}), "must be a canonical JSON object"),
        (serialise({}, {"firstspike": '{"a":1e999}'}), "is no valid network file"),
        (serialise({}, {"firstspike": '{"a":' + "9" * 5000 + "}"}), "is no valid network file"),
    ]:
        path.write_bytes(data)
        assert what in refusal(path), data[:30]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", b"x")
    assert "it is a zip archive, as torch and numpy write them" in refusal(path)


def test_a_pickle_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    (tmp_path / "x").write_bytes(pickle.dumps(Trap()))
    refusal(tmp_path / "x")
    assert not (tmp_path / "sprung").exists()


def test_refuses_an_oversized_file_unread(tmp_path):
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate(FILE_LIMIT + 1)
    assert "is larger than the" in refusal(path)


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 9, 100, 0.5, 0.9, -1])
def test_refuses_a_truncated_file(file, keep):
    data = file.read_bytes()
    file.write_bytes(data[:keep if isinstance(keep, int) else int(len(data) * keep)])
    refusal(file)


def test_refuses_every_flipped_bit(file):
    data = file.read_bytes()
    for place in range(0, 8 * len(data), 23):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        file.write_bytes(flipped)
        refusal(file)


def test_refuses_bytes_after_the_end(file):
    file.write_bytes(file.read_bytes() + b"\0")
    refusal(file)


def test_refuses_a_newer_version_by_name(file):
    tensors, about = taken_apart(file)
    put_together(file, tensors, about | {"version": VERSION + 1, "something": "new"}, redigest=False)
    assert refusal(file).endswith(f"is a network file of version {VERSION + 1}, and this firstspike reads up "
                                  f"to version {VERSION}; update firstspike to use it")


@pytest.mark.parametrize("feature, what", [
    ("wrap",
     "uses 'wrap' (potentials that wrap around), which this firstspike reserves and cannot run yet; "),
    ("delay", "uses 'delay' (a delay for each neuron), which this firstspike reserves and cannot run yet; "),
    ("warp", "uses 'warp', a feature that this firstspike does not know; update firstspike to use it"),
])
def test_refuses_a_feature_by_name(file, feature, what):
    tensors, about = taken_apart(file)
    put_together(file, tensors, about | {"features": ["dense", feature]})
    assert what in refusal(file)


@pytest.mark.parametrize("path, value, what", [
    (["format"], "another", "'format' must be 'firstspike-network', not 'another'"),
    (["format"], 3, "the field 'format' of the file must be of type str, not 3"),
    (["version"], 0, "'version' must be a positive integer, not 0"),
    (["version"], "1", "the field 'version' of the file must be of type int, not '1'"),
    (["extra"], 1, "the field 'extra' of the file is not known"),
    (["readout"], None, "the field 'readout' is missing in the file"),
    (["readout"], "loudest", "readout must be one of 'first_spike', 'potential', 'count', not 'loudest'"),
    (["features"], [1], "'features' must be a list of texts, not of 1"),
    (["features"], ["dense"], "it is not in the form that Network.save() gives it"),
    (["provenance"], [1], "the field 'provenance' of the file must be of type dict, not [1]"),
    (["calibration", "mean_spikes"], [1], "calibration must hold 3 non-negative numbers in 'mean_spikes'"),
    (["input", "size"], 1 << 40, "the field 'size' must be at most 131072, not 1099511627776 (the input)"),
    (["input", "size"], 10, "the tensor 'layers.0.synapses.0.signs' must have the shape (8,), not (7,)"),
    (["input", "size"], 4, "the tensor 'input.mask' must have the shape (1,), not (2,)"),
    (["input", "size"], True, "the field 'size' of the input must be of type int, not True"),
    (["input", "window"], 1 << 20, "the field 'window' must be at most 4096, not 1048576 (the input)"),
    (["input", "encoding", "kind"], "morse",
     "the field 'kind' of the encoding must be one of latency, direct"),
    (["input", "encoding", "kind"], "bits", "the field 'width' is missing in the encoding"),
    (["input", "encoding", "x"], 1, "the field 'x' of the encoding is not known"),
    (["layers"], [], "the number of layers must be a positive integer, not 0"),
    (["layers"], [3], "layer 0 must be a JSON object, not 3"),
    (["layers", 0, "size"], 1 << 40, "the field 'size' must be at most 131072"),
    (["layers", 0, "size"], 7, "the tensor 'layers.0.synapses.0.signs' must have the shape (8,), not (7,)"),
    (["layers", 0, "name"], "", "the field 'name' of layer 0 must not be empty"),
    (["layers", 0, "name"], "x" * 101, "name must have at most 100 characters, not 101"),
    (["layers", 0, "fires"], "never", "reset must be 'subtract' where a layer never fires, not 'to'"),
    (["layers", 1, "fires"], "never", "readout must be 'potential' where the last layer never fires"),
    (["layers", 1, "fires"], "many", "the tensor 'layers.1.reset_value' is missing"),
    (["layers", 0, "fires"], "sometimes", "the field 'fires' of layer 0 must be one of once, many, never"),
    (["layers", 0, "leak"], False, "the tensor 'layers.0.leak' is not known"),
    (["layers", 1, "leak"], True, "the tensor 'layers.1.leak' is missing"),
    (["layers", 0, "leak"], 1, "the field 'leak' of layer 0 must be of type bool, not 1"),
    (["layers", 0, "delay"], [1], "the field 'delay' of layer 0 is not known"),
    (["layers", 1, "phase"], "offline", "phase must be one of 'online', 'windowed', not 'offline'"),
    (["layers", 0, "phase"], "windowed", "leak must be None where a layer is windowed"),
    (["layers", 1, "synapses", 0, "source"], "../../etc/passwd",
     "the field 'source' of synapse 0 of layer 1 must be"),
    (["layers", 1, "synapses", 0, "kind"], "sparse",
     "the field 'kind' of synapse 0 of layer 1 must be one of dense, convolution, not 'sparse'"),
    (["layers", 1, "synapses", 0, "kind"], "convolution",
     "the field 'shape' is missing in synapse 0 of layer 1"),
    (["layers", 1, "synapses", 0, "weights"], "real",
     "the field 'weights' of synapse 0 of layer 1 must be one of sign, ternary, integer, not 'real'"),
    (["layers", 1, "synapses", 0, "weights"], "ternary", "the tensor 'layers.1.synapses.0.mask' is missing"),
    (["layers", 1, "synapses", 0, "weights"], "integer",
     "the field 'bits' is missing in synapse 0 of layer 1"),
    (["layers", 1, "synapses", 0, "probability"], 0.5,
     "the field 'probability' of synapse 0 of layer 1 must be of type dict, not 0.5"),
    (["layers", 1, "synapses", 0, "probability"], {"seed": 0, "draw": "spike"},
     "the tensor 'layers.1.synapses.0.levels' is missing"),
    (["layers", 1, "synapses", 0, "scale"], True, "the tensor 'layers.1.synapses.0.scale' is missing"),
    (["layers", 1, "synapses", 0, "scale"], False, "it is not in the form that Network.save() gives it"),
    (["layers", 1, "synapses", 0, "pool"], {"kind": "mean"},
     "the field 'kind' of the pool of synapse 0 of layer 1 must be one of max, sum, not 'mean'"),
    (["layers", 1, "synapses", 0, "delay"], 1, "the field 'delay' of synapse 0 of layer 1 is not known"),
    (["input", "shape"], [1, 3, 3], "it is not in the form that Network.save() gives it"),
    (["input", "shape"], [1, 3], "the field 'shape' of the input must have 3 entries, not 2"),
    (["input", "shape"], [1, 3, 4], "shape must have 9 places, one for each input, not 1 x 3 x 4 (input)"),
])
def test_refuses_a_wrong_field(file, path, value, what):
    tensors, about = taken_apart(file)
    put_together(file, tensors, change(about, path, value))
    assert what in refusal(file)


@pytest.mark.parametrize("name, tensor, what", [
    ("input.mask", None, "the tensor 'input.mask' is missing"),
    ("input.mask", np.zeros(2, np.uint8), "mask must leave at least one input in"),
    ("input.mask", np.full(2, 255, np.uint8), "the tensor 'input.mask' must have no more than 9 bits"),
    ("input.table", np.array([1.0, 2.0]), "the tensor 'input.table' must hold integers, not F64"),
    ("input.table", np.array(3, np.int8),
     "the length of 'input.table' must be an integer from 2 to 65536, not 0"),
    ("input.table", np.array([-1, 3, 2, 1, 9], np.int8), "table must be at most 3, not 9"),
    ("input.table", np.array([-1, 3, 2, 1, 0], np.int64),
     "it is not in the form that Network.save() gives it"),
    ("layers.0.threshold", np.full(6, -1, np.int8), "threshold must be a positive integer, not -1"),
    ("layers.0.threshold", np.full((2, 3), 1, np.int8), "must have the shape (6,), not (2, 3)"),
    ("layers.0.synapses.0.signs", np.zeros(7, np.int8), "must hold packed bits, not I8"),
    ("layers.0.synapses.0.signs", np.zeros(1 << 16, np.uint8), "must have the shape (7,), not (65536,)"),
    ("layers.0.synapses.0.kernel", np.full(4, -1, np.int8), "kernel must be a non-negative integer, not -1"),
    ("layers.2.threshold", np.ones(3, np.int8), "the tensor 'layers.2.threshold' is not known"),
])
def test_refuses_a_wrong_tensor(file, name, tensor, what):
    tensors, about = taken_apart(file)
    if tensor is None:
        del tensors[name]
    else:
        tensors[name] = tensor
    put_together(file, tensors, about)
    assert what in refusal(file)
