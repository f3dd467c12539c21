"""What the conversions have in common."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.convert import codes  # noqa: E402
from firstspike.quantize.convert.conversion import best_unit  # noqa: E402


def test_best_unit_is_the_best_of_those_tried():
    values = torch.cat([torch.linspace(0, 4, 400), torch.tensor([40.0])]).double()
    code = codes.linear(8, nearest=True)
    unit, error = best_unit(values, code)
    for other in np.linspace(0.1, 5, 30):
        assert error <= float((code.nearest(values, float(other)) - values).square().mean()) * 1.1
    assert unit < 5
    assert best_unit(torch.zeros(5), code) == (1.0, 0.0)
