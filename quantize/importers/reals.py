"""A network before it is rounded: layers of real numbers, and what they do, step by step.

This is what another tool's network states, in the order in which the golden model works, and what the rounded
network is measured against on the user's own images. All layers are online and may fire in every step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from ...network import (
    Bits,
    Convolution,
    Fires,
    Input,
    Latency,
    Layer,
    Network,
    Pool,
    PoolKind,
    Readout,
    Reset,
)
from ...network.sliding import Sliding
from .parts import Geometry, Shape

__all__ = ["Group", "RealLayer", "RealNetwork", "Run", "encoded", "real", "run"]


@dataclass(frozen=True, eq=False)
class Group:
    """What a layer hears of one source: ``weights`` times what the ``pool`` lets through; float64.

    ``weights``: ``(neurons, heard)``, or ``(out, in / groups, height, width)`` with a ``geometry``.
    ``heard_shape``: what they listen to, after the pool.
    """

    source: str
    weights: np.ndarray
    heard_shape: Shape
    geometry: Geometry | None = None
    pool: Pool | None = None

    @property
    def sliding(self) -> Sliding:
        """Where the weights of a convolution lie."""
        assert self.geometry is not None
        _, height, width = self.heard_shape
        return Sliding(height, width, self.weights.shape[2:], self.geometry.stride, self.geometry.padding,
                       self.geometry.dilation)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """What arrives in one step: ``(count, source size)`` to ``(count, neurons)``."""
        count = len(values)
        if self.pool is not None:
            planes = values.reshape(count, *self.pool.source_shape)
            seen = [tap for _, _, tap in self.pool.sliding.taps(planes)]
            values = np.maximum.reduce(seen) if self.pool.kind is PoolKind.MAX else np.add.reduce(seen)
        if self.geometry is None:
            return values.reshape(count, -1) @ self.weights.T
        groups, (out, each) = self.geometry.groups, self.weights.shape[:2]
        total = 0.0
        for row, column, seen in self.sliding.taps(values.reshape(count, *self.heard_shape)):
            by_group = seen.reshape(count, groups, each, -1)
            weights = self.weights[:, :, row, column].reshape(groups, out // groups, each)
            total = total + weights @ by_group
        return np.asarray(total).reshape(count, -1)


@dataclass(frozen=True, eq=False)
class RealLayer:
    """One layer, as a :class:`.parts.Neuron` with what it hears; numbers are float64 of ``(neurons,)``.

    ``place``: where it stands in the other tool. ``threshold``: None where it never fires. ``leak``: int64,
    of integers only: ``V = V - (V >> leak)`` in place of ``decay``.
    """

    name: str
    place: str
    shape: Shape
    groups: tuple[Group, ...]
    bias: np.ndarray
    initial: np.ndarray
    threshold: np.ndarray | None = None
    strict: bool = False
    subtract: bool = True
    reset_value: np.ndarray | None = None
    decay: np.ndarray | None = None
    again: bool = False
    leak: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class RealNetwork:
    """Layers in topological order; the last is read. ``whole``: all numbers are integers, as in hardware."""

    input: Input
    layers: tuple[RealLayer, ...]
    readout: Readout
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """What a network did with some images. ``spikes``, ``potentials``: by layer, ``(count, window, neurons)``
    bool and ``(count, neurons)``. ``labels``: ``(count,)``. ``inputs``: spikes of the input, in all."""

    spikes: dict[str, np.ndarray]
    potentials: dict[str, np.ndarray]
    labels: np.ndarray
    inputs: int


def encoded(heard: Input, images: np.ndarray) -> Iterator[np.ndarray]:
    """For each step the values of the input's spikes, ``(count, size)``, float64."""
    encoding = heard.encoding
    for step in range(heard.window):
        if isinstance(encoding, Latency):
            values = encoding.table[images] == step
        elif isinstance(encoding, Bits):
            values = (images >> (encoding.width - 1 - step)) & 1
        else:
            values = images[:, step] if images.ndim == 3 else images
        yield values * heard.mask.astype(np.float64)


