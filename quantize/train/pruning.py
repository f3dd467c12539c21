"""When training prunes: gradually, then no more.

After Zhu, Gupta, "To prune, or not to prune: exploring the efficacy of pruning for model compression", arXiv
1710.01878: the share that is pruned rises along a cubic, steeply at first, while there is much to leave out;
what is left then learns to do without the rest.
"""

from torch import nn

from .sign_weights import all_sign_weights

__all__ = ["Pruning"]

RAMP = 0.55
"""The part of the training after which no weight is pruned any more."""
EVERY = 16
"""Steps of the optimiser from one pruning to the next."""


class Pruning:
    """Prunes a module's sign weights in step with its training.

    Parameters
    ----------
    module : nn.Module
        What is trained. Its state has what is pruned from here on.
    final : float
        Share of each layer's weights that are pruned in the end, 0 (none are, ever) to 0.99.
    steps : int
        Of the optimiser, in the whole training.
    """

    def __init__(self, module: nn.Module, final: float, steps: int):
        self.weights = list(all_sign_weights(module)) if final else []
        self.final, self.last = final, max(1, int(RAMP * steps))
        self._prune(0.0)

    def share(self, step: int) -> float:
        """The share that is to be pruned after ``step`` steps: ``final (1 - (1 - step / last)^3)``."""
        left = 1 - min(step, self.last) / self.last
        return self.final * (1 - left ** 3)

    def __call__(self, step: int) -> None:
        """Prune what ``step`` steps, counted from the training's first, ask for."""
        if step == self.last or (step < self.last and step % EVERY == 0):
            self._prune(self.share(step))

    def _prune(self, share: float) -> None:
        for weights in self.weights:
            weights.prune(share)
