"""The training loop of the recipes that train by gradient descent: Adam, a cosine, checkpoints.

All that is drawn in an epoch comes from one generator seeded by the seed and the epoch, so a training
that goes on from a checkpoint, written after each epoch, draws what an uninterrupted one would have drawn.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from ...errors import FirstspikeError
from ...files import replacing
from ...network import Network
from .augmentation import Change
from .job import Progress
from .pruning import Pruning
from .teacher import RememberedTargets, Targets

__all__ = ["LoopOptions", "Trainable", "device_of", "fit"]


class Trainable(Protocol):
    """What the loop asks of a module."""

    spike_type: torch.dtype
    """Of its sums in training."""

    def groups(self, rate: float) -> list[dict]:
        """Parameters for the optimiser; the first group holds the real weights behind signs, kept in -1
        to 1."""
        ...

    def loss(self, levels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of a batch.

        Parameters
        ----------
        levels : Tensor
            Shape ``(count, size)``.
        targets : Tensor
            Labels ``(count,)``, or probabilities ``(count, classes)`` from a teacher.
        """
        ...

    def network(self) -> Network:
        """The network that the module is in evaluation mode."""
        ...


@dataclass(frozen=True)
class LoopOptions:
    """How the loop trains.

    Attributes
    ----------
    epochs, batch : int
        Passes over the images, and images a step.
    rate : float
        Learning rate at the start.
    prune : float
        Share of each layer's weights that are pruned in the end.
    seed : int
        Fixes all that is drawn.
    shape : (height, width)
        Of the images.
    change : Change or None
        What happens to levels before they are shown.
    key : dict
        Plain values that a checkpoint must come from to be gone on with.
    teacher : Targets or None
        Makes the targets, where it is not the labels that are learnt.
    once : bool
        Whether it looks at the levels as they were before the change, once at each image.
    """

    epochs: int
    batch: int
    rate: float
    prune: float
    seed: int
    shape: tuple[int, int]
    change: Change | None
    key: dict[str, Any]
    teacher: Targets | None = None
    once: bool = False


def device_of(name: str) -> torch.device:
    """The torch device of this name, told to give the same sums in every run.

    Raises
    ------
    FirstspikeError
        The machine does not have it.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise FirstspikeError(f"device {name!r} cannot be used ({str(error).splitlines()[0]}); "
                              "'cpu' always can") from error
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    return device


def fit(module: Any, levels: np.ndarray, labels: np.ndarray, options: LoopOptions, *, device: torch.device,
        checkpoint: Path, resume: bool, validate: Callable[[Network], float],
        progress: Callable[[Progress], Any] | None = None) -> list[dict[str, float]]:
    """Train a module in place.

    Parameters
    ----------
    module : Trainable and nn.Module
        What is trained.
    levels, labels : array
        The images: uint8, shape ``(count, size)``; ints, shape ``(count,)``.
    options : LoopOptions
        How.
    device : torch.device
        Where.
    checkpoint : Path
        The file that is written after each epoch.
    resume : bool
        Whether to go on from it, where there is one.
    validate : callable
        The accuracy of a network on images held back.
    progress : callable or None
        Called with a `Progress` after each batch.

    Returns
    -------
    list of dict
        "loss", "accuracy" and "pruned", the share of the weights, of each epoch.

    Raises
    ------
    FirstspikeError
        The checkpoint cannot be written, or gone on from.
    """
    module.to(device)
    groups = module.groups(options.rate)
    optimiser = torch.optim.Adam(groups)
    batches = max(1, len(levels) // options.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.epochs * batches)
    pruning = Pruning(module, options.prune, options.epochs * batches)
    history: list[dict[str, float]] = []
    if resume and checkpoint.exists():
        history = _restore(checkpoint, options, module, optimiser, schedule)
    images, classes = torch.tensor(levels, device=device), torch.tensor(labels, device=device)
    known = RememberedTargets(options.teacher, images, classes) if options.teacher and options.once else None
    started, done_before = time.monotonic(), len(history)
    for epoch in range(done_before, options.epochs):
        generator = torch.Generator().manual_seed(options.seed * 1_000_003 + epoch)
        order = torch.randperm(len(images), generator=generator).to(device)
        module.train()
        total = 0.0
        for batch in range(batches):
            chosen = order[batch * options.batch:(batch + 1) * options.batch]
            seen = images[chosen]
            if options.change is not None:
                seen = options.change(seen, options.shape, generator)
            targets = classes[chosen]
            if known is not None:
                targets = known(chosen)
            elif options.teacher is not None:
                targets = options.teacher(seen, targets)
            loss = module.loss(seen, targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                for weights in groups[0]["params"]:
                    weights.clamp_(-1, 1)
            pruning(epoch * batches + batch + 1)
            total += loss.item()
            if progress:
                seconds = time.monotonic() - started
                steps = (epoch - done_before) * batches + batch + 1
                left = seconds / steps * ((options.epochs - done_before) * batches - steps)
                progress(Progress(epoch + 1, options.epochs, batch + 1, batches, total / (batch + 1),
                                  history[-1]["accuracy"] if history else None, seconds, left))
        module.eval()
        history.append({"loss": total / batches, "accuracy": validate(module.network()),
                        "pruned": pruning.share((epoch + 1) * batches)})
        _store(checkpoint, options, module, optimiser, schedule, history)
    module.eval()
    return history


def _store(checkpoint: Path, options: LoopOptions, module: torch.nn.Module, optimiser: Any, schedule: Any,
           history: list[dict[str, float]]) -> None:
    """Write the checkpoint whole or not at all."""
    try:
        with replacing(checkpoint) as file:
            torch.save({
                "key": options.key, "module": module.state_dict(), "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(), "history": history}, file)
    except RuntimeError as error:
        raise FirstspikeError(f"cannot write the checkpoint {checkpoint}: {error}") from error


def _restore(checkpoint: Path, options: LoopOptions, module: torch.nn.Module, optimiser: Any,
             schedule: Any) -> list[dict[str, float]]:
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        same = state["key"] == options.key
        if same:
            module.load_state_dict(state["module"])
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
        history = list(state["history"])
    except Exception as error:  # torch names no set of errors for a damaged file
        raise FirstspikeError(f"cannot go on from {checkpoint}: {type(error).__name__} in reading it; delete "
                              "it and train from the start") from error
    if not same:
        raise FirstspikeError(f"{checkpoint} comes from a training with other options or data: give the same "
                              "ones, or train without resuming")
    return history
