"""Real digits: a small dense and a small convolutional network, trained here in seconds, lose little.

Trained on the first 12,000 training images, converted on 1,000 of them, scored on the last 2,000 training
images; the test images are not looked at.
"""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import batched  # noqa: E402
from firstspike.quantize.convert.float_network import scores  # noqa: E402
from firstspike.quantize.convert.rounding import round_network  # noqa: E402
from firstspike.quantize.convert.settings import Settings  # noqa: E402
from firstspike.quantize.data.idx import Images, load_idx  # noqa: E402
from torch import nn  # noqa: E402

TRAINED, CALIBRATED, SCORED = 12_000, 1_000, 2_000

# How, and how many of the 2,000 a conversion with weights of 8 bits may get wrong that were right before.
WAYS = [
    ("relu", {}, 10), ("relu", {"window": 32}, 6), ("t2fsnn", {}, 10),
    ("t2fsnn", {"kernel": "two", "window": 8}, 25), ("fs", {}, 10), ("qcfs", {"window": 4}, 20),
    ("opi", {"window": 4}, 20), ("opi", {"window": 8}, 16),
]


def dense() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))


def planes() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(784, 10))


@pytest.fixture(scope="module")
def digits(mnist: Path) -> Images:
    return load_idx(mnist, "train")


@pytest.fixture(scope="module", params=[dense, planes], ids=["784-64-10", "conv"])
def network(request: pytest.FixtureRequest, digits: Images) -> nn.Sequential:
    """A network trained for a few passes, in evaluation mode."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    module = request.param()
    images = torch.tensor(digits.levels[:TRAINED]).float().view(-1, 1, 28, 28) / 255
    labels = torch.tensor(digits.labels[:TRAINED])
    optimiser = torch.optim.Adam(module.parameters(), 3e-3)
    for _ in range(3):
        for chosen in torch.randperm(TRAINED).split(128):
            loss = nn.functional.cross_entropy(module(images[chosen]), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    torch.set_num_threads(threads)
    return module.eval()


@pytest.mark.parametrize(("to", "settings", "most"), WAYS, ids=str)
def test_accuracy_is_kept(network: nn.Sequential, digits: Images, to: str, settings: dict, most: int) -> None:
    chosen = Settings(**settings)
    result = round_network(network, to, digits.levels[:CALIBRATED].astype(int), (1, 28, 28), chosen).network()
    levels, labels = digits.levels[-SCORED:].astype(int), digits.labels[-SCORED:]
    own = scores(network, levels, (1, 28, 28), chosen).argmax(axis=1)
    right, before = (np.count_nonzero(found == labels)
                     for found in (batched.run(result, levels, keep=False).label, own))
    assert before > 0.95 * SCORED
    assert before - right <= most, f"{before} before, {right} after, of {SCORED}"
