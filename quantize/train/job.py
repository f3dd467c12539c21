"""What a recipe is asked to do, what it says while it works, and what it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Progress", "Trained", "TrainingJob"]


@dataclass(frozen=True)
class Progress:
    """Where a training stands.

    Attributes
    ----------
    epoch, epochs : int
        The epoch, from 1, and how many there are.
    batch, batches : int
        The batch in the epoch, from 1, and how many there are.
    loss : float
        The mean of the epoch so far.
    accuracy : float or None
        On the validation images after the last whole epoch; None before.
    seconds, seconds_left : float
        Since the start, and an estimate of what is left.
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
    """What a training left.

    Attributes
    ----------
    path : Path
        The network's file.
    pictures : tuple of Path
        The PNGs beside it.
    figures : mapping
        Of the "validation" and the "test" images; also in the network's provenance.
    """

    path: Path
    pictures: tuple[Path, ...]
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class TrainingJob:
    """A training that was asked for.

    Attributes
    ----------
    recipe : str
        The recipe's name.
    settings : object
        Its options, checked: one of the dataclasses of :mod:`.options`.
    data : Path
        The folder of IDX files.
    out : Path
        The file to write.
    device : str
        "cpu", "cuda" or "cuda:N".
    resume : bool
        Whether to go on from the checkpoint beside ``out``, where there is one.
    progress : callable or None
        Called with a :class:`Progress` from time to time.
    """

    recipe: str
    settings: Any
    data: Path
    out: Path
    device: str = "cpu"
    resume: bool = False
    progress: Callable[[Progress], Any] | None = None
