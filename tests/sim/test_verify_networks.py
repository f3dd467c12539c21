"""The shipped networks, on the boards that they are for, are bit-exact on their data's test images."""

import firstspike as fs
import numpy as np
import pytest
from firstspike.models import shipped
from firstspike.network import batched
from firstspike.quantize.data.images import load_images

BOARDS = {"mnist-784-600-10-online": "ulx3s-85f", "mnist-784-600-10-windowed": "ulx3s-85f",
          "mnist-784-128-10-online": "icebreaker", "mnist-784-128-10-windowed": "icebreaker",
          "mnist-784-1200-1200-10-windowed": "ulx3s-85f", "fashion-784-600-10-windowed": "ulx3s-85f",
          "fashion-784-1000-10-online": "ulx3s-85f"}
MAIN = [name for name in BOARDS if "-600-" in name or "-128-" in name if name.startswith("mnist")]

CONVOLUTIONS = {name for name in shipped() if "-conv-" in name}


def test_all_that_is_shipped_is_proven():
    assert set(BOARDS) == set(shipped()) - CONVOLUTIONS


@pytest.mark.parametrize("name", sorted(CONVOLUTIONS))
def test_convolutions_are_refused_by_name(name, tmp_path):
    with pytest.raises(fs.FirstspikeError, match="layer 'layer0' has a convolution"):
        fs.build(fs.load(shipped()[name]), "generic", tmp_path / "build")
    assert not (tmp_path / "build").exists()


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Builds by the network's name, each made when it is first asked for."""
    made = {}

    def build(name: str) -> fs.Build:
        if name not in made:
            folder = tmp_path_factory.mktemp("builds") / name
            made[name] = fs.build(fs.load(shipped()[name]), BOARDS[name], folder)
        return made[name]

    return build


@pytest.fixture
def data(shared_data, name):
    """The folder of the images that a network is for."""
    folder = shared_data / ("fashion_mnist" if name.startswith("fashion") else "mnist")
    if not folder.is_dir():
        pytest.skip(f"no images at {folder}")
    return folder


def check(build, data, count, simulator, **named):
    images = load_images(data, build.network)
    result = fs.verify(build, images, count=count, simulator=simulator, **named)
    assert result.passed, str(result.first)
    golden = batched.run(build.network, images.images[:count])
    assert result.images == count
    assert result.correct == int((golden.label == images.labels[:count]).sum()) >= 0.8 * count
    whole = [run for run in result.runs if run.port == "spikes" and not run.early_stop]
    assert whole[0].comparison.spikes == sum(int(np.sum(layer.spikes)) for layer in golden.layers)
    assert whole[0].comparison.potentials == count * sum(layer.size for layer in build.network.layers)
    return result


@pytest.mark.parametrize("name, count", [
    *((name, 1000 if name in MAIN else 50) for name in BOARDS),
    *(pytest.param(name, 10_000, marks=pytest.mark.slow) for name in BOARDS)])
def test_bit_exact_under_verilator(builds, data, name, count):
    check(builds(name), data, count, "verilator")


@pytest.mark.parametrize("name", MAIN)
def test_bit_exact_with_stalls(builds, data, name):
    check(builds(name), data, 200, "verilator", stalls=True)


@pytest.mark.parametrize("name", MAIN)
def test_bit_exact_under_icarus(builds, data, name, icarus):
    check(builds(name), data, 10, "icarus", ports=["spikes"])
