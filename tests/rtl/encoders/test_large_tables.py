"""Tables of thousands of levels, which as logic would take a simulator minutes: the Verilog under Icarus."""

import firstspike as fs
import numpy as np
import pytest
from firstspike.network import Dense, Input, Latency, Layer, Network, Phase

WINDOW = 200


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("levels", [2048, 4096])
def test_a_large_table_without_any_order_encodes_in_seconds(levels, phase, tmp_path):
    rng = np.random.default_rng(levels)
    table = rng.integers(-1, WINDOW, levels)
    layer = Layer(Dense(rng.choice([-1, 1], (4, 9))), WINDOW, threshold=1, phase=phase)
    network = Network(Input(9, WINDOW, Latency(table)), [layer])
    build = fs.build(network, "generic", tmp_path / "build")
    assert len(build.verilog.read_text()) < 500_000
    images = rng.integers(0, levels, (3, 9))
    result = fs.verify(build, images, simulator="icarus", ports=["levels"])
    assert result.passed
