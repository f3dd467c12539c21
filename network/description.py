"""What a network is made of, and who in it listens to whom; :class:`.network.Network` checks it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .behaviour import Fires, Readout
from .convolution import Convolution
from .inputs import Input
from .layer import Layer
from .synapses import Dense

__all__ = ["Description"]


@dataclass(frozen=True, eq=False)
class Description:
    """The parts of a network.

    Attributes
    ----------
    input : Input
        What it listens to.
    layers : tuple of Layer
        In topological order; the last one is read.
    readout : Readout
        How the class is read off the last layer.
    provenance : dict
        Where it comes from, as JSON: recipe, seed, accuracy, ...
    calibration : dict
        What was measured on it: ``{"mean_spikes": [input, layer0, ...]}``, per image.
    """

    input: Input
    layers: tuple[Layer, ...] | Sequence[Layer]
    readout: Readout = Readout.FIRST_SPIKE
    provenance: Mapping[str, object] = field(default_factory=dict)
    calibration: Mapping[str, object] = field(default_factory=dict)

    @property
    def output(self) -> Layer:
        """The last layer, which is read."""
        return self.layers[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' names."""
        return tuple(layer.name for layer in self.layers)

    def layer(self, name: str) -> Layer:
        """The layer of that name.

        Raises
        ------
        ValueError
            There is none.
        """
        return self.layers[self.index(name)]

    def index(self, name: str) -> int:
        """The place of the layer of that name in ``layers``.

        Raises
        ------
        ValueError
            There is none.
        """
        for index, layer in enumerate(self.layers):
            if layer.name == name:
                return index
        raise ValueError(f"name must be one of the network's layers, not {name!r}")

    def source_of(self, synapse: Dense | Convolution) -> Input | Layer:
        """What a synapse group listens to."""
        return self.input if synapse.source == "input" else self.layer(synapse.source)

    def size_of(self, source: str) -> int:
        """Number of addresses of ``source`` ("input" or a layer's name); masked inputs count."""
        return self.input.size if source == "input" else self.layer(source).size

    def shape_of(self, source: str) -> tuple[int, ...]:
        """Shape of ``source``: (channels, height, width) where it has one, else (addresses,)."""
        return (self.input.shape or (self.input.size,)) if source == "input" else self.layer(source).shape

    def window_of(self, source: str) -> int:
        """Number of steps of ``source``."""
        return self.input.window if source == "input" else self.layer(source).window

    def fires_of(self, source: str) -> Fires:
        """ONCE where an address of ``source`` spikes at most once in a window, else MANY."""
        return self.input.fires if source == "input" else self.layer(source).fires
