"""784-600-10 online, on the ULX3S-85F: clock and size of the core, cycles from class to class.

``python -m bench.mnist_ulx3s``. The core takes sorted spikes, without encoder and host link; nextpnr places
it out of context for speed grade 6. Cycles are counted in the emitted Verilog, under Verilator, over the
first 1,000 MNIST test images back to back with early stop; each is compared with the golden model.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import firstspike as fs
import numpy as np
from firstspike.models.table import measured
from firstspike.quantize.data.idx import load_idx

from .common import Figure, data_folder, write_results

NETWORK = "mnist-784-600-10-online"
CLOCK = 150e6
IMAGES = 1000
SLACK = 40      # cycles that an image may cost beside its spikes


def proven(build: fs.Build, images: np.ndarray, **options) -> fs.VerifyResult:
    """Verify ``build``; what is not bit-exact is not measured."""
    result = fs.verify(build, images, **options)
    if not result.passed:
        sys.exit(f"{NETWORK} is not bit-exact: {result.first}")
    return result


def main() -> None:
    """Measure and write the figures."""
    network = fs.load(NETWORK)
    chosen = fs.load_images(data_folder("mnist"), network, count=IMAGES)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        build = fs.build(network, "ulx3s-85f", folder / "spikes", clock_hz=CLOCK, encoder=False)
        core = fs.synthesise(build, design=False).core
        assert core is not None and core.fmax_hz is not None
        stopped = proven(build, chosen.images, labels=chosen.labels, early_stop=True)
        full = proven(build, np.full((50, network.input.size), 255), early_stop=False)
        pixels = fs.build(network, "ulx3s-85f", folder / "pixels")
        levels = proven(pixels, chosen.images[:100], early_stop=True, ports=["levels"])
    assert stopped.cycles and stopped.latency and full.cycles and levels.cycles and levels.latency
    test = load_idx(data_folder("mnist"), "test")
    first = replace(test, levels=test.levels[:IMAGES], labels=test.labels[:IMAGES])
    most = measured(network, first).most
    allowed = most + SLACK
    interval = stopped.cycles.mean
    write_results("mnist_ulx3s", [
        Figure("Fmax", core.fmax_hz / 1e6, "MHz", "higher", 140, 150),
        Figure("TRELLIS_COMB", core.luts, "cells", "lower", 16000, 12222),
        Figure("flip-flops", core.ffs, "cells", "lower", None, 9376),
        Figure("DP16KD", core.block_rams, "cells", "lower", None, 34),
        Figure("input spikes per cycle, all inputs at once", len(network.input.used) / full.cycles.mean,
               "spikes/cycle", "higher", 0.95, 1.0),
        Figure("cycles per image", interval, "cycles", "lower", 1.15 * allowed, allowed),
        Figure("the same over (most spikes of a layer until the decision + 40)", interval / allowed,
               "", "lower", 1.15, 1.0),
        Figure("latency, first spike in to class out", stopped.latency.mean, "cycles", "lower"),
        Figure("cycles per image, pixels in", levels.cycles.mean, "cycles", "lower"),
        Figure("latency, first pixel in to class out", levels.latency.mean, "cycles", "lower"),
        Figure("images per second at Fmax, spikes in", core.fmax_hz / interval, "images/s", "higher"),
        Figure("correct of the first 1,000 test images", 100 * (stopped.correct or 0) / IMAGES, "%",
               "higher", 97.0),
    ], seed=build.manifest["seed"], network=network.digest, images=IMAGES,
        most_spikes_until_decision=round(most, 3))


if __name__ == "__main__":
    main()
