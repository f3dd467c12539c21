"""The discrete steps and their gradients."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.train.straight_through import fired_by, matmul_signs, rounded, signs  # noqa: E402


def gradient(function, at):
    at = torch.tensor(at, requires_grad=True)
    value = function(at)
    value.sum().backward()
    return value.detach().tolist(), at.grad.tolist()


def test_signs():
    assert gradient(signs, [-2.0, 0.0, 0.3]) == ([-1, 1, 1], [1, 1, 1])


def test_signs_that_are_left_out_are_0_and_have_no_gradient():
    kept = torch.tensor([True, False, True])
    assert gradient(lambda at: signs(at, kept), [-2.0, 0.0, 0.3]) == ([-1, 0, 1], [1, 0, 1])


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
    kept = torch.rand(5, 30, generator=generator) < 0.4
    pruned = matmul_signs(spikes, weights.detach(), kept).float()
    np.testing.assert_array_equal(pruned, spikes.float() @ signs(weights.detach(), kept).t())
    assert sums.dtype == kind and sums.shape == (4, 3, 5)
    np.testing.assert_array_equal(sums.detach().float(), spikes.float() @ signs(weights.detach()).t())
    sums.sum().backward()
    np.testing.assert_array_equal(weights.grad, spikes.float().sum(dim=(0, 1)).expand(5, 30))
    weights.grad = None
    matmul_signs(spikes, weights, kept).sum().backward()
    np.testing.assert_array_equal(weights.grad, kept * spikes.float().sum(dim=(0, 1)))
    amounts = spikes.clone().requires_grad_()
    matmul_signs(amounts, weights).sum().backward()
    np.testing.assert_array_equal(amounts.grad.float()[2, 1], signs(weights.detach()).sum(dim=0))
