"""The evaluation forward that all trainers share: a `Network` in torch, the golden model's integers
exactly.

Sums run in float32 where the network's derived ranges stay below 2**24, else in float64 (below 2**53), so
that every number in them is a whole one and none is rounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from ...network import Fires, Latency, Layer, Network, Phase, Readout
from ...network.reach import reach
from .hearing import heard_at_each_step, heard_in_window, widest

__all__ = ["Evaluation", "evaluate", "first_decisions"]

MOST_NUMBERS = {"cpu": 1 << 23, "cuda": 1 << 27}
"""How many numbers of a layer are held at once, or nearly: images are taken in parts of so many."""

LONGEST_TABLE = 1 << 16
"""Up to how many levels of a neuron's potential the steps in which it fires are looked up, not searched."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network did with each of ``count`` images.

    ``labels``: int64, shape ``(count,)``. ``steps``: decision steps, int64, shape ``(count,)``; the
    window where no spike decides. ``spikes``: per image, of the input and then of each layer: int64, shape
    ``(count, 1 + layers)``; ``spikes_until``: the same up to and with the decision step, for the layers
    whose window is the output's (the others decide nothing before they are through). ``potentials``: of
    the output layer after the adds of each step (one step where it is windowed): int64, shape ``(count,
    steps, outputs)``.
    """

    labels: np.ndarray
    steps: np.ndarray
    spikes: np.ndarray
    spikes_until: np.ndarray
    potentials: np.ndarray

    def accuracy(self, labels: np.ndarray) -> float:
        """The share of images whose class is the right one: ties decided by potential, then lower index."""
        return float(np.mean(self.labels == labels))

    @property
    def mean_spikes(self) -> list[float]:
        """Mean spikes per image in the whole window: of the input, then of each layer."""
        return [round(float(mean), 3) for mean in self.spikes.mean(axis=0)]


def evaluate(network: Network, levels: np.ndarray, *, device: str = "cpu", batch: int = 500) -> Evaluation:
    """Run images through a network, equal to the golden model in every integer.

    ``levels``: ints, shape ``(count, size)``; ``batch``: images at once, fewer where layers are large. Raises
    ``ValueError`` for networks of a kind that no trainer makes: they must have a latency encoding, layers
    that fire once (the last may never fire), no leak or bias, and synapses without probability.
    """
    _check(network)
    return Evaluation(*(np.concatenate(parts) for parts in zip(*_batches(network, levels, device, batch),
                                                               strict=True)))


def first_decisions(potentials: np.ndarray, threshold: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Classes and decision steps of first-spike outputs with these thresholds.

    ``potentials``: shape ``(count, window, outputs)``, after each step's adds; ``threshold``: one for all
    outputs or one for each. Returns labels and steps, int64, shape ``(count,)``; the step is the window
    where none fires.
    """
    count, window, _ = potentials.shape
    fires = potentials >= np.asarray(threshold)
    decided = np.logical_or.reduce(fires, axis=2)
    steps = np.where(decided.any(axis=-1), decided.argmax(axis=-1), window)
    last = np.minimum(steps, window - 1)
    at, firing = potentials[np.arange(count), last], fires[np.arange(count), last]
    lowest = np.iinfo(np.int64).min
    at = np.where(firing | (steps == window)[:, None], at, lowest)
    return at.argmax(axis=1), steps


def _check(network: Network) -> None:
    if not isinstance(network.input.encoding, Latency):
        raise ValueError(  # noqa: TRY004  a network of another kind, not an argument of another type
            "evaluate needs a latency encoding; the golden model runs every network")
    for layer in network.layers:
        drawn = any(synapse.probability is not None for synapse in layer.synapses)
        if layer.fires is Fires.MANY or layer.leak is not None or np.any(layer.bias) or drawn:
            raise ValueError("evaluate needs layers that fire once, without leak and bias, and synapses that "
                             f"pass every spike; layer {layer.name!r} is none; the golden model runs every "
                             "network")


