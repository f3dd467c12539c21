"""The training loop: what it tells of each epoch, and a device that is not there."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.errors import FirstspikeError  # noqa: E402
from firstspike.quantize.train.kernels import Kernel  # noqa: E402
from firstspike.quantize.train.loop import LoopOptions, device_of, fit  # noqa: E402
from firstspike.quantize.train.windowed import WindowedMlp  # noqa: E402
from harness.training import made_input, made_levels  # noqa: E402


def options(**changed):
    return LoopOptions(**{"epochs": 5, "batch": 10, "rate": 0.01, "prune": 0.0, "seed": 1, "shape": (5, 6),
                          "change": None, "key": {}, **changed})


@pytest.mark.parametrize("prune", [0.0, 0.5])
def test_what_it_tells_of_each_epoch(tmp_path, prune):
    """The share pruned is that of the network which was validated, and the accuracy what that said."""
    generator = np.random.default_rng(3)
    module = WindowedMlp(made_input(generator), (20, 4), Kernel("linear", 6), 1)
    levels, labels = made_levels(generator, 120), generator.integers(0, 4, 120)
    zeros = []

    def validate(network):
        weights = network.layers[1].synapses[0].weights
        zeros.append(int((weights == 0).sum()))
        return len(zeros) / 100

    history = fit(module, levels, labels, options(prune=prune), device=torch.device("cpu"),
                  checkpoint=tmp_path / "net.pt", resume=False, validate=validate)
    assert [entry["accuracy"] for entry in history] == [0.01, 0.02, 0.03, 0.04, 0.05]
    assert history[-1]["pruned"] == prune and zeros[-1] == int(prune * 80)
    for entry, count in zip(history, zeros, strict=True):
        assert count <= 80 * entry["pruned"] + 1e-9
    assert [entry["pruned"] for entry in history] == sorted(entry["pruned"] for entry in history)
    assert (history[0]["pruned"] > 0) is (prune > 0)
    assert history[-1]["loss"] < history[0]["loss"]


def test_a_device_that_is_not_there():
    assert device_of("cpu") == torch.device("cpu")
    with pytest.raises(FirstspikeError, match=r"^device 'warp' cannot be used \(.*\); 'cpu' always can$"):
        device_of("warp")
