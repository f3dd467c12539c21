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
from .convolutions import SharedSigns, Step, planned, pooled
from .input_spikes import arrivals
from .online import DecisionCost, OnlineNet
from .sign_weights import SignWeights, integers
from .stages import Stage
from .straight_through import fired_by, rounded

__all__ = ["OnlineConvNet"]


class OnlineConvolution(SharedSigns):
    """One hidden layer: signs shared over positions, and a threshold a channel.

    Forward takes who has fired by each step, shape ``(window, count, channels, height, width)``, 0 or 1, to
    the same of this layer's neurons.

    Parameters
    ----------
    step : Step
        The convolution and what is pooled before it.
    generator : torch.Generator
        Draws the weights.
    """

    def __init__(self, step: Step, generator: torch.Generator):
        super().__init__(step, generator)
        start = max(1.0, sqrt(prod(self.weights.real.shape[1:]) / 10))  # as for dense layers
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

    Parameters
    ----------
    source : Input
        Of one channel, with a latency encoding.
    shape : (height, width)
        Of the images.
    stages : sequence of ConvStage and PoolStage
        What comes before the output.
    outputs : int
        Classes.
    cost : DecisionCost
        What the loss is made of.
    seed : int
        Fixes the weights at the start.
    half : bool
        Whether the first layer's sums in training run in bfloat16.

    Raises
    ------
    ValueError
        A pooling leaves nothing.
    """

    def __init__(self, source: Input, shape: tuple[int, int], stages: Sequence[Stage], outputs: int,
                 cost: DecisionCost, seed: int, half: bool = False):
        generator = torch.Generator().manual_seed(seed)
        *steps, last = planned(stages, shape)
        hidden = [OnlineConvolution(step, generator) for step in steps]
        super().__init__(source, hidden, SignWeights((outputs, prod(last.shape)), generator), cost, half)
        self.shape, self.last = shape, last

    def forward(self, levels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        kind = self.spike_type if self.training else torch.float32
        fired = arrivals(levels, self.source, kind, self.ends if self.training else None).cumsum(0)
        fired = fired.view(*fired.shape[:2], *self.shape, 1).permute(0, 1, 4, 2, 3)
        total = torch.zeros(fired.shape[:2], device=fired.device)
        for layer in self.hidden:
            fired = layer(fired)
            total = total + fired.sum(dim=(2, 3, 4))
        heard = pooled(fired.flatten(0, 1), self.last.pool).flatten(1)
        return self.read(heard).unflatten(0, fired.shape[:2]), total

    def network(self) -> Network:
        """The network of integers that this module is."""
        layers = [layer.layer(self.source.window) for layer in self.hidden]
        output = self.output_layer(self.output.dense(1, pool=self.last.synaptic_pool))
        return Network(self.source, [*layers, output], Readout.FIRST_SPIKE)
