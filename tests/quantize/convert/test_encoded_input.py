"""Encoded inputs: the amounts are what the golden model hears."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import golden  # noqa: E402
from firstspike.quantize.convert import encoded_input  # noqa: E402
from firstspike.quantize.convert.t2fsnn import exponential  # noqa: E402


@pytest.mark.parametrize(("made", "most"), [
    (lambda: encoded_input.latency((4,), 256, np.arange(16, 0, -1)), 0.5 / 16 + 1e-9),
    (lambda: encoded_input.latency((4,), 17, np.arange(16, 0, -1)), 0),
    (lambda: encoded_input.latency((1, 2, 2), 256, exponential(12, 3.0)), 0.15),
    (lambda: encoded_input.direct((4,), 256, None), 0), (lambda: encoded_input.direct((4,), 100, 3), 0),
    (lambda: encoded_input.bits((4,), 256), 0), (lambda: encoded_input.bits((4,), 9), 0),
])
def test_sources_say_what_the_golden_model_hears(made, most):
    """The amounts are what the kernel makes of the spikes; the rounding is what is stated."""
    made = made()
    levels = np.random.default_rng(1).integers(0, made.input.levels, (50, 4))
    spikes = np.stack([golden.encode(made.input, image) for image in levels])
    amounts = made.amounts(levels).numpy()
    if made.heard.online is None:
        np.testing.assert_array_equal(np.einsum("cti,t->ci", spikes, made.heard.kernel), amounts)
    else:
        np.testing.assert_array_equal(spikes.transpose(1, 0, 2), amounts)
        amounts = amounts[0]
    assert made.rounding <= most
    highest = made.input.levels - 1
    assert np.abs(amounts * made.heard.unit - levels).max() <= made.rounding * highest + 1e-9
