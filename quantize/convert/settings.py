"""Settings of a conversion: plain numbers, checked when they are made; needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ...network.checks import integer
from ..checks import number_from_0, positive_number

__all__ = ["Settings"]

CHOICES = {
    "encoding": ("auto", "latency", "direct", "bits"), "rounding": ("nearest", "down"),
    "kernel": ("exponential", "two"), "readout": ("potential", "count"), "loss": ("sum", "tet"),
}

LARGEST = 1e9
"""The largest number that a network may see."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to convert; what a conversion does not use must stay as it is.

    Attributes
    ----------
    window : int or None
        Steps of each layer; None: the conversion's own.
    bits : int
        Of a weight, 1 (signs) to 8.
    encoding : str
        Of the input; "auto": the conversion's own.
    input_window : int or None
        Steps of a latency input; None: ``window``.
    levels : int
        How many levels an input has.
    scale, mean, deviation : float
        The float network saw ``(level * scale - mean) / deviation``, levels from 0 to ``levels - 1``; mean
        and deviation may be one a channel; ``scale`` None: ``1 / (levels - 1)``.
    rounding : str
        Of activations in windowed codes.
    kernel : str
        Of t2fsnn.
    tau : float or None
        Its time constant; None: the best for each layer.
    readout : str
        Of rate codes.
    units : sequence of float or None
        What an amount of 1 is worth in each hidden layer; None: chosen on the data.
    correct : bool
        Whether each layer's scales and biases are fitted to the float network's on the data, after its
        weights were rounded.
    finetune : int
        Epochs of training on the data, through the rounding, towards the labels and the float network's
        scores.
    rate : float
        Its learning rate, relative to the weights.
    batch : int
        Images in a batch of it.
    loss : str
        Of rate codes: on the sum over the steps, or on each step's own ("tet").
    consistency : float
        Weight of the divergence of each step's scores from their mean.
    seed : int
        Of what is drawn.

    Raises
    ------
    TypeError, ValueError
        A setting is of another type, or out of its range.
    """

    window: int | None = None
    bits: int = 8
    encoding: str = "auto"
    input_window: int | None = None
    levels: int = 256
    scale: float | None = None
    mean: float | Sequence[float] = 0.0
    deviation: float | Sequence[float] = 1.0
    rounding: str = "nearest"
    kernel: str = "exponential"
    tau: float | None = None
    readout: str = "potential"
    units: Sequence[float] | None = None
    correct: bool = True
    finetune: int = 0
    rate: float = 0.02
    batch: int = 128
    loss: str = "sum"
    consistency: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name, low, high in (("window", 1, 1024), ("bits", 1, 8), ("input_window", 1, 1024),
                                ("levels", 2, 1 << 16), ("finetune", 0, 100_000), ("batch", 1, 1 << 16),
                                ("seed", 0, (1 << 31) - 1)):
            value = getattr(self, name)
            if value is not None or name not in ("window", "input_window"):
                put(self, name, integer(value, name, low, high))
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, not {getattr(self, name)!r}")
        for name in ("scale", "tau", "rate"):
            if getattr(self, name) is not None or name == "rate":
                put(self, name, positive_number(getattr(self, name), name))
        if self.units is not None:
            put(self, "units", [positive_number(unit, "units") for unit in self.units])
        self._check_seen()
        put(self, "consistency", number_from_0(self.consistency, "consistency"))

    def _check_seen(self) -> None:
        """TypeError or ValueError where mean, deviation and scale give what no network is trained on."""
        for name in ("mean", "deviation"):
            values = getattr(self, name)
            for value in values if isinstance(values, tuple | list) else [values]:
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise TypeError(f"{name} must be a number, or one a channel, not {value!r}")
                if not abs(value) <= LARGEST or (name == "deviation" and value <= 0):
                    what = "above 0" if name == "deviation" else "a number"
                    raise ValueError(f"{name} must be {what}, and at most {LARGEST:g}, not {value}")
        if isinstance(self.mean, Sequence) and isinstance(self.deviation, Sequence) \
                and len(self.mean) != len(self.deviation):
            raise ValueError(f"mean and deviation must be one for each channel, not {len(self.mean)} and "
                             f"{len(self.deviation)}")
        gains = self.gain if isinstance(self.gain, Sequence) else [self.gain]
        if max(gains) * (self.levels - 1) > LARGEST:
            raise ValueError(f"scale and deviation must leave what the network sees at most {LARGEST:g}, not "
                             f"{max(gains) * (self.levels - 1):g}")

    @property
    def gain(self) -> Any:
        """What the float network sees of a level, per level: a number, or one a channel."""
        scale = 1 / (self.levels - 1) if self.scale is None else self.scale
        if isinstance(self.deviation, Sequence):
            return [scale / deviation for deviation in self.deviation]
        return scale / self.deviation

    @property
    def shift(self) -> Any:
        """What it sees of level 0: a number, or one a channel."""
        mean, deviation = self.mean, self.deviation
        if isinstance(mean, Sequence) and isinstance(deviation, Sequence):
            return [-m / d for m, d in zip(mean, deviation, strict=True)]
        if isinstance(mean, Sequence):
            return [-m / deviation for m in mean]  # type: ignore[operator]
        if isinstance(deviation, Sequence):
            return [-mean / d for d in deviation]
        return -mean / deviation

    def changed(self) -> dict[str, Any]:
        """The settings that are not the defaults."""
        plain = Settings()
        return {field.name: getattr(self, field.name) for field in fields(self)
                if getattr(self, field.name) != getattr(plain, field.name)}

    def check_used(self, conversion: str, rates: bool) -> None:
        """Refuse what would have no effect. Raises ValueError."""
        unused = {"rounding", "input_window"} if rates else {"readout", "loss", "consistency"}
        if conversion != "t2fsnn":
            unused |= {"kernel", "tau"}
        elif self.kernel == "two":
            unused |= {"tau"}
        if not self.finetune:
            unused |= {"rate", "batch", "loss", "consistency", "seed"}
        for name in sorted(unused & set(self.changed())):
            where = "without finetune" if name in ("rate", "batch", "seed") else f"in {conversion}"
            if name in ("loss", "consistency") and rates:
                where = "without finetune"
            raise ValueError(f"{name} has no effect {where}; leave it out")
