"""A network before it is rounded: layers of real numbers, as another tool states them.

This says what a network is, and nothing runs it: what it does is known from the golden model, of these
numbers as they are rounded (:mod:`.discretise`) or as finely as integers can hold them (:mod:`.finest`). All
layers are online and may fire in every step.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from ...network import Convolution, Dense, Input, Pool, Readout
from ..graph.operations import Geometry, Shape

__all__ = ["Group", "RealLayer", "RealNetwork"]


@dataclass(frozen=True, eq=False)
class Group:
    """What a layer hears of one source: ``weights`` times what the ``pool`` lets through.

    Attributes
    ----------
    source : str
        "input", or the name of a layer.
    weights : numpy.ndarray
        float64, ``(neurons, heard)``, or ``(out, in / groups, height, width)`` with a ``geometry``.
    heard_shape : tuple of int
        Of what they listen to, after the pool.
    geometry : Geometry or None
        Of a convolution.
    pool : Pool or None
        What the source goes through first.
    factor : int or None
        What the weights are multiples of, where that is known.
    """

    source: str
    weights: np.ndarray
    heard_shape: Shape
    geometry: Geometry | None = None
    pool: Pool | None = None
    factor: int | None = None

    def synapses(self, whole: np.ndarray, kernel: int | np.ndarray) -> Dense | Convolution:
        """The same with integers, ``whole``, in place of the weights, for a kernel."""
        whole = whole.reshape(self.weights.shape).astype(np.int64)
        if self.geometry is None:
            return Dense(whole, kernel, self.source, self.pool)
        lie = self.geometry
        return Convolution(whole, self.heard_shape, lie.stride, lie.padding, lie.dilation, lie.groups, kernel,
                           self.source, self.pool)


@dataclass(frozen=True, eq=False)
class RealLayer:
    """One layer, as a :class:`..graph.neurons.Neuron` with what it hears; numbers of neurons are float64 of
    shape ``(neurons,)``.

    Attributes
    ----------
    name, place : str
        Of the layer, and where it stands in the other tool.
    shape : tuple of int
        Of its neurons.
    groups : tuple of Group
        What it hears; what they bring is added up.
    bias : numpy.ndarray
        Added in every step.
    initial, decay, reset_value : numpy.ndarray
        As of a neuron.
    threshold : numpy.ndarray or None
        None where it never fires.
    strict, subtract, again : bool
        As of a neuron.
    """

    name: str
    place: str
    shape: Shape
    groups: tuple[Group, ...]
    bias: np.ndarray
    initial: np.ndarray
    decay: np.ndarray
    threshold: np.ndarray | None = None
    strict: bool = False
    subtract: bool = True
    reset_value: np.ndarray | None = None
    again: bool = False

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @property
    def rows(self) -> np.ndarray:
        """All its weights, one row for each channel out where all groups have the same, else one row."""
        counts = {len(group.weights) for group in self.groups}
        channels = counts.pop() if len(counts) == 1 else 1
        return np.concatenate([group.weights.reshape(channels, -1) for group in self.groups], axis=1)

    def parted(self, rows: np.ndarray) -> list[np.ndarray]:
        """The columns of ``rows``, as many as its own rows have, by the group that they belong to."""
        widths = [group.weights.size // len(rows) for group in self.groups]
        return np.split(rows, np.cumsum(widths)[:-1], axis=1)


@dataclass(frozen=True, eq=False)
class RealNetwork:
    """Layers in topological order; the last is read.

    Attributes
    ----------
    input : Input
        What the first layers hear.
    layers : tuple of RealLayer
        Each behind its sources.
    readout : Readout
        How the class is read off the last.
    """

    input: Input
    layers: tuple[RealLayer, ...]
    readout: Readout
