"""How fast the golden model is: all 10,000 MNIST test images through the shipped 784-600-10 networks.

``python -m bench.golden_speed``. Each figure is the best of five runs.
"""

import time
from collections.abc import Callable
from typing import Any

from firstspike.models import find
from firstspike.quantize.network_file import load
from firstspike.sim import batched, golden
from firstspike.sim.images import load_images

from .common import Figure, data_folder, write_results


def seconds(call: Callable[..., Any], *arguments: Any, **options: Any) -> float:
    """The least time that one of five calls takes."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        call(*arguments, **options)
        times.append(time.perf_counter() - start)
    return min(times)


def figures(kind: str) -> list[Figure]:
    """The figures of the shipped network of that phase."""
    network = load(find(f"mnist-784-600-10-{kind}"))
    images = load_images(data_folder("mnist"), network).images
    return [
        Figure(f"golden model, batched: 10,000 MNIST images, 784-600-10 {kind}",
               seconds(batched.run, network, images, keep=False), "s", "lower", 5.0, 1.0),
        Figure(f"golden model, batched, every spike kept: 10,000 MNIST images, 784-600-10 {kind}",
               seconds(batched.run, network, images), "s", "lower", 5.0, 2.0),
        Figure(f"golden model, readable: one MNIST image, 784-600-10 {kind}",
               seconds(golden.run, network, images[0]) * 1e3, "ms", "lower"),
    ]


if __name__ == "__main__":
    write_results("golden_speed", [*figures("online"), *figures("windowed")])
