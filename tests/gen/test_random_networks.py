"""Random networks, emitted as Verilog and simulated, are bit-exact in every spike and potential."""

import shutil

import numpy as np
import pytest
from firstspike.gen.build import build
from firstspike.sim.verify import verify
from harness.strategies import Wanted, random_images, random_network

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not on PATH")
IN_A_HURRY = 40


def check(seed, tmp_path, simulator):
    rng = np.random.default_rng([2026, seed])
    network = random_network(rng, Wanted(residual=False))
    rate = None if rng.random() < 0.5 else float(rng.choice([1e3, 1e5]))   # the slower, the more folded
    made = build(network, "generic", tmp_path / "b", images_per_second=rate)
    stalls = bool(rng.random() < 0.5)
    result = verify(made, random_images(rng, network, 6), simulator=simulator, stalls=stalls, seed=seed)
    assert result.passed, result.runs


@needs_icarus
@pytest.mark.parametrize("seed", [
    pytest.param(seed, marks=[] if seed < IN_A_HURRY else pytest.mark.slow) for seed in range(200)])
def test_random_network_is_bit_exact_under_icarus(seed, tmp_path):
    check(seed, tmp_path, "icarus")


@pytest.mark.parametrize("seed", range(2))
def test_random_network_is_bit_exact_under_verilator(seed, tmp_path):
    check(seed, tmp_path, "verilator")
