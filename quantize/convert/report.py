"""What a conversion cost: the report, as figures and as notes in the network."""

from dataclasses import asdict, dataclass
from typing import Any

from ...network import Network

__all__ = ["Converted", "LayerReport", "Report"]


@dataclass(frozen=True)
class LayerReport:
    """What became of one layer.

    Attributes
    ----------
    name : str
        In the network of integers.
    place : str
        Its module in the torch network.
    neurons, window : int
        How many, over how many steps.
    weights : str
        Their kind.
    bits : int
        Of each weight.
    unit : float or None
        What one spike of the least weight is worth; None for outputs that are read by potential.
    weight_rounding : float
        Root mean square, relative to the weights'.
    threshold_rounding : float
        The most, relative to the threshold.
    bias_rounding : float
        The most, in thresholds (of outputs: in the largest bias).
    mean_error, largest_error : float
        Of the potentials before any reset, against the float network's sums: mean by mean size, largest by
        largest size.
    spikes : float
        Mean of an image.
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

    Attributes
    ----------
    to : str
        The conversion.
    images, trained : int
        On how many it was measured, and on how many others it was fine-tuned.
    agreement : float
        Share of the images that golden model and float network put into the same class.
    float_accuracy, accuracy : float or None
        Of float network and golden model, strictly; None without labels.
    bound : float
        The largest loss that passes.
    input_rounding : float
        The most, in parts of the highest level.
    layers : tuple of LayerReport
        One each.
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

    def notes(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The report as notes for a network's provenance: what was measured, and one note a layer."""
        measured = _short(self.to_json())
        layers = {layer.pop("name"): layer for layer in measured.pop("layers")}
        notes = {"conversion": measured.pop("to"), "settings": settings, "measured": measured} | layers
        return {name: note for name, note in notes.items() if note}


@dataclass(frozen=True, eq=False)
class Converted:
    """What `convert` gives.

    Attributes
    ----------
    network : Network
        The converted network; the report is in its provenance too.
    report : Report
        What the conversion cost.
    """

    network: Network
    report: Report


def _short(value: Any) -> Any:
    """``value`` with its numbers to six digits, for notes that people read."""
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
