"""Distorted copies of training images: small rotations, scalings, shears, shifts and elastic waves.

After Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual
document analysis", ICDAR 2003.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

__all__ = ["Distortion"]


@dataclass(frozen=True)
class Distortion:
    """How far an image may be moved; every amount is drawn uniformly up to it, to both sides.

    ``rotation``: degrees; ``scale``, ``shear``: parts of one; ``shift``: pixels; ``elastic``: pixels,
    standard deviation of a displacement drawn on a 7 x 7 grid and interpolated; ``mirror``: whether half
    of the images are flipped left to right; ``contrast``: factor on levels, counted from the middle,
    against the blur of moving them (1.4 leaves MNIST as many bright and as many dark pixels as it had).
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
        """A distorted copy of each image.

        ``levels``: shape ``(count, height * width)``, 0 to 255; returns float32 of that shape, whole
        levels. ``generator``: a generator of the CPU, so that every device draws the same distortions.
        """
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
