"""A layer that is to be built: what engines are asked about."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...network import Direct, Input, Layer, Network, Phase
from ...rtl.streams.token import Token
from .lanes import LaneModel, lane_model

__all__ = ["Job", "Source", "input_token", "jobs"]


@dataclass(frozen=True, eq=False)
class Source:
    """What a layer listens to through one group of synapses.

    Attributes
    ----------
    name : :class:`str`
        "input", or an earlier layer's.
    token : :class:`~...rtl.streams.token.Token`
        Layout of its spikes. Addresses are compact: inputs that the network leaves out have none.
    used : int64 array, shape (addresses,)
        The network's own address for each compact one.
    highest : :class:`int`
        The highest value of a spike.
    """

    name: str
    token: Token
    used: np.ndarray
    highest: int


@dataclass(frozen=True, eq=False)
class Job:
    """A layer to be built, what it hears, and what is wanted of it.

    Attributes
    ----------
    network : :class:`~...network.Network`
    index : :class:`int`
        The layer's place in it.
    heard, fired : :class:`float`
        Expected spikes for one window, from all sources and of the layer itself.
    early_stop : :class:`bool`
        Whether windows carry a tag and can be cut short.
    """

    network: Network
    index: int
    heard: float
    fired: float
    early_stop: bool

    @property
    def layer(self) -> Layer:
        """The layer."""
        return self.network.layers[self.index]

    @property
    def online(self) -> bool:
        """Whether it fires in the window in which it listens."""
        return self.layer.phase is Phase.ONLINE

    @property
    def is_read(self) -> bool:
        """Whether the class is read off it, so that its spikes bring potentials along."""
        return self.layer is self.network.output

    @property
    def ordered(self) -> bool:
        """Whether what listens to it wants the ends of its steps: an online layer, or the readout."""
        return self.is_read or any(
            listener.phase is Phase.ONLINE for listener in self.network.layers
            if any(group.source == self.layer.name for group in listener.synapses))

    @cached_property
    def lanes(self) -> LaneModel:
        """The layer's neurons as the numbers of their lanes, made once."""
        return lane_model(self.network, self.layer)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """What it listens to, one a group of synapses."""
        return tuple(self._source(self.network.source_of(group), group.source)
                     for group in self.layer.synapses)

    @cached_property
    def token(self) -> Token:
        """Layout of what it sends."""
        return Token(self.layer.size, self.layer.window, tagged=self.early_stop,
                     potential_bits=self.lanes.neurons.width if self.is_read else 0)

    def _source(self, source: Input | Layer, name: str) -> Source:
        if isinstance(source, Input):
            return Source(name, input_token(self.network, tagged=self.early_stop), source.used,
                          source.highest_value)
        token = Token(source.size, source.window, tagged=self.early_stop)
        return Source(name, token, np.arange(source.size), 1)


def jobs(network: Network, spikes: list[float], *, early_stop: bool) -> tuple[Job, ...]:
    """A job for each layer of ``network``; ``spikes``: expected ones of the input and of each layer."""
    fired = dict(zip(("input", *network.names), spikes, strict=True))
    return tuple(Job(network, index, sum(fired[group.source] for group in layer.synapses), fired[layer.name],
                     early_stop) for index, layer in enumerate(network.layers))


def input_token(network: Network, *, tagged: bool) -> Token:
    """Layout of the input's spikes, with an address for each input that is used."""
    source = network.input
    bits = source.highest_value.bit_length() if isinstance(source.encoding, Direct) else 0
    return Token(len(source.used), source.window, value_bits=bits, tagged=tagged)
