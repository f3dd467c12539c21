"""Files that chance or malice changed are refused in one sentence, or are networks like any other."""

from collections import Counter

import numpy as np
import pytest
from firstspike.network.file.reading import load
from harness.mutants import byte_mutant, outcome, redigested_mutant, some_network
from harness.network_files import refusal


@pytest.mark.parametrize("seed", range(20))
def test_ten_thousand_byte_mutants(tmp_path, seed):
    """500 of each seed: a digest guards every byte, so that none is taken for a network."""
    rng = np.random.default_rng(seed)
    path = tmp_path / "x"
    for _ in range(20):
        some_network(rng).save(path)
        whole = path.read_bytes()
        for _ in range(25):
            path.write_bytes(byte_mutant(rng, whole))
            refusal(path)


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_redigested_mutants(tmp_path, seed):
    """100 of each seed; those that are loaded are written, run by both golden models and scored."""
    rng = np.random.default_rng(seed)
    path = tmp_path / "x"
    found: Counter[str] = Counter()
    for _ in range(20):
        some_network(rng).save(path)
        whole = path.read_bytes()
        for _ in range(5):
            path.write_bytes(whole)
            redigested_mutant(rng, path)
            found[outcome(path, rng)] += 1
    assert found["refused"] > 10 and found["used"] > 10, "both must happen, or this shows nothing"


def test_an_outcome_sees_what_is_wrong(tmp_path, monkeypatch):
    """A loader that mends a file instead of refusing it is found out."""
    rng = np.random.default_rng(0)
    some_network(rng).save(tmp_path / "x")
    network = load(tmp_path / "x")
    (tmp_path / "x").write_bytes((tmp_path / "x").read_bytes() + b"\0")
    monkeypatch.setattr("harness.mutants.load", lambda path: network)
    with pytest.raises(AssertionError, match="it is written in another form"):
        outcome(tmp_path / "x", rng)
