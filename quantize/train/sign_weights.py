"""The real weights behind signs: trained as numbers, heard as +1 and -1, or as 0 where they are pruned."""

from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import nn

from ...network import Dense, Input, Pool
from .straight_through import matmul_signs, signs

__all__ = ["SignWeights", "all_sign_weights", "integers"]


class SignWeights(nn.Module):
    """Real weights of which only the signs count, and of these only those that are not pruned.

    They begin uniform in -0.1 to 0.1.

    Parameters
    ----------
    shape : tuple of int
        Neurons (or channels) first, then what each listens to.
    generator : torch.Generator
        Draws the weights.

    Attributes
    ----------
    real : Parameter
        float32, of ``shape``.
    kept : Tensor or None
        bool, of ``shape``: False where a weight is pruned; None where pruning has not begun.
    """

    kept: torch.Tensor | None

    def __init__(self, shape: tuple[int, ...], generator: torch.Generator):
        super().__init__()
        drawn = torch.rand(shape[0], prod(shape[1:]), generator=generator) * 2 - 1
        self.real = nn.Parameter((drawn * 0.1).view(shape))
        self.register_buffer("kept", None)

    def forward(self) -> torch.Tensor:
        """The weights as they count: -1, 0 or 1, float32, of ``shape``; the gradient goes to `real`."""
        return signs(self.real, self.kept)

    def sums(self, spikes: torch.Tensor) -> torch.Tensor:
        """``spikes @ self().T`` in the spikes' type; for two dimensions: see `matmul_signs`."""
        return matmul_signs(spikes, self.real, self.kept)

    @torch.no_grad()
    def prune(self, share: float) -> None:
        """Prune until the ``share`` of the weights is 0, of those that are left the nearest to 0.

        What is pruned stays so, and a share below that changes nothing. Of equal weights the first goes. A
        share below 1 never takes all.
        """
        if self.kept is None:
            self.kept = torch.ones_like(self.real, dtype=torch.bool)
        sizes = torch.where(self.kept, self.real.abs(), -1.0).flatten()
        first = sizes.sort(stable=True).indices[:int(share * sizes.numel())]
        self.kept.view(-1)[first] = False

    @torch.no_grad()
    def integers(self, direction: torch.Tensor | None = None) -> np.ndarray:
        """The weights as they count: int8, of ``shape``; times ``direction`` of each neuron where given."""
        signed = self()
        if direction is not None:
            signed = signed * direction.view(-1, *[1] * (signed.ndim - 1))
        return integers(signed).astype(np.int8)

    def dense(self, kernel: np.ndarray | int, source: Input | None = None,
              direction: torch.Tensor | None = None, pool: Pool | None = None) -> Dense:
        """The synapses that two dimensions of weights are.

        Parameters
        ----------
        kernel : integers
            ``K`` of what they listen to.
        source : Input or None
            The network's input where they listen to it: inputs that its mask leaves out, which the weights
            have no columns for, get +1, or 0 where weights are pruned.
        direction : Tensor or None
            +1 or -1 for each neuron, which all its signs are multiplied with.
        pool : Pool or None
            What passes the spikes on to them.
        """
        packed = self.integers(direction)
        if source is not None:
            full = np.full((len(packed), source.size), 1 if self.kept is None else 0, np.int8)
            full[:, source.used] = packed
            packed = full
        return Dense(packed, kernel, pool=pool)


def all_sign_weights(module: nn.Module) -> Iterator[SignWeights]:
    """All that are part of a module, in its order."""
    return (part for part in module.modules() if isinstance(part, SignWeights))


def integers(values: torch.Tensor) -> np.ndarray:
    """Whole numbers out of a tensor: int64."""
    return values.detach().cpu().numpy().round().astype(np.int64)
