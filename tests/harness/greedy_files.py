"""Small files that ask for much: networks at and beyond every limit, written without being checked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from firstspike.network import (
    Bits,
    Convolution,
    Dense,
    Direct,
    Fires,
    Input,
    Latency,
    Layer,
    Phase,
    Pool,
    Probability,
    Readout,
    Spikes,
)
from firstspike.network.description import Description
from firstspike.network.file.container import encode
from firstspike.network.file.writing import content

__all__ = ["GREEDY", "write_unchecked"]


def write_unchecked(path: Path, heard: Input, layers: Sequence[Layer],
                    readout: Readout = Readout.FIRST_SPIKE) -> None:
    """Write the file that a network of these would have, whether it is one or not."""
    named, windows, before = [], {"input": heard.window}, "input"
    for place, layer in enumerate(layers):
        synapses = []
        for group in layer.synapses:
            source = group.source or before
            kernel = np.broadcast_to(group.kernel, (windows[source],)).astype(np.int64)
            synapses.append(replace(group, source=source, kernel=kernel))
        before = layer.name or f"layer{place}"
        windows[before] = layer.window
        named.append(replace(layer, name=before, synapses=tuple(synapses)))
    path.write_bytes(encode(*content(Description(heard, tuple(named), readout))))


def _wide_convolutions(count: int, side: int):
    """Convolutions as large as their source, whose padding keeps its size."""
    shape, weights = (1, side, side), np.ones((1, 1, side, side), np.int8)
    padding = (side // 2, side - 1 - side // 2, side // 2, side - 1 - side // 2)
    layers = [Layer(Convolution(weights, shape, padding=padding), 2, threshold=1) for _ in range(count)]
    return Input(side * side, 2, Spikes(), shape=shape), layers


def _masked_convolution(side: int, window: int):
    """Addresses of one channel that can bring different values, so that a sum is none of the kernel."""
    heard, layers = _wide_convolutions(1, side)
    weights, edge = np.ones((1, 1, window, window), np.int8), window // 2
    padding = (edge, window - 1 - edge, edge, window - 1 - edge)
    layers = [replace(layers[0], synapses=Convolution(weights, heard.shape, padding=padding))]
    return replace(heard, mask=np.arange(side * side) % 7 != 3), layers


def _signs(neurons: int, addresses: int):
    weights = np.ones((neurons, addresses), np.int8)
    weights[:, ::3] = -1
    return weights


def _dense(neurons: int, addresses: int, **more):
    rng = np.random.default_rng(0)
    kind = more.pop("kind", "sign")
    if kind == "sign":
        weights = _signs(neurons, addresses)
    else:
        low, high = (-1, 2) if kind == "ternary" else (-(1 << kind - 1), 1 << kind - 1)
        rows = rng.integers(low, high, (16, addresses), np.int8)
        weights = np.tile(rows, (-(-neurons // 16), 1))[:neurons]
    return Input(addresses, 2, Spikes()), [Layer(Dense(weights, **more), 2, threshold=1)]


def _many_groups(layers: int, sources: int, window: int = 2, size: int = 2):
    made = []
    for _ in range(layers):
        made.append(Layer([Dense(np.ones((size, size), np.int8)) for _ in range(sources)], window,
                          fires=Fires.MANY, threshold=1, leak=1))
    return Input(size, window, Direct(3)), made


def _long_windows(layers: int, window: int, neurons: int):
    """Every neuron another one, with a leak, a bias and a reset."""
    numbers, one = np.arange(1, neurons + 1), np.ones((1, 1, 1, 1), np.int8)
    made = [Layer(Convolution(one, (1, 1, neurons)), window, fires=Fires.MANY, threshold=numbers,
                  leak=numbers % 32, bias=numbers) for _ in range(layers)]
    return Input(neurons, window, Direct(2)), made


def _many_neurons(layers: int):
    """As many numbers of neurons as may be, out of next to no bytes."""
    heard = Input(1 << 17, 2, Spikes(), shape=(1, 1, 1 << 17))
    return heard, [Layer(Convolution(np.ones((1, 1, 1, 1), np.int8), heard.shape, scale=[2]), 2,
                         fires=Fires.MANY, threshold=1, leak=1) for _ in range(layers)]


def _wide_pools(count: int, kind: str):
    side = 362
    pool = Pool(kind, 181, 1, 90, (1, side, side))
    synapses = Convolution(np.ones((1, 1, 2, 2), np.int8), pool.output_shape, padding=(0, 1, 0, 1), pool=pool)
    made = [Layer(synapses, 1, threshold=1) for _ in range(count)]
    return Input(side * side, 1, Bits(1), shape=(1, side, side)), made


def _deep_kernels():
    """As many synapses as may be, in kernels that are as large as their source."""
    shape = (1, 362, 362)
    return Input(362 * 362, 2, Spikes(), shape=shape), [
        Layer(Convolution(_signs(1000, 362 * 362).reshape(1000, 1, 362, 362), shape), 2, threshold=1)]


def _levels():
    heard, layers = _dense(1 << 8, 1 << 17)
    group = layers[0].synapses[0]
    return heard, [replace(layers[0], synapses=replace(group, probability=Probability(
        np.full(group.weights.shape, 200))))]


def _windowed():
    return Input(1 << 16, 2, Latency([-1, 0, 1])), [
        Layer(Convolution(np.ones((1, 1, 1, 1), np.int8), (1, 1, 1 << 16)), 1 << 10, Phase.WINDOWED,
              Fires.MANY, threshold=np.arange(1, (1 << 16) + 1))]


GREEDY: dict[str, Callable[[], tuple[Input, list[Layer]]]] = {
    "one convolution of 200 x 200 over 200 x 200": lambda: _wide_convolutions(1, 200),
    "four convolutions of 100 x 100": lambda: _wide_convolutions(4, 100),
    "256 convolutions of 300 x 300": lambda: _wide_convolutions(256, 300),
    "a masked convolution of 5 x 5 over 300 x 300": lambda: _masked_convolution(300, 5),
    "a masked convolution of 200 x 200 over 200 x 200": lambda: _masked_convolution(200, 200),
    "2^28 signs": lambda: _dense(1 << 11, 1 << 17),
    "2^27 signs": lambda: _dense(1 << 10, 1 << 17),
    "2^27 ternary weights": lambda: _dense(1 << 10, 1 << 17, kind="ternary"),
    "2^27 integers of 7 bits": lambda: _dense(1 << 10, 1 << 17, kind=7),
    "2^27 integers of 3 bits": lambda: _dense(1 << 10, 1 << 17, kind=3),
    "2^27 integers of 8 bits, less the header": lambda: _dense((1 << 10) - 1, 1 << 17, kind=8),
    "2^27 signs with scales": lambda: _dense(1 << 10, 1 << 17, scale=np.arange(1, (1 << 17) + 1)),
    "2^27 signs in kernels": _deep_kernels,
    "2^25 levels of a probability": _levels,
    "4,096 groups": lambda: _many_groups(256, 16),
    "1,024 groups": lambda: _many_groups(64, 16),
    "1,024 groups of 256 steps": lambda: _many_groups(64, 16, 256),
    "16 layers of 4,096 steps": lambda: _long_windows(16, 4096, 3),
    "67 million neurons times steps": lambda: _long_windows(1, 512, 1 << 17),
    "4 million neurons times steps": lambda: _long_windows(1, 32, 1 << 17),
    "67 million neurons times steps, windowed": _windowed,
    "256 layers of 131,072 neurons": lambda: _many_neurons(256),
    "16 layers of 131,072 neurons": lambda: _many_neurons(16),
    "256 pools of 181 x 181": lambda: _wide_pools(256, "sum"),
    "15 pools of 181 x 181": lambda: _wide_pools(15, "sum"),
    "15 pools of 181 x 181, max": lambda: _wide_pools(15, "max"),
}
"""What each asks for, and the input and layers of a network of it."""
