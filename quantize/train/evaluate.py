"""What a network makes of labelled images, by the golden model: classes, decisions and spikes of each image.

Every integer comes from :mod:`firstspike.network.batched`; here it is only counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...network import Fires, Input, Layer, Network, Phase, Readout, Spikes, batched

__all__ = ["Evaluation", "accuracy", "evaluate", "output_potentials"]

MOST_SPIKES = 1 << 26
"""A byte each is kept for so many places of a spike at once: images are taken in parts of so many."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network did with each of ``count`` images.

    Attributes
    ----------
    readout : Readout
        How the outputs were read.
    labels : array
        The classes: int64, shape ``(count,)``.
    steps : array
        The decision steps, the window where no spike decides: int64, shape ``(count,)``.
    first : array
        The outputs that fire in the decision step: bool, shape ``(count, outputs)``.
    spikes : array
        Of the input and then of each layer: int64, shape ``(count, 1 + layers)``.
    spikes_until : array
        The same up to and with the decision step, for the layers whose window is the output's (the others
        decide nothing before they are through).
    """

    readout: Readout
    labels: np.ndarray
    steps: np.ndarray
    first: np.ndarray
    spikes: np.ndarray
    spikes_until: np.ndarray

    def accuracy(self, labels: np.ndarray) -> float:
        """The share of images whose class is the right one: ties decided by potential, then lower index."""
        return float(np.mean(self.labels == labels))

    def lenient_accuracy(self, labels: np.ndarray) -> float:
        """The share of images whose class is among the outputs that fire first, however many do.

        So some published accuracies count (BS4NN, S4NN); where none fires, the class is the strict one.
        """
        return float(np.mean((self.labels == labels) | self.first[np.arange(len(labels)), labels]))

    @property
    def mean_spikes(self) -> list[float]:
        """Mean spikes per image in the whole window: of the input, then of each layer."""
        return [round(float(mean), 3) for mean in self.spikes.mean(axis=0)]

    def figures(self, labels: np.ndarray) -> dict[str, Any]:
        """What a network's provenance tells of these images, in plain numbers."""
        found = {"images": len(labels), "accuracy": round(self.accuracy(labels), 6),
                 "mean_spikes": self.mean_spikes}
        if self.readout is Readout.FIRST_SPIKE:
            until = self.spikes_until
            found |= {
                "mean_step": round(float(self.steps.mean()), 4),
                "mean_spikes_until_decision": [round(float(mean), 3) for mean in until.mean(axis=0)],
                "mean_most_spikes_until_decision": round(float(until.max(axis=1).mean()), 3),
            }
        return found


def accuracy(network: Network, levels: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose class is the right one; no more is asked of the golden model than that."""
    return float(np.mean(batched.run(network, levels, keep=False).label == labels))


def evaluate(network: Network, levels: np.ndarray) -> Evaluation:
    """Run images through a network.

    Parameters
    ----------
    network : Network
        Of any kind.
    levels : array
        What :func:`.batched.run` takes: ints, shape ``(count, size)``, as a rule.
    """
    parts = []
    for seen, trains in _parts(network, levels):
        by_step = [np.count_nonzero(train, axis=2) for train in trains.values()]
        until = [counts.sum(axis=1) for counts in by_step]
        spikes = np.stack(until, axis=1)
        for index in _of_the_output_window(network):
            early = np.arange(by_step[index].shape[1]) <= seen.step[:, None]
            until[index] = (by_step[index] * early).sum(axis=1)
        parts.append((seen.label, seen.step, _first(network, seen, trains), spikes, np.stack(until, axis=1)))
    return Evaluation(network.readout, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def output_potentials(network: Network, levels: np.ndarray) -> np.ndarray:
    """The potentials of the outputs after the adds of each step.

    Those after step ``t`` are the final potentials of the output layer alone, without a threshold, in a
    window that ends with ``t``.

    Parameters
    ----------
    network : Network
        With an online output layer that fires at most once and listens to one source.
    levels : array
        As for `evaluate`.

    Returns
    -------
    array
        int64, shape ``(count, window, outputs)``.

    Raises
    ------
    ValueError
        The output layer is of another kind.
    """
    output = network.output
    if output.phase is not Phase.ONLINE or output.fires is Fires.MANY or len(output.synapses) != 1:
        raise ValueError("the last layer must be online, fire at most once and have one source, "
                         f"unlike {output.name!r}")
    synapse, = output.synapses
    shape, spikes = network.shape_of(synapse.source), Spikes(network.fires_of(synapse.source) is Fires.ONCE)
    ends = []
    for step in range(output.window):
        heard = Input(network.size_of(synapse.source), step + 1, spikes,
                      shape=shape if len(shape) == 3 else None)
        cut = replace(synapse, source="input", kernel=synapse.kernel[:step + 1])
        ends.append(Network(heard, [Layer(cut, step + 1, Phase.ONLINE, Fires.NEVER, initial=output.initial,
                                          leak=output.leak, bias=output.bias)], Readout.POTENTIAL))
    found = []
    for _, trains in _parts(network, levels):
        heard = trains[synapse.source] != 0
        found.append(np.stack([batched.run(end, heard[:, :step], keep=False).layers[-1].potential
                               for step, end in enumerate(ends, 1)], axis=1))
    return np.concatenate(found)


def _parts(network: Network, levels: np.ndarray) -> Iterator[tuple[batched.Batch, dict[str, np.ndarray]]]:
    """What the network does with parts of the images, and every spike of the input and of each layer."""
    places = network.input.size * network.input.window + sum(layer.size * layer.window
                                                             for layer in network.layers)
    many = min(1000, max(1, MOST_SPIKES // places))
    for start in range(0, len(levels), many):
        seen = batched.run(network, levels[start:start + many], first=start)
        trains = [seen.input_spikes, *(layer.spikes for layer in seen.layers)]
        yield seen, {name: train for name, train in zip(("input", *network.names), trains, strict=True)
                     if train is not None}


def _first(network: Network, seen: batched.Batch, trains: dict[str, np.ndarray]) -> np.ndarray:
    if network.readout is not Readout.FIRST_SPIKE:
        return np.zeros((len(seen), network.output.size), bool)
    last = np.minimum(seen.step, network.output.window - 1)
    return trains[network.output.name][np.arange(len(seen)), last] & (seen.step == last)[:, None]


def _of_the_output_window(network: Network) -> list[int]:
    """Which of the input (0) and the layers (from 1) share the window of the output: all it hears online."""
    names = ["input", *network.names]
    sharing = {names[-1]}
    for layer in reversed(network.layers):
        if layer.name in sharing and layer.phase is Phase.ONLINE:
            sharing.update(synapse.source for synapse in layer.synapses)
    return [index for index, name in enumerate(names) if name in sharing]
