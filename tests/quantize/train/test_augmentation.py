"""Changed copies of training images: distorted, mirrored, with a part blotted out."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.train.augmentation import Distortion, Erasing, change_of  # noqa: E402
from firstspike.quantize.train.options import ConvOptions, MlpOptions  # noqa: E402


def image(generator, count=6):
    return torch.randint(0, 256, (count, 8 * 10), generator=generator, dtype=torch.uint8)


def test_no_distortion_is_no_change():
    generator = torch.Generator().manual_seed(1)
    images = image(generator)
    np.testing.assert_array_equal(Distortion().times(0)(images, (8, 10), generator), images)


def test_distortion_is_fixed_by_its_generator_and_gives_levels():
    images = image(torch.Generator().manual_seed(1))
    first, again, other = (Distortion()(images, (8, 10), torch.Generator().manual_seed(seed))
                           for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(first, first.round()) and first.min() >= 0 and first.max() <= 255


def test_shift_moves_at_most_so_far():
    images = torch.zeros(200, 9 * 9, dtype=torch.uint8)
    images[:, 40] = 255
    only_shift = Distortion(0, 0, 0, 1.5, 0)
    moved = only_shift(images, (9, 9), torch.Generator().manual_seed(3)).view(200, 9, 9)
    rows, columns = moved.sum(dim=(0, 2)).nonzero(), moved.sum(dim=(0, 1)).nonzero()
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 6, 2, 6)


def test_mirror():
    images = torch.zeros(50, 4, dtype=torch.uint8)
    images[:, 0] = 255
    mirrored = Distortion(0, 0, 0, 0, 0, mirror=True)(images, (1, 4), torch.Generator().manual_seed(3))
    assert {tuple(row) for row in mirrored.tolist()} == {(255, 0, 0, 0), (0, 0, 0, 255)}


def test_erasing():
    images = torch.full((400, 6 * 8), 77, dtype=torch.uint8)
    changed, again = (Erasing(None, 0.5)(images, (6, 8), torch.Generator().manual_seed(1)) for _ in range(2))
    np.testing.assert_array_equal(changed, again)
    assert changed.dtype == torch.float32
    np.testing.assert_array_equal(changed, changed.round())
    touched = (changed != 77).view(400, 6, 8)
    assert 0.3 < touched.any(dim=(1, 2)).float().mean() < 0.6
    for part in touched[touched.any(dim=2).any(dim=1)]:
        rows, columns = part.any(dim=1).nonzero(), part.any(dim=0).nonzero()
        assert part.sum() == len(rows) * len(columns) <= 3 * 4  # one rectangle, half of each side at most
    np.testing.assert_array_equal(Erasing(None, 0.0)(images, (6, 8), torch.Generator()), images)
    moved = Erasing(Distortion(), 0.0)(images, (6, 8), torch.Generator().manual_seed(1))
    assert not torch.equal(moved, images.float())


def test_what_the_options_ask_for():
    assert change_of(MlpOptions(distort=0)) is None
    assert change_of(MlpOptions(distort=0.5, contrast=1.2)) == Distortion(contrast=1.2).times(0.5)
    assert change_of(MlpOptions(distort=0, mirror=True)) == Distortion(mirror=True).times(0)
    assert change_of(ConvOptions(distort=0, erase=0.3)) == Erasing(None, 0.3)
    assert change_of(ConvOptions(distort=1, erase=0.3)) == Erasing(Distortion(), 0.3)
