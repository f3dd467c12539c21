"""How fast the golden model is: all 10,000 MNIST test images through the shipped 784-600-10 networks.

And through a convolutional network of the usual size, of random weights. ``python -m bench.golden_speed``.
Each figure is the best of five runs.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from firstspike.models import find
from firstspike.network import Convolution, Dense, Input, Latency, Layer, Network, batched, golden
from firstspike.network.file.reading import load
from firstspike.quantize.data.images import load_images

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


def convolutional(phase: str) -> Network:
    """Four layers of 3 x 3 (24, 24 by strides of 2, 48, 48 by strides of 2) and a dense one; T = 8."""
    rng, window, shape = np.random.default_rng(0), 8, (1, 28, 28)
    falling = np.arange(window, 0, -1) if phase == "windowed" else 1
    table = np.clip((255 - np.arange(256)) // 28, 0, window - 1)
    table[:32] = -1
    layers = []
    for channels, stride in ((24, 1), (24, 2), (48, 1), (48, 2)):
        weights = rng.choice([-1, 1], (channels, shape[0], 3, 3))
        layers.append(Layer(Convolution(weights, shape, stride, 1, kernel=falling), window, phase,
                            threshold=rng.integers(2, 9, channels) * int(np.max(falling)) // 2,
                            threshold_schedule=falling))
        shape = layers[-1].shape
    weights = rng.choice([-1, 1], (10, layers[-1].size))
    layers.append(Layer(Dense(weights, falling), window, phase, fires="never"))
    return Network(Input(784, window, Latency(table), shape=(1, 28, 28)), layers, "potential")


def convolution_figures(phase: str) -> list[Figure]:
    """The figures of the convolutional network in that phase."""
    network = convolutional(phase)
    images = load_images(data_folder("mnist"), network).images
    what = f"10,000 MNIST images, 5-layer convolution of 60,024 weight bits, {phase}, T = 8"
    return [
        Figure(f"golden model, batched: {what}",
               seconds(batched.run, network, images, keep=False), "s", "lower", 60.0, 20.0),
        Figure(f"golden model, readable: one of {what}",
               seconds(golden.run, network, images[0]) * 1e3, "ms", "lower"),
    ]


if __name__ == "__main__":
    write_results("golden_speed", [*figures("online"), *figures("windowed"), *convolution_figures("online"),
                                   *convolution_figures("windowed")])
