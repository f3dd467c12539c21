"""Batch normalisation as whole numbers, and its gradient."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import Dense  # noqa: E402
from firstspike.quantize.train.folding import Fold, folded, folded_levels  # noqa: E402
from firstspike.quantize.train.kernels import Kernel  # noqa: E402


def test_the_fold_is_the_normalisation_in_whole_numbers():
    """``gain (V - mean) / deviation + shift`` reaches a level where ``b + direction V`` reaches as many
    thresholds, but for what is rounded."""
    mean, variance = torch.tensor([30.0, -7.0]), torch.tensor([899.0, 1599.0])
    gain, shift = torch.tensor([0.5, -2.0]), torch.tensor([1.0, 3.0])
    direction, threshold, initial = folded(mean, variance, gain, shift)
    assert direction.tolist() == [1, -1]
    assert threshold.tolist() == [60, 20]      # deviations 30 and 40
    assert initial.tolist() == [60 - 30, 60 - 7]
    sums = torch.arange(-200.0, 200.0).unsqueeze(1)
    wanted = gain * (sums - mean) / (variance + 1).sqrt() + shift
    torch.testing.assert_close((sums * direction + initial) / threshold, wanted)


def test_a_gain_of_nothing_is_no_division_by_it():
    nothing, gain = torch.zeros(2), torch.tensor([0.0, -0.01])
    _, threshold, _ = folded(nothing, torch.full((2,), 99.0), gain, nothing)
    assert threshold.tolist() == [200, 200]    # 10 / 0.05


def test_the_layer_of_a_fold():
    fold = Fold(2, Kernel("linear", 3))
    with torch.no_grad():
        fold.mean.copy_(torch.tensor([30.0, -7.0]))
        fold.variance.copy_(torch.tensor([899.0, 1599.0]))
        fold.gain.copy_(torch.tensor([0.5, -2.0]))
        fold.shift.copy_(torch.tensor([1.0, 3.0]))
    layer = fold.layer(Dense([[1, 1, -1], [-1, 1, 1]]))
    assert layer.threshold.tolist() == [60, 20] and layer.initial.tolist() == [30, 53]
    assert (layer.window, layer.threshold_schedule.tolist()) == (3, [3, 2, 1])
    assert fold.direction().tolist() == [1, -1]


def test_backward_is_that_of_batch_normalisation():
    """Levels are those of the rounded fold; slopes are the plain normalisation's where one is inside."""
    generator = torch.Generator().manual_seed(3)
    sums = (torch.randn(6, 5, 4, 3, generator=generator) * 40).round().contiguous(
        memory_format=torch.channels_last)
    pull = torch.rand(sums.shape, generator=generator)
    gain, shift = torch.tensor([1.5, -2.0, 0.7, 3.0, -1.0]), torch.tensor([0.0, 1.0, 2.5, -1.0, 4.0])
    results = []
    for plain in (False, True):
        heard, gains, shifts = (part.clone().requires_grad_() for part in (sums, gain, shift))
        if plain:
            mean = heard.mean(dim=(0, 2, 3), keepdim=True)
            scale = (heard.var(dim=(0, 2, 3), unbiased=False, keepdim=True) + 1).sqrt()
            level = gains.view(-1, 1, 1) * (heard - mean) / scale + shifts.view(-1, 1, 1)
            direction = gain.sign().view(-1, 1, 1)
            ratio = scale.detach() / gain.abs().view(-1, 1, 1)
            initial = (ratio * shift.view(-1, 1, 1) - direction * mean.detach()).round()
            whole = ((direction * sums + initial) / ratio.round()).floor()
            (level * pull * ((whole >= 0) & (whole <= 4))).sum().backward()
            levels = whole.clamp(0, 4)
        else:
            levels = folded_levels(heard, gains, shifts, Kernel("linear", 4))
            (levels * pull).sum().backward()
        results.append((levels.detach(), heard.grad, gains.grad, shifts.grad))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    for ours, expected in zip(results[0][1:], results[1][1:], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)
    assert len(np.unique(results[0][0])) == 5
