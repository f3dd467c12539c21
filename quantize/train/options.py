"""Options of the recipes: plain dataclasses, checked when they are made."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

__all__ = ["KERNELS", "LONGEST_OF_TWO", "Bs4nnOptions", "MlpOptions", "Option", "Settings", "check_kernel",
           "described", "option"]

KERNELS = ("linear", "two")
LONGEST_OF_TWO = 12
"""The longest window of powers of two: sums of 8,192 sources stay below 2**24 then, exact in float32."""


@dataclass(frozen=True)
class Option:
    """One option of a recipe; ``choices`` is empty where any value of the default's type will do."""

    name: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()


def option(default: Any, help: str, choices: tuple[str, ...] = ()) -> Any:
    """A dataclass field that is an option."""
    return field(default=default, metadata={"help": help, "choices": choices})


def described(settings: type) -> tuple[Option, ...]:
    """The options of a dataclass of settings."""
    return tuple(
        Option(item.name, None if item.default is MISSING else item.default, item.metadata["help"],
               item.metadata["choices"])
        for item in fields(settings))


class Settings:
    """What the dataclasses of options have in common."""

    def check(self, whole: Mapping[str, tuple[int, int]], real: Mapping[str, float]) -> None:
        """Refuse values that do not fit: ``TypeError``, ``ValueError``.

        ``whole``: lowest and highest value of each whole number; ``real``: highest value of each number, the
        lowest is 0. Choices, words and flags are known from the fields.
        """
        for name, (low, high) in whole.items():
            _whole(getattr(self, name), name, low, high)
        for name, most in real.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{name} must be a number, not {value!r}")
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be from 0 to {most:g}, not {value}")
        for item in described(type(self)):
            value = getattr(self, item.name)
            if item.choices and value not in item.choices:
                raise ValueError(f"{item.name} must be one of {', '.join(item.choices)}, not {value!r}")
            if isinstance(item.default, bool) and not isinstance(value, bool):
                raise TypeError(f"{item.name} must be True or False, not {value!r}")
            if isinstance(item.default, str) and not isinstance(value, str):
                raise TypeError(f"{item.name} must be a text, not {value!r}")

    def changed(self) -> dict[str, Any]:
        """The options that are not the defaults."""
        return {item.name: getattr(self, item.name) for item in described(type(self))
                if getattr(self, item.name) != item.default}


def check_kernel(kernel: str, phase: str, window: int) -> None:
    """Refuse a kernel that does not fit phase or window: ``ValueError``."""
    if kernel != "linear" and phase != "windowed":
        raise ValueError(f"kernel must be linear where the phase is {phase}, not {kernel!r}")
    if kernel != "linear" and window > LONGEST_OF_TWO:
        raise ValueError(f"window must be from 1 to {LONGEST_OF_TWO} with kernel {kernel}, not {window}")


