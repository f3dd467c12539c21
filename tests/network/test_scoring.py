"""Scoring: the figures are counts of what the golden model does."""

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Dense, Input, Layer, Network, Readout, Spikes, golden
from firstspike.network import scoring as scoring
from firstspike.network.images import ImageSet
from firstspike.network.scoring import score, spike_arrays
from harness.strategies import ALL, Wanted, images_for, networks, random_images, random_network
from hypothesis import given, settings
from hypothesis import strategies as st

NETWORK = Network(Input(3, 4, Spikes()), Layer(Dense([[1, -1, -1], [-1, 1, -1]]), 4, threshold=1))


def at(*spikes):
    image = np.zeros((4, 3), bool)
    for step, address in spikes:
        image[step, address] = True
    return image


IMAGES = np.array([at((2, 0)), at((0, 1)), at((2, 1)), at((3, 2))])


def test_figures():
    result = score(NETWORK, IMAGES, [0, 0, 1, 0])
    assert result.count == 4 and result.correct == 3 and result.accuracy == 0.75
    assert result.labels.tolist() == [0, 1, 1, 0] and result.steps.tolist() == [2, 0, 2, 4]
    assert result.step_counts.tolist() == [1, 0, 2, 0, 1]
    assert result.undecided == 1 and result.mean_step == 2.0
    assert result.mean_spikes == {"input": 1.0, "layer0": 0.75}
    assert result.to_json() == {
        "images": 4, "correct": 3, "accuracy": 0.75, "mean_decision_step": 2.0,
        "decision_steps": [1, 0, 2, 0, 1], "undecided": 1, "mean_spikes": {"input": 1.0, "layer0": 0.75},
        "seconds": round(result.seconds, 3)}


def test_labels_of_the_image_set():
    unlabelled = score(NETWORK, ImageSet(IMAGES))
    assert unlabelled.correct is None and unlabelled.accuracy is None
    assert score(NETWORK, ImageSet(IMAGES, np.array([0, 0, 1, 0]))).correct == 3
    assert score(NETWORK, ImageSet(IMAGES, np.array([0, 0, 1, 0])), [0, 1, 1, 0]).correct == 4


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_counts_what_the_golden_model_does(data):
    network = data.draw(networks())
    images = data.draw(images_for(network, 5))
    labels = data.draw(st.lists(st.integers(0, network.output.size - 1), min_size=5, max_size=5))
    traces = [golden.run(network, image) for image in images]
    result = score(network, images, labels)
    assert result.correct == sum(trace.label == label for trace, label in zip(traces, labels, strict=True))
    assert result.mean_step == pytest.approx(np.mean([trace.step for trace in traces]))
    assert result.step_counts.sum() == 5
    for index, layer in enumerate(network.layers):
        assert result.mean_spikes[layer.name] == pytest.approx(
            np.mean([trace.layers[index].spikes.sum() for trace in traces]))


@pytest.mark.parametrize("wanted", [Wanted(inputs=8, neurons=6), ALL])
@pytest.mark.parametrize("seed", range(8))
def test_spike_file_holds_every_spike(tmp_path, monkeypatch, seed, wanted):
    """Image by image, so that each draws what its own index says."""
    monkeypatch.setattr(scoring, "BLOCK", 3)
    rng = np.random.default_rng(seed)
    network = random_network(rng, wanted)
    images = random_images(rng, network, 8)
    seen = []
    result = score(network, images, spikes=tmp_path / "spikes.npz", progress=lambda *now: seen.append(now))
    assert seen[-1] == (8, 8) and seen == sorted(seen)
    with np.load(tmp_path / "spikes.npz") as file:
        arrays = dict(file)
    assert arrays.pop("names").tolist() == ["input", *network.names]
    traces = [golden.run(network, image, index) for index, image in enumerate(images)]
    assert arrays["label"].tolist() == [trace.label for trace in traces] == result.labels.tolist()
    assert arrays["step"].tolist() == [trace.step for trace in traces] == result.steps.tolist()
    rebuilt = np.zeros((8, network.input.window, network.input.size), np.int64)
    image, step, address, value = arrays["input"].T
    rebuilt[image, step, address] = value
    assert np.array_equal(rebuilt, [trace.input_spikes for trace in traces])
    for index, layer in enumerate(network.layers):
        rebuilt = np.zeros((8, layer.window, layer.size), bool)
        rebuilt[tuple(arrays[f"layer{index}"].T)] = True
        assert np.array_equal(rebuilt, [trace.layers[index].spikes for trace in traces])
        assert np.array_equal(arrays[f"layer{index}_potential"],
                              [trace.layers[index].potential for trace in traces])
    assert result.mean_spikes == pytest.approx(score(network, images).mean_spikes)


def test_wide_layers_are_kept_in_small_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "ROOM", 3 * 2 * (4 + 8))
    seen = []
    score(NETWORK, IMAGES, spikes=tmp_path / "x", progress=lambda done, count: seen.append(done))
    assert seen == [3, 4]


def test_same_spike_file_each_time(tmp_path):
    for name in ("a", "b"):
        score(NETWORK, IMAGES, spikes=tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match=r"^labels must have the shape \(4,\), one for each image, not \(3,"):
        score(NETWORK, IMAGES, [1, 2, 3])
    with pytest.raises(TypeError, match=r"^labels must be integers, not an array of float64$"):
        score(NETWORK, IMAGES, [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(FirstspikeError, match="cannot be written"):
        score(NETWORK, IMAGES, spikes=tmp_path / "nowhere" / "x")
    with pytest.raises(ValueError, match=r"^the batch must have been run with keep=True$"):
        from firstspike.network.batched import run
        spike_arrays(NETWORK, run(NETWORK, IMAGES, keep=False))


def test_a_network_that_never_fires():
    layer = Layer(Dense([[1, -1, -1], [-1, 1, -1]]), 4, fires="never")
    network = Network(NETWORK.input, layer, Readout.POTENTIAL)
    result = score(network, IMAGES, [0, 1, 1, 0])
    assert result.correct == 4 and result.undecided == 4 and result.mean_spikes["layer0"] == 0
