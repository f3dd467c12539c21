"""Small random networks over all that the neuron can do, with images that fit: for hypothesis and without it.

``from strategies import networks, images_for, random_network, random_images``; the folder of the tests is on
the path (``pythonpath`` in pyproject.toml).
"""

from dataclasses import dataclass, replace
from math import prod

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
    Network,
    Phase,
    Pool,
    Probability,
    Readout,
    Reset,
    Spikes,
)
from hypothesis import strategies as st

__all__ = ["ALL", "Wanted", "images_for", "networks", "random_convolution", "random_images", "random_network"]

_SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Wanted:
    """What a random network may have; sizes are the largest. ``residual``: layers with several sources.
    ``words``: convolutions, pools, weights of all kinds, scales and probabilities, for which there is no
    hardware yet."""

    inputs: int = 24
    neurons: int = 16
    layers: int = 3
    window: int = 8
    encodings: tuple[type, ...] = (Latency, Direct, Bits, Spikes)
    phases: tuple[Phase, ...] = tuple(Phase)
    readouts: tuple[Readout, ...] = tuple(Readout)
    residual: bool = True
    masks: bool = True
    words: bool = False


ALL = Wanted(inputs=48, words=True)
"""All that a network can have."""


def random_network(rng: np.random.Generator, wanted: Wanted = Wanted()) -> Network:
    """A valid network drawn from ``rng``; the same state of ``rng`` gives the same network."""
    heard = _input(rng, wanted)
    readout = wanted.readouts[rng.integers(len(wanted.readouts))]
    count = int(rng.integers(1, wanted.layers + 1))
    shapes = {"input": (heard.shape or (heard.size,), heard.window)}
    layers: list[Layer] = []
    for index in range(count):
        last = index == count - 1
        previous = layers[-1].name if layers else "input"
        others = [source for source in shapes if source != previous]
        sources = [previous]
        if wanted.residual and others and rng.random() < 0.3:
            sources += list(rng.choice(others, int(rng.integers(1, len(others) + 1)), replace=False))
        layer = _layer(rng, wanted, {source: shapes[source] for source in sources},
                       readout if last else None, f"layer{index}")
        shapes[layer.name] = layer.shape, layer.window
        layers.append(layer)
    return Network(heard, layers, readout, provenance={"recipe": "random"})


def random_images(rng: np.random.Generator, network: Network, count: int) -> np.ndarray:
    """``count`` images that fit ``network``: levels, or spikes. Some are silent or full to the brim."""
    heard = network.input
    if heard.levels is not None:
        images = rng.integers(0, heard.levels, (count, heard.size))
        density = rng.random((count, 1))
        images[rng.random(images.shape) > density] = 0
        images[rng.random(count) < 0.1] = heard.levels - 1
        return images
    spikes = rng.random((count, heard.window, heard.size)) < rng.random((count, 1, 1)) ** 2
    if heard.fires is Fires.ONCE:
        step = rng.integers(0, heard.window, (count, 1, heard.size))
        spikes &= np.arange(heard.window)[None, :, None] == step
        sparse = rng.random((count, 1, heard.size)) < 0.5
        full = np.arange(heard.window)[None, :, None] == step
        spikes |= full & sparse
    return spikes


@st.composite
def networks(draw: st.DrawFn, wanted: Wanted = Wanted()) -> Network:
    """Random networks; what fails shrinks to few inputs, neurons, layers and steps."""
    sizes = {name: draw(st.integers(1, getattr(wanted, name)))
             for name in ("layers", "inputs", "neurons", "window")}
    return random_network(np.random.default_rng(draw(_SEEDS)), replace(wanted, **sizes))


def images_for(network: Network, count: int = 4) -> st.SearchStrategy[np.ndarray]:
    """Images that fit ``network``."""
    return _SEEDS.map(lambda seed: random_images(np.random.default_rng(seed), network, count))


