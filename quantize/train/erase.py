"""Blotting out a random part of training images, so that no single part decides.

After Zhong, Zheng, Kang, Li, Yang, "Random erasing data augmentation", arXiv 1708.04896.
"""

from dataclasses import dataclass

import torch

from .loop import Change

__all__ = ["Erasing"]

@dataclass(frozen=True)
class Erasing:
    """``change`` (None: nothing), then one rectangle of one random level in a ``share`` of the images.

    Each side of a rectangle is from 1/8 to 1/2 of the image's.
    """

    change: Change | None
    share: float

    def __call__(self, levels: torch.Tensor, shape: tuple[int, int],
                 generator: torch.Generator) -> torch.Tensor:
        """A changed copy of each image: float32, whole levels; ``levels``: shape ``(count, size)``.

        ``generator``: a generator of the CPU, so that every device draws the same.
        """
        changed = levels.float() if self.change is None else self.change(levels, shape, generator)
        count = len(levels)

        def within(side: int) -> torch.Tensor:
            length = (torch.rand(count, 1, generator=generator) * 3 / 8 + 1 / 8) * side
            start = torch.rand(count, 1, generator=generator) * (side - length)
            places = torch.arange(side) + 0.5
            return (places >= start) & (places < start + length)

        chosen = torch.rand(count, 1, 1, generator=generator) < self.share
        part = (within(shape[0]).unsqueeze(2) & within(shape[1]).unsqueeze(1) & chosen).flatten(1)
        fill = torch.randint(0, 256, (count, 1), generator=generator).float()
        return torch.where(part.to(levels.device), fill.to(levels.device), changed)
