"""Networks to NIR, so that other simulators can run them: what NIR can say, and nothing else.

NIR has neurons that fire in every step of the window in which they listen, whose threshold does not change:
our online layers that fire many times, with constant schedules. A threshold of ``theta`` is written as
``theta - 1/2``, which an integer potential passes exactly where it reaches ``theta``, whether a simulator
takes ``>`` or ``>=``. Potentials are counted from where they start, as NIR knows no other start than 0. What
NIR has no words for (encoding, window, readout, notes) lies in the metadata as JSON, so that
:func:`..importers.nir.import_nir` gives the same network again; other tools pass over it.
"""

import io
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from ...files import write_whole
from ...network import Convolution, Fires, Layer, Network, Phase, Reset
from ...network.canonical_json import canonical_json
from ...network.inputs import Bits, Direct, Latency, Spikes
from ...network.pool import PoolKind
from ...network.synapses import Synapses
from ..checks import positive_number
from ..graph.refusals import Refusals
from ..importers.nir import OURS
from ..importers.nir_file import nir_package

__all__ = ["export_nir"]


def export_nir(network: Network, path: str | os.PathLike[str] | None = None, *, dt: float = 1e-4) -> Any:
    """A network as a NIR graph.

    Parameters
    ----------
    network : Network
        What to say in NIR.
    path : path or None
        A file to write it to as well.
    dt : float
        How long a step is, in the unit that NIR's time constants shall have.

    Returns
    -------
    nir.NIRGraph
        The graph.

    Raises
    ------
    TypeError, ValueError
        ``dt`` is no number above 0; or NIR has no words for something in the network, every such layer is
        named.
    FirstspikeError
        The nir package is missing, or the file cannot be written.
    """
    dt = positive_number(dt, "dt")
    nir = nir_package()
    refusals = Refusals()
    for layer in network.layers:
        for why in _unsayable(network, layer):
            refusals.add(f"layer {layer.name}", why)
    refusals.raise_any("NIR cannot say the network")
    graph = _Graph(nir, network, dt).made()
    if path is not None:
        buffer = io.BytesIO()
        nir.write(buffer, graph)
        write_whole(Path(path), buffer.getvalue())
    return graph


def _unsayable(network: Network, layer: Layer) -> list[str]:
    """Why NIR cannot say a layer, a clause each."""
    why = []
    if layer.phase is Phase.WINDOWED:
        why.append("it is windowed, and NIR's neurons fire while they listen; only online layers can be "
                   "written")
    if layer.fires is Fires.ONCE:
        why.append("it fires once, and NIR's neurons fire again; only layers that fire many times can be "
                   "written")
    schedules = (layer.threshold_schedule, layer.reset_schedule)
    if any((schedule != schedule[0]).any() for schedule in schedules):
        why.append("its threshold or reset changes from step to step; only constant schedules can be written")
    if layer.leak is not None:
        if np.any(layer.initial):
            why.append("it leaks from a start other than 0")
        elif not _leak_is_exact(layer):
            why.append("its leak rounds to integers, and NIR's does not; only a leak that never rounds in "
                       "its window can be written")
    if layer.fires is Fires.NEVER and (layer.initial != layer.initial[0]).any():
        why.append("its potentials are compared and start at different values, and NIR's all start at 0")
    planes = [synapse for synapse in layer.synapses if isinstance(synapse, Convolution)]
    if planes and len(planes) < len(layer.synapses):
        why.append("it adds a convolution to a dense group; only groups of one shape can be written")
    for synapse in layer.synapses:
        why += _unsayable_synapses(network, synapse)
    return why


