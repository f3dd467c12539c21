"""The training loop of all recipes: Adam, a cosine, checkpoints after each epoch.

All that is drawn in an epoch comes from one generator seeded by the seed and the epoch, so a training
that goes on from a checkpoint draws what an uninterrupted one would have drawn.
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
from . import Progress
from .opinions import Opinions

__all__ = ["Change", "Plan", "Trainable", "device_of", "fit"]


Change = Callable[[torch.Tensor, tuple[int, int], torch.Generator], torch.Tensor]
"""A changed copy of some levels, shape ``(count, size)``; with their (height, width), and a generator of the
CPU for all that is drawn."""


class Trainable(Protocol):
    """What the loop asks of a module."""

    def groups(self, rate: float) -> list[dict]:
        """Parameters for the optimiser; the first group holds the real weights behind signs, kept in -1
        to 1."""
        ...

    def loss(self, levels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of a batch; ``targets``: labels, or probabilities ``(count, classes)`` from a teacher."""
        ...

    def network(self) -> Network:
        """The network that the module is in evaluation mode."""
        ...


@dataclass(frozen=True)
class Plan:
    """How to train.

    ``change``: what happens to levels before they are shown; ``key``: what a checkpoint must come from to be
    gone on with: plain values; ``teacher``: makes targets of levels and labels, where it is not the labels
    that are learnt; ``once``: of the levels as they were before the change, and asked once for each image.
    """

    epochs: int
    batch: int
    rate: float
    seed: int
    shape: tuple[int, int]
    change: Change | None
    key: dict[str, Any]
    teacher: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None
    once: bool = False


def device_of(name: str) -> torch.device:
    """The torch device of this name, told to give the same sums in every run.

    Raises `FirstspikeError` where the machine does not have it.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise FirstspikeError(f"device {name!r} cannot be used ({str(error).splitlines()[0]}); "
                              "'cpu' always can") from error
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    return device


def fit(module: Any, levels: np.ndarray, labels: np.ndarray, plan: Plan, *, device: torch.device,
        checkpoint: Path, resume: bool, validate: Callable[[Network], float],
        progress: Callable[[Progress], None] | None = None) -> list[dict[str, float]]:
    """Train ``module`` (a `Trainable` and ``nn.Module``) in place; returns loss and accuracy of each epoch.

    ``levels``: uint8, shape ``(count, size)``; ``validate``: the accuracy of a network on images held back.
    """
    module.to(device)
    groups = module.groups(plan.rate)
    optimiser = torch.optim.Adam(groups)
    batches = max(1, len(levels) // plan.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.epochs * batches)
    history: list[dict[str, float]] = []
    if resume and checkpoint.exists():
        history = _restore(checkpoint, plan, module, optimiser, schedule)
    images, classes = torch.tensor(levels, device=device), torch.tensor(labels, device=device)
    known = Opinions(plan.teacher, images, classes) if plan.teacher and plan.once else None
    started, done_before = time.monotonic(), len(history)
    change = plan.change
    for epoch in range(done_before, plan.epochs):
        generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + epoch)
        order = torch.randperm(len(images), generator=generator).to(device)
        module.train()
        total = 0.0
        for batch in range(batches):
            chosen = order[batch * plan.batch:(batch + 1) * plan.batch]
            seen = images[chosen]
            if change is not None:
                seen = change(seen, plan.shape, generator)
            targets = classes[chosen]
            if known is not None:
                targets = known(chosen)
            elif plan.teacher is not None:
                targets = plan.teacher(seen, targets)
            loss = module.loss(seen, targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                for weights in groups[0]["params"]:
                    weights.clamp_(-1, 1)
            total += loss.item()
            if progress:
                seconds = time.monotonic() - started
                steps = (epoch - done_before) * batches + batch + 1
                left = seconds / steps * ((plan.epochs - done_before) * batches - steps)
                progress(Progress(epoch + 1, plan.epochs, batch + 1, batches, total / (batch + 1),
                                  history[-1]["accuracy"] if history else None, seconds, left))
        module.eval()
        history.append({"loss": total / batches, "accuracy": validate(module.network())})
        _store(checkpoint, plan, module, optimiser, schedule, history)
    module.eval()
    return history


def _store(checkpoint: Path, plan: Plan, module: torch.nn.Module, optimiser: Any, schedule: Any,
           history: list[dict[str, float]]) -> None:
    """Write the checkpoint whole or not at all."""
    try:
        with replacing(checkpoint) as file:
            torch.save({"key": plan.key, "module": module.state_dict(), "optimiser": optimiser.state_dict(),
                        "schedule": schedule.state_dict(), "history": history}, file)
    except RuntimeError as error:
        raise FirstspikeError(f"cannot write the checkpoint {checkpoint}: {error}") from error


def _restore(checkpoint: Path, plan: Plan, module: torch.nn.Module, optimiser: Any,
             schedule: Any) -> list[dict[str, float]]:
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        same = state["key"] == plan.key
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
