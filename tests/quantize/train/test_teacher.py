"""Distillation: what a network makes of an image, mixed into what is to be learnt."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.errors import FirstspikeError  # noqa: E402
from firstspike.network import Input, Network, Spikes, batched  # noqa: E402
from firstspike.network.file.reading import load  # noqa: E402
from firstspike.quantize.data.idx import load_idx  # noqa: E402
from firstspike.quantize.train import train  # noqa: E402
from firstspike.quantize.train.teacher import RememberedTargets, Teacher, teacher_from  # noqa: E402

SMALL = {"hidden": 12, "epochs": 3, "batch": 20, "validation": 40, "rate": 0.01, "window": 8}


@pytest.fixture(scope="module")
def network_file(quarters, tmp_path_factory):
    """A trained network of the made images."""
    return train("mnist-mlp", quarters, tmp_path_factory.mktemp("teacher") / "wise.safetensors",
                 phase="windowed", **{**SMALL, "epochs": 20}).path


def test_targets_are_the_network_s_opinion_mixed_with_the_labels(quarters, network_file):
    network, images = load(network_file), load_idx(quarters, "train")
    potentials = batched.run(network, images.levels.astype(np.int64)).layers[-1].potential.astype(float)
    levels, labels = torch.tensor(images.levels), torch.tensor(images.labels)
    teacher = Teacher(network, images, trust=0.25, soften=2.0)
    soft = np.exp(potentials / teacher.temperature)
    soft /= soft.sum(axis=1, keepdims=True)
    targets = teacher(levels.float(), labels)
    assert targets.dtype is torch.float32
    np.testing.assert_allclose(targets, 0.75 * np.eye(4)[images.labels] + 0.25 * soft, atol=1e-6)
    np.testing.assert_array_equal(Teacher(network, images, trust=0, soften=1)(levels, labels),
                                  np.eye(4)[images.labels])


def test_temperature_is_the_most_likely(quarters, network_file):
    network, images = load(network_file), load_idx(quarters, "train")
    potentials = torch.as_tensor(
        batched.run(network, images.levels.astype(np.int64)).layers[-1].potential.astype(float))
    labels = torch.as_tensor(np.where(np.arange(len(images)) % 5, images.labels, 0))  # some are wrong
    images = replace(images, labels=labels.numpy())
    found = Teacher(network, images, trust=1, soften=1).temperature

    def cross_entropy(temperature):
        return torch.nn.functional.cross_entropy(potentials / temperature, labels).item()

    assert found > 1
    assert cross_entropy(found) < min(cross_entropy(found * 0.9), cross_entropy(found * 1.1))


@pytest.mark.parametrize("phase", ["online", "windowed"])
def test_learns_from_a_teacher(quarters, network_file, tmp_path, phase):
    trained = train("mnist-mlp", quarters, tmp_path / "net.safetensors", phase=phase,
                    teacher=str(network_file), trust=1.0, opinions="each", **{**SMALL, "epochs": 15})
    notes = load(trained.path).provenance
    assert trained.figures["test"]["accuracy"] > 0.7
    assert notes["command"].endswith("--teacher wise --opinions each --trust 1.0")
    assert notes["options"]["teacher"] == "wise" and notes["teacher"] == load(network_file).digest
    other = train("mnist-mlp", quarters, tmp_path / "alone.safetensors", phase=phase,
                  **{**SMALL, "epochs": 15})
    weights = [load(path).layers[0].synapses[0].weights for path in (trained.path, other.path)]
    assert np.any(weights[0] != weights[1])


def test_an_opinion_is_asked_for_once():
    asked = []

    def teacher(levels, labels):
        asked.extend(labels.tolist())
        return torch.stack([levels[:, 0], labels.float()], 1)

    known = RememberedTargets(teacher, torch.arange(20.0).view(10, 2), torch.arange(10))
    for chosen in ([3, 1, 4], [1, 5, 9, 3], [9, 4]):
        targets = known(torch.tensor(chosen))
        assert targets.tolist() == [[2 * index, index] for index in chosen]
    assert asked == [3, 1, 4, 5, 9]


def test_what_the_teacher_looks_at(quarters, network_file, tmp_path):
    """Once, it is images of the training set; else what the distortion made of them."""
    learnt = {image.tobytes() for image in load_idx(quarters, "train").levels}

    def shown(opinions, monkeypatch):
        seen = []
        asks = Teacher.__call__
        monkeypatch.setattr(Teacher, "__call__", lambda self, levels, labels: (
            seen.extend(levels.numpy().astype(np.uint8)), asks(self, levels, labels))[1])
        train("mnist-mlp", quarters, tmp_path / f"{opinions}.safetensors", teacher=str(network_file),
              opinions=opinions, distort=0.5, **SMALL)
        return seen

    with pytest.MonkeyPatch.context() as patch:
        once = shown("once", patch)
    with pytest.MonkeyPatch.context() as patch:
        each = shown("each", patch)
    assert len(once) == 200 and all(image.tobytes() in learnt for image in once)
    assert len(each) == 600 and not any(image.tobytes() in learnt for image in each)


def test_goes_on_with_the_same_opinions(quarters, network_file, tmp_path):
    """An interrupted training with a teacher ends as an uninterrupted one."""
    def stopped(progress):
        if progress.epoch == 3:
            raise KeyboardInterrupt

    options = {"teacher": str(network_file), **SMALL}
    with pytest.raises(KeyboardInterrupt):
        train("mnist-mlp", quarters, tmp_path / "net.safetensors", progress=stopped, **options)
    resumed = train("mnist-mlp", quarters, tmp_path / "net.safetensors", resume=True, **options)
    whole = train("mnist-mlp", quarters, tmp_path / "whole.safetensors", **options)
    assert load(resumed.path).digest == load(whole.path).digest


def test_refused(quarters, network_file, tmp_path):
    images = load_idx(quarters, "train")
    small = replace(images, levels=images.levels[:, :30], shape=(5, 6))
    with pytest.raises(FirstspikeError, match=r"wise\.safetensors takes 36 inputs to 4 classes, the images "
                                              r"have 30 and 4: take one of the same data"):
        teacher_from(network_file, small, trust=0.5, soften=2)
    with pytest.raises(FirstspikeError, match=r"absent\.safetensors"):
        train("mnist-mlp", quarters, tmp_path / "net.safetensors", teacher="absent.safetensors", **SMALL)
    network = load(network_file)
    layers = [replace(layer, synapses=replace(layer.synapses[0], kernel=1)) for layer in network.layers[:1]]
    spikes = Network(Input(36, 8, Spikes(once=True)), [*layers, *network.layers[1:]], network.readout)
    spikes.save(tmp_path / "spikes.safetensors")
    with pytest.raises(FirstspikeError, match=r"spikes\.safetensors cannot teach: spikes must be an array of "
                                              r"bool, not of uint8; take a network of the same data$"):
        teacher_from(tmp_path / "spikes.safetensors", images, trust=0.5, soften=2)