def _batches(network: Network, levels: np.ndarray, device: str,
             batch: int) -> Iterator[tuple[np.ndarray, ...]]:
    encoding = network.input.encoding
    assert isinstance(encoding, Latency)
    window = network.input.window
    table = np.where(encoding.table < 0, window, encoding.table)
    most = MOST_NUMBERS.get(torch.device(device).type, MOST_NUMBERS["cpu"])
    batch = max(1, min(batch, most // _widest(network)))
    types = [_exact(network, layer) for layer in network.layers]
    for start in range(0, len(levels), batch):
        steps = np.where(network.input.mask, table[levels[start:start + batch].astype(np.int64)], window)
        times = {"input": torch.as_tensor(steps, device=device)}
        potential = times["input"]
        for layer, dtype in zip(network.layers, types, strict=True):
            potential, times[layer.name] = _run(layer, times, dtype)
        yield _outcome(network, list(times.values()), potential.long())


def _widest(network: Network) -> int:
    """The most numbers of one image that are held at once, or nearly."""
    return max(widest(synapse) * (network.window_of(synapse.source) if layer.phase is Phase.ONLINE else 1)
               for layer in network.layers for synapse in layer.synapses)


@lru_cache(maxsize=64)
def _exact(network: Network, layer: Layer) -> torch.dtype:
    """The type in which every partial sum of a layer is a whole number."""
    most = int(np.abs(layer.initial).max())
    for synapse in layer.synapses:
        most += max(int(np.abs(bound).max()) for bound in reach(network, synapse)) * int(synapse.kernel.max())
    if layer.threshold is not None:
        most = max(most, int(layer.threshold.max()) * int(layer.threshold_schedule.max()))
    return torch.float32 if most < 1 << 24 else torch.float64


def _run(layer: Layer, times: dict[str, torch.Tensor],
         dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """The potentials after each step's adds (count, steps, neurons) and the firing steps (count,
    neurons)."""
    device = times["input"].device

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.array(array), device=device).to(dtype)

    potential = tensor(layer.initial)
    if layer.phase is Phase.ONLINE:
        arriving = [heard_at_each_step(synapse, times[synapse.source], dtype) for synapse in layer.synapses]
        potential = potential + torch.cumsum(sum(arriving[1:], arriving[0]), dim=1)
    else:
        for synapse in layer.synapses:
            potential = potential + heard_in_window(synapse, times[synapse.source], dtype)
        potential = potential.unsqueeze(1)
    if layer.threshold is None:
        return potential, torch.full_like(potential[:, -1], layer.window, dtype=torch.int32)
    threshold = tensor(layer.threshold)
    if layer.phase is Phase.ONLINE:
        first = torch.full_like(potential[:, -1], layer.window, dtype=torch.int32)
        for step in reversed(range(layer.window)):
            first.masked_fill_(potential[:, step] >= threshold * int(layer.threshold_schedule[step]), step)
        return potential, first
    # V >= theta G where floor(V / theta) >= G: it waits while the lowest G so far is above that quotient.
    # The quotient of two whole numbers below 2**24 (2**53) never rounds up to the next one.
    lowest = np.minimum.accumulate(layer.threshold_schedule)
    first, last = int(lowest[-1]) - 1, int(lowest[0])
    level = (potential[:, 0] / threshold).floor_().clamp_(first, last)
    if last - first >= LONGEST_TABLE:
        bounds = torch.as_tensor(-lowest, device=device).to(dtype)
        return potential, torch.bucketize(-level, bounds, out_int32=True)
    waits = np.searchsorted(-lowest, -np.arange(first, last + 1)).astype(np.int32)
    index = level.flatten().sub_(first).int()
    return potential, torch.index_select(torch.as_tensor(waits, device=device), 0, index).view(level.shape)


def _outcome(network: Network, times: list[torch.Tensor],
             potential: torch.Tensor) -> tuple[np.ndarray, ...]:
    output = network.layers[-1]
    potentials, fired = potential.cpu().numpy(), times[-1].cpu().numpy().astype(np.int64)
    last, steps = potentials[:, -1], np.full(len(fired), output.window)
    eligible = np.ones(last.shape, bool)
    if network.readout is Readout.FIRST_SPIKE:
        steps = fired.min(axis=1)
        last = potentials[np.arange(len(steps)), np.minimum(steps, potentials.shape[1] - 1)]
        eligible = fired == steps[:, None]  # all of them where none fires
    elif network.readout is Readout.COUNT:
        eligible = (fired < output.window) == (fired < output.window).any(axis=1, keepdims=True)
    labels = np.where(eligible, last, np.iinfo(np.int64).min).argmax(axis=1)
    windows = [network.input.window, *(layer.window for layer in network.layers)]
    spikes = [_count(fired < window) for fired, window in zip(times, windows, strict=True)]
    bound = torch.as_tensor(steps, device=potential.device).unsqueeze(1)
    until = list(spikes)
    for index in _of_the_output_window(network):
        until[index] = _count((times[index] < windows[index]) & (times[index] <= bound))
    counts, counts_until = (torch.stack(parts, 1).cpu().numpy() for parts in (spikes, until))
    return labels, steps, counts, counts_until, potentials


def _count(marks: torch.Tensor) -> torch.Tensor:
    """How many of each row: int64. (Summed in 32 bits, which is three times as fast.)"""
    return marks.sum(dim=1, dtype=torch.int32).long()


def _of_the_output_window(network: Network) -> list[int]:
    """Which of the input (0) and the layers (from 1) share the window of the output: all it hears online."""
    names = ["input", *network.names]
    sharing = {names[-1]}
    for layer in reversed(network.layers):
        if layer.name in sharing and layer.phase is Phase.ONLINE:
            sharing.update(synapse.source for synapse in layer.synapses)
    return [index for index, name in enumerate(names) if name in sharing]
