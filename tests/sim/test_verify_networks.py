"""The shipped networks, on the boards that they are for, are bit-exact on MNIST's test images."""

import firstspike as fs
import numpy as np
import pytest
from firstspike.models import shipped
from firstspike.sim import batched
from firstspike.sim.images import load_images

BOARDS = {"mnist-784-600-10-online": "ulx3s-85f", "mnist-784-600-10-windowed": "ulx3s-85f",
          "mnist-784-128-10-online": "icebreaker", "mnist-784-128-10-windowed": "icebreaker"}


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


def check(build, mnist, count, simulator, **named):
    images = load_images(mnist, build.network)
    result = fs.verify(build, images, count=count, simulator=simulator, **named)
    assert result.passed, str(result.first)
    golden = batched.run(build.network, images.images[:count])
    assert result.images == count
    assert result.correct == int((golden.label == images.labels[:count]).sum()) >= 0.9 * count
    whole = [run for run in result.runs if run.port == "spikes" and not run.early_stop]
    assert whole[0].comparison.spikes == sum(int(np.sum(layer.spikes)) for layer in golden.layers)
    assert whole[0].comparison.potentials == count * sum(layer.size for layer in build.network.layers)
    return result


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_bit_exact_under_verilator(builds, mnist, name, count):
    check(builds(name), mnist, count, "verilator")


@pytest.mark.parametrize("name", BOARDS)
def test_bit_exact_with_stalls(builds, mnist, name):
    check(builds(name), mnist, 200, "verilator", stalls=True)


@pytest.mark.parametrize("name", BOARDS)
def test_bit_exact_under_icarus(builds, mnist, name, icarus):
    check(builds(name), mnist, 10, "icarus", ports=["spikes"])
