"""Pruning in step with training: a cubic, then nothing."""

from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.train.pruning import EVERY, Pruning  # noqa: E402
from firstspike.quantize.train.sign_weights import SignWeights  # noqa: E402


def test_the_share_is_a_cubic_over_the_first_55_percent():
    pruning = Pruning(torch.nn.Module(), 0.8, 1000)
    assert [pruning.share(step) for step in (0, 275, 550, 1000)] == pytest.approx([0, 0.7, 0.8, 0.8])
    shares = np.array([pruning.share(step) for step in range(551)])
    assert np.all(np.diff(shares) > 0) and np.all(np.diff(shares, 2) < 1e-12)  # steep first


def pruned(module):
    return [int((part() == 0).sum()) for part in module]


@pytest.mark.parametrize("steps", [1, 2, 30, 300])
def test_a_module_is_pruned_to_the_last_weight_and_then_no_more(steps):
    generator = torch.Generator().manual_seed(1)
    module = torch.nn.Sequential(SignWeights((9, 11), generator), SignWeights((3, 2, 2, 2), generator))
    pruning, counts, kept = Pruning(module, 0.7, steps), [], []
    assert pruned(module) == [0, 0]
    for step in range(1, steps + 1):
        with torch.no_grad():
            for part in module:
                part.real.copy_(torch.rand(part.real.shape, generator=generator) - 0.5)
        pruning(step)
        counts.append(pruned(module))
        kept.append(module[0].kept.clone())
    assert counts[-1] == [int(0.7 * 99), int(0.7 * 24)]
    fixed = max(1, int(0.55 * steps))
    assert all(torch.equal(mask, kept[-1]) for mask in kept[fixed - 1:])
    assert all(torch.all(later <= earlier) for earlier, later in pairwise(kept))
    if steps == 300:
        at = [counts[step - 1][0] for step in range(EVERY, fixed, EVERY)]
        assert at == [int(pruning.share(step) * 99) for step in range(EVERY, fixed, EVERY)]


def test_without_a_share_nothing_is_ever_pruned():
    module = SignWeights((4, 4), torch.Generator().manual_seed(1))
    pruning = Pruning(module, 0.0, 10)
    for step in range(1, 11):
        pruning(step)
    assert module.kept is None and pruning.share(10) == 0
