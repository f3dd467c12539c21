"""784-128-10 on the iCEBreaker, whole: core, encoder, host link and pins in one iCE40 UP5K.

``python -m bench.mnist_icebreaker``. Size and clock are nextpnr's, of the design that becomes the bitstream;
cycles are counted in the emitted Verilog, under Verilator, and each image is compared with the golden model.
"""

import sys
import tempfile
from pathlib import Path

import firstspike as fs
from firstspike.sim.host.rate import link_rate

from .common import Figure, data_folder, write_results

IMAGES = 1000


def figures(kind: str, folder: Path) -> list[Figure]:
    """The figures of the shipped network of that phase; peers stand beside the online one's."""
    network = fs.load(f"mnist-784-128-10-{kind}")
    chosen = fs.load_images(data_folder("mnist"), network)
    accuracy = fs.score(network, chosen).accuracy
    build = fs.build(network, "icebreaker", folder / kind)
    design = fs.synthesise(build, core=False).design
    result = fs.verify(build, chosen.images[:IMAGES], ports=["spikes"])
    if not result.passed:
        sys.exit(f"the {kind} network is not bit-exact: {result.first}")
    assert accuracy is not None and design is not None and design.fmax_hz is not None
    assert result.cycles is not None and result.latency is not None
    mark = "" if kind == "online" else f", {kind}"
    return [
        Figure(f"logic cells{mark}", design.luts, "LC", "lower", 5000, 3889),
        Figure(f"Fmax{mark}", design.fmax_hz / 1e6, "MHz", "higher", 30, 48),
        Figure(f"block RAMs{mark}", design.block_rams, "cells", "lower", 30, 24),
        Figure(f"cycles per image{mark}", result.cycles.mean, "cycles", "lower"),
        Figure(f"latency, first spike in to class out{mark}", result.latency.mean, "cycles", "lower"),
        Figure(f"images per second through the UART{mark}", link_rate(build), "images/s", "higher"),
        Figure(f"MNIST test accuracy{mark}", 100 * accuracy, "%", "higher"),
    ]


def main() -> None:
    """Measure and write the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        found = [figure for kind in ("online", "windowed") for figure in figures(kind, Path(scratch))]
    write_results("mnist_icebreaker", found, seed=1, images=IMAGES)


if __name__ == "__main__":
    main()
