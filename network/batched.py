"""The golden model for many images at once: the same values as :mod:`.golden`, by matrix products.

The sums come from :mod:`.batched_sums`. Potentials are int32 or int64, by their derived range. A windowed
layer takes one product for its whole window. Each processor takes a chunk of images, with BLAS kept to one
thread.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .batched_sums import Group
from .behaviour import Fires, Phase, Readout, Reset
from .checks import integer
from .images import check_images
from .inputs import Bits, Input, Latency, Spikes
from .layer import Layer
from .network import Network
from .probability import IMAGES
from .ranges import potential_range

__all__ = ["Batch", "LayerBatch", "run"]

CHUNK = 256
"""The most images that are run together: few enough that a layer's potentials stay in a cache."""
WIDE = 1 << 20
"""The most potentials of a layer that are run together, but for those of a few images."""


@dataclass(frozen=True, eq=False)
class LayerBatch:
    """What one layer did.

    Attributes
    ----------
    spikes : numpy.ndarray or None
        bool, shape ``(count, window, neurons)``; None where they were not kept.
    potential : numpy.ndarray
        int64, shape ``(count, neurons)``, the final potentials; of a layer before the last that was not kept,
        none of them: shape ``(0, neurons)``.
    """

    spikes: np.ndarray | None
    potential: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """What a network did with ``count`` images.

    Attributes
    ----------
    label, step : numpy.ndarray
        int64, shape ``(count,)``, as in :class:`.golden.Trace`.
    layers : tuple of LayerBatch
        One for each layer.
    input_spikes : numpy.ndarray or None
        Shape ``(count, window, size)``, the values of the input's spikes in the narrowest unsigned type; None
        where they were not kept.
    mean_spikes : tuple of float
        Spikes per image, of the input and of each layer.
    """

    label: np.ndarray
    step: np.ndarray
    layers: tuple[LayerBatch, ...]
    input_spikes: np.ndarray | None
    mean_spikes: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.label)


def run(network: Network, images: np.ndarray, keep: bool = True, *, first: int = 0,
        progress: Callable[[int, int], Any] | None = None) -> Batch:
    """Run a network on many images; every value equals that of :func:`.golden.run`.

    Parameters
    ----------
    network : Network
        What to run.
    images : numpy.ndarray
        Integers of shape ``(count, size)``, or bool spikes of shape ``(count, window, size)``.
    keep : bool
        Whether to keep every spike, a byte each, and every final potential; those of the last layer, classes
        and means are kept always.
    first : int
        The index of the first image; it decides what synapses with a probability draw.
    progress : callable or None
        Called with the number of images that are done and the number of all, from time to time.

    Raises
    ------
    TypeError, ValueError
        The images are of another type or shape, or a level or spike is out of range.
    """
    images = check_images(network.input, images)
    count = len(images)
    integer(first, "first", 0, IMAGES - count)
    adders = [_Adder(network, place) for place in range(len(network.layers))]
    chunk = min(CHUNK, max(8, WIDE // max(network.input.size, *(layer.size for layer in network.layers))))
    label, step = np.zeros(count, np.int64), np.zeros(count, np.int64)
    potentials = [np.zeros((count if keep or layer is network.output else 0, layer.size), np.int64)
                  for layer in network.layers]
    totals = np.zeros(1 + len(adders), np.int64)
    kept: list[np.ndarray] = []
    if keep:
        narrow = np.min_scalar_type(network.input.highest_value)
        kept = [np.zeros((count, network.input.window, network.input.size), narrow),
                *(np.zeros((count, layer.window, layer.size), bool) for layer in network.layers)]

    def run_part(start: int) -> np.ndarray:
        part = slice(start, start + chunk)
        indices = np.arange(first + start, first + min(start + chunk, count))
        heard = {"input": list(_encode(network.input, images[part]))}
        spikes, potential, deciding = heard["input"], np.zeros(0), np.zeros(0)
        for index, (layer, adder) in enumerate(zip(network.layers, adders, strict=True)):
            spikes, potential, deciding = _run_layer(layer, adder, heard, indices)
            heard[layer.name] = spikes
            if len(potentials[index]):
                potentials[index][part] = potential
        label[part], step[part] = _read(network.readout, spikes, potential, deciding)
        if keep:
            for index, steps in enumerate(heard.values()):
                np.stack(steps, axis=1, out=kept[index][part], casting="unsafe")
        return np.array([sum(map(np.count_nonzero, steps)) for steps in heard.values()])

    done = 0
    with (threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool):
        try:
            for part in as_completed([pool.submit(run_part, start) for start in range(0, count, chunk)]):
                totals += part.result()
                done = min(done + chunk, count)
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
    """The sums that one layer adds to its potentials, and the integers that hold them."""

    def __init__(self, network: Network, place: int):
        layer = network.layers[place]
        low, high = potential_range(network, layer)
        self.windowed = layer.phase is Phase.WINDOWED
        self.groups = [Group(network, place, group) for group in range(len(layer.synapses))]
        # What stands in an expression of its own must fit as well: a sum, a scheduled threshold or reset.
        largest = max(int(high.max()), -int(low.min()), *(group.most for group in self.groups))
        for number, schedule in ((layer.threshold, layer.threshold_schedule),
                                 (layer.reset_value, layer.reset_schedule)):
            if number is not None:
                largest = max(largest, int(np.abs(number).max()) * int(schedule.max()))
        self.dtype = np.int32 if largest < 1 << 30 else np.int64

    def arriving(self, heard: dict[str, list[np.ndarray]]) -> list[Sequence[np.ndarray]]:
        """What each group hears in each step."""
        return [group.arriving(heard[group.source]) for group in self.groups]

    def window(self, arriving: list[Sequence[np.ndarray]], images: np.ndarray) -> Iterator[np.ndarray]:
        """The sums of the whole window, of one group after the other."""
        for group, steps in zip(self.groups, arriving, strict=True):
            yield group.window(steps, images).astype(self.dtype, copy=False)

    def step(self, arriving: list[Sequence[np.ndarray]], step: int,
             images: np.ndarray) -> Iterator[np.ndarray]:
        """The sums of one step, of one group after the other; none where its source sends nothing."""
        for group, steps in zip(self.groups, arriving, strict=True):
            if (added := group.step(steps[step], step, images)) is not None:
                added = added.astype(self.dtype, copy=False)
                yield added if group.kernel[step] == 1 else added * self.dtype(group.kernel[step])


def _run_layer(layer: Layer, adder: _Adder, heard: dict[str, list[np.ndarray]],
               images: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Spikes of each step, final potentials, and the potentials when each image's layer first fired.

    ``images``: their indices.
    """
    dtype, count = adder.dtype, len(images)
    potential = np.repeat(layer.initial.astype(dtype)[None], count, axis=0)
    leak = None if layer.leak is None else layer.leak.astype(dtype)
    bias = layer.bias.astype(dtype) if layer.bias.any() else None
    silent = np.zeros((count, layer.size), bool)
    fired, undecided = silent.copy(), np.ones(count, bool)
    deciding = np.zeros_like(potential)
    spikes, arriving = [], adder.arriving(heard)
    if adder.windowed:
        for added in adder.window(arriving, images):
            potential += added
    for step in range(layer.window):
        if leak is not None:
            potential -= potential >> leak
        if bias is not None:
            potential += bias
        if not adder.windowed:
            for added in adder.step(arriving, step, images):
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
