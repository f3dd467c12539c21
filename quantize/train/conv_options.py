"""Options of the recipe for convolutional networks, and the small language of its layers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .options import KERNELS, LONGEST_OF_TWO, Settings, check_kernel, option

__all__ = ["ConvOptions", "ConvStage", "PoolStage", "stages"]

_CONV = re.compile(r"(\d+)(?:x(\d+))?(?:/(\d+))?")
_POOL = re.compile(r"(max|sum)(\d+)")


@dataclass(frozen=True)
class ConvStage:
    """A convolution: square windows of an odd ``kernel``, padded by half of it on every side."""

    channels: int
    kernel: int = 3
    stride: int = 1


@dataclass(frozen=True)
class PoolStage:
    """Pooling over squares that do not overlap; ``kind``: "max", the earliest spike, or "sum", every one."""

    kind: str
    size: int


def stages(text: str) -> tuple[ConvStage | PoolStage, ...]:
    """The stages that a text names, as in ``"32x5,64/2,max2,64"``.

    ``CHANNELS``, ``CHANNELSxKERNEL``, ``CHANNELS/STRIDE`` or ``CHANNELSxKERNEL/STRIDE`` is a convolution
    (kernel 3 and stride 1 where it does not say), ``max2`` and ``sum2`` are pooling over 2 x 2. Raises
    ``ValueError``.
    """
    found: list[ConvStage | PoolStage] = []
    for word in text.split(","):
        word = word.strip()
        if conv := _CONV.fullmatch(word):
            channels, kernel, stride = int(conv[1]), int(conv[2] or 3), int(conv[3] or 1)
            if not 1 <= channels <= 4096 or not 1 <= kernel <= 31 or kernel % 2 == 0 or not 1 <= stride <= 8:
                raise ValueError("layers must have 1 to 4096 channels, an odd kernel up to 31 and a stride "
                                 f"from 1 to 8, not {word!r}")
            found.append(ConvStage(channels, kernel, stride))
        elif pool := _POOL.fullmatch(word):
            if not 2 <= int(pool[2]) <= 64:
                raise ValueError(f"layers must pool over 2 to 64 pixels, not {word!r}")
            if found and isinstance(found[-1], PoolStage):
                raise ValueError(f"layers must have a convolution between two poolings, not {word!r} after "
                                 "another")
            found.append(PoolStage(pool[1], int(pool[2])))
        else:
            raise ValueError("layers must be convolutions and poolings, as in 32x5,64/2,max2,64, "
                             f"not {word!r}")
    if not any(isinstance(stage, ConvStage) for stage in found):
        raise ValueError(f"layers must have at least one convolution, not {text!r}")
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class ConvOptions(Settings):
    """Options of the recipe for convolutional networks."""

    layers: str = option("24,24/2,48,48/2", "Stages before the dense output: CHANNELS, CHANNELSxKERNEL, "
                         "CHANNELS/STRIDE (padded convolutions), max2, sum2 (pooling).")
    phase: str = option("windowed", "When neurons fire: windowed is a ReLU in spikes, read by potential; "
                        "online decides at the first output spike.", ("windowed", "online"))
    kernel: str = option("linear", "Windowed: what a spike in step t of T says: linear is T - t, two is "
                         f"2^(T - 1 - t) (windows up to {LONGEST_OF_TWO}).", KERNELS)
    window: int = option(8, "Steps of the window, of the input and of every layer.")
    epochs: int = option(30, "Passes over the training images.")
    seed: int = option(1, "Fixes everything that is drawn.")
    batch: int = option(64, "Images a step of the optimiser.")
    rate: float = option(2e-3, "Learning rate of the weights at the start; it falls to 0 along a cosine.")
    prune: float = option(0.0, "Share of each layer's weights, those nearest to 0, that become 0: signs and "
                          "zeros are ternary weights.")
    distort: float = option(0.5, "How far training images are distorted: 0 not at all, 1 by 10 degrees, 10 % "
                            "and 1.5 pixels.")
    contrast: float = option(1.4, "Factor on the levels of distorted images, from the middle, against blur.")
    mirror: bool = option(False, "Flip half of the training images left to right (not for digits).")
    erase: float = option(0.0, "Share of the training images of which a random part is blotted out.")
    smooth: float = option(0.0, "Windowed: share of the target that is spread over all classes.")
    dark: int = option(16, "Pixels below this level are silent.")
    validation: int = option(5000, "Training images, the last ones, held back to choose by.")
    calibration: int = option(2000, "Windowed: training images, the first ones, whose sums set the "
                              "thresholds.")
    latency: float = option(0.02, "Online: price of a step of waiting, in units of cross-entropy.")
    spikes: float = option(0.0, "Online: price of 100 hidden spikes until the decision, in these units.")
    mix: float = option(0.5, "Online: share of the price of decisions in the loss; the rest: all steps.")
    deadline: float = option(0.5, "Online: choose the output threshold so that the mean decision step is at "
                             "most this share of the window.")
    tolerance: float = option(0.0005, "Online: validation accuracy that an earlier decision may cost.")
    teacher: str = option("", "A trained network for the same data, whose opinion is learnt beside the "
                          "labels: its file, or on the command line the name of a shipped one.")
    opinions: str = option("once", "Whether the teacher looks once at each training image as it is, or at "
                           "each distorted copy, which takes several times as long.", ("once", "each"))
    trust: float = option(0.7, "Share of the teacher's opinion in what is learnt.")
    soften: float = option(2.0, "Factor on the temperature of the teacher's opinion.")
    precision: str = option("auto", "Sums in training: bfloat16 is faster where the processor has it (auto).",
                            ("auto", "float32", "bfloat16"))

    def __post_init__(self) -> None:
        layers: Any = self.layers
        if isinstance(layers, Sequence) and not isinstance(layers, str):
            layers = ",".join(map(str, layers))
        if not isinstance(layers, str):
            raise TypeError(f"layers must be a text as in 32x5,64/2,max2,64, not {layers!r}")
        object.__setattr__(self, "layers", layers)
        stages(layers)
        self.check(
            whole={"window": (1, 256), "epochs": (1, 100_000), "seed": (0, 2**31 - 1), "batch": (2, 65536),
                   "dark": (1, 255), "validation": (1, 10**7), "calibration": (1, 10**7)},
            real={"rate": 1, "distort": 10, "contrast": 10, "erase": 1, "smooth": 1, "latency": 1e3,
                  "spikes": 1e3, "mix": 1, "deadline": 1, "tolerance": 1, "trust": 1, "soften": 1e3,
                  "prune": 0.99})
        check_kernel(self.kernel, self.phase, self.window)
