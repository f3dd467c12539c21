"""Training a network through its rounding: weights, scales and biases, towards labels and the float network.

Straight-through gradients (the rounded layers'), Adam along a cosine. The loss of a batch is the
cross-entropy of the labels, where there are any, and the divergence from the float network's scores (Hinton
et al., arXiv 1503.02531). Rate codes may be trained on each step's own scores (TET, Deng et al., arXiv
2202.11946), and with a price on the divergence of each step's scores from their mean, which asks the steps to
say the same (output distillation between steps, as in temporal knowledge sharing, arXiv 2304.06540).
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ..train import Progress
from .rounded_layers import RoundedLayer
from .rounding import Rounded

__all__ = ["finetune", "loss_of"]

BIAS_RATE = 0.05
"""Learning rate of the biases, in units of what is passed on, relative to that of the weights."""

LARGEST_SCALE = 80.0
"""Of the logarithm of what a weight is worth: float32 ends at 88."""


def loss_of(steps: torch.Tensor, wanted: torch.Tensor, labels: torch.Tensor | None, *, each: bool,
            consistency: float) -> torch.Tensor:
    """The loss of a batch.

    Parameters
    ----------
    steps : torch.Tensor
        Scores of each step, shape ``(steps, count, outputs)``.
    wanted : torch.Tensor
        The float network's, shape ``(count, outputs)``.
    labels : torch.Tensor or None
        Classes, where they are known.
    each : bool
        Of every step's scores (TET), not of their mean.
    consistency : float
        Weight of the divergence of each step from the mean.
    """
    mean = steps.mean(dim=0)
    told = steps if each else mean[None]
    goal = wanted.softmax(dim=-1)
    losses = [functional.kl_div(scores.log_softmax(dim=-1), goal, reduction="batchmean") for scores in told]
    if labels is not None:
        losses = [loss + functional.cross_entropy(scores, labels)
                  for loss, scores in zip(losses, told, strict=True)]
    total = torch.stack(losses).mean()
    if consistency:
        common = mean.detach().softmax(dim=-1)
        apart = [functional.kl_div(scores.log_softmax(dim=-1), common, reduction="batchmean")
                 for scores in steps]
        total = total + consistency * torch.stack(apart).mean()
    return total


def finetune(made: Rounded, levels: np.ndarray, wanted: np.ndarray, labels: np.ndarray | None,
             progress: Callable[[Progress], Any] | None = None) -> list[float]:
    """Train the rounded layers in place.

    Parameters
    ----------
    made : Rounded
        The network.
    levels : numpy.ndarray
        Images: integers, shape ``(count, size)``.
    wanted : numpy.ndarray
        The float network's scores of them, shape ``(count, outputs)``.
    labels : numpy.ndarray or None
        Their classes, where they are known.
    progress : callable or None
        Called with a :class:`..train.Progress` after each batch.

    Returns
    -------
    list of float
        The mean loss of each epoch.

    Raises
    ------
    ValueError
        The training went astray, as it does at too high a rate.
    """
    settings, rounded = made.settings, made.rounded
    generator = torch.Generator().manual_seed(settings.seed)
    rounded.float().train()
    optimiser = torch.optim.Adam([group for layer in rounded.layers
                                  for group in _groups(layer, settings.rate)])
    batch = min(settings.batch, len(levels))
    batches = len(levels) // batch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.finetune * batches)
    goal = torch.as_tensor(wanted).float()
    classes = None if labels is None else torch.as_tensor(labels)
    worth = rounded.layers[-1].heard
    history, started = [], time.monotonic()
    for epoch in range(settings.finetune):
        order = torch.randperm(len(levels), generator=generator)
        total = 0.0
        for index in range(batches):
            chosen = order[index * batch:(index + 1) * batch]
            amounts = made.input.amounts(levels[chosen.numpy()]).float()
            sums = rounded(amounts) * rounded.layers[-1].worth()
            steps = sums if worth.online is not None else sums[None]
            loss = loss_of(steps, goal[chosen], None if classes is None else classes[chosen],
                           each=settings.loss == "tet", consistency=settings.consistency)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            if progress is not None:
                seconds = time.monotonic() - started
                done = epoch * batches + index + 1
                left = seconds / done * (settings.finetune * batches - done)
                progress(Progress(epoch + 1, settings.finetune, index + 1, batches, total / (index + 1), None,
                                  seconds, left))
        history.append(total / batches)
        if not all(map(_sound, rounded.layers)) or not math.isfinite(total):
            raise ValueError(f"fine-tuning went astray in epoch {epoch + 1} (loss {total / batches:.3g}); "
                             f"give a rate below {settings.rate:g}")
    rounded.double().eval()
    for layer in rounded.layers:
        layer.choose_fraction()
    return history


def _groups(layer: RoundedLayer, rate: float) -> list[dict[str, Any]]:
    """The parameters of a layer, each with a rate that fits its size."""
    hidden = layer.code is not None and not layer.output
    level = layer.unit if hidden else _size(layer.bias) + 0.1
    top = 1 if layer.code is None or layer.code.passes is None else layer.code.top
    return [
        {"params": [layer.weight], "lr": rate * _size(layer.stage.weight)},
        {"params": [layer.scale], "lr": rate / 4},
        {"params": [layer.bias], "lr": rate * BIAS_RATE * level * top},
    ]


def _sound(layer: RoundedLayer) -> bool:
    """Whether its numbers are still such as integers can stand for."""
    finite = all(bool(torch.isfinite(values).all()) for values in (layer.weight, layer.scale, layer.bias))
    return finite and float(layer.scale.detach().abs().max()) < LARGEST_SCALE


def _size(values: torch.Tensor) -> float:
    return float(values.detach().abs().mean())
