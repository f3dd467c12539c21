"""Conversion of a torch network, and what it cost: the float network beside the golden model.

::

    import firstspike as fs

    converted = fs.convert(module, to="relu", calibrate=levels, labels=labels)
    converted.network.save("mine.safetensors")
    print(converted.report.accuracy, converted.report.float_accuracy)
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FirstspikeError
from ...network import Fires, Layer, Network, Phase, batched
from .settings import Settings

if TYPE_CHECKING:
    from .make import Made

__all__ = ["Converted", "LayerReport", "Report", "convert"]

POTENTIALS = 200
"""Images on which the potentials of every layer are compared."""
HELD_BACK = 5
"""Of so many images one is held back from fine-tuning, to measure on: the last ones."""


@dataclass(frozen=True)
class LayerReport:
    """What became of one layer.

    ``place``: its module in the torch network. ``weights``: their kind; ``bits``: of each. ``unit``: what one
    spike of the least weight is worth, None for outputs read by potential. ``weight_rounding``: root mean
    square, relative to the weights'. ``threshold_rounding``: the most, relative to the threshold.
    ``bias_rounding``: the most, in thresholds (of outputs: in the largest bias). ``mean_error``,
    ``largest_error``: of the potentials before any reset, against the float network's sums: mean by mean
    size, largest by largest size. ``spikes``: mean an image.
    """

    name: str
    place: str
    neurons: int
    weights: str
    bits: int
    window: int
    unit: float | None
    weight_rounding: float
    threshold_rounding: float
    bias_rounding: float
    mean_error: float
    largest_error: float
    spikes: float


@dataclass(frozen=True)
class Report:
    """What a conversion did on the calibration images.

    ``images``: on how many it was measured; ``trained``: on how many others it was fine-tuned. ``agreement``:
    share of the images that golden model and float network put into the same class. ``float_accuracy``,
    ``accuracy``: of float network and golden model, strictly; None without labels. ``input_rounding``: the
    most, in parts of the highest level. ``bound``: the largest loss that passes.
    """

    to: str
    images: int
    trained: int
    agreement: float
    float_accuracy: float | None
    accuracy: float | None
    bound: float
    input_rounding: float
    layers: tuple[LayerReport, ...]

    @property
    def loss(self) -> float:
        """Accuracy lost, or the share of images in another class where the accuracy is not known."""
        if self.accuracy is None or self.float_accuracy is None:
            return 1 - self.agreement
        return self.float_accuracy - self.accuracy

    @property
    def within(self) -> bool:
        """Whether no more is lost than the bound allows."""
        return self.loss <= self.bound + 1e-9

    def to_json(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return asdict(self) | {"layers": [asdict(layer) for layer in self.layers], "loss": self.loss}


@dataclass(frozen=True, eq=False)
class Converted:
    """A converted network and the report of its conversion, which is in its provenance too."""

    network: Network
    report: Report


def convert(module: Any, to: str, calibrate: Any, *, labels: Any = None,
            shape: tuple[int, ...] | None = None, bound: float = 0.01,
            progress: Callable[[Any], Any] | None = None, **settings: Any) -> Converted:
    """Convert a trained torch network to a network of spikes.

    Parameters
    ----------
    module: an ``nn.Sequential`` (others may be nested in it), or a module with a forward of its own, that is
        a chain of Linear, Conv2d, BatchNorm1d, BatchNorm2d, ReLU, MaxPool2d, AvgPool2d, Flatten and Dropout,
        or the functions of these, and ends in a Linear or a Conv2d. It is not changed.
    to: "relu", "t2fsnn", "fs", "qcfs" or "opi" (see :mod:`firstspike.quantize.convert`).
    calibrate: images that scales are chosen on and the loss is measured on: levels, integers, of shape
        ``(count, size)``, ``(count, height, width)`` or ``(count, channels, height, width)``; or what
        :func:`firstspike.quantize.data.idx.load_idx` gives, with its labels.
    labels: the class of each image, if known.
    shape: of one image, ``(channels, height, width)`` or ``(size,)``, where the images do not show it.
    bound: the loss that the report lets pass: of accuracy, or of agreement without labels.
    progress: called with a :class:`firstspike.quantize.train.Progress` while fine-tuning.
    settings: those of :class:`firstspike.quantize.convert.Settings`.

    Raises
    ------
    TypeError, ValueError: an argument is wrong, or the network cannot be taken exactly; each module that is
    in the way is named, with its kind and what would do.
    FirstspikeError: torch is missing.
    """
    try:
        from .finetune import finetune
        from .make import CONVERSIONS, make, read, scores, takes
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
    if not bound >= 0:
        raise ValueError(f"bound must be 0 or more, not {bound}")
    chosen = Settings(**settings)
    levels, classes, shapes = _images(module, calibrate, labels, shape, chosen.levels)
    shape = next((each for each in shapes[:-1] if takes(module, each, chosen)), shapes[-1])
    read(module, to, shape, chosen)
    wanted = scores(module, levels, shape, chosen)
    if classes is not None and classes.max() >= wanted.shape[1]:
        raise ValueError(f"labels must be from 0 to {wanted.shape[1] - 1}, as the network has "
                         f"{wanted.shape[1]} outputs, not {classes.max()}")
    trained = 0
    if chosen.finetune:
        trained = len(levels) - max(1, len(levels) // HELD_BACK)
        if not trained:
            raise ValueError("fine-tuning needs at least two images")
    made = make(module, to, levels[:trained or None], shape, chosen)
    if chosen.finetune:
        finetune(made, levels[:trained], wanted[:trained], None if classes is None else classes[:trained],
                 progress)
    return _measured(made, levels[trained:], wanted[trained:], None if classes is None else classes[trained:],
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


def _measured(made: "Made", levels: np.ndarray, wanted: np.ndarray, classes: np.ndarray | None, trained: int,
              bound: float) -> Converted:
    """The network with its report, by the golden model."""
    network = made.network()
    found = batched.run(network, levels, keep=False)
    own = wanted.argmax(axis=1)
    few = levels[:POTENTIALS]
    detail = batched.run(network, few)
    layers, values = [], few.astype(np.float64)
    for index, (layer, trace) in enumerate(zip(network.layers, detail.layers, strict=True)):
        draft, synapse = made.draft.layers[index], layer.synapses[0]
        exact, values = made.float_layer(index, values)
        worth, start = made.potential_worth(index)
        arrived = _arrived(layer, trace, start) * worth
        off = np.abs(arrived - exact)
        sizes = np.abs(exact)
        weights, threshold, bias = draft.roundings()
        layers.append(LayerReport(
            layer.name, f"{draft.stage.place or 'the whole'} ({draft.stage.kind})", layer.size,
            synapse.weight_kind.value, synapse.weight_bits, layer.window,
            None if draft.code is None else draft.unit, weights, threshold, bias,
            float(off.mean() / max(sizes.mean(), 1e-300)), float(off.max() / max(sizes.max(), 1e-300)),
            found.mean_spikes[index + 1]))
    report = Report(
        made.conversion.name, len(levels), trained, float(np.mean(found.label == own)),
        None if classes is None else float(np.mean(own == classes)),
        None if classes is None else float(np.mean(found.label == classes)), bound, made.source.rounding,
        tuple(layers))
    spikes = [round(mean, 3) for mean in found.mean_spikes]
    return Converted(replace(network, provenance=_notes(report, made.settings.changed()),
                             calibration={"mean_spikes": spikes}), report)


def _notes(report: Report, settings: dict[str, Any]) -> dict[str, Any]:
    """The report as notes: what was measured, and one note a layer."""
    measured = _short(report.to_json())
    layers = {layer.pop("name"): layer for layer in measured.pop("layers")}
    notes = {"conversion": measured.pop("to"), "settings": settings, "measured": measured} | layers
    return {name: note for name, note in notes.items() if note}


def _short(value: Any) -> Any:
    """``value`` with its numbers to six digits, for notes that people read."""
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _arrived(layer: Layer, trace: batched.LayerBatch, start: np.ndarray) -> np.ndarray:
    """What arrived at each neuron, with its bias, in a step on average where the layer is online: float64,
    shape ``(count, neurons)``. ``start``: what the potentials start with besides the bias."""
    total = trace.potential.astype(np.float64)
    if layer.fires is Fires.MANY:
        assert trace.spikes is not None
        total += np.einsum("ctn,t->cn", trace.spikes, layer.reset_schedule) * layer.reset_value
    total -= start
    return total / layer.window if layer.phase is Phase.ONLINE else total