@dataclass(frozen=True, kw_only=True)
class MlpOptions(Settings):
    """Options of the recipes for dense layers."""

    hidden: tuple[int, ...] = option((600,), "Neurons of each hidden layer, as in 600 or 800,400.")
    phase: str = option("online", "When neurons fire: online decides at the first output spike; windowed is "
                        "a ReLU in spikes, read by potential.", ("online", "windowed"))
    kernel: str = option("linear", "Windowed: what a spike in step t of T says: linear is T - t, two is "
                         f"2^(T - 1 - t) (windows up to {LONGEST_OF_TWO}).", KERNELS)
    window: int = option(16, "Steps of the window.")
    epochs: int = option(40, "Passes over the training images.")
    seed: int = option(1, "Fixes everything that is drawn.")
    batch: int = option(256, "Images a step of the optimiser.")
    rate: float = option(2e-3, "Learning rate of the weights at the start; it falls to 0 along a cosine.")
    prune: float = option(0.0, "Share of each layer's weights, those nearest to 0, that become 0: signs and "
                          "zeros are ternary weights.")
    distort: float = option(0.5, "How far training images are distorted: 0 not at all, 1 by 10 degrees, 10 % "
                            "and 1.5 pixels.")
    contrast: float = option(1.4, "Factor on the levels of distorted images, from the middle, against blur.")
    mirror: bool = option(False, "Flip half of the training images left to right (not for digits).")
    dark: int = option(8, "Pixels below this level are silent.")
    rare: float = option(0.0, "Leave out pixels that spike in at most this share of the images.")
    validation: int = option(5000, "Training images, the last ones, held back to choose by.")
    latency: float = option(0.02, "Online: price of a step of waiting, in units of cross-entropy.")
    spikes: float = option(0.0, "Online: price of 100 hidden spikes until the decision, in these units.")
    mix: float = option(0.5, "Online: share of the price of decisions in the loss; the rest: all steps.")
    deadline: float = option(0.2, "Online: choose the output threshold so that the mean decision step is at "
                             "most this share of the window.")
    tolerance: float = option(0.0005, "Online: validation accuracy that an earlier decision may cost.")
    teacher: str = option("", "A trained network for the same data, whose opinion is learnt beside the "
                          "labels: its file, or on the command line the name of a shipped one.")
    opinions: str = option("once", "Whether the teacher looks once at each training image as it is, or at "
                           "each distorted copy, which takes several times as long.", ("once", "each"))
    trust: float = option(0.7, "Share of the teacher's opinion in what is learnt.")
    soften: float = option(2.0, "Factor on the temperature of the teacher's opinion.")
    precision: str = option("auto", "Sums in training: bfloat16 is faster where the processor has it (auto: "
                            "for online networks, in which it is exact).",
                            ("auto", "float32", "bfloat16"))

    def __post_init__(self) -> None:
        hidden: Any = self.hidden
        if isinstance(hidden, str):
            try:
                hidden = tuple(int(part) for part in hidden.split(","))
            except ValueError:
                raise ValueError(f"hidden must be numbers of neurons, as in 600 or 800,400, "
                                 f"not {hidden!r}") from None
        hidden = tuple(hidden) if isinstance(hidden, Sequence) else (hidden,)
        object.__setattr__(self, "hidden", hidden)
        if not hidden:
            raise ValueError("hidden must name at least one layer")
        for neurons in hidden:
            _whole(neurons, "hidden", 1, 65536)
        self.check({**WHOLE, "window": (1, 256), "batch": (1, 65536)},
                   {"rate": 1, "distort": 10, "contrast": 10, "latency": 1e3, "spikes": 1e3, "mix": 1,
                    "rare": 1, "deadline": 1, "tolerance": 1, "trust": 1, "soften": 1e3, "prune": 0.99})
        check_kernel(self.kernel, self.phase, self.window)


@dataclass(frozen=True, kw_only=True)
class Bs4nnOptions(Settings):
    """Options of the recipe that learns by BS4NN's rule; the defaults are its published values."""

    hidden: int = option(600, "Neurons of the hidden layer.")
    window: int = option(254, "Steps of the window.")
    epochs: int = option(200, "Times that as many images as the training set has are drawn.")
    seed: int = option(1, "Fixes everything that is drawn.")
    rate: float = option(0.1, "Learning rate of the weights behind the signs.")
    alpha: float = option(0.01, "Learning rate of the layers' scales.")
    theta: float = option(100.0, "Threshold of the scaled potential.")
    gamma: int = option(1, "Steps by which a wrong output should come after the first.")
    dark: int = option(2, "Pixels below this level are silent.")
    validation: int = option(5000, "Training images, the last ones, held back to choose by.")

    def __post_init__(self) -> None:
        self.check({**WHOLE, "hidden": (1, 65536), "window": (1, 65535), "gamma": (1, 65535)},
                   {"rate": 1e3, "alpha": 1e3, "theta": 1e6})


WHOLE = {"epochs": (1, 100_000), "seed": (0, 2**31 - 1), "dark": (1, 255), "validation": (1, 10**7)}


def _whole(value: Any, name: str, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}, not {value}")
