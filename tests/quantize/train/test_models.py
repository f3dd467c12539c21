"""The shipped networks: what they say of themselves is what the golden model finds."""

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.models import DEMO_IMAGES, find, shipped, table
from firstspike.network import Readout, batched
from firstspike.network.file.reading import load
from firstspike.quantize.data.idx import load_idx

FOLDERS = {"MNIST": "mnist", "Fashion-MNIST": "fashion_mnist"}
NAMES = sorted(shipped())
SLOW = [pytest.param(name, marks=pytest.mark.slow if "-conv-" in name or "-bs4nn" in name else ())
        for name in NAMES]


def test_four_mnist_networks():
    assert {f"mnist-784-{hidden}-10-{phase}" for hidden in (600, 128) for phase in ("online", "windowed")} \
        <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_demo_images(name):
    network = load(find(name))
    with np.load(DEMO_IMAGES, allow_pickle=False) as demo:
        images, labels = demo["images"], demo["labels"]
    assert images.shape == (64, 784) and images.dtype == np.uint8 and labels.shape == (64,)
    if network.provenance["data"] == "MNIST":
        assert np.mean(batched.run(network, images.astype(np.int64)).label == labels) >= 60 / 64


@pytest.mark.parametrize("name", NAMES)
def test_small_and_plain(name):
    network = load(find(name))
    bits = sum(synapse.weights.size for layer in network.layers for synapse in layer.synapses)
    assert find(name).stat().st_size < bits / 8 + 30_000
    assert all(np.all(np.abs(synapse.weights) == 1) for layer in network.layers for synapse in layer.synapses)
    assert network.provenance["command"].startswith(
        f"firstspike train {network.provenance['recipe']} --data DIR -o NET")
    if "-128-" in name:
        assert len(network.input.used) <= 640


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_the_trainers_evaluation_is_the_golden_model(name, count, shared_data):
    pytest.importorskip("torch")
    from firstspike.quantize.train.evaluate import evaluate
    network = load(find(name))
    folder = shared_data / FOLDERS[network.provenance["data"]]
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    levels = load_idx(folder, "test").levels[:count].astype(np.int64)
    seen, gold = evaluate(network, levels), batched.run(network, levels, keep=False)
    np.testing.assert_array_equal(seen.labels, gold.label)
    np.testing.assert_array_equal(seen.steps, gold.step)
    np.testing.assert_array_equal(seen.potentials[:, -1], gold.layers[-1].potential)
    assert tuple(seen.spikes.mean(axis=0)) == pytest.approx(gold.mean_spikes, rel=1e-12)


@pytest.mark.parametrize("name", SLOW)
def test_accuracy_is_what_the_file_says(name, shared_data):
    network = load(find(name))
    folder = shared_data / FOLDERS[network.provenance["data"]]
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    test, said = load_idx(folder, "test"), network.provenance["test"]
    found = table.measured(network, test)
    assert round(found.accuracy, 6) == said["accuracy"]
    assert [round(mean, 3) for mean in found.spikes.tolist()] == said["mean_spikes"]
    if network.readout is Readout.FIRST_SPIKE:
        assert round(found.step, 4) == said["mean_step"]
        assert [round(mean, 3) for mean in found.until.tolist()] == said["mean_spikes_until_decision"]
        assert round(found.most, 3) == said["mean_most_spikes_until_decision"]
        assert found.accuracy <= found.lenient
        if "lenient_accuracy" in said:
            assert round(found.lenient, 6) == said["lenient_accuracy"]
    row = f"| {name} | {test.name} | {len(network.input.used)} of 784 | {100 * found.accuracy:.2f} %"
    assert row in (table.FOLDER / "README.md").read_text(encoding="utf-8")


def test_find(tmp_path):
    path = tmp_path / NAMES[0]
    with pytest.raises(FirstspikeError, match=r"no network file 'nothing', .* take one of .*mnist-784-"):
        find("nothing")
    assert find(NAMES[0]) == shipped()[NAMES[0]]
    path.write_bytes(b"")
    assert find(path) == path
