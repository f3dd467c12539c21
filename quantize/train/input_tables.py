"""Which step a pixel level spikes in: the latency tables that networks are trained with."""

import numpy as np

__all__ = ["halving_table", "latency_table", "table_for", "used_inputs"]


def latency_table(window: int, dark: int, levels: int = 256) -> np.ndarray:
    """The step of each level: the brightest in step 0, equal shares of the rest after it, -1 below
    ``dark``.

    The dimmest level that is not silent, ``dark``, is in the last step.

    Parameters
    ----------
    window : int
        Steps.
    dark : int
        1 to ``levels - 1``.
    levels : int
        How many there are.

    Returns
    -------
    array
        int64, shape ``(levels,)``.

    Raises
    ------
    ValueError
        ``dark`` or ``window`` is out of range.
    """
    if not 1 <= dark < levels:
        raise ValueError(f"dark must be from 1 to {levels - 1}, not {dark}")
    if window < 1:
        raise ValueError(f"window must be a positive integer, not {window}")
    level = np.arange(levels)
    return np.where(level < dark, -1, (levels - 1 - level) * window // (levels - dark))


def halving_table(window: int, dark: int, levels: int = 256) -> np.ndarray:
    """The step of each level: the brighter half in step 0, of the rest the brighter half in step 1 and so on.

    Parameters and result are those of `latency_table`; -1 also for what is left after the window.
    """
    level = np.arange(levels)
    step = (level[:, np.newaxis] < levels >> np.arange(1, window + 1)).sum(axis=1)
    return np.where((level < dark) | (step == window), -1, step)


def table_for(kernel: str, window: int, dark: int) -> np.ndarray:
    """The step of each level of 256 for which a kernel ("linear" or "two") says nearly what the level is."""
    table = latency_table if kernel == "linear" else halving_table
    return table(window, dark)


def used_inputs(levels: np.ndarray, table: np.ndarray, rare: float) -> np.ndarray:
    """Which inputs spike in more than the share ``rare`` of the images; the one that spikes most always.

    Parameters
    ----------
    levels : array
        The training images: ints, shape ``(count, size)``.
    table : array
        The step of each level, -1 where it is silent.
    rare : float
        0 to 1.

    Returns
    -------
    array
        bool, shape ``(size,)``.
    """
    share = (table >= 0)[levels].mean(axis=0)
    return (share > rare) | (share == share.max())
