"""What a module in training hears of pixel levels."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import Direct, Input, Latency  # noqa: E402
from firstspike.quantize.train.input_spikes import arrivals, values  # noqa: E402
from firstspike.quantize.train.input_tables import latency_table  # noqa: E402
from firstspike.quantize.train.online import grouped  # noqa: E402
from harness.training import made_input, made_levels  # noqa: E402


def test_arrivals_and_values():
    source = Input(3, 4, Latency(latency_table(4, 64)), np.array([True, False, True]))
    levels = torch.tensor([[255, 255, 64], [63, 0, 207]])
    spikes = arrivals(levels, source, torch.float32)
    assert spikes.shape == (4, 2, 2)
    np.testing.assert_array_equal(spikes.sum(dim=0), [[1, 1], [0, 1]])
    np.testing.assert_array_equal(spikes.argmax(dim=0), [[0, 3], [0, 1]])
    np.testing.assert_array_equal(values(levels, source, np.array([4, 3, 2, 1])), [[4, 1], [0, 3]])


def test_another_encoding_is_refused():
    with pytest.raises(TypeError, match=r"^encoding must be a Latency to train with, not Direct\("):
        values(torch.zeros(1, 3), Input(3, 4, Direct(9)), np.ones(4))


def test_grouped_steps():
    """In training mode the steps of a group count as one; at its end nothing that came is missing."""
    assert grouped(16) == (0, 1, 2, 3, 4, 6, 9, 12, 15)
    assert all(grouped(window)[-1] == window - 1 for window in range(1, 40))
    assert all(np.all(np.diff(grouped(window)) > 0) for window in range(1, 40))
    source = made_input(np.random.default_rng(1), window=16)
    levels = torch.tensor(made_levels(np.random.default_rng(2), 20))
    whole = arrivals(levels, source, torch.float32)
    parts = arrivals(levels, source, torch.float32, grouped(16))
    np.testing.assert_array_equal(whole.cumsum(0)[list(grouped(16))], parts.cumsum(0))
