"""The discrete steps and their gradients, and the distortions."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.train.distort import Distortion  # noqa: E402
from firstspike.quantize.train.kernels import Kernel  # noqa: E402
from firstspike.quantize.train.straight import fired_by, matmul_signs, rounded, signs  # noqa: E402


def gradient(function, at):
    at = torch.tensor(at, requires_grad=True)
    value = function(at)
    value.sum().backward()
    return value.detach().tolist(), at.grad.tolist()


def test_signs():
    assert gradient(signs, [-2.0, 0.0, 0.3]) == ([-1, 1, 1], [1, 1, 1])


def test_signs_pruned():
    """The weights nearest to 0 are left out, and can come back: their gradient passes too."""
    for weights, prune, expected in (
            ([-2.0, 0.0, 0.3, -0.1, 0.5, -0.4], 0.2, [-1, 0, 1, -1, 1, -1]),
            ([-2.0, 0.0, 0.3, -0.1, 0.5, -0.4], 0.5, [-1, 0, 0, 0, 1, -1]),
            ([-2.0, 0.0, 0.3, -0.1, 0.5, -0.4], 0.1, [-1, 1, 1, -1, 1, -1]),
            ([1.0, -1.0, 0.5, -1.0, 1.0, 1.0], 0.5, [0, 0, 0, -1, 1, 1]),
            ([1.0, -1.0], 0.99, [0, -1])):
        assert gradient(lambda at, share=prune: signs(at, share), weights) == (expected, [1] * len(weights))


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_kernels_pass_on_the_largest_value_that_is_reached(kind):
    levels = torch.tensor([-3.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.875, 4.0, 7.9375, 8.0, 100.0], dtype=kind)
    linear, two = Kernel("linear", 5), Kernel("two", 4)
    assert linear.schedule.tolist() == [5, 4, 3, 2, 1] and two.schedule.tolist() == [8, 4, 2, 1]
    assert linear.passed(levels).tolist() == [0, 0, 0, 1, 1, 2, 3, 4, 5, 5, 5]
    assert two.passed(levels).tolist() == [0, 0, 0, 1, 1, 2, 2, 4, 4, 8, 8]
    assert (linear.stretch, two.stretch, two.passed(levels).dtype) == (1, 2, kind)


def test_rounded():
    assert gradient(rounded, [-1.6, 0.4, 7.51]) == ([-2, 0, 8], [1, 1, 1])
    assert gradient(lambda x: rounded(x, low=1), [-1.6, 0.4, 7.51]) == ([1, 1, 8], [1, 1, 1])


def test_fired_by_triangle():
    """One step: the slope is the triangle, of area 1 over whole margins."""
    threshold = torch.zeros(1)
    value, slope = gradient(lambda x: fired_by(x.view(1, -1, 1), threshold, 4.0), [-5.0, -1.0, 0.0, 3.0, 4.0])
    assert [row[0] for row in value[0]] == [0, 0, 1, 1, 1]
    np.testing.assert_allclose(slope, [0, 0.21875, 0.21875, 0.03125, 0])
    every = [float(margin) for margin in range(-9, 9)]
    assert sum(gradient(lambda x: fired_by(x.view(1, -1, 1), threshold, 4.0), every)[1]) == pytest.approx(1)


def test_fired_by_many_steps():
    """The same as sum, running maximum and a surrogate step, written plainly for autograd."""
    generator = torch.Generator().manual_seed(4)
    arriving = torch.randint(-3, 4, (7, 5, 6), generator=generator).float()
    pull = torch.rand(7, 5, 6, generator=generator)
    results = []
    for plain in (False, True):
        steps = arriving.clone().requires_grad_()
        threshold = torch.tensor([1.0, 2.0, 3.0, 4.0, 9.0, 1.0], requires_grad=True)
        if plain:
            margin = torch.cummax(torch.cumsum(steps, 0), 0).values - threshold
            slope = (1 - (margin.detach() + 0.5).abs() / 3.0).clamp(min=0) / 3.0
            fired = (margin.detach() >= 0).float()
            (slope * margin * pull).sum().backward()
        else:
            fired = fired_by(steps, threshold, 3.0)
            (fired * pull).sum().backward()
        results.append((fired.detach(), steps.grad, threshold.grad))
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    assert results[0][0].sum() > 0


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_matmul_signs(kind):
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(5, 30, generator=generator, requires_grad=True)
    spikes = (torch.rand(4, 3, 30, generator=generator) < 0.5).to(kind)
    sums = matmul_signs(spikes, weights)
    pruned = matmul_signs(spikes, weights.detach(), 0.4).float()
    np.testing.assert_array_equal(pruned, spikes.float() @ signs(weights.detach(), 0.4).t())
    assert sums.dtype == kind and sums.shape == (4, 3, 5)
    np.testing.assert_array_equal(sums.detach().float(), spikes.float() @ signs(weights.detach()).t())
    sums.sum().backward()
    np.testing.assert_array_equal(weights.grad, spikes.float().sum(dim=(0, 1)).expand(5, 30))
    amounts = spikes.clone().requires_grad_()
    matmul_signs(amounts, weights).sum().backward()
    np.testing.assert_array_equal(amounts.grad.float()[2, 1], signs(weights.detach()).sum(dim=0))


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