def _unsayable_synapses(network: Network, synapse: Synapses) -> list[str]:
    why = []
    if (synapse.kernel != synapse.kernel[0]).any() or synapse.kernel[0] < 1:
        why.append("its kernel changes from step to step, or is 0; only a constant one can be written")
    if synapse.probability is not None:
        why.append("its synapses pass spikes on with a probability; only certain ones can be written")
    if synapse.scale is not None:
        why.append("its inputs are scaled one by one; only unscaled ones can be written")
    pool = synapse.pool
    if pool is not None:
        if _shape(network, synapse.source) != pool.source_shape:
            why.append(f"its pool takes '{synapse.source}' as planes that this does not have; "
                       "give the source that shape")
        if pool.kind is PoolKind.MAX:
            why.append("it pools by the maximum; only sum pooling can be written")
        top, bottom, left, right = pool.padding
        if top != bottom or left != right:
            why.append("its pool is padded on one side only; only the same on both can be written")
    if isinstance(synapse, Convolution):
        top, bottom, left, right = synapse.padding
        if top != bottom or left != right:
            why.append("its convolution is padded on one side only; only the same on both can be written")
        if synapse.weights.shape[2] != synapse.weights.shape[3]:
            why.append("its kernel is not square, of which nir computes another shape; only square ones can "
                       "be written")
        if pool is None and _shape(network, synapse.source) != synapse.source_shape:
            why.append(f"its convolution takes '{synapse.source}' as planes that this does not have; "
                       "give the source that shape")
    return why


def _leak_is_exact(layer: Layer) -> bool:
    """Whether no leak rounds: all that is added is a multiple of what the leaks of a window divide by."""
    unit = 1 << int(layer.leak.max()) * (layer.window - 1)
    added = [layer.bias, *(synapse.kernel for synapse in layer.synapses)]
    if layer.fires is Fires.MANY:
        added.append(layer.reset_value * layer.reset_schedule[0])
    return all((np.asarray(number) % unit == 0).all() for number in added)


def _shape(network: Network, source: str) -> tuple[int, ...]:
    """The shape that ``source`` has in NIR: the input's may be told by who listens to it."""
    shape = network.shape_of(source)
    if source == "input" and len(shape) != 3:
        groups = [synapse for layer in network.layers for synapse in layer.synapses
                  if synapse.source == "input"]
        told = {synapse.pool.source_shape for synapse in groups if synapse.pool is not None}
        told |= {synapse.source_shape for synapse in groups
                 if synapse.pool is None and isinstance(synapse, Convolution)}
        if len(told) == 1:
            return told.pop()
    return shape


