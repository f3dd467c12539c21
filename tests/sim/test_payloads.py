"""Payloads of any width: what is packed is found again, bit by bit."""

from itertools import pairwise

import numpy as np
from firstspike.sim.payloads import field, packed
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_fields_are_where_they_were_put(seed, width):
    rng = np.random.default_rng(seed)
    cuts = np.unique([0, *rng.integers(0, width + 1, 5), width])
    places = {f"f{at}": (int(low), int(min(high - low, 63))) for at, (low, high) in enumerate(pairwise(cuts))}
    values = {name: rng.integers(0, 1 << bits, 7) for name, (_, bits) in places.items()}
    payloads = packed(values, places, width)
    assert payloads.shape == (7, -(-width // 8)) and payloads.dtype == np.uint8
    for name, place in places.items():
        assert (field(payloads, place) == values[name]).all()
    whole = [int.from_bytes(row.tobytes(), "little") for row in payloads]
    assert whole == [sum(int(values[name][at]) << low for name, (low, _) in places.items())
                     for at in range(7)]


def test_a_field_without_bits_is_zero():
    assert field(np.full((3, 2), 255, np.uint8), (5, 0)).tolist() == [0, 0, 0]


def test_a_field_across_the_sixty_fourth_bit():
    """As the ``dump`` of ten classes, 4,096 steps and potentials of 48 bits has it."""
    places = {"potential": (20, 48), "dump": (68, 1)}
    payloads = packed({"potential": np.array([(1 << 48) - 2]), "dump": np.array([1])}, places, 70)
    assert field(payloads, places["potential"]).tolist() == [(1 << 48) - 2]
    assert field(payloads, places["dump"]).tolist() == [1]
