"""The golden model for many images at once: the same values as :mod:`.golden`, by matrix products.

The sums of a step are products of spikes and weights in floating point: in float32 where every partial sum
stays below 2**24, in float64 otherwise, where none reaches 2**53 (a potential has at most 48 bits); both are
exact. Potentials are int32 or int64, by their derived range. A windowed layer takes one product for its whole
window. Each processor takes a chunk of images, with BLAS kept to one thread.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ..quantize.network import (
    Bits,
    Dense,
    Fires,
    Input,
    Latency,
    Layer,
    Network,
    Phase,
    Readout,
    Reset,
    Spikes,
)
from ..quantize.ranges import potential_range
from .golden import check_images

__all__ = ["Batch", "LayerBatch", "run"]

CHUNK = 256
"""Images that are run together: few enough that a layer's potentials stay in a cache."""


@dataclass(frozen=True, eq=False)
class LayerBatch:
    """What one layer did. ``spikes``: bool, shape ``(count, window, neurons)``, or None where they were not
    kept. ``potential``: int64, shape ``(count, neurons)``, the final potentials."""

    spikes: np.ndarray | None
    potential: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """What a network did with ``count`` images.

    ``label``, ``step``: int64, shape ``(count,)``, as in :class:`.golden.Trace`. ``layers``: one
    :class:`LayerBatch` each. ``input_spikes``: shape ``(count, window, size)``, the values of the input's
    spikes in the narrowest unsigned type, or None where they were not kept. ``mean_spikes``: spikes per image
    of the input and of each layer.
    """

    label: np.ndarray
    step: np.ndarray
    layers: tuple[LayerBatch, ...]
    input_spikes: np.ndarray | None
    mean_spikes: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.label)


def run(network: Network, images: np.ndarray, keep: bool = True, *,
        progress: Callable[[int, int], Any] | None = None) -> Batch:
    """Run a network on many images; every value equals that of :func:`.golden.run`.

    Parameters
    ----------
    network: what to run.
    images: integers of shape ``(count, size)``, or bool spikes of shape ``(count, window, size)``.
    keep: whether to keep every spike, a byte each; potentials, classes and means are kept always.
    progress: called with the number of images that are done and the number of all, from time to time.

    Raises
    ------
    TypeError, ValueError: the images are of another type or shape, or a level or spike is out of range.
    """
    images = check_images(network.input, images)
    count = len(images)
    adders = [_Adder(network, layer) for layer in network.layers]
    label, step = np.zeros(count, np.int64), np.zeros(count, np.int64)
    potentials = [np.zeros((count, layer.size), np.int64) for layer in network.layers]
    totals = np.zeros(1 + len(adders), np.int64)
    kept: list[np.ndarray] = []
    if keep:
        narrow = np.min_scalar_type(network.input.highest_value)
        kept = [np.zeros((count, network.input.window, network.input.size), narrow),
                *(np.zeros((count, layer.window, layer.size), bool) for layer in network.layers)]

    def run_part(start: int) -> np.ndarray:
        part = slice(start, start + CHUNK)
        heard = {"input": list(_encode(network.input, images[part]))}
        spikes, potential, deciding = heard["input"], np.zeros(0), np.zeros(0)
        for index, (layer, adder) in enumerate(zip(network.layers, adders, strict=True)):
            spikes, potential, deciding = _run_layer(layer, adder, heard, len(images[part]))
            heard[layer.name] = spikes
            potentials[index][part] = potential
        label[part], step[part] = _read(network.readout, spikes, potential, deciding)
        if keep:
            for index, steps in enumerate(heard.values()):
                np.stack(steps, axis=1, out=kept[index][part], casting="unsafe")
        return np.array([sum(map(np.count_nonzero, steps)) for steps in heard.values()])

    done = 0
    with (threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool):
        try:
            for part in as_completed([pool.submit(run_part, start) for start in range(0, count, CHUNK)]):
                totals += part.result()
                done = min(done + CHUNK, count)
                if progress is not None:
                    progress(done, count)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    spikes_of = kept[1:] if keep else [None] * len(adders)
    traces = tuple(LayerBatch(*both) for both in zip(spikes_of, potentials, strict=True))
    return Batch(label, step, traces, kept[0] if keep else None, tuple((totals / count).tolist()))


def _encode(inputs: Input, images: np.ndarray) -> Iterator[np.ndarray]:
    """The values of the spikes of each step: bool or integers, shape ``(count, size)``."""
    encoding = inputs.encoding
    if isinstance(encoding, Latency):
        images = encoding.table[images]
    for step in range(inputs.window):
        if isinstance(encoding, Latency):
            yield (images == step) & inputs.mask
        elif isinstance(encoding, Bits):
            yield ((images >> (encoding.width - 1 - step)) & 1).astype(bool) & inputs.mask
        elif isinstance(encoding, Spikes):
            yield images[:, step] & inputs.mask
        else:
            yield images * inputs.mask


