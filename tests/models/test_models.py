"""The shipped networks: what they say of themselves is what the golden model finds."""

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.gen.check import hardware
from firstspike.models import DEMO_IMAGES, find, shipped, table
from firstspike.network import Readout, batched
from firstspike.network.file.reading import load
from firstspike.quantize.data.idx import load_idx
from firstspike.quantize.train.evaluate import evaluate

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


@pytest.mark.parametrize("name", SLOW)
def test_accuracy_is_what_the_file_says(name, shared_data):
    network = load(find(name))
    folder = shared_data / FOLDERS[network.provenance["data"]]
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    test, said = load_idx(folder, "test"), network.provenance["test"]
    seen = evaluate(network, test.levels)
    figures = seen.figures(test.labels)
    lenient = round(seen.lenient_accuracy(test.labels), 6)
    assert {**figures, "lenient_accuracy": lenient} == {"lenient_accuracy": lenient, **said}
    assert ("mean_step" in figures) is (network.readout is Readout.FIRST_SPIKE)
    assert figures["accuracy"] <= lenient
    row = f"| {name} | {test.name} | {len(network.input.used)} of 784 | {100 * figures['accuracy']:.2f} %"
    assert row in (table.FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_table_says_whether_there_is_hardware(name):
    lines = (table.FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    row, = (line.split(" | ") for line in lines if line.startswith(f"| {name} |"))
    assert row[table.COLUMNS.index("hardware")] == hardware(load(find(name)))


def test_find(tmp_path):
    path = tmp_path / NAMES[0]
    with pytest.raises(FirstspikeError, match=r"no network file 'nothing', .* take one of .*mnist-784-"):
        find("nothing")
    assert find(NAMES[0]) == shipped()[NAMES[0]]
    path.write_bytes(b"")
    assert find(path) == path
