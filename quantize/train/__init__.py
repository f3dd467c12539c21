"""Training: recipes that end in a `Network` whose accuracy is known to the last image.

::

    from firstspike.quantize.train import RECIPES, train

    trained = train("mnist-mlp", "data/mnist", "mine.safetensors", phase="online", hidden=600, seed=1)
    print(trained.figures["test"])

This module itself needs no torch, so that a command line can list the recipes; `train` does (the
``train`` extra).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import FirstspikeError
from .conv_options import ConvOptions
from .options import Bs4nnOptions, MlpOptions, Option, described

__all__ = ["RECIPES", "Option", "Progress", "Recipe", "Trained", "train"]


@dataclass(frozen=True)
class Progress:
    """Where a training stands.

    ``epoch`` of ``epochs`` (from 1), ``batch`` of ``batches`` (from 1); ``loss``: mean of the epoch so far;
    ``accuracy``: on the validation images after the last whole epoch, None before; ``seconds``: since the
    start; ``seconds_left``: an estimate.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    accuracy: float | None
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class Trained:
    """What a training left: the network's file, pictures beside it, and its figures (also in its
    provenance)."""

    path: Path
    pictures: tuple[Path, ...]
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """A way of training. ``settings``: the dataclass of its options; ``home``: the module that runs it."""

    name: str
    title: str
    settings: type
    home: str

    @property
    def options(self) -> tuple[Option, ...]:
        """The options with their defaults, in order, for a command line to offer."""
        return described(self.settings)


RECIPES = {
    recipe.name: recipe for recipe in (
        Recipe("mnist-mlp", "Dense layers with one-bit weights, on MNIST, Fashion-MNIST or images like them",
               MlpOptions, "mlp"),
        Recipe("bs4nn", "One hidden layer with one-bit weights, by the learning rule of BS4NN as published",
               Bs4nnOptions, "bs4nn"),
        Recipe("conv", "Convolutions with one-bit weights, on MNIST, Fashion-MNIST or images like them",
               ConvOptions, "conv"),
    )
}


def train(recipe: str, data: str | Path, out: str | Path, *, device: str = "cpu", resume: bool = False,
          progress: Callable[[Progress], None] | None = None, **options: Any) -> Trained:
    """Train a network by a recipe and write it to ``out``, with pictures of its curves beside it.

    ``data``: a folder of IDX files. ``device``: "cpu", "cuda" or "cuda:N". ``resume``: go on from the
    checkpoint that an interrupted training with the same options left beside ``out``; the result is that
    of an uninterrupted one (on the same machine with the same versions and number of threads, as the
    seed's is). ``options``: those of the recipe. The checkpoint is removed once the network is written.
    The test images are looked at once, at the end.

    Raises ``FirstspikeError`` for what is missing or does not fit, ``TypeError`` and ``ValueError`` for
    options.
    """
    if recipe not in RECIPES:
        raise FirstspikeError(f"there is no recipe {recipe!r}: take one of {', '.join(RECIPES)}")
    chosen = RECIPES[recipe]
    known = [field.name for field in fields(chosen.settings)]
    for name in options:
        if name not in known:
            raise TypeError(f"recipe {recipe} has no option {name!r}: it has {', '.join(known)}")
    settings = chosen.settings(**options)
    out = Path(out)
    if out.suffix != ".safetensors":
        raise FirstspikeError(f"the network file must end in .safetensors, not {out.name!r}")
    if not out.parent.is_dir():
        raise FirstspikeError(f"there is no folder {out.parent} to write {out.name} into: make it first")
    try:
        run = import_module(f".{chosen.home}", __name__).run
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise FirstspikeError("training needs torch: pip install 'firstspike[train]'") from error
    return run(chosen.name, settings, Path(data), out, device=device, resume=resume, progress=progress)
