"""What stands between the neurons of a network: weights, gains, pooling, sums, and the shape that each gives.

Shapes are those of one image in one step, without the count of images. Each operation has a method ``behind``
that tells the shape it gives for the shape that comes, or raises ValueError with the reason.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

__all__ = ["Activation", "Affine", "Flat", "Gain", "Geometry", "Pooling", "Shape", "Sum", "spread",
           "told_shape"]

Shape = tuple[int, ...]
"""``(features,)`` or ``(channels, height, width)``."""


def told_shape(shape: Shape) -> str:
    """``shape`` in words: "6 features", "1 by 28 by 28"."""
    return f"{shape[0]} features" if len(shape) == 1 else " by ".join(map(str, shape))


def spread(value: Any, shape: Shape, name: str) -> np.ndarray:
    """A number of each neuron, or value, out of one for all, one a channel or one each.

    Parameters
    ----------
    value : array_like
        Of a shape that broadcasts to ``shape``, as torch's and numpy's do: one a channel is
        ``(channels, 1, 1)``.
    shape : tuple of int
        Of the neurons.
    name : str
        What it is, for the sentence of an error.

    Returns
    -------
    numpy.ndarray
        float64, shape ``(neurons,)``, in C order.

    Raises
    ------
    ValueError
        It has another shape, or holds a number that is not finite.
    """
    array = np.asarray(value, np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"its {name} must be finite numbers; train it again")
    if array.size == 1:
        return np.full(prod(shape), array.item())
    try:
        return np.array(np.broadcast_to(array, shape)).reshape(-1)
    except ValueError:
        raise ValueError(f"its {name} must be one number, or numbers of the shape {shape} as what comes, "
                         f"not of the shape {array.shape}") from None


def _check_planes(shape: Shape) -> None:
    if len(shape) != 3:
        raise ValueError(f"it takes channels of pixels, and what comes is {told_shape(shape)}; put it before "
                         "what flattens")


@dataclass(frozen=True)
class Geometry:
    """Where the weights of a convolution, or the regions of a pool, lie on the planes that come.

    Attributes
    ----------
    stride, dilation : tuple of int
        Down and across, at least 1.
    padding : tuple of int
        Zeros at the top, bottom, left and right.
    groups : int
        Into how many the channels are parted.

    Raises
    ------
    ValueError
        A number is below its least.
    """

    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        for name, least in (("stride", 1), ("padding", 0), ("dilation", 1)):
            for number in getattr(self, name):
                if number < least:
                    raise ValueError(f"its {name} must be at least {least}, not {number}")
        if self.groups < 1:
            raise ValueError(f"its groups must be at least 1, not {self.groups}")

    def positions(self, size: tuple[int, int], shape: Shape, name: str) -> tuple[int, int]:
        """How many places a window takes on planes, down and across.

        Parameters
        ----------
        size : tuple of int
            Height and width of the window.
        shape : tuple of int
            ``(channels, height, width)`` of the planes.
        name : str
            What the window is called: "kernel", "region".

        Raises
        ------
        ValueError
            The window is larger than the padded planes, or not larger than the padding.
        """
        if min(size) < 1:
            raise ValueError(f"its {name} must be at least 1 by 1, not {size[0]} by {size[1]}")
        reach = [far * (length - 1) + 1 for far, length in zip(self.dilation, size, strict=True)]
        around = self.padding[:2], self.padding[2:]
        if any(max(zeros) >= far for zeros, far in zip(around, reach, strict=True)):
            raise ValueError(f"its padding must be less than its {name}, which is {reach[0]} by {reach[1]}, "
                             f"not {max(self.padding)}; give less, as what lies in the padding sees only "
                             "zeros")
        room = [length + sum(zeros) - far for length, zeros, far
                in zip(shape[1:], around, reach, strict=True)]
        if min(room) < 0:
            raise ValueError(f"its {name} is larger than what comes, {told_shape(shape)}; check the shape of "
                             "the images")
        return room[0] // self.stride[0] + 1, room[1] // self.stride[1] + 1


@dataclass(frozen=True, eq=False)
class Affine:
    """``weight`` times what comes, plus ``bias`` of each output or channel, in every step.

    Attributes
    ----------
    weight : numpy.ndarray
        float64, shape ``(out, in)``, or ``(out, in / groups, height, width)`` with a ``geometry``.
    bias : numpy.ndarray
        float64, shape ``(out,)``.
    geometry : Geometry or None
        Of a convolution.
    factor : int or None
        What all weights are multiples of, where that is known.
    """

    weight: np.ndarray
    bias: np.ndarray
    geometry: Geometry | None = None
    factor: int | None = None

    def behind(self, shape: Shape) -> Shape:
        """The shape that it gives for ``shape``. Raises ValueError where it cannot take that."""
        if self.geometry is None:
            wanted = self.weight.shape[1]
            if shape != (wanted,):
                remedy = "flatten it first (nn.Flatten)" if prod(shape) == wanted else \
                    "check the shape of the images"
                raise ValueError(f"it takes {wanted} features, and what comes is {told_shape(shape)}; "
                                 f"{remedy}")
            return (len(self.weight),)
        out, each = self.weight.shape[:2]
        channels = each * self.geometry.groups
        if out % self.geometry.groups:
            raise ValueError(f"its {out} channels out must be a multiple of its groups, "
                             f"{self.geometry.groups}")
        if len(shape) != 3 or shape[0] != channels:
            raise ValueError(f"it takes {channels} channels of pixels, and what comes is "
                             f"{told_shape(shape)}; check the shape of the images")
        height, width = self.weight.shape[2:]
        return (out, *self.geometry.positions((height, width), shape, "kernel"))


@dataclass(frozen=True, eq=False)
class Gain:
    """``factor * x + shift``: batch normalisation, a scale.

    Attributes
    ----------
    factor, shift : numpy.ndarray
        float64, of a shape that broadcasts to that of what comes: one for all, one a channel
        (``(channels, 1, 1)``) or one each.
    """

    factor: Any
    shift: Any = 0.0

    def behind(self, shape: Shape) -> Shape:
        """The shape that it gives for ``shape``. Raises ValueError where it cannot take that."""
        spread(self.factor, shape, "factor")
        spread(self.shift, shape, "shift")
        return shape


@dataclass(frozen=True)
class Pooling:
    """The maximum of each region, or its sum over ``divisor``.

    Attributes
    ----------
    maximum : bool
        Which of the two.
    size : tuple of int
        Height and width of a region.
    geometry : Geometry
        Where the regions lie.
    divisor : int
        What the sum is divided by.
    """

    maximum: bool
    size: tuple[int, int]
    geometry: Geometry
    divisor: int = 1

    def behind(self, shape: Shape) -> Shape:
        """The shape that it gives for ``shape``. Raises ValueError where it cannot take that."""
        _check_planes(shape)
        return (shape[0], *self.geometry.positions(self.size, shape, "region"))


@dataclass(frozen=True)
class Flat:
    """Planes become features, in C order."""

    def behind(self, shape: Shape) -> Shape:
        """The shape that it gives for ``shape``."""
        return (prod(shape),)


@dataclass(frozen=True)
class Sum:
    """What its sources bring, added up."""

    def behind(self, shape: Shape) -> Shape:
        """The shape that it gives for ``shape``."""
        return shape


@dataclass(frozen=True, eq=False)
class Activation:
    """A function of each value, of a network that is no spiking one.

    Attributes
    ----------
    what : object
        What its reader made of the module.
    """

    what: Any

    def behind(self, shape: Shape) -> Shape:
        """The shape that it gives for ``shape``."""
        return shape
