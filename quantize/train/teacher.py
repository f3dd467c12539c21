"""Distillation: a trained network's opinion of each image as a target beside the label.

After Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", arXiv 1503.02531. A network of
integers says nothing of how sure it is, so its potentials, those of the golden model, are first divided by
the one temperature that makes them the most likely probabilities of the labels of some images.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ...errors import FirstspikeError
from ...network import Network, batched
from ...network.file.reading import load
from ..data.idx import Images

__all__ = ["RememberedTargets", "Targets", "Teacher", "teacher_from"]

Targets = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Makes targets, float32, shape ``(count, classes)``, of levels ``(count, size)`` and labels ``(count,)``."""


class Teacher:
    """Mixes labels with what a network makes of the images.

    Parameters
    ----------
    network : Network
        For levels of 0 to 255.
    images : Images
        The temperature found is that of these.
    trust : float
        The network's share, 0 to 1.
    soften : float
        Factor on the temperature.

    Raises
    ------
    TypeError, ValueError
        The network is for other images.
    """

    def __init__(self, network: Network, images: Images, *, trust: float, soften: float):
        self.network, self.trust = network, trust
        potentials = torch.as_tensor(self._potentials(images.levels))
        self.temperature = _temperature(potentials, torch.as_tensor(images.labels)) * soften

    def __call__(self, levels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """What is to be learnt of some images.

        Parameters
        ----------
        levels : Tensor
            Whole levels of any type, shape ``(count, size)``.
        labels : Tensor
            int64, shape ``(count,)``.

        Returns
        -------
        Tensor
            Probabilities, float32, shape ``(count, classes)``, where ``labels`` are.
        """
        potentials = torch.as_tensor(self._potentials(levels.to("cpu", torch.uint8).numpy()))
        said = torch.softmax(potentials / self.temperature, dim=1).float().to(labels.device)
        return torch.lerp(functional.one_hot(labels, said.shape[1]).float(), said, self.trust)

    def _potentials(self, levels: np.ndarray) -> np.ndarray:
        return batched.run(self.network, levels, keep=False).layers[-1].potential.astype(np.float64)


class RememberedTargets:
    """A teacher's targets for the training images as they are, each asked for once, when first wanted.

    Parameters
    ----------
    teacher : Targets
        A `Teacher`, as a rule.
    levels, labels : Tensor
        Of all the images.
    """

    def __init__(self, teacher: Targets, levels: torch.Tensor, labels: torch.Tensor):
        self.teacher, self.levels, self.labels = teacher, levels, labels
        self.asked = torch.zeros(len(levels), dtype=torch.bool, device=levels.device)
        self.known = torch.empty(0, device=levels.device)

    def __call__(self, chosen: torch.Tensor) -> torch.Tensor:
        """The targets of the images of these indices: float32, shape ``(count, classes)``."""
        new = chosen[~self.asked[chosen]]
        if len(new):
            found = self.teacher(self.levels[new], self.labels[new])
            if not len(self.known):
                self.known = found.new_empty(len(self.levels), found.shape[1])
            self.known[new], self.asked[new] = found, True
        return self.known[chosen]


def teacher_from(path: Path, images: Images, *, trust: float, soften: float) -> Teacher:
    """The teacher that a network file is; the parameters are those of `Teacher`.

    Raises
    ------
    FirstspikeError
        The file is no network, or none for such images.
    """
    network = load(path)
    size, outputs = network.input.size, network.layers[-1].size
    if (size, outputs) != (images.levels.shape[1], images.classes):
        raise FirstspikeError(f"teacher {path} takes {size} inputs to {outputs} classes, the images have "
                              f"{images.levels.shape[1]} and {images.classes}: take one of the same data")
    try:
        return Teacher(network, images, trust=trust, soften=soften)
    except (TypeError, ValueError) as error:
        raise FirstspikeError(f"{path} cannot teach: {error}; take a network of the same data") from error


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
