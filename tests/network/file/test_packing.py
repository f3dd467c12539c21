"""Weights come out of their bits as they went in, whatever lies at the edge of a block or a byte."""

import numpy as np
import pytest
from firstspike.network.file import packing
from firstspike.network.file.packing import pack, unpack
from firstspike.network.synapses import Dense, WeightKind


@pytest.mark.parametrize("kind", [*WeightKind])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 65, 200])
def test_comes_back(monkeypatch, kind, count):
    monkeypatch.setattr(packing, "BLOCK", 64)
    rng = np.random.default_rng(count)
    for bits in range(2, 9):
        choices = {WeightKind.SIGN: [-1, 1], WeightKind.TERNARY: [-1, 0, 1],
                   WeightKind.INTEGER: [*range(-1 << bits - 1, 1 << bits - 1)]}[kind]
        weights = rng.choice(choices, (1, count)).astype(np.int8)
        tensors = pack(weights, kind, bits)
        asked = {}

        def take(name, wanted, tensors=tensors, asked=asked):
            asked[name] = wanted
            return tensors[name]

        found = unpack(take, (1, count), kind, bits)
        assert found.dtype == np.int8 and np.array_equal(found, weights)
        assert asked.keys() == tensors.keys()
        assert {name: -(-wanted // 8) for name, wanted in asked.items()} == {
            name: len(tensor) for name, tensor in tensors.items()}
        assert Dense(found).weights is found, "it needs no copy"
