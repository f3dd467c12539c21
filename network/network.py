"""The quantised description of a network: integers only, and everything that follows runs from it.

The neuron of a layer with window ``T``, potential ``V_j`` (all integers)::

    at the start of a window   V_j = b_j
    in each step t, in this order:
      leak and bias, if any    V_j = V_j - (V_j >> k_j) + c_j     (>> rounds to minus infinity)
      each spike of input i    V_j = V_j + a * w_ij * K[t_source]    (through :mod:`.synapses`)
      fire                     where V_j >= theta_j * G[t], once a step
      reset, where it fired    V_j = V_j - rho_j * R[t]   or   V_j = r_j

Everything is checked and normalised at construction: arrays become read-only int64 of their full shape
(weights int8, the mask bool), a single number is broadcast, names and sources are filled in. ``TypeError``
and ``ValueError`` say what must be what, and where.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from .behaviour import Fires, Phase, Readout
from .budget import Budget
from .checks import array_of_integers, choice
from .convolution import Convolution
from .description import Description
from .file import writing
from .inputs import Input
from .layer import Layer
from .limits import Limits
from .provenance import calibration_notes, plain_notes
from .ranges import potential_range
from .synapses import Dense

__all__ = ["Network"]


@dataclass(frozen=True, eq=False)
class Network(Description):
    """A whole network: a :class:`.description.Description` that holds together.

    Every potential is proven to fit 48 bits.

    Raises
    ------
    TypeError, ValueError
        A part is of another type, shape or range, or does not fit the others; or the whole is larger than
        :class:`.limits.Limits` allows.
    """

    def __post_init__(self):
        put = object.__setattr__
        if not isinstance(self.input, Input):
            raise TypeError(f"input must be an Input, not {self.input!r}")
        layers = (self.layers,) if isinstance(self.layers, Layer) else self.layers
        if not isinstance(layers, Sequence) or not all(isinstance(layer, Layer) for layer in layers):
            raise TypeError(f"layers must be a sequence of Layer, not {self.layers!r}")
        if not 1 <= len(layers) <= Limits.LAYERS:
            raise ValueError(f"layers must have 1 to {Limits.LAYERS} entries, not {len(layers)}")
        budget = Budget()
        for layer in layers:
            budget.spend_layer(layer.size, layer.window)
            for synapse in layer.synapses:
                budget.spend_group(synapse.weights.size, synapse.connections, synapse.heard_size)
        put(self, "readout", choice(self.readout, Readout, "readout"))
        put(self, "layers", ())
        for index, layer in enumerate(layers):
            put(self, "layers", (*self.layers, self._connect(index, layer)))
        self._check_output()
        put(self, "provenance", plain_notes(self.provenance, "provenance"))
        put(self, "calibration", calibration_notes(self.calibration, len(self.layers)))
        for layer in self.layers:
            potential_range(self, layer, budget)

    def _connect(self, index: int, layer: Layer) -> Layer:
        """The layer with its name, its sources and the shapes of its kernels filled in and checked."""
        name = layer.name or f"layer{index}"
        where = f"layer {index}" if not layer.name else f"layer {layer.name!r}"
        earlier = [other.name for other in self.layers]
        if name in earlier:
            raise ValueError(f"name must be another for each layer, not {name!r} twice")
        synapses = []
        for synapse in layer.synapses:
            source = synapse.source or (earlier[-1] if earlier else "input")
            if source != "input" and source not in earlier:
                raise ValueError(f"source must be 'input' or an earlier layer, not {source!r} ({where})")
            window = self.window_of(source)
            self._check_shape(synapse, source, where)
            if layer.phase is Phase.ONLINE and layer.window != window:
                raise ValueError(f"window must be the {window} steps of {source!r} where a layer is online, "
                                 f"not {layer.window} ({where})")
            kernel = array_of_integers(synapse.kernel, "kernel", (window,), 0, Limits.SCHEDULE, where, "step")
            synapses.append(replace(synapse, source=source, kernel=kernel))
        return replace(layer, name=name, synapses=tuple(synapses))

    def _check_shape(self, synapse: Dense | Convolution, source: str, where: str) -> None:
        """Refuse what listens to other addresses, or to planes of another shape, than ``source`` has."""
        size, shape = self.size_of(source), self.shape_of(source)
        wants = synapse.heard_shape if synapse.pool is None else synapse.pool.source_shape
        if len(wants) == 1 and prod(wants) != size:
            raise ValueError(f"weights must have {size} columns, one for each address of {source!r}, "
                             f"not {wants[0]} ({where})")
        if len(wants) == 3 and (prod(wants) != size or (len(shape) == 3 and wants != shape)):
            raise ValueError(f"source_shape must be that of {source!r}, {shape}, not {wants} ({where})")

    def _check_output(self) -> None:
        read_by_potential = self.readout is Readout.POTENTIAL
        if read_by_potential != (self.output.fires is Fires.NEVER):
            raise ValueError(f"readout must be 'potential' where the last layer never fires, and only there, "
                             f"not {self.readout.value!r} (layer {self.output.name!r})")
        heard = {synapse.source for layer in self.layers for synapse in layer.synapses}
        for layer in self.layers[:-1]:
            if layer.fires is Fires.NEVER:
                raise ValueError(f"fires must not be 'never' but in the last layer (layer {layer.name!r})")
            if layer.name not in heard:
                raise ValueError("every layer but the last must be the source of a later one, "
                                 f"which nothing makes of layer {layer.name!r}")

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over every number and note of the network; what its file holds and checks."""
        return writing.digest(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to one safetensors file, whole or not at all (see :mod:`.file.writing`).

        Raises
        ------
        FirstspikeError
            The file cannot be written, or would be larger than one may be.
        """
        writing.save(self, path)
