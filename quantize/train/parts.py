"""What the trainable networks have in common: real weights behind signs, and their way into a `Network`."""

import numpy as np
import torch
from torch import nn

from ...network import Dense, Input
from .straight import signs

__all__ = ["integers", "signed_dense", "start_weights"]


def start_weights(neurons: int, sources: int, generator: torch.Generator) -> nn.Parameter:
    """Real weights behind the signs, uniform in -0.1 to 0.1: shape ``(neurons, sources)``."""
    return nn.Parameter((torch.rand(neurons, sources, generator=generator) * 2 - 1) * 0.1)


def integers(values: torch.Tensor) -> np.ndarray:
    """Whole numbers out of a tensor: int64."""
    return values.detach().cpu().numpy().round().astype(np.int64)


def signed_dense(weights: torch.Tensor, kernel: np.ndarray | int, source: Input | None,
                 direction: torch.Tensor | None = None, prune: float = 0.0) -> Dense:
    """The synapses of real weights: their signs, times ``direction`` of each neuron where it is given.

    ``source``: the network's input where the layer listens to it; inputs that its mask leaves out, which
    the weights have no columns for, get +1, or 0 where weights are pruned.
    """
    signed = signs(weights.detach(), prune)
    if direction is not None:
        signed = signed * direction.unsqueeze(1)
    packed = integers(signed).astype(np.int8)
    if source is not None:
        full = np.full((len(packed), source.size), 0 if prune else 1, np.int8)
        full[:, source.used] = packed
        packed = full
    return Dense(packed, kernel)
