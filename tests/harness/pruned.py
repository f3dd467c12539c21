"""What is left of pruned weights."""

import numpy as np

__all__ = ["check_pruned"]


def check_pruned(weights: np.ndarray, prune: float) -> None:
    """Check that the share ``prune`` of the weights is 0, and that the rest are signs."""
    assert np.count_nonzero(weights == 0) == int(prune * weights.size)
    assert set(np.unique(np.abs(weights))) <= {0, 1}
