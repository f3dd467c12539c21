"""The network file holds all that synapses can be, and nothing else is taken for it."""

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import (
    Bits,
    Convolution,
    Dense,
    Input,
    Layer,
    Network,
    Pool,
    Probability,
    Spikes,
)
from firstspike.network.file import reading, writing
from firstspike.network.file.format import FEATURES, RESERVED, VERSION
from firstspike.network.file.reading import load
from harness.network_files import change, put_together, refusal, same, taken_apart


def wordy() -> Network:
    """Every word that a network has for its synapses."""
    rng = np.random.default_rng(6)
    pool = Pool("max", 2, 1, (1, 0), (2, 4, 5))
    first = Convolution(rng.integers(-1, 2, (3, 2, 2, 3)), pool.output_shape, (1, 2), (0, 1, 1, 0), (2, 1),
                        pool=pool, scale=[3, 500],
                        probability=Probability(rng.integers(0, 257, (3, 2, 2, 3)), 7))
    skip = Dense(rng.choice([-1, 1], (first.size, 40)), probability=Probability(9, draw="spike"), scale=2)
    summed = Pool("sum", (3, 1), source_shape=first.output_shape)
    last = Dense(rng.integers(-5, 6, (4, np.prod(summed.output_shape))), pool=summed)
    heard = Input(40, 3, Bits(3), shape=(2, 4, 5))
    return Network(heard, [Layer([first, skip], 3, fires="many", threshold=[40, 50, 60], name="a",
                                 initial=np.arange(first.size)),
                           Layer(last, 3, "windowed", "never", name="b")], "potential")


def test_every_word_is_a_feature_of_the_file(tmp_path):
    wordy().save(tmp_path / "x")
    tensors, about = taken_apart(tmp_path / "x")
    assert about["version"] == VERSION == 1
    assert about["features"] == ["bits", "convolution", "dense", "integer", "max_pooling", "probability",
                                 "scale", "shape", "sign", "sum_pooling", "ternary"]
    assert set(about["features"]) <= FEATURES and not set(about["features"]) & set(RESERVED)
    assert tensors["layers.0.threshold"].tolist() == [40, 50, 60], "one for each channel says it all"
    assert tensors["layers.0.synapses.0.scale"].tolist() == [3, 500]
    assert len(tensors["layers.0.initial"]) == wordy().layers[0].size
    assert same(wordy(), load(tmp_path / "x"))


def test_an_older_reader_refuses_by_name(tmp_path, monkeypatch):
    """The reader of the first version: it knew dense signs, and these words as reserved ones."""
    wordy().save(tmp_path / "x")
    monkeypatch.setattr(reading, "FEATURES", {"dense", "sign", "latency", "direct", "bits", "spikes"})
    monkeypatch.setattr(reading, "RESERVED", RESERVED | {"convolution": "weights shared over positions"})
    assert refusal(tmp_path / "x").endswith(
        "uses 'convolution' (weights shared over positions), which this firstspike reserves and cannot run "
        "yet; update firstspike to use it")
    made = Dense([[1, -1]], scale=[1, 2])
    Network(Input(2, 2, Spikes()), Layer(made, 2, threshold=1)).save(tmp_path / "y")
    assert refusal(tmp_path / "y").endswith("uses 'scale', a feature that this firstspike does not know; "
                                            "update firstspike to use it")


@pytest.mark.parametrize("low, high, bits", [(-1, 1, None), (-2, 1, 2), (-3, 3, 3), (-8, 7, 4), (-16, 0, 5),
                                             (-31, 31, 6), (-64, 63, 7), (-128, 127, 8)])
