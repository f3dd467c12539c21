"""The small language in which the stages of a convolutional network are asked for."""

import re
from dataclasses import dataclass

__all__ = ["ConvStage", "PoolStage", "Stage", "stages"]

_CONV = re.compile(r"(\d+)(?:x(\d+))?(?:/(\d+))?")
_POOL = re.compile(r"(max|sum)(\d+)")


@dataclass(frozen=True)
class ConvStage:
    """A convolution over square windows, padded by half of them on every side.

    Attributes
    ----------
    channels : int
        1 to 4096.
    kernel : int
        Height and width of the window: odd, 1 to 31.
    stride : int
        1 to 8.
    """

    channels: int
    kernel: int = 3
    stride: int = 1


@dataclass(frozen=True)
class PoolStage:
    """Pooling over squares that do not overlap.

    Attributes
    ----------
    kind : str
        "max", the earliest spike, or "sum", every one.
    size : int
        Height and width of the square: 2 to 64.
    """

    kind: str
    size: int


Stage = ConvStage | PoolStage


def stages(text: str) -> tuple[Stage, ...]:
    """The stages that a text names, as in ``"32x5,64/2,max2,64"``.

    ``CHANNELS``, ``CHANNELSxKERNEL``, ``CHANNELS/STRIDE`` or ``CHANNELSxKERNEL/STRIDE`` is a convolution
    (kernel 3 and stride 1 where it does not say), ``max2`` and ``sum2`` are pooling over 2 x 2.

    Raises
    ------
    ValueError
        A stage is none of these, there is no convolution, or nothing stands between two poolings.
    """
    found: list[Stage] = []
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