def _input(rng: np.random.Generator, wanted: Wanted) -> Input:
    size, window = int(rng.integers(1, wanted.inputs + 1)), int(rng.integers(1, wanted.window + 1))
    kind = wanted.encodings[rng.integers(len(wanted.encodings))]
    if kind is Latency:
        levels = int(rng.integers(2, 20))
        table = rng.integers(-1, window, levels)
        if rng.random() < 0.5:
            table = window - 1 - np.arange(levels) * window // levels
            table[0] = -1
        encoding = Latency(table)
    elif kind is Direct:
        encoding = Direct(int(rng.choice([2, 3, 5, 16])))
    elif kind is Bits:
        encoding = Bits(window)
    else:
        encoding = Spikes(bool(rng.random() < 0.5))
    mask = None
    if wanted.masks and rng.random() < 0.4:
        mask = rng.random(size) < 0.7
        mask[rng.integers(size)] = True
    shape = _planes(rng, size) if wanted.words and rng.random() < 0.7 else None
    return Input(size, window, encoding, mask, shape)


def _schedule(rng: np.random.Generator, window: int, low: int) -> np.ndarray | int:
    """Constant, linear either way, powers of two either way, or any table; nowhere below ``low``."""
    steps = np.arange(window)
    match rng.integers(7):
        case 0 | 1:
            return int(rng.integers(1, 3))
        case 2:
            return window - steps
        case 3:
            return steps + 1
        case 4:
            return 1 << (window - 1 - steps)
        case 5:
            return 1 << steps
        case _:
            return rng.integers(low, 9, window)


