"""Real numbers on grids of integers: whether they lie on one, and the nearest one where they do not."""

import numpy as np

__all__ = ["grid_of", "is_whole", "threshold_of", "weights_on_grid"]

SMALLEST = 1e-200
"""Weights that are all below are no numbers to divide by."""
FLOAT32 = 2.0 ** -22
"""How far a multiple of a unit may be off, for each unit, and still be float32's rounding of it."""


def is_whole(values: np.ndarray) -> np.ndarray:
    """Which of ``values`` are integers, but for float32's rounding."""
    return np.abs(values - np.rint(values)) <= FLOAT32 * np.maximum(np.abs(values), 1.0)


def threshold_of(real: np.ndarray, strict: bool) -> np.ndarray:
    """The integers that an integer potential reaches where it is above ``real`` (``strict``), or at it."""
    whole = np.where(is_whole(real), np.rint(real), real)
    threshold = (np.floor(whole) + 1 if strict else np.ceil(whole)).astype(np.int64)
    if (threshold < 1).any():
        neuron = int(np.argmin(threshold))
        raise ValueError(f"its threshold must be above {'or at ' if strict else ''}0, "
                         f"where it starts, not {real[neuron]:g} of its weights' units (neuron {neuron})")
    return threshold


def weights_on_grid(rows: np.ndarray, kind: str, bits: int, last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Integers for rows of weights.

    Parameters
    ----------
    rows : numpy.ndarray
        float64, shape ``(channels, weights)``.
    kind : str
        "auto", "sign", "ternary" or "integer".
    bits : int
        Of an integer.
    last : bool
        Whether all rows share one scale, as in a layer whose neurons are compared.

    Returns
    -------
    whole, scale : numpy.ndarray
        The integers, as float64, and what each row was multiplied with: shape ``(channels,)``.

    Raises
    ------
    ValueError
        The weights are too small to count with, or are no signs.
    """
    limit = (1 << bits - 1) - 1 if kind in ("auto", "integer") else 1
    lowest = -limit - 1 if kind in ("auto", "integer") else -1
    largest = np.abs(rows).max()
    if 0 < largest < SMALLEST:
        raise ValueError(f"its weights, times what a spike is worth to them, are {largest:g} at most, too "
                         "small to count with; scale them, or check level")
    if largest == 0:
        if kind == "sign":
            raise ValueError("its weights are all 0, which no sign is; leave it out")
        return np.zeros_like(rows), np.ones(len(rows))
    fits = not (kind == "sign" and (rows == 0).any())
    if fits:
        same = grid_of(rows, limit, lowest)
        grids = [[same] * len(rows)]
        if not last and (same is None or largest * same > 1):
            grids.append([grid_of(row, limit, lowest) if row.any() else 1.0 for row in rows])
        scales = [np.array(grid, np.float64) for grid in grids if all(scale is not None for scale in grid)]
        found = [(np.rint(rows * scale[:, None]), scale) for scale in scales]
        if found:
            return min(found, key=lambda taken: np.abs(taken[0]).max())
    if last:
        taken, scale = _rounded(rows.reshape(1, -1), kind, limit)
        return taken.reshape(rows.shape), np.repeat(scale, len(rows))
    return _rounded(rows, kind, limit)


def grid_of(values: np.ndarray, limit: int, lowest: int) -> float | None:
    """The smallest scale that makes ``values`` integers from ``lowest`` to ``limit``; None if none does."""
    sizes = np.unique(np.abs(values))
    low, high = values.min(), values.max()
    sizes = sizes[sizes > 0]
    for count in range(1, -lowest + 1):
        scale = count / sizes[-1]
        if is_whole(sizes * scale).all() and lowest <= np.rint(low * scale) \
                and np.rint(high * scale) <= limit:
            return scale
    return None


def _rounded(rows: np.ndarray, kind: str, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """The integers and scales of the least squared error, of a few that are tried, for each row."""
    sizes = np.abs(rows)
    if kind in ("sign", "ternary"):
        kept = sizes >= 0 if kind == "sign" else sizes > 0.7 * sizes.mean(axis=1, keepdims=True)
        taken = np.where(kept, np.where(rows < 0, -1.0, 1.0), 0.0)
        mean = np.where(kept, sizes, 0).sum(axis=1) / np.maximum(kept.sum(axis=1), 1)
        return taken, 1.0 / np.where(mean > 0, mean, 1.0)
    best = np.full(len(rows), np.inf)
    scale = np.ones(len(rows))
    largest = np.where(sizes.max(axis=1) > 0, sizes.max(axis=1), 1.0)
    for clip in np.linspace(0.4, 1.0, 25):
        trial = limit / (clip * largest)
        whole = np.clip(np.rint(rows * trial[:, None]), -limit, limit)
        error = ((whole / trial[:, None] - rows) ** 2).sum(axis=1)
        better = error <= best
        best, scale = np.where(better, error, best), np.where(better, trial, scale)
    return np.clip(np.rint(rows * scale[:, None]), -limit, limit), scale
