# amaranth: UnusedElaboratable=no
"""Columns, side by side and folded, against a model of their lanes."""

import random

import pytest
from column_bench import Session, random_case, run

FOLDED = pytest.mark.parametrize("folded", [False, True], ids=["side by side", "folded"])


def check(run, wanted, *, potentials=True):
    assert len(run.windows) == len(wanted)
    for index, (got, window) in enumerate(zip(run.windows, wanted, strict=True)):
        assert got.ends == window.ends, f"window {index}"
        assert got.final == window.final, f"window {index}"


@FOLDED
@pytest.mark.parametrize("seed", range(25))
def test_spikes_and_potentials(folded, seed):
    rng = random.Random(f"{folded} {seed}")
    case = random_case(rng, folded=folded)
    ops = case.random_windows(rng, 5)
    stalls = [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.7)][seed % 4]
    (got,) = run(case.chain(), Session(ops, *stalls, seed=seed))
    check(got, case.lanes(ops))
