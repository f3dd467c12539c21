"""How long the proof takes: 1,000 MNIST images of 784-600-10 under Verilator, both forms, compiling included.

``python -m bench.verify_speed``. The simulator is compiled anew: its cache is an empty folder.
"""

import os
import sys
import tempfile
from pathlib import Path

import firstspike as fs

from .common import Figure, data_folder, write_results

IMAGES = 1000


def figures(kind: str, folder: Path) -> list[Figure]:
    """The figures of the shipped network of that phase."""
    network = fs.load(f"mnist-784-600-10-{kind}")
    images = fs.load_images(data_folder("mnist"), network, count=IMAGES).images
    result = fs.verify(fs.build(network, "ulx3s-85f", folder / kind), images)
    if not result.passed:
        sys.exit(f"the {kind} network is not bit-exact: {result.first}")
    return [
        Figure(f"verify: 1,000 images, 784-600-10 {kind}", result.seconds, "s", "lower", 180, 60),
        Figure(f"compiling of it, {kind}", result.compile_seconds, "s", "lower"),
        Figure(f"spikes compared, {kind}", result.spikes, "spikes", "higher"),
        Figure(f"mismatches, {kind}", result.mismatches, "", "lower", 0, 0),
    ]


def main() -> None:
    """Measure and write the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FIRSTSPIKE_CACHE"] = str(Path(scratch) / "cache")
        found = [figure for kind in ("online", "windowed") for figure in figures(kind, Path(scratch))]
    write_results("verify_speed", found, seed=1, images=IMAGES)


if __name__ == "__main__":
    main()
