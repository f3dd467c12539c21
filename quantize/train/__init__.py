"""Training: recipes that end in a `Network` whose accuracy is known to the last image.

::

    from firstspike.quantize.train import RECIPES, train

    trained = train("mnist-mlp", "data/mnist", "mine.safetensors", phase="online", hidden=600, seed=1)
    print(trained.figures["test"])

This package itself needs no torch, so that a command line can list the recipes; what `train` runs does
(the ``train`` extra). Accuracies, spikes and decision steps are the golden model's
(:mod:`firstspike.network.batched`).
"""

from .job import Progress, Trained
from .recipes import RECIPES, Recipe, train
from .settings import Option

__all__ = ["RECIPES", "Option", "Progress", "Recipe", "Trained", "train"]