def test_a_weight_takes_its_bits(tmp_path, low, high, bits):
    weights = np.random.default_rng(0).integers(low, high + 1, (64, 8, 5, 5))
    made = Layer(Convolution(weights, (8, 5, 5)), 2, threshold=5)
    Network(Input(200, 2, Spikes()), made).save(tmp_path / "x")
    tensors, about = taken_apart(tmp_path / "x")
    packed = {name.rsplit(".", 1)[1]: tensor.nbytes for name, tensor in tensors.items()
              if name.rsplit(".", 1)[1] in ("mask", "signs", "weights") and name != "input.mask"}
    count = 64 * 8 * 25
    if bits is None:
        assert packed == {"mask": count // 8, "signs": -(-np.count_nonzero(weights) // 8)}
    else:
        assert packed == {"weights": count * bits // 8} and about["layers"][0]["synapses"][0]["bits"] == bits
    assert np.array_equal(load(tmp_path / "x").layers[0].synapses[0].weights, weights)
    assert (tmp_path / "x").stat().st_size < sum(packed.values()) + 2_000


def test_weights_of_nothing_but_zero(tmp_path):
    network = Network(Input(3, 2, Spikes()), Layer(Dense(np.zeros((2, 3), int)), 2, threshold=1))
    network.save(tmp_path / "x")
    assert same(network, load(tmp_path / "x"))


def test_refuses_to_write_more_than_it_would_read(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "FILE_LIMIT", 1000)
    with pytest.raises(FirstspikeError, match=(
            r"^the network takes \d+ bytes, more than the 1000 that a network file may have; give it fewer "
            r"weights, or weights of fewer bits$")):
        wordy().save(tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("path, value, what", [
    (["layers", 0, "synapses", 0, "shape"], [3, 2, 2],
     "the field 'shape' of synapse 0 of layer 0 must have 4"),
    (["layers", 0, "synapses", 0, "shape"], [3, 2, 2, 4],
     "synapse 0 of layer 0 must have 24 neurons, not 12"),
    (["layers", 0, "synapses", 0, "shape"], [1 << 17] * 4,
     "the number of synapses must be at most 134217728, not 295147905179352825856"),
    (["layers", 0, "synapses", 0, "source_shape"], [2, 4, 5],
     "synapse 0 of layer 0 must have 24 neurons, not 18"),
    (["layers", 0, "synapses", 0, "source_shape"], "x",
     "the field 'source_shape' of synapse 0 of layer 0 must be"),
    (["layers", 0, "synapses", 0, "stride"], [1, 0], "the field 'stride' must be a positive integer, not 0"),
    (["layers", 0, "synapses", 0, "padding"], [9, 9, 9, 9], "padding must be less than the window"),
    (["layers", 0, "synapses", 0, "groups"], 2, "channels in and a multiple of 2 channels out"),
    (["layers", 0, "synapses", 0, "weights"], "integer",
     "the field 'bits' is missing in synapse 0 of layer 0"),
    (["layers", 0, "synapses", 0, "pool", "size"], [9, 9], "must fit into the padded source"),
    (["layers", 0, "synapses", 0, "pool", "kind"], "sum", "is not in the form that Network.save() gives it"),
    (["layers", 0, "synapses", 0, "pool", "x"], 1,
     "the field 'x' of the pool of synapse 0 of layer 0 is not"),
    (["layers", 0, "synapses", 0, "pool"], None,
     "source_shape must be that of 'input', (2, 4, 5), not (2, 5, 4)"),
    (["layers", 0, "synapses", 0, "probability", "seed"], -1, "seed must be a non-negative integer, not -1"),
    (["layers", 0, "synapses", 0, "probability", "draw"], "row", "must be one of synapse, spike, not 'row'"),
    (["layers", 0, "synapses", 0, "probability"], None,
     "the tensor 'layers.0.synapses.0.levels' is not known"),
    (["layers", 0, "synapses", 0, "scale"], None, "the tensor 'layers.0.synapses.0.scale' is not known"),
    (["layers", 1, "synapses", 0, "bits"], 9, "the field 'bits' must be at most 8, not 9"),
    (["layers", 1, "synapses", 0, "bits"], 5, "the tensor 'layers.1.synapses.0.weights' must have the shape"),
    (["layers", 0, "size"], 12, "synapse 0 of layer 0 must have 12 neurons, not 24"),
    (["input", "shape"], None, "is not in the form that Network.save() gives it"),
    (["features"], ["dense"], "is not in the form that Network.save() gives it"),
])
def test_refuses_a_wrong_word(tmp_path, path, value, what):
    wordy().save(tmp_path / "x")
    tensors, about = taken_apart(tmp_path / "x")
    put_together(tmp_path / "x", tensors, change(about, path, value))
    assert what in refusal(tmp_path / "x")


@pytest.mark.parametrize("name, tensor, what", [
    ("layers.0.synapses.0.mask", np.zeros(5, np.uint8), "must have the shape (0,)"),
    ("layers.0.synapses.0.levels", np.full((3, 2, 2, 3), 257, np.int16), "must be at most 256, not 257"),
    ("layers.0.synapses.0.scale", np.array([0, 1], np.int8), "scale must be a positive integer, not 0"),
    ("layers.0.synapses.0.scale", np.array([1, 1], np.int8),
     "is not in the form that Network.save() gives it"),
    ("layers.0.threshold", np.array([1, 2], np.int8), "must have the shape"),
    ("layers.1.synapses.0.weights", None, "the tensor 'layers.1.synapses.0.weights' is missing"),
])
def test_refuses_a_wrong_tensor_of_a_word(tmp_path, name, tensor, what):
    wordy().save(tmp_path / "x")
    tensors, about = taken_apart(tmp_path / "x")
    tensors = {key: value for key, value in (tensors | {name: tensor}).items() if value is not None}
    put_together(tmp_path / "x", tensors, about)
    assert what in refusal(tmp_path / "x")