def _planes(rng: np.random.Generator, size: int) -> tuple[int, int, int]:
    """``size`` as (channels, height, width)."""
    channels = int(rng.choice([n for n in range(1, 5) if size % n == 0]))
    height = int(rng.choice([n for n in range(1, size + 1) if size // channels % n == 0]))
    return channels, height, size // channels // height


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Signs, ternary weights, or integers of 2 to 8 bits."""
    match rng.integers(3):
        case 0:
            return np.where(rng.random(shape) < rng.choice([0.5, 0.7, 1.0]), 1, -1)
        case 1:
            return rng.integers(-1, 2, shape) * (rng.random(shape) < rng.random() + 0.3)
        case _:
            limit = 1 << int(rng.integers(1, 8))
            return rng.integers(-limit, limit, shape)


def _pool(rng: np.random.Generator, shape: tuple[int, int, int]) -> Pool | None:
    """A pool that fits planes of ``shape``, most often."""
    size, stride = [rng.integers(1, min(3, side) + 1) for side in shape[1:]], rng.integers(1, 4, 2)
    padding = [int(rng.integers(0, size[side // 2])) if rng.random() < 0.3 else 0 for side in range(4)]
    try:
        return Pool(str(rng.choice(["max", "sum"])), size, stride if rng.random() < 0.5 else None, padding,
                    shape)
    except ValueError:
        return None


def random_convolution(rng: np.random.Generator, shape: tuple[int, int, int], **fields) -> Convolution:
    """A convolution that fits planes of ``shape``, drawn from ``rng``; ``fields``: what it must have."""
    while True:
        groups = int(rng.choice([n for n in range(1, shape[0] + 1) if shape[0] % n == 0]))
        window = rng.integers(1, 4, 2)
        weights = _weights(rng, (groups * int(rng.integers(1, 4)), shape[0] // groups, *window))
        try:
            return Convolution(weights, shape, rng.integers(1, 3, 2), rng.integers(0, window.min(), 4),
                               rng.integers(1, 3, 2), groups, **fields)
        except ValueError:
            continue


def _group(rng: np.random.Generator, kernel, source: str, shape: tuple[int, ...],
           neurons: tuple[int, ...]) -> Dense | Convolution:
    """Synapses from ``source`` of ``shape`` to ``neurons``, of which () are as many as it makes.

    A convolution where there are none yet; to planes of the same height and width one that keeps them.
    """
    planes = shape if len(shape) == 3 else _planes(rng, shape[0])
    pool = _pool(rng, planes) if rng.random() < 0.4 else None
    heard = planes if pool is None else pool.output_shape
    fields = {"kernel": kernel, "source": source, "pool": pool}
    if neurons == ():
        group = random_convolution(rng, heard, **fields)
    elif len(neurons) == 3 and heard[1:] == neurons[1:]:
        if heard == neurons and rng.random() < 0.5:  # an identity
            group = Convolution(np.ones((heard[0], 1, 1, 1), int), heard, groups=heard[0], **fields)
        else:
            side = int(rng.choice([1, 3]))
            group = Convolution(_weights(rng, (neurons[0], heard[0], side, side)), heard, padding=side // 2,
                                **fields)
    else:
        group = Dense(_weights(rng, (prod(neurons), prod(heard))), **fields)
    if rng.random() < 0.3:
        scales = rng.integers(1, 5, heard[0] if isinstance(group, Convolution) else prod(heard))
        group = replace(group, scale=scales)
    if rng.random() < 0.3:
        levels = rng.choice([0, 1, 128, 200, 255, 256], group.weights.shape)
        group = replace(group, probability=Probability(levels, int(rng.integers(0, 1 << 32)),
                                                       str(rng.choice(["synapse", "spike"]))))
    return group


def _layer(rng: np.random.Generator, wanted: Wanted, sources: dict[str, tuple[tuple[int, ...], int]],
           readout: Readout | None, name: str) -> Layer:
    size = int(rng.integers(1, wanted.neurons + 1))
    windows = {window for _, window in sources.values()}
    phases = [phase for phase in wanted.phases if phase is Phase.WINDOWED or len(windows) == 1]
    if not phases:
        sources = dict([next(iter(sources.items()))])
        windows, phases = {next(iter(sources.values()))[1]}, list(wanted.phases)
    phase = phases[rng.integers(len(phases))]
    online = phase is Phase.ONLINE
    window = windows.pop() if online else int(rng.integers(1, wanted.window + 1))
    synapses, reach = [], 1
    neurons = (size,)
    if wanted.words and rng.random() < 0.7:
        first, *others = (shape for shape, _ in sources.values())
        neurons = (int(rng.integers(1, 4)), *first[1:]) if others and len(first) == 3 else ()
    for source, (shape, steps) in sources.items():
        kernel, addresses = _schedule(rng, steps, 0), prod(shape)
        if wanted.words:
            synapses.append(_group(rng, kernel, source, shape, neurons))
            neurons = neurons or synapses[0].output_shape
            size = prod(neurons)
            connections = max(1, synapses[-1].connections // size)
            reach += connections * int(np.abs(synapses[-1].weights).mean() + 1) * int(np.max(kernel))
            continue
        bias_to_plus = rng.choice([0.5, 0.7, 1.0])
        weights = np.where(rng.random((size, addresses)) < bias_to_plus, 1, -1)
        synapses.append(Dense(weights, kernel, source))
        reach += addresses * int(np.max(kernel))
    if readout is Readout.POTENTIAL:
        fires = Fires.NEVER
    elif readout is Readout.COUNT:
        fires = Fires.MANY if rng.random() < 0.8 else Fires.ONCE
    else:
        fires = Fires.ONCE if rng.random() < 0.5 else Fires.MANY
    reset = Reset.TO if fires is Fires.MANY and rng.random() < 0.3 else Reset.SUBTRACT
    highest = 2 + reach // int(rng.choice([2, 8, 32]))
    threshold = None if fires is Fires.NEVER else rng.integers(1, max(2, highest), size)
    reset_value = None
    if fires is Fires.MANY and rng.random() < 0.5:
        reset_value = rng.integers(-4 if reset is Reset.TO else 0, 8, size)
    initial = rng.integers(-reach // 4 - 1, reach // 3 + 1, size) if rng.random() < 0.5 else 0
    return Layer(
        synapses, window, phase, fires, threshold=threshold, initial=initial,
        leak=rng.integers(0, 6, size) if online and rng.random() < 0.3 else None,
        bias=rng.integers(-3, 4, size) if online and rng.random() < 0.3 else 0,
        reset=reset, reset_value=reset_value,
        threshold_schedule=1 if fires is Fires.NEVER else _schedule(rng, window, 1),
        reset_schedule=_schedule(rng, window, 0) if fires is Fires.MANY and reset is Reset.SUBTRACT else 1,
        name=name,
    )
