"""The options of each recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .settings import Settings, check_whole, option, restated
from .stages import stages

__all__ = ["LONGEST_OF_TWO", "Bs4nnOptions", "ConvOptions", "DescentOptions", "MlpOptions"]

LONGEST_OF_TWO = 12
"""The longest window of powers of two: sums of 8,192 sources stay below 2**24 then, exact in float32."""


@dataclass(frozen=True, kw_only=True)
class CommonOptions(Settings):
    """Options of every recipe."""

    window: int = option(16, "Steps of the window.", between=(1, 256))
    epochs: int = option(40, "Passes over the training images.", between=(1, 100_000))
    seed: int = option(1, "Fixes everything that is drawn.", between=(0, 2**31 - 1))
    dark: int = option(8, "Pixels below this level are silent.", between=(1, 255))
    validation: int = option(5000, "Training images, the last ones, held back to choose by.",
                             between=(1, 10**7))


@dataclass(frozen=True, kw_only=True)
class DescentOptions(CommonOptions):
    """Options of the recipes that train by gradient descent."""

    phase: str = option("online", "When neurons fire: online decides at the first output spike; windowed is "
                        "a ReLU in spikes, read by potential.", choices=("online", "windowed"))
    kernel: str = option("linear", "Windowed: what a spike in step t of T says: linear is T - t, two is "
                         f"2^(T - 1 - t) (windows up to {LONGEST_OF_TWO}).", choices=("linear", "two"))
    batch: int = option(256, "Images a step of the optimiser.", between=(1, 65536))
    rate: float = option(2e-3, "Learning rate of the weights at the start; it falls to 0 along a cosine.",
                         between=(0, 1))
    prune: float = option(0.0, "Share of each layer's weights, those nearest to 0, that become 0: "
                          "weights are ternary. It grows over the first 55 % of the training; what is 0 "
                          "stays 0.", between=(0, 0.99))
    distort: float = option(0.5, "How far training images are distorted: 0 not at all, 1 by 10 degrees, 10 % "
                            "and 1.5 pixels.", between=(0, 10))
    contrast: float = option(1.4, "Factor on the levels of distorted images, from the middle, against blur.",
                             between=(0, 10))
    mirror: bool = option(False, "Flip half of the training images left to right (not for digits).")
    latency: float = option(0.02, "Online: price of a step of waiting, in units of cross-entropy.",
                            between=(0, 1e3))
    spikes: float = option(0.0, "Online: price of 100 hidden spikes until the decision, in these units.",
                           between=(0, 1e3))
    mix: float = option(0.5, "Online: share of the price of decisions in the loss; the rest: all steps.",
                        between=(0, 1))
    deadline: float = option(0.2, "Online: choose the output threshold so that the mean decision step is at "
                             "most this share of the window.", between=(0, 1))
    tolerance: float = option(0.0005, "Online: validation accuracy that an earlier decision may cost.",
                              between=(0, 1))
    teacher: str = option("", "A trained network for the same data, whose opinion is learnt beside the "
                          "labels: its file, or on the command line the name of a shipped one.")
    opinions: str = option("once", "Whether the teacher looks once at each training image as it is, or at "
                           "each distorted copy, which takes several times as long.",
                           choices=("once", "each"))
    trust: float = option(0.7, "Share of the teacher's opinion in what is learnt.", between=(0, 1))
    soften: float = option(2.0, "Factor on the temperature of the teacher's opinion.", between=(0, 1e3))
    precision: str = option("auto", "Sums in training: bfloat16 is faster where the processor has it (auto: "
                            "not for windowed dense networks, in which it is not exact).",
                            choices=("auto", "float32", "bfloat16"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel != "linear" and self.phase != "windowed":
            raise ValueError(f"kernel must be linear where the phase is {self.phase}, not {self.kernel!r}")
        if self.kernel != "linear" and self.window > LONGEST_OF_TWO:
            raise ValueError(f"window must be from 1 to {LONGEST_OF_TWO} with kernel {self.kernel}, "
                             f"not {self.window}")


@dataclass(frozen=True, kw_only=True)
class MlpOptions(DescentOptions):
    """Options of the recipe for dense layers."""

    hidden: tuple[int, ...] = option((600,), "Neurons of each hidden layer, as in 600 or 800,400.")
    rare: float = option(0.0, "Leave out pixels that spike in at most this share of the images.",
                         between=(0, 1))

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
            check_whole(neurons, "hidden", 1, 65536)
        super().__post_init__()


@dataclass(frozen=True, kw_only=True)
class ConvOptions(DescentOptions):
    """Options of the recipe for convolutional networks."""

    layers: str = option("24,24/2,48,48/2", "Stages before the dense output: CHANNELS, CHANNELSxKERNEL, "
                         "CHANNELS/STRIDE (padded convolutions), max2, sum2 (pooling).")
    erase: float = option(0.0, "Share of the training images of which a random part is blotted out.",
                          between=(0, 1))
    smooth: float = option(0.0, "Windowed: share of the target that is spread over all classes.",
                           between=(0, 1))
    calibration: int = option(2000, "Windowed: training images, the first ones, whose sums set the "
                              "thresholds.", between=(1, 10**7))
    phase: str = restated(DescentOptions, "phase", "windowed")
    window: int = restated(DescentOptions, "window", 8)
    epochs: int = restated(DescentOptions, "epochs", 30)
    batch: int = restated(DescentOptions, "batch", 64, between=(2, 65536))
    dark: int = restated(DescentOptions, "dark", 16)
    deadline: float = restated(DescentOptions, "deadline", 0.5)

    def __post_init__(self) -> None:
        layers: Any = self.layers
        if isinstance(layers, Sequence) and not isinstance(layers, str):
            layers = ",".join(map(str, layers))
        if not isinstance(layers, str):
            raise TypeError(f"layers must be a text as in 32x5,64/2,max2,64, not {layers!r}")
        object.__setattr__(self, "layers", layers)
        stages(layers)
        super().__post_init__()


@dataclass(frozen=True, kw_only=True)
class Bs4nnOptions(CommonOptions):
    """Options of the recipe that learns by BS4NN's rule; the defaults are its published values."""

    hidden: int = option(600, "Neurons of the hidden layer.", between=(1, 65536))
    rate: float = option(0.1, "Learning rate of the weights behind the signs.", between=(0, 1e3))
    alpha: float = option(0.01, "Learning rate of the layers' scales.", between=(0, 1e3))
    theta: float = option(100.0, "Threshold of the scaled potential.", between=(0, 1e6))
    gamma: int = option(1, "Steps by which a wrong output should come after the first.", between=(1, 65535))
    window: int = restated(CommonOptions, "window", 254, between=(1, 65535))
    epochs: int = restated(CommonOptions, "epochs", 200,
                           help="Times that as many images as the training set has are drawn.")
    dark: int = restated(CommonOptions, "dark", 2)
