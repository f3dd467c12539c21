"""The evaluation forward that all trainers share: a `Network` in torch, the golden model's integers
exactly.

Sums run in float32 where the network's derived ranges stay below 2**24, else in float64 (below 2**53), so
that every number in them is a whole one and none is rounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ..network import Fires, Latency, Layer, Network, Phase, Readout

__all__ = ["Evaluation", "evaluate", "first_decisions"]


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

    ``levels``: ints, shape ``(count, size)``; ``batch``: images at once, in windows of 16 steps. Raises
    ``ValueError`` for networks of a kind that no trainer makes: they must have a latency encoding, layers
    in a chain that fire once (the last may never fire), no leak or bias.
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
    names = ["input"] + [layer.name for layer in network.layers]
    for index, layer in enumerate(network.layers):
        chained = len(layer.synapses) == 1 and layer.synapses[0].source == names[index]
        last = index == len(network.layers) - 1
        if not chained or layer.fires is Fires.MANY or (layer.fires is Fires.NEVER and not last) \
                or layer.leak is not None or np.any(layer.bias):
            raise ValueError(f"evaluate needs layers in a chain that fire once, without leak and bias; layer "
                             f"{layer.name!r} is none; the golden model runs every network")


def _batches(network: Network, levels: np.ndarray, device: str,
             batch: int) -> Iterator[tuple[np.ndarray, ...]]:
    encoding = network.input.encoding
    assert isinstance(encoding, Latency)
    window = network.input.window
    table = np.where(encoding.table < 0, window, encoding.table)
    batch = max(1, batch * 16 // max(16, window))
    for start in range(0, len(levels), batch):
        steps = np.where(network.input.mask, table[levels[start:start + batch].astype(np.int64)], window)
        fired = torch.as_tensor(steps, device=device)
        source_window, times, windows = window, [fired], [window]
        potential = fired
        for layer in network.layers:
            potential, fired = _run(layer, fired, source_window)
            source_window = layer.window
            times.append(fired)
            windows.append(source_window)
        yield _outcome(network, times, windows, potential.long())


def _run(layer: Layer, fired: torch.Tensor, source_window: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The potentials after each step's adds (count, steps, neurons) and the firing steps (count,
    neurons)."""
    synapse = layer.synapses[0]
    kernel = np.asarray(synapse.kernel)
    initial, schedule = np.asarray(layer.initial), np.asarray(layer.threshold_schedule)
    reach = int(kernel.max()) * synapse.weights.shape[1] + int(np.abs(initial).max())
    if layer.threshold is not None:
        reach = max(reach, int(np.max(layer.threshold)) * int(schedule.max()))
    dtype = torch.float32 if reach < 1 << 24 else torch.float64

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.array(array), device=fired.device).to(dtype)

    weights = tensor(synapse.weights).t()
    if layer.phase is Phase.ONLINE:
        steps = torch.arange(source_window, device=fired.device)
        arriving = (fired.unsqueeze(1) == steps.view(1, -1, 1)).to(dtype) * tensor(kernel).view(1, -1, 1)
        potential = torch.cumsum(arriving @ weights, dim=1) + tensor(initial)
    else:
        amounts = tensor(np.append(kernel, 0))[fired]
        potential = (amounts @ weights + tensor(initial)).unsqueeze(1)
    if layer.threshold is None:
        return potential, torch.full_like(potential[:, -1], layer.window).long()
    fires = potential >= tensor(schedule).view(1, -1, 1) * tensor(np.asarray(layer.threshold))
    first = fires.to(torch.int8).argmax(dim=1)
    return potential, torch.where(fires.any(dim=1), first, layer.window)


def _outcome(network: Network, times: list[torch.Tensor], windows: list[int],
             potential: torch.Tensor) -> tuple[np.ndarray, ...]:
    output = network.layers[-1]
    potentials = potential.cpu().numpy()
    if network.readout is Readout.FIRST_SPIKE:
        fired = times[-1].cpu().numpy()
        steps = fired.min(axis=1)
        at = np.minimum(steps, potentials.shape[1] - 1)
        values = potentials[np.arange(len(steps)), at]
        eligible = (fired == steps[:, None]) | (steps == output.window)[:, None]
        labels = np.where(eligible, values, np.iinfo(np.int64).min).argmax(axis=1)
    else:
        labels = potentials[:, -1].argmax(axis=1)
        steps = np.full(len(labels), output.window)
    spikes = [(fired < window).sum(dim=1) for fired, window in zip(times, windows, strict=True)]
    until = list(spikes)
    bound = torch.as_tensor(steps, device=potential.device).unsqueeze(1)
    for index in reversed(range(len(times))):
        until[index] = ((times[index] < windows[index]) & (times[index] <= bound)).sum(dim=1)
        if index == 0 or network.layers[index - 1].phase is Phase.WINDOWED:
            break
    counts, counts_until = (torch.stack(parts, 1).cpu().numpy() for parts in (spikes, until))
    return labels, steps, counts, counts_until, potentials
