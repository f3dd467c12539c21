"""Distillation: a trained network's opinion of each image as a target beside the label.

After Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", arXiv 1503.02531. A network of
integers says nothing of how sure it is, so its potentials are first divided by the one temperature that
makes them the most likely probabilities of the labels of some images.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ...errors import FirstspikeError
from ...network import Network
from ...network.file.reading import load
from ..data.idx import Images
from .evaluate import evaluate

__all__ = ["Teacher", "teacher_from"]


class Teacher:
    """Mixes labels with what a network makes of the images.

    ``trust``: the network's share, 0 to 1; ``soften``: factor on the temperature found, which is that of
    ``images``; ``device``: where the network runs.
    """

    def __init__(self, network: Network, images: Images, *, trust: float, soften: float, device: str = "cpu"):
        self.network, self.trust, self.device = network, trust, device
        potentials = torch.as_tensor(self._potentials(images.levels))
        self.temperature = _temperature(potentials, torch.as_tensor(images.labels)) * soften

    def __call__(self, levels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Targets: probabilities, float32, shape ``(count, classes)``.

        ``levels``: whole levels, shape ``(count, size)``; ``labels``: int64, shape ``(count,)``.
        """
        potentials = torch.as_tensor(self._potentials(levels.cpu().numpy()))
        said = torch.softmax(potentials / self.temperature, dim=1).float().to(labels.device)
        return torch.lerp(functional.one_hot(labels, said.shape[1]).float(), said, self.trust)

    def _potentials(self, levels: np.ndarray) -> np.ndarray:
        return evaluate(self.network, levels, device=self.device).potentials[:, -1].astype(np.float64)


def teacher_from(path: Path, images: Images, *, trust: float, soften: float, device: str = "cpu") -> Teacher:
    """The teacher that a network file is, its temperature that of ``images``.

    Raises ``FirstspikeError`` where the file is no network, or none for such images, or no kind that can be
    evaluated here.
    """
    network = load(path)
    size, outputs = network.input.size, network.layers[-1].size
    if (size, outputs) != (images.levels.shape[1], images.classes):
        raise FirstspikeError(f"teacher {path} takes {size} inputs to {outputs} classes, the images have "
                              f"{images.levels.shape[1]} and {images.classes}: take one of the same data")
    try:
        return Teacher(network, images, trust=trust, soften=soften, device=device)
    except ValueError as error:
        raise FirstspikeError(f"{path} cannot teach: {error}") from error


def _temperature(potentials: torch.Tensor, labels: torch.Tensor) -> float:
    """The temperature of the least cross-entropy, to a part in a hundred or so: by bisection of its
    logarithm."""
    def slope(log: float) -> float:
        scale = torch.tensor(log, dtype=torch.float64, requires_grad=True)
        functional.cross_entropy(potentials * torch.exp(-scale), labels).backward()
        assert scale.grad is not None
        return scale.grad.item()

    low, high = 0.0, float(np.log(max(2.0, potentials.abs().max().item())))
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return float(np.exp((low + high) / 2))
