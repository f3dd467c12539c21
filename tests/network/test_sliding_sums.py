"""Sums and maxima over windows are those of the taps, one by one."""

import numpy as np
from firstspike.network.sliding import Sliding
from firstspike.network.sliding_sums import box_maxima, box_sums, inside_sums


def some_window(rng: np.random.Generator, dilated: bool) -> Sliding:
    while True:
        height, width = rng.integers(1, 12, 2).tolist()
        dilation = rng.integers(1, 4, 2).tolist() if dilated else 1
        try:
            return Sliding.checked((1, height, width), rng.integers(1, 9, 2).tolist(),
                                   rng.integers(1, 4, 2).tolist(),
                                   rng.integers(0, 7, 4).tolist() if rng.random() < 0.7 else 0, dilation)
        except ValueError:
            continue


def test_sums_and_maxima_over_boxes():
    rng = np.random.default_rng(1)
    padded = 0
    for _ in range(300):
        sliding = some_window(rng, dilated=False)
        planes = rng.integers(0, 1 << 40, (3, sliding.height, sliding.width))
        seen = [part for *_, part in sliding.taps(planes)]
        assert np.array_equal(box_sums(sliding, planes), np.sum(seen, axis=0))
        assert np.array_equal(box_maxima(sliding, planes), np.max(seen, axis=0))
        padded += any(sliding.padding)
    assert 0 < padded < 300


def test_sums_of_the_taps_that_lie_on_the_planes():
    rng = np.random.default_rng(2)
    cut = 0
    for _ in range(300):
        sliding = some_window(rng, dilated=True)
        kernels = rng.integers(-1 << 40, 1 << 40, (2, 3, *sliding.size))
        inside = sliding.taps(np.ones((sliding.height, sliding.width), np.int64))
        expected = sum(kernels[..., row, column, None, None] * seen for row, column, seen in inside)
        found = inside_sums(sliding, kernels)
        assert np.array_equal(found, expected)
        cut += bool((found != kernels.sum(axis=(-2, -1))[..., None, None]).any())
    assert 0 < cut < 300


def test_a_sum_that_fits_is_right_whatever_ran_over_before_it():
    sliding = Sliding(1, 2, (1, 5), (1, 1), (0, 0, 4, 4))
    kernels = np.array([[[1 << 62, 1 << 62, 1 << 62, 7, -5]]])
    assert inside_sums(sliding, kernels).tolist() == [[[-5, 2, (1 << 62) + 7, -1 << 63, -1 << 63, 1 << 62]]]
