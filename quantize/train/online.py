"""Online training: every neuron fires in the step in which it first reaches its threshold.

A step's potential is an integer, ``V[t] = V[t-1] + (signs of the inputs that fire in t)``; a hidden
neuron has fired by ``t`` where the running maximum of ``V`` has reached ``theta``, which is the step
function that the triangular surrogate replaces in the backward pass. The outputs' potentials of every
step are logits, so that one training makes a whole curve of accuracy against latency; the output
threshold picks a point of it afterwards.

The loss is, with the share ``mix``, what a decision costs: a decision falls in step ``t`` with a
probability that grows with the highest potential's distance from the (learned) threshold, and costs its
cross-entropy, ``latency`` per step of waiting and ``spikes`` per 100 hidden spikes until then; the rest
is the mean cross-entropy of all steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from ...network import Dense, Fires, Input, Layer, Network, Phase, Readout
from .input_spikes import arrivals
from .sign_weights import SignWeights, integers
from .straight_through import fired_by, rounded

__all__ = ["DecisionCost", "OnlineMlp", "OnlineNet"]


@dataclass(frozen=True)
class DecisionCost:
    """What a decision costs, beside being wrong: see the module.

    Attributes
    ----------
    latency : float
        Per step, in units of cross-entropy.
    spikes : float
        Per 100 hidden spikes until the decision, in these units.
    mix : float
        Share of the whole in the loss, 0 to 1.
    softness : float
        Potentials over which a decision's probability rises.
    """

    latency: float = 0.02
    spikes: float = 0.0
    mix: float = 0.5
    softness: float = 4.0


def grouped(window: int) -> tuple[int, ...]:
    """The last steps of the groups that a training takes as one: early steps one by one, late ones in threes.

    Few images are still undecided in the late ones, and nearly half of the time is saved.
    """
    return (*range(window // 4 + 1), *range(window - 1, window // 4, -3)[::-1])


class OnlineDense(nn.Module):
    """One hidden layer: signs and a threshold a neuron.

    Forward takes what arrives in each step, shape ``(window, count, neurons)``, to who has fired by each: 0
    or 1, of that shape.
    """

    def __init__(self, sources: int, neurons: int, generator: torch.Generator):
        super().__init__()
        start = max(1.0, math.sqrt(sources / 10))  # the deviation of a sum where a tenth of the sources spike
        self.width = max(2.0, start)
        self.weights = SignWeights((neurons, sources), generator)
        self.threshold = nn.Parameter(torch.full((neurons,), start))

    def forward(self, arriving: torch.Tensor) -> torch.Tensor:
        return fired_by(arriving, self.integer_threshold, self.width)

    @property
    def integer_threshold(self) -> torch.Tensor:
        """The thresholds as they count: whole numbers from 1."""
        return rounded(self.threshold, low=1)


class OnlineNet(nn.Module):
    """What online networks share: outputs that are read by their first spike, and what a decision costs.

    Forward takes levels, shape ``(count, size)``, to the outputs' potentials after each step, ``(window,
    count, outputs)``, and the hidden spikes until it, ``(window, count)``, summed over all hidden layers; in
    training mode each group of steps counts as one, whose spikes come together.

    Parameters
    ----------
    source : Input
        With a latency encoding.
    hidden : sequence of modules
        Each with ``weights``, a `SignWeights`, and ``threshold``, a Parameter.
    output : SignWeights
        Shape ``(outputs, addresses)``.
    cost : DecisionCost
        What the loss is made of.
    half : bool
        Whether sums of input spikes run in bfloat16 in training.
    """

    def __init__(self, source: Input, hidden: Sequence[Any], output: SignWeights, cost: DecisionCost,
                 half: bool):
        super().__init__()
        self.source, self.cost, self.ends = source, cost, grouped(source.window)
        self.spike_type = torch.bfloat16 if half else torch.float32
        self.hidden = list(hidden)
        self.layers = nn.ModuleList(self.hidden)
        self.output = output
        outputs, sources = output.real.shape
        self.offset = nn.Parameter(torch.zeros(outputs))
        self.threshold = nn.Parameter(torch.tensor(sources / 20))
        self.temperature = nn.Parameter(torch.tensor(math.log(1 / 8)))

    def groups(self, rate: float) -> list[dict]:
        """Parameters for an optimiser, each with its own rate: signs, thresholds, offsets."""
        return [
            {"params": [*(layer.weights.real for layer in self.hidden), self.output.real], "lr": rate},
            {"params": [layer.threshold for layer in self.hidden], "lr": 20 * rate},
            {"params": [self.offset, self.threshold], "lr": 50 * rate},
            {"params": [self.temperature], "lr": rate},
        ]

    def read(self, fired: torch.Tensor) -> torch.Tensor:
        """The outputs' potentials, from who has fired: shape ``(..., addresses)``."""
        return fired @ self.output().t() + rounded(self.offset)

    def loss(self, levels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of the module's description, mean over the images.

        Parameters
        ----------
        levels : Tensor
            Shape ``(count, size)``.
        targets : Tensor
            Labels ``(count,)``, or probabilities ``(count, outputs)``.
        """
        potentials, hidden_spikes = self(levels)
        cost, window = self.cost, len(potentials)
        wrong = -torch.log_softmax(potentials * self.temperature.exp(), dim=2)
        if targets.is_floating_point():
            wrong = (wrong * targets).sum(dim=2)
        else:
            wrong = wrong.gather(2, targets.view(1, -1, 1).expand(window, -1, 1)).squeeze(2)
        decides = torch.sigmoid((potentials.amax(dim=2) - self.threshold + 0.5) / cost.softness)
        decides = torch.cat([decides[:-1], torch.ones_like(decides[:1])])
        waiting = torch.cumprod(1 - decides, dim=0)
        waiting = torch.cat([torch.ones_like(waiting[:1]), waiting[:-1]])
        ends = self.ends if self.training else range(window)
        step = torch.tensor(list(ends), device=wrong.device).view(-1, 1)
        price = wrong + cost.latency * step + cost.spikes / 100 * hidden_spikes
        expected = (waiting * decides * price).sum(dim=0).mean()
        return cost.mix * expected + (1 - cost.mix) * wrong.mean()

    def output_layer(self, synapses: Dense) -> Layer:
        """The output layer of integers, with the learned threshold, rounded."""
        return Layer(synapses, self.source.window, Phase.ONLINE, Fires.ONCE,
                     threshold=max(1, round(self.threshold.item())), initial=integers(rounded(self.offset)))


class OnlineMlp(OnlineNet):
    """An online network of dense layers that fire once, read by its first spike.

    Parameters
    ----------
    source : Input
        With a latency encoding; inputs that its mask leaves out have no weights.
    sizes : sequence of int
        Neurons of each hidden layer, then outputs.
    cost : DecisionCost
        What the loss is made of.
    seed : int
        Fixes the weights at the start.
    half : bool
        Whether sums of input spikes run in bfloat16.
    """

    def __init__(self, source: Input, sizes: Sequence[int], cost: DecisionCost, seed: int,
                 half: bool = False):
        generator = torch.Generator().manual_seed(seed)
        widths = [len(source.used), *sizes]
        hidden = [OnlineDense(before, neurons, generator) for before, neurons in pairwise(widths[:-1])]
        super().__init__(source, hidden, SignWeights((widths[-1], widths[-2]), generator), cost, half)

    def forward(self, levels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        spikes = arrivals(levels, self.source, self.spike_type, self.ends if self.training else None)
        fired = self.hidden[0](self.hidden[0].weights.sums(spikes))
        total = fired.sum(dim=2)
        for layer in self.hidden[1:]:
            potential = fired @ layer.weights().t()
            fired = layer(torch.cat([potential[:1], potential.diff(dim=0)]))
            total = total + fired.sum(dim=2)
        return self.read(fired), total

    def network(self) -> Network:
        """The network of integers that this module is."""
        window, sources = self.source.window, [self.source] + [None] * len(self.hidden)
        layers = [
            Layer(layer.weights.dense(1, source), window, Phase.ONLINE, Fires.ONCE,
                  threshold=integers(layer.integer_threshold))
            for layer, source in zip(self.hidden, sources, strict=False)]
        layers.append(self.output_layer(self.output.dense(1)))
        return Network(self.source, layers, Readout.FIRST_SPIKE)