def run(network: RealNetwork, images: np.ndarray) -> Run:
    """Run ``images`` (levels ``(count, size)``, or spikes ``(count, window, size)``) through a network."""
    count, window = len(images), network.input.window
    dtype = np.int64 if network.whole else np.float64
    state = {layer.name: np.tile(layer.initial.astype(dtype), (count, 1)) for layer in network.layers}
    spikes = {layer.name: np.zeros((count, window, layer.size), bool) for layer in network.layers}
    last = network.layers[-1].name
    deciding = np.zeros_like(state[last])
    first, inputs = np.full(count, -1), 0
    for step, values in enumerate(encoded(network.input, images)):
        heard = {"input": values}
        inputs += int(np.count_nonzero(values))
        for layer in network.layers:
            potential = state[layer.name]
            once_more = np.zeros(potential.shape, bool)
            if layer.again and layer.threshold is not None:
                once_more = potential > layer.threshold
            if layer.leak is not None:
                potential -= potential >> layer.leak
            elif layer.decay is not None:
                potential *= layer.decay
            potential += layer.bias.astype(dtype)
            for group in layer.groups:
                potential += group(heard[group.source]).astype(dtype)
            if layer.threshold is None or layer.reset_value is None:
                continue
            if layer.again:
                potential -= once_more * layer.reset_value
            fires = potential > layer.threshold if layer.strict else potential >= layer.threshold
            if layer.name == last:
                fresh = fires.any(axis=1) & (first < 0)
                deciding[fresh], first[fresh] = potential[fresh], step
            if layer.subtract:
                times = fires.astype(dtype) - once_more
                potential -= times * layer.reset_value.astype(dtype)
            else:
                potential[...] = np.where(fires, layer.reset_value, potential)
            spikes[layer.name][:, step] = fires
            heard[layer.name] = fires.astype(np.float64)
    labels = _labels(network.readout, spikes[last], state[last], deciding, first)
    return Run(spikes, state, labels, inputs)


def _labels(readout: Readout, spikes: np.ndarray, potential: np.ndarray, deciding: np.ndarray,
            first: np.ndarray) -> np.ndarray:
    among = np.ones(potential.shape, bool)
    if readout is Readout.COUNT:
        counts = spikes.sum(axis=1)
        among = counts == counts.max(axis=1, keepdims=True)
    elif readout is Readout.FIRST_SPIKE:
        spiked = first >= 0
        among[spiked] = spikes[spiked, first[spiked]]
        potential = np.where(spiked[:, None], deciding, potential)
    low = potential.min() - 1
    return np.argmax(np.where(among, potential, low), axis=1)


def real(network: Network) -> RealNetwork:
    """A network of integers in the form that :func:`run` takes; online, firing many times or never."""
    return RealNetwork(network.input, tuple(_real(network, layer) for layer in network.layers),
                       network.readout, whole=True)


def _real(network: Network, layer: Layer) -> RealLayer:
    groups = []
    for synapse in layer.synapses:
        geometry = None
        if isinstance(synapse, Convolution):
            geometry = Geometry(synapse.stride, synapse.padding, synapse.dilation, synapse.groups)
        weights = synapse.weights.astype(np.float64) * int(synapse.kernel[0])
        groups.append(Group(synapse.source, weights, synapse.heard_shape, geometry, synapse.pool))
    fires = layer.fires is not Fires.NEVER
    return RealLayer(
        layer.name, layer.name, layer.shape, tuple(groups), layer.bias, layer.initial,
        layer.threshold * layer.threshold_schedule[0] if fires else None, False,
        layer.reset is Reset.SUBTRACT, layer.reset_value * layer.reset_schedule[0] if fires else None,
        leak=layer.leak)
