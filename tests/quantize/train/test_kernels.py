"""What a spike says by its step."""

import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.train.kernels import Kernel  # noqa: E402


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_kernels_pass_on_the_largest_value_that_is_reached(kind):
    levels = torch.tensor([-3.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.875, 4.0, 7.9375, 8.0, 100.0], dtype=kind)
    linear, two = Kernel("linear", 5), Kernel("two", 4)
    assert linear.schedule.tolist() == [5, 4, 3, 2, 1] and two.schedule.tolist() == [8, 4, 2, 1]
    assert linear.passed(levels).tolist() == [0, 0, 0, 1, 1, 2, 3, 4, 5, 5, 5]
    assert two.passed(levels).tolist() == [0, 0, 0, 1, 1, 2, 2, 4, 4, 8, 8]
    assert (linear.stretch, two.stretch, two.passed(levels).dtype) == (1, 2, kind)
