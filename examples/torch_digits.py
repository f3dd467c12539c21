"""Two small torch networks for MNIST, trained in seconds, to be converted into spikes.

::

    python examples/torch_digits.py data/mnist          writes mlp.pt and conv.pt
    firstspike convert mlp.pt --model examples/torch_digits.py:mlp --to relu \\
        --calibrate data/mnist --count 1000 -o mlp.safetensors

``firstspike convert`` takes the weights alone (a state dict) and the function that makes the module.
"""

import sys

import torch
from firstspike.quantize.data.idx import load_idx
from torch import nn


def mlp() -> nn.Sequential:
    """784-64-10, with batch normalisation."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))


def conv() -> nn.Sequential:
    """Two convolutions, average pooling, one dense layer."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(784, 10))


def train(network: nn.Sequential, images: torch.Tensor, labels: torch.Tensor, passes: int = 3) -> None:
    """Train ``network`` in place; ``images``: 0 to 1, shape ``(count, 1, 28, 28)``."""
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(passes):
        for chosen in torch.randperm(len(images)).split(128):
            loss = nn.functional.cross_entropy(network(images[chosen]), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def main(folder: str) -> None:
    """Train both on the first 20,000 training images in ``folder`` and write their weights."""
    torch.set_num_threads(1)  # layers so small that more threads would wait for each other
    digits = load_idx(folder, "train")
    images = torch.tensor(digits.levels[:20_000]).float().view(-1, 1, 28, 28) / 255
    labels = torch.tensor(digits.labels[:20_000])
    for make in (mlp, conv):
        torch.manual_seed(1)
        network = make()
        train(network, images, labels)
        torch.save(network.state_dict(), f"{make.__name__}.pt")
        print(f"wrote {make.__name__}.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
