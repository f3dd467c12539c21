"""The recipes by their names, and `train`, which runs one."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import FirstspikeError, did_you_mean
from .job import Progress, Trained, TrainingJob
from .options import Bs4nnOptions, ConvOptions, MlpOptions
from .settings import Option, Settings, described

__all__ = ["RECIPES", "Recipe", "train"]


@dataclass(frozen=True)
class Recipe:
    """A way of training.

    Attributes
    ----------
    name, title : str
        What a command line calls it, and one line on it.
    settings : type
        The dataclass of its options.
    home : str
        The module beside this one whose ``run`` takes a :class:`.job.TrainingJob`.
    """

    name: str
    title: str
    settings: type[Settings]
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
          progress: Callable[[Progress], Any] | None = None, **options: Any) -> Trained:
    """Train a network by a recipe and write it to ``out``, with pictures of its curves beside it.

    The checkpoint is removed once the network is written. The test images are looked at once, at the end.

    Parameters
    ----------
    recipe : str
        One of `RECIPES`.
    data : path
        A folder of IDX files.
    out : path
        The file to write, ``...safetensors``.
    device : str
        "cpu", "cuda" or "cuda:N".
    resume : bool
        Go on from the checkpoint that an interrupted training with the same options left beside ``out``; the
        result is that of an uninterrupted one (on the same machine with the same versions and number of
        threads, as the seed's is).
    progress : callable
        Called with a :class:`Progress` after every batch or so.
    **options
        Those of the recipe.

    Raises
    ------
    FirstspikeError
        Something is missing or does not fit.
    TypeError, ValueError
        An option is unknown or has a value that it cannot have.
    """
    if recipe not in RECIPES:
        raise FirstspikeError(f"there is no recipe {recipe!r}{did_you_mean(recipe, RECIPES)}: take one of "
                              f"{', '.join(RECIPES)}")
    chosen = RECIPES[recipe]
    known = [option.name for option in chosen.options]
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
        run = import_module(f".{chosen.home}", __package__).run
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise FirstspikeError("training needs torch: pip install 'firstspike[train]'") from error
    if find_spec("matplotlib") is None:  # said now, not when the curves are drawn, hours later
        raise FirstspikeError("the curves of a training need matplotlib: pip install 'firstspike[train]'")
    return run(TrainingJob(chosen.name, settings, Path(data), out, device, resume, progress))
