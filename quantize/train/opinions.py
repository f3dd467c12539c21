"""A teacher's opinions of the training images as they are, asked for when they are first wanted."""

from collections.abc import Callable

import torch

__all__ = ["Opinions"]


class Opinions:
    """Targets that a teacher makes of images, each asked for once.

    ``teacher``: from levels ``(count, size)`` and labels ``(count,)`` to targets, float32, shape ``(count,
    classes)``; ``levels``, ``labels``: of all the images.
    """

    def __init__(self, teacher: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], levels: torch.Tensor,
                 labels: torch.Tensor):
        self.teacher, self.levels, self.labels = teacher, levels, labels
        self.asked = torch.zeros(len(levels), dtype=torch.bool, device=levels.device)
        self.known = torch.empty(0, device=levels.device)

    def __call__(self, chosen: torch.Tensor) -> torch.Tensor:
        """The targets of the images of these indices, shape ``(count,)``."""
        new = chosen[~self.asked[chosen]]
        if len(new):
            found = self.teacher(self.levels[new], self.labels[new])
            if not len(self.known):
                self.known = found.new_empty(len(self.levels), found.shape[1])
            self.known[new], self.asked[new] = found, True
        return self.known[chosen]
