"""Conversion of a torch network, and what it cost: the float network beside the golden model.

::

    import firstspike as fs

    converted = fs.convert(module, to="relu", calibrate=levels, labels=labels)
    converted.network.save("mine.safetensors")
    print(converted.report.accuracy, converted.report.float_accuracy)
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from ...errors import FirstspikeError
from ..checks import number_from_0
from .report import Converted, LayerReport, Report
from .settings import Settings

__all__ = ["Converted", "LayerReport", "Report", "convert"]

HELD_BACK = 5
"""Of so many images one is held back from fine-tuning, to measure on: the last ones."""


def convert(module: Any, to: str, calibrate: Any, *, labels: Any = None,
            shape: tuple[int, ...] | None = None, bound: float = 0.01,
            progress: Callable[[Any], Any] | None = None, **settings: Any) -> Converted:
    """Convert a trained torch network to a network of spikes.

    Parameters
    ----------
    module : torch.nn.Module
        An ``nn.Sequential`` (others may be nested in it), or a module with a forward of its own, that is a
        chain of Linear, Conv2d, BatchNorm1d, BatchNorm2d, ReLU, MaxPool2d, AvgPool2d, Flatten and Dropout, or
        the functions of these, and ends in a Linear or a Conv2d. It is not changed.
    to : str
        "relu", "t2fsnn", "fs", "qcfs" or "opi" (see :mod:`firstspike.quantize.convert`).
    calibrate : array_like or Images
        Images that scales are chosen on and the loss is measured on: levels, integers, of shape
        ``(count, size)``, ``(count, height, width)`` or ``(count, channels, height, width)``; or what
        :func:`firstspike.quantize.data.idx.load_idx` gives, with its labels.
    labels : array_like or None
        The class of each image, if known.
    shape : tuple of int or None
        Of one image, ``(channels, height, width)`` or ``(size,)``, where the images do not show it.
    bound : float
        The loss that the report lets pass: of accuracy, or of agreement without labels.
    progress : callable or None
        Called with a :class:`firstspike.quantize.train.Progress` while fine-tuning.
    **settings
        Those of :class:`firstspike.quantize.convert.Settings`.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong, or the network cannot be taken exactly; each module that is in the way is named,
        with its kind and what would do.
    FirstspikeError
        Torch is missing.
    """
    try:
        from .finetune import finetune
        from .float_network import scores, takes
        from .measured import measured
        from .rounding import CONVERSIONS, round_network, stages_of
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise FirstspikeError("conversion needs torch: pip install 'firstspike[train]'") from error
    if to not in CONVERSIONS:
        raise ValueError(f"to must be one of {', '.join(CONVERSIONS)}, not {to!r}")
    known = [field.name for field in fields(Settings)]
    for name in settings:
        if name not in known:
            raise TypeError(f"convert has no setting {name!r}: it has {', '.join(known)}")
    bound = number_from_0(bound, "bound")
    chosen = Settings(**settings)
    levels, classes, shapes = _images(module, calibrate, labels, shape, chosen.levels)
    shape = next((each for each in shapes[:-1] if takes(module, each, chosen)), shapes[-1])
    stages_of(module, to, shape, chosen)
    wanted = scores(module, levels, shape, chosen)
    if classes is not None and classes.max() >= wanted.shape[1]:
        raise ValueError(f"labels must be from 0 to {wanted.shape[1] - 1}, as the network has "
                         f"{wanted.shape[1]} outputs, not {classes.max()}")
    trained = 0
    if chosen.finetune:
        trained = len(levels) - max(1, len(levels) // HELD_BACK)
        if not trained:
            raise ValueError("fine-tuning needs at least two images")
    made = round_network(module, to, levels[:trained or None], shape, chosen)
    if chosen.finetune:
        finetune(made, levels[:trained], wanted[:trained], None if classes is None else classes[:trained],
                 progress)
    return measured(made, levels[trained:], wanted[trained:], None if classes is None else classes[trained:],
                    trained, bound)


def _images(module: Any, calibrate: Any, labels: Any, shape: tuple[int, ...] | None,
            highest: int) -> tuple[np.ndarray, np.ndarray | None, list[tuple[int, ...]]]:
    """Levels, ``(count, size)``, labels and the shapes that an image may have, the likeliest first. Raises
    TypeError, ValueError."""
    planes: tuple[int, ...] | None = None
    if hasattr(calibrate, "levels") and hasattr(calibrate, "labels"):
        planes = (getattr(calibrate, "channels", 1), *calibrate.shape)
        labels = calibrate.labels if labels is None else labels
        calibrate = calibrate.levels
    levels = np.asarray(calibrate)
    if levels.dtype.kind not in "iu":
        raise TypeError(f"calibrate must be levels, integers from 0 to {highest - 1}, not an array of "
                        f"{levels.dtype}; the scale, mean and deviation of the network's input are settings")
    if not 2 <= levels.ndim <= 4 or not len(levels):
        raise ValueError("calibrate must have the shape (count, size), (count, height, width) or (count, "
                         f"channels, height, width), not {levels.shape}")
    if levels.min() < 0 or levels.max() >= highest:
        raise ValueError(f"a level must be from 0 to {highest - 1}, not {levels.min()} to {levels.max()}")
    if levels.ndim > 2:
        planes = (1, *levels.shape[1:]) if levels.ndim == 3 else levels.shape[1:]
    size = int(np.prod(levels.shape[1:]))
    shapes: list[tuple[int, ...]] = [(size,)] if shape is None else [tuple(shape)]
    if shape is None and planes is not None:
        shapes.insert(not _takes_planes(module), tuple(planes))
    if int(np.prod(shapes[0])) != size:
        raise ValueError(f"shape must have {size} values, as the images have, not {shape}")
    if labels is None:
        return levels.reshape(len(levels), -1).astype(np.int64), None, shapes
    classes = np.asarray(labels)
    if classes.dtype.kind not in "iu" or classes.shape != (len(levels),):
        raise ValueError(f"labels must be integers, one for each of the {len(levels)} images, not "
                         f"{classes.dtype} of shape {classes.shape}")
    if classes.min() < 0:
        raise ValueError(f"labels must be 0 or more, not {classes.min()}")
    return levels.reshape(len(levels), -1).astype(np.int64), classes.astype(np.int64), shapes


def _takes_planes(module: Any) -> bool:
    """Whether the first module that minds is one for planes of pixels."""
    for part in module.modules():
        kind = type(part).__name__
        if kind in ("Linear", "BatchNorm1d"):
            return False
        if kind in ("Conv2d", "BatchNorm2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "Flatten"):
            return True
    return False