class _Adder:
    """The sums that one layer adds to its potentials, in arithmetic that is exact for it."""

    def __init__(self, network: Network, layer: Layer):
        low, high = potential_range(network, layer)
        self.windowed = layer.phase is Phase.WINDOWED
        self.parts = [self._part(network, synapse) for synapse in layer.synapses]
        # What stands in an expression of its own must fit as well: a sum, a scheduled threshold or reset.
        largest = max(int(high.max()), -int(low.min()), *(most for *_, most in self.parts))
        for number, schedule in ((layer.threshold, layer.threshold_schedule),
                                 (layer.reset_value, layer.reset_schedule)):
            if number is not None:
                largest = max(largest, int(np.abs(number).max()) * int(schedule.max()))
        self.dtype = np.int32 if largest < 1 << 30 else np.int64

    def _part(self, network: Network, synapse: Dense):
        source = network.source_of(synapse)
        weights, value = synapse.weights, 1
        if isinstance(source, Input):
            weights, value = weights * source.mask, source.highest_value
        factor = 1
        if self.windowed:
            factor = int(synapse.kernel.max() if source.fires is Fires.ONCE else synapse.kernel.sum())
        partial = int(np.abs(weights).sum(axis=1, dtype=np.int64).max()) * value * factor
        dtype = np.float32 if partial < 1 << 24 else np.float64
        most = partial if self.windowed else partial * int(synapse.kernel.max())
        return synapse.source, np.ascontiguousarray(weights.T, dtype), synapse.kernel, most

    def window(self, heard: dict[str, list[np.ndarray]]) -> np.ndarray:
        """The sum of the whole window of all sources."""
        total: Any = 0
        for source, weights, kernel, _ in self.parts:
            scaled = np.zeros(heard[source][0].shape, weights.dtype)
            for step, spikes in enumerate(heard[source]):
                if kernel[step]:
                    scaled += spikes * weights.dtype.type(kernel[step])
            total = total + self._product(scaled, weights)
        return total

    def step(self, heard: dict[str, list[np.ndarray]], step: int) -> Iterator[np.ndarray]:
        """The sums of one step, of one source after the other; none where it sends nothing."""
        for source, weights, kernel, _ in self.parts:
            spikes = heard[source][step]
            active = np.flatnonzero(spikes.any(axis=0))
            if not len(active) or not kernel[step]:
                continue
            if len(active) < 0.8 * len(weights):
                spikes, weights = spikes[:, active], weights[active]
            added = self._product(spikes.astype(weights.dtype), weights)
            yield added if kernel[step] == 1 else added * self.dtype(kernel[step])

    def _product(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return (values @ weights).astype(self.dtype)


def _run_layer(layer: Layer, adder: _Adder, heard: dict[str, list[np.ndarray]],
               count: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Spikes of each step, final potentials, and the potentials when each image's layer first fired."""
    dtype = adder.dtype
    potential = np.repeat(layer.initial.astype(dtype)[None], count, axis=0)
    leak = None if layer.leak is None else layer.leak.astype(dtype)
    bias = layer.bias.astype(dtype) if layer.bias.any() else None
    silent = np.zeros((count, layer.size), bool)
    fired, undecided = silent.copy(), np.ones(count, bool)
    deciding = np.zeros_like(potential)
    spikes = []
    if adder.windowed:
        potential += adder.window(heard)
    for step in range(layer.window):
        if leak is not None:
            potential -= potential >> leak
        if bias is not None:
            potential += bias
        if not adder.windowed:
            for added in adder.step(heard, step):
                potential += added
        if layer.fires is Fires.NEVER:
            spikes.append(silent)
            continue
        fires: np.ndarray = potential >= (layer.threshold * layer.threshold_schedule[step]).astype(dtype)
        if layer.fires is Fires.ONCE:
            fires &= ~fired
            fired |= fires
        spikes.append(fires)
        first = np.flatnonzero(undecided & fires.any(axis=1))
        deciding[first] = potential[first]
        undecided[first] = False
        if layer.fires is Fires.MANY:
            if layer.reset is Reset.SUBTRACT:
                potential -= fires * (layer.reset_value * layer.reset_schedule[step]).astype(dtype)
            else:
                potential = np.where(fires, layer.reset_value.astype(dtype), potential)
    deciding[undecided] = potential[undecided]
    return spikes, potential, deciding


def _read(readout: Readout, spikes: list[np.ndarray], potential: np.ndarray,
          deciding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class and deciding step of each image, as :func:`.golden.read`."""
    rows = np.arange(len(potential))
    step = np.full(len(potential), len(spikes))
    among = np.ones_like(potential, dtype=bool)
    if readout is Readout.COUNT:
        counts = np.sum(spikes, axis=0, dtype=np.int64)
        among = counts == counts.max(axis=1, keepdims=True)
    elif readout is Readout.FIRST_SPIKE:
        trains = np.stack([*spikes, among], axis=1)  # all fire in a step after the last
        step = np.any(trains, axis=2).argmax(axis=1)
        among = trains[rows, step]
        potential = deciding
    lowest = np.iinfo(potential.dtype).min
    return np.where(among, potential, lowest).argmax(axis=1), step