class _Graph:
    """A NIR graph as it grows."""

    def __init__(self, nir: Any, network: Network, dt: float):
        self.nir, self.network, self.dt = nir, network, dt
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        shape = np.array(_shape(network, "input"))
        self.ends = {"input": self._node("input", nir.Input({"input": shape}))}
        if not network.input.mask.all():
            mask = network.input.mask.reshape(_shape(network, "input")).astype(np.float64)
            self.ends["input"] = self._node("input_mask", nir.Scale(mask), self.ends["input"])

    def made(self) -> Any:
        """The whole graph."""
        for layer in self.network.layers:
            self._layer(layer)
        last = self.network.output
        self._node("output", self.nir.Output({"output": np.array(last.shape)}), self.ends[last.name])
        notes = canonical_json(_notes(self.network))
        return self.nir.NIRGraph(self.nodes, self.edges, metadata={OURS: notes})

    def _node(self, name: str, node: Any, *sources: str) -> str:
        name = re.sub(r"[^\w-]", "_", name)  # a slash would be a path in the file
        free, number = name, 1
        while free in self.nodes:
            number += 1
            free = f"{name}_{number}"
        self.nodes[free] = node
        self.edges += [(source, free) for source in sources]
        return free

    def _layer(self, layer: Layer) -> None:
        bias = layer.bias.astype(np.float64)
        heard = []
        for index, synapse in enumerate(layer.synapses):
            suffix = f"_{index}" if len(layer.synapses) > 1 else ""
            heard.append(self._synapses(synapse, layer, f"{layer.name}_weights{suffix}", bias * (index == 0)))
        node = self._neuron(layer)
        node.metadata["name"] = layer.name
        self.ends[layer.name] = self._node(layer.name, node, *heard)

    def _synapses(self, synapse: Any, layer: Layer, name: str, bias: np.ndarray) -> str:
        nir, end, shape = self.nir, self.ends[synapse.source], _shape(self.network, synapse.source)
        if synapse.pool is not None:
            pool = synapse.pool
            end = self._node(f"{name}_pool", nir.SumPool2d(
                np.array(pool.size), np.array(pool.stride), np.array(pool.padding[::2])), end)
            shape = pool.output_shape
        kernel = int(synapse.kernel[0])
        if not isinstance(synapse, Convolution):
            if len(shape) == 3:
                end = self._node(f"{name}_flat", nir.Flatten({"input": np.array(shape)}, 0, -1), end)
            weights = synapse.weights.astype(np.float64) * kernel
            node = nir.Affine(weights, bias) if bias.any() else nir.Linear(weights)
        else:
            each = bias.reshape(len(synapse.weights), -1)
            if (each != each[:, :1]).any():
                raise ValueError(f"NIR cannot say the network: layer {layer.name}: its bias differs from "
                                 "place to place; only one for each channel can be written")
            node = nir.Conv2d(shape[1:], _whole(synapse) * kernel, synapse.stride, synapse.padding[::2],
                              synapse.dilation, 1, each[:, 0].copy())
            node.metadata["groups"] = synapse.groups
        node.metadata["kernel"] = kernel
        return self._node(name, node, end)

    def _neuron(self, layer: Layer) -> Any:
        nir, shape, step = self.nir, layer.shape, 1.0 / self.dt
        start = layer.initial.reshape(shape).astype(np.float64)
        ones = np.ones(shape)
        shift = None if layer.leak is None else 0.5 ** layer.leak.reshape(shape)
        if layer.fires is Fires.NEVER:
            leaky = shift is not None
            node = nir.LI(self.dt / shift, ones / shift, 0 * ones) if leaky else nir.I(ones * step)
        else:
            threshold = (layer.threshold * layer.threshold_schedule[0]).reshape(shape) - 0.5 - start
            subtract = layer.reset is Reset.SUBTRACT
            amount = (layer.reset_value * (layer.reset_schedule[0] if subtract else 1)).reshape(shape)
            reset = threshold - amount if subtract else amount - start
            node = nir.IF(ones * step, threshold, reset) if shift is None else nir.LIF(
                self.dt / shift, ones / shift, 0 * ones, threshold, reset)
            node.metadata["reset"] = "subtract" if subtract else "to"
        if start.any():
            node.metadata["initial"] = start
        return node


def _whole(synapse: Convolution) -> np.ndarray:
    """The weights with zeros between the groups: nir checks the shapes of grouped ones wrongly."""
    out, each = synapse.weights.shape[:2]
    whole = np.zeros((out, each * synapse.groups, *synapse.weights.shape[2:]))
    for channel in range(out):
        first = channel // (out // synapse.groups) * each
        whole[channel, first:first + each] = synapse.weights[channel]
    return whole


def _notes(network: Network) -> dict[str, Any]:
    """What NIR has no words for."""
    heard = network.input
    match heard.encoding:
        case Latency(table):
            kind, value = "latency", table.tolist()
        case Direct(levels):
            kind, value = "direct", levels
        case Bits(width):
            kind, value = "bits", width
        case Spikes(once):
            kind, value = "spikes", once
    schedules = {layer.name: {"threshold_schedule": int(layer.threshold_schedule[0]),
                              "reset_schedule": int(layer.reset_schedule[0])}
                 for layer in network.layers if layer.fires is Fires.MANY
                 and (layer.threshold_schedule[0], layer.reset_schedule[0]) != (1, 1)}
    return {"input": {"size": heard.size, "window": heard.window, "kind": kind, "with": value,
                      "planes": heard.shape is not None},
            "readout": network.readout.value, "schedules": schedules, "provenance": network.provenance,
            "calibration": network.calibration, "digest": network.digest}
