"""Latency tables: which step a level spikes in, and which inputs spike at all."""

import numpy as np
import pytest
from firstspike.quantize.schedules import powers_of_two
from firstspike.quantize.train.input_tables import halving_table, latency_table, table_for, used_inputs


def test_halving_table():
    table = halving_table(8, 1)
    assert table.tolist() == [-1] + [7 - (level.bit_length() - 1) for level in range(1, 256)]
    assert halving_table(3, 1)[31] == -1 and halving_table(3, 1)[32] == 2
    assert np.all(halving_table(8, 20)[:20] == -1) and halving_table(12, 1).max() == 7
    heard = powers_of_two(8)[table[1:]]
    assert np.all(heard <= np.arange(1, 256)) and np.all(2 * heard > np.arange(1, 256))


def test_each_kernel_has_its_table():
    np.testing.assert_array_equal(table_for("two", 8, 30), halving_table(8, 30))
    np.testing.assert_array_equal(table_for("linear", 8, 30), latency_table(8, 30))


def test_latency_table():
    table = latency_table(16, 1)
    assert (table[0], table[1], table[255], len(table)) == (-1, 15, 0, 256)
    assert np.all(np.diff(table[1:]) <= 0)
    counts = np.bincount(table[1:], minlength=16)
    assert counts.min() >= 15 and counts.max() <= 16
    assert np.all(latency_table(4, 100)[:100] == -1)
    with pytest.raises(ValueError, match=r"^dark must be from 1 to 255, not 0$"):
        latency_table(4, 0)
    with pytest.raises(ValueError, match=r"^window must be a positive integer, not 0$"):
        latency_table(0, 1)


def test_used_inputs():
    levels = np.zeros((10, 4), int)
    levels[:, 0], levels[:5, 1], levels[:1, 2] = 255, 100, 255
    table = latency_table(4, 50)
    np.testing.assert_array_equal(used_inputs(levels, table, 0.0), [True, True, True, False])
    np.testing.assert_array_equal(used_inputs(levels, table, 0.1), [True, True, False, False])
    np.testing.assert_array_equal(used_inputs(levels, table, 1.0), [True, False, False, False])
