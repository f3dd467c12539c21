"""Changed copies of training images: distorted a little, or with a part blotted out.

Distortions (small rotations, scalings, shears, shifts and elastic waves) are those of Simard, Steinkraus and
Platt, "Best practices for convolutional neural networks applied to visual document analysis", ICDAR 2003;
blotting out is that of Zhong, Zheng, Kang, Li, Yang, "Random erasing data augmentation", arXiv 1708.04896.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from .options import ConvOptions, DescentOptions

__all__ = ["Change", "Distortion", "Erasing", "change_of"]

Change = Callable[[torch.Tensor, tuple[int, int], torch.Generator], torch.Tensor]
"""Makes changed copies of levels, shape ``(count, height * width)``, 0 to 255: whole levels in float32. It is
told their (height, width), and draws all from a generator of the CPU, so that every device draws the same."""


@dataclass(frozen=True)
class Distortion:
    """How far an image may be moved; every amount is drawn uniformly up to it, to both sides.

    Attributes
    ----------
    rotation : float
        Degrees.
    scale, shear : float
        Parts of one.
    shift : float
        Pixels.
    elastic : float
        Pixels: standard deviation of a displacement drawn on a 7 x 7 grid and interpolated.
    mirror : bool
        Whether half of the images are flipped left to right.
    contrast : float
        Factor on levels, counted from the middle, against the blur of moving them (1.4 leaves MNIST as many
        bright and as many dark pixels as it had).
    """

    rotation: float = 10.0
    scale: float = 0.1
    shear: float = 0.1
    shift: float = 1.5
    elastic: float = 1.0
    mirror: bool = False
    contrast: float = 1.4

    def times(self, factor: float) -> "Distortion":
        """The same with every amount multiplied; a factor of 0 distorts nothing."""
        return Distortion(self.rotation * factor, self.scale * factor, self.shear * factor,
                          self.shift * factor, self.elastic * factor, self.mirror,
                          self.contrast if factor else 1.0)

    def __call__(self, levels: torch.Tensor, shape: tuple[int, int],
                 generator: torch.Generator) -> torch.Tensor:
        """A distorted copy of each image, as `Change` says."""
        count, (height, width) = len(levels), shape
        device = levels.device

        def drawn(amount: float) -> torch.Tensor:
            return ((torch.rand(count, generator=generator) * 2 - 1) * amount).to(device)

        angle = drawn(self.rotation * math.pi / 180)
        across, down, shear = 1 + drawn(self.scale), 1 + drawn(self.scale), drawn(self.shear)
        right, low = drawn(self.shift * 2 / width), drawn(self.shift * 2 / height)
        if self.mirror:
            turned = torch.rand(count, generator=generator) < 0.5
            across = across * torch.where(turned, 1.0, -1.0).to(device)
        affine = torch.stack([
            torch.stack([angle.cos() * across, shear - angle.sin() * down, right], 1),
            torch.stack([angle.sin() * across, angle.cos() * down, low], 1),
        ], 1)
        waves = torch.randn(count, 2, 7, 7, generator=generator).to(device) * (self.elastic * 2 / max(shape))
        grid = functional.affine_grid(affine, [count, 1, height, width], align_corners=False)
        grid = grid + functional.interpolate(
            waves, size=shape, mode="bicubic", align_corners=False).permute(0, 2, 3, 1)
        moved = functional.grid_sample(
            levels.float().view(count, 1, height, width), grid, align_corners=False)
        return moved.view(count, -1).sub_(127.5).mul_(self.contrast).add_(127.5).round_().clamp_(0, 255)


@dataclass(frozen=True)
class Erasing:
    """Another change, then one rectangle of one random level in some of the images.

    Each side of a rectangle is from 1/8 to 1/2 of the image's, so that no single part decides.

    Attributes
    ----------
    change : Change or None
        What comes first; None: nothing.
    share : float
        Of the images, 0 to 1.
    """

    change: Change | None
    share: float

    def __call__(self, levels: torch.Tensor, shape: tuple[int, int],
                 generator: torch.Generator) -> torch.Tensor:
        """A changed copy of each image, as `Change` says."""
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


def change_of(settings: DescentOptions) -> Change | None:
    """What a recipe's options ask for; None: nothing."""
    change: Change | None = None
    if settings.distort or settings.mirror:
        change = Distortion(mirror=settings.mirror, contrast=settings.contrast).times(settings.distort)
    if isinstance(settings, ConvOptions) and settings.erase:
        change = Erasing(change, settings.erase)
    return change
