"""784-128-10 online on the iCEBreaker, whole: core, encoder, host link and pins in one iCE40 UP5K.

``python -m bench.mnist_icebreaker``. Size and clock are nextpnr's, of the design that becomes the bitstream;
cycles are counted in the emitted Verilog, under Verilator, and each image is compared with the golden model.
"""

import sys
import tempfile
from pathlib import Path

import firstspike as fs
from firstspike.sim.describe import link_rate

from .common import Figure, data_folder, write_results

NETWORK = "mnist-784-128-10-online"
IMAGES = 1000


def main() -> None:
    """Measure and write the figures."""
    network = fs.load(NETWORK)
    chosen = fs.load_images(data_folder("mnist"), network)
    accuracy = fs.score(network, chosen).accuracy
    assert accuracy is not None
    with tempfile.TemporaryDirectory() as scratch:
        build = fs.build(network, "icebreaker", Path(scratch) / "x")
        design = fs.synthesise(build, core=False).design
        assert design is not None and design.fmax_hz is not None
        result = fs.verify(build, chosen.images[:IMAGES], early_stop=True, ports=["spikes"])
        if not result.passed:
            sys.exit(f"{NETWORK} is not bit-exact: {result.first}")
        rate = link_rate(build)
    assert result.cycles and result.latency
    write_results("mnist_icebreaker", [
        Figure("logic cells", design.luts, "LC", "lower", 5000, 3889),
        Figure("Fmax", design.fmax_hz / 1e6, "MHz", "higher", 30, 48),
        Figure("block RAMs", design.block_rams, "cells", "lower", 30, 24),
        Figure("cycles per image", result.cycles.mean, "cycles", "lower"),
        Figure("latency, first spike in to class out", result.latency.mean, "cycles", "lower"),
        Figure("images per second through the UART", rate, "images/s", "higher"),
        Figure("MNIST test accuracy", 100 * accuracy, "%", "higher", 96.0, 97.5),
    ], seed=build.manifest["seed"], network=network.digest, images=IMAGES)


if __name__ == "__main__":
    main()
