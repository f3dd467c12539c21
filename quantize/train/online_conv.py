"""Online convolutional networks: every neuron fires in the step in which it first reaches its threshold.

As :mod:`.online`, with signs shared over positions and one threshold a channel. What is carried from layer
to layer is who has fired by each step; its largest over a region is the earliest spike of max pooling, its
sum what sum pooling adds up, and the difference of two steps what a step brings.
"""

from collections.abc import Sequence
from math import prod, sqrt

import torch
from torch import nn

from ...network import Fires, Input, Layer, Network, Phase, Readout
from .conv_options import ConvStage, PoolStage
from .conv_parts import SharedSigns, Step, output_synapses, planned, pooled, start_of_output
from .encode import arrivals
from .online import DecisionCost, OnlineNet
from .parts import integers
from .straight import fired_by, rounded, signs

__all__ = ["OnlineConvNet"]


class OnlineConvolution(SharedSigns):
    """One hidden layer: signs shared over positions, and a threshold a channel.

    Forward takes who has fired by each step, shape ``(window, count, channels, height, width)``, 0 or 1, to
    the same of this layer's neurons.
    """

    def __init__(self, step: Step, generator: torch.Generator, prune: float = 0.0):
        super().__init__(step, generator, prune)
        start = max(1.0, sqrt(prod(self.weights.shape[1:]) / 10))  # as for dense layers
        self.width = max(2.0, start)
        self.threshold = nn.Parameter(torch.full((self.conv.channels,), start))

    def forward(self, fired: torch.Tensor) -> torch.Tensor:
        potential = self.sums(fired.flatten(0, 1)).permute(0, 2, 3, 1).float()
        potential = potential.unflatten(0, fired.shape[:2])
        arriving = torch.cat([potential[:1], potential.diff(dim=0)])
        return fired_by(arriving, rounded(self.threshold, low=1), self.width).permute(0, 1, 4, 2, 3)

    def layer(self, window: int) -> Layer:
        """The layer of integers."""
        return Layer(self.synapses(1), window, Phase.ONLINE, Fires.ONCE,
                     threshold=integers(rounded(self.threshold, low=1)))


class OnlineConvNet(OnlineNet):
    """An online network of convolutions, poolings and a dense output read by its first spike.

    ``source``: of one channel; ``shape``: its height and width; ``half``: whether the first layer's sums in
    training run in bfloat16; ``prune``: share of each layer's weights that are 0. Raises ``ValueError`` where
    a pooling leaves nothing.
    """

    def __init__(self, source: Input, shape: tuple[int, int], stages: Sequence[ConvStage | PoolStage],
                 outputs: int, cost: DecisionCost, seed: int, half: bool = False,
                 prune: float = 0.0):
        *steps, last = planned(stages, shape)
        super().__init__(source, outputs, prod(last.shape), cost, half, prune)
        generator = torch.Generator().manual_seed(seed)
        self.shape, self.last = shape, last
        self.hidden = [OnlineConvolution(step, generator, prune) for step in steps]
        self.layers = nn.ModuleList(self.hidden)
        self.weights = start_of_output(last, outputs, generator)

    def groups(self, rate: float) -> list[dict]:
        """Parameters for an optimiser, each with its own rate."""
        return self.groups_of([*(layer.weights for layer in self.hidden), self.weights],
                              [layer.threshold for layer in self.hidden], rate)

    def forward(self, levels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Output potentials after each step, and hidden spikes until it, summed over all hidden layers."""
        kind = self.spike_type if self.training else torch.float32
        fired = arrivals(levels, self.source, kind, self.ends if self.training else None).cumsum(0)
        fired = fired.view(*fired.shape[:2], *self.shape, 1).permute(0, 1, 4, 2, 3)
        total = torch.zeros(fired.shape[:2], device=fired.device)
        for layer in self.hidden:
            fired = layer(fired)
            total = total + fired.sum(dim=(2, 3, 4))
        heard = pooled(fired.flatten(0, 1), self.last.pool).flatten(1)
        potential = heard @ signs(self.weights, self.prune).t() + rounded(self.offset)
        return potential.unflatten(0, fired.shape[:2]), total

    def network(self) -> Network:
        """The network of integers that this module is."""
        layers = [layer.layer(self.source.window) for layer in self.hidden]
        output = self.output(output_synapses(self.last, self.weights, 1, self.prune))
        return Network(self.source, [*layers, output], Readout.FIRST_SPIKE)
