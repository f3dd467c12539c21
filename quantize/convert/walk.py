"""A torch network read module by module: what each of them computes, in order, or why it cannot be taken.

`walk` flattens an ``nn.Sequential`` (others may be nested in it) and gives one part for every module that
computes something: an :class:`Affine`, a :class:`Norm`, a :class:`Pooling` or an :class:`Activation`. What
has no effect in evaluation (Dropout, Identity) gives none, and Flatten only changes the shape. Everything
else is refused, all of it at once, each by its place, its kind and what would do in its stead.

Only exact types are taken: a subclass may compute something else, and so may a module with hooks.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

__all__ = ["Activation", "Affine", "Geometry", "Node", "Norm", "Part", "Pooling", "Refusals", "walk"]

Shape = tuple[int, ...]
"""``(features,)`` or ``(channels, height, width)``; without the count of images."""

TAKEN = ("Linear, Conv2d, BatchNorm1d, BatchNorm2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten, "
         "Dropout and Identity in an nn.Sequential")


@dataclass(frozen=True, eq=False)
class Node:
    """A module and its ``place``, as torch names it in a state dict ("features.0")."""

    place: str
    module: nn.Module

    @property
    def kind(self) -> str:
        """The name of its class."""
        return type(self.module).__name__

    def __str__(self) -> str:
        return f"{self.place or 'the whole'} ({self.kind})"


class Refusals:
    """What cannot be taken, one clause each, collected so that one error names everything."""

    def __init__(self) -> None:
        self.clauses: list[str] = []

    def add(self, node: Node, why: str) -> None:
        """Refuse ``node``; ``why`` ends in what would do in its stead."""
        self.clauses.append(f"{node}: {why}")

    def raise_any(self, what: str = "the network cannot be taken exactly") -> None:
        """Raise ValueError with all that was collected, if anything was."""
        if self.clauses:
            raise ValueError(f"{what}: {'; '.join(self.clauses)}")


@dataclass(frozen=True)
class Geometry:
    """Where the weights of a convolution lie on its source; ``padding``: top, bottom, left, right, of 0."""

    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass(frozen=True, eq=False)
class Affine:
    """``weight`` times the source, plus ``bias`` of each output or channel; float64.

    ``weight``: ``(out, in)``, or ``(out, in / groups, height, width)`` where there is a ``geometry``.
    """

    node: Node
    weight: torch.Tensor
    bias: torch.Tensor
    geometry: Geometry | None
    source_shape: Shape
    shape: Shape


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch normalisation in evaluation: ``gain * x + shift`` of each channel; float64, ``(channels,)``."""

    node: Node
    gain: torch.Tensor
    shift: torch.Tensor
    shape: Shape


@dataclass(frozen=True, eq=False)
class Pooling:
    """The maximum of each region, or its sum divided by ``divisor``; ``padding``: rows, columns, of 0."""

    node: Node
    maximum: bool
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    divisor: int
    source_shape: Shape
    shape: Shape


@dataclass(frozen=True, eq=False)
class Activation:
    """A neuron of its own for each value; ``what``: what its reader made of the module."""

    node: Node
    what: Any
    shape: Shape


Part = Affine | Norm | Pooling | Activation


def walk(network: nn.Module, shape: Shape,
         activations: Mapping[type[nn.Module], Callable[[Any], Any]]) -> list[Part]:
    """The parts of ``network``, in order.

    Parameters
    ----------
    network: an ``nn.Sequential``, possibly nested, or a single module.
    shape: of one image, as the network takes it.
    activations: for each type of neuron that is taken, a function from a module of that type to what
        :class:`Activation` holds; it raises ValueError with the reason where one cannot be taken.

    Raises
    ------
    ValueError: something cannot be taken; every such module is named.
    """
    refusals = Refusals()
    parts: list[Part] = []
    for node in _flat(network, refusals):
        try:
            part, shape = _read(node, shape, activations)
        except ValueError as error:
            refusals.add(node, str(error))
            behind = _shape_behind(node, shape)
            if behind is None:  # nothing can be said of what follows
                break
            shape = behind
        else:
            if part is not None:
                parts.append(part)
    refusals.raise_any()
    return parts


def _shape_behind(node: Node, shape: Shape) -> Shape | None:
    """The shape of what a module gives that cannot be taken, or None where it does not even run."""
    module = copy.deepcopy(node.module).eval()
    like = next(module.parameters(), torch.zeros(0))
    try:
        with torch.no_grad():
            given = module(torch.zeros(1, *shape, dtype=like.dtype, device=like.device))
        return tuple(given.shape[1:])
    except Exception:  # whatever a module of the user's own raises
        return None


def _flat(module: nn.Module, refusals: Refusals, place: str = "") -> Iterator[Node]:
    node = Node(place, module)
    if module._forward_hooks or module._forward_pre_hooks:
        refusals.add(node, "it has hooks, which may change what it computes; remove them")
    if isinstance(module, nn.Sequential):
        if type(module).forward is not nn.Sequential.forward:
            refusals.add(node, "it has a forward of its own; give a plain nn.Sequential")
            return
        for name, child in module._modules.items():  # named_children() leaves out what stands there twice
            if child is not None:
                yield from _flat(child, refusals, f"{place}.{name}" if place else name)
        return
    yield node


def _read(node: Node, shape: Shape,
          activations: Mapping[type[nn.Module], Callable[[Any], Any]]) -> tuple[Part | None, Shape]:
    """The part that a module is, if it computes something, and the shape of what it gives."""
    module: Any = node.module
    kind = type(module)
    if kind in activations:
        return Activation(node, activations[kind](module), shape), shape
    if kind in (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity):
        return None, shape
    if kind is nn.Flatten:
        if module.start_dim != 1 or module.end_dim not in (-1, len(shape)):
            raise ValueError(f"it must flatten everything but the first dimension, not {module.start_dim} to "
                             f"{module.end_dim}; give nn.Flatten()")
        return None, (_count(shape),)
    if kind in READERS:
        part = READERS[kind](node, shape)
        return part, part.shape
    if next(module.children(), None) is not None:
        raise ValueError(f"it is a module of its own kind; write it as {TAKEN}")
    neurons = ", ".join(sorted(taken.__name__ for taken in activations))
    raise ValueError(f"there is no exact form of it; taken are {TAKEN}, and {neurons}")


def _count(shape: Shape) -> int:
    total = 1
    for length in shape:
        total *= length
    return total


def _pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, tuple | list) else (value, value)
    return int(first), int(second)


def _doubles(**tensors: torch.Tensor | None) -> list[torch.Tensor]:
    found = []
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if tensor.is_complex() or tensor.is_quantized:
            raise ValueError(f"its {name} must be real floating-point numbers, not {tensor.dtype}")
        if not torch.isfinite(tensor).all():
            raise ValueError(f"its {name} holds numbers that are not finite; train it again")
        found.append(tensor.detach().to("cpu", torch.float64))
    return found


def _linear(node: Node, shape: Shape) -> Affine:
    module: Any = node.module
    after: Shape = (module.out_features,)
    if shape != (module.in_features,):
        hint = "; put nn.Flatten() before it" if _count(shape) == module.in_features else ""
        raise ValueError(f"it takes {module.in_features} features, and what comes is {_words(shape)}{hint}")
    weight, *bias = _doubles(weight=module.weight, bias=module.bias)
    return Affine(node, weight, bias[0] if bias else torch.zeros(len(weight), dtype=torch.float64), None,
                  shape, after)


def _conv(node: Node, shape: Shape) -> Affine:
    module: Any = node.module
    if len(shape) != 3 or shape[0] != module.in_channels:
        raise ValueError(f"it takes {module.in_channels} channels of pixels, and what comes is "
                         f"{_words(shape)}; check the shape of the images")
    kernel, stride, dilation = map(_pair, (module.kernel_size, module.stride, module.dilation))
    if module.padding == "same":  # as torch lays it out: the odd one goes below and to the right
        total = [far * (size - 1) for far, size in zip(dilation, kernel, strict=True)]
        padding = (total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2)
    else:
        rows, columns = (0, 0) if module.padding == "valid" else _pair(module.padding)
        padding = (rows, rows, columns, columns)
    if module.padding_mode != "zeros" and any(padding):
        raise ValueError(f"padding_mode must be 'zeros', not {module.padding_mode!r}")
    height, width = (
        (length + before + behind - far * (size - 1) - 1) // step + 1
        for length, before, behind, far, size, step in zip(
            shape[1:], padding[::2], padding[1::2], dilation, kernel, stride, strict=True))
    if min(height, width) < 1:
        raise ValueError(f"its kernel is larger than what comes, {_words(shape)}; check the shape of the "
                         "images")
    weight, *bias = _doubles(weight=module.weight, bias=module.bias)
    return Affine(node, weight, bias[0] if bias else torch.zeros(len(weight), dtype=torch.float64),
                  Geometry(stride, padding, dilation, module.groups), shape,
                  (module.out_channels, height, width))


def _norm(node: Node, shape: Shape) -> Norm:
    module: Any = node.module
    dimensions = 3 if isinstance(module, nn.BatchNorm2d) else 1
    if len(shape) != dimensions or shape[0] != module.num_features:
        wanted = "channels of pixels" if dimensions == 3 else "features"
        raise ValueError(f"it takes {module.num_features} {wanted}, and what comes is {_words(shape)}")
    if module.running_mean is None or module.running_var is None:
        raise ValueError("it has no running statistics, so what it computes depends on the batch; train it "
                         "with track_running_stats=True")
    mean, variance, *both = _doubles(running_mean=module.running_mean, running_var=module.running_var,
                                     weight=module.weight, bias=module.bias)
    weight, bias = both if both else (torch.ones_like(mean), torch.zeros_like(mean))
    gain = weight / torch.sqrt(variance + module.eps)
    return Norm(node, gain, bias - gain * mean, shape)


def _check_pixels(shape: Shape) -> None:
    if len(shape) != 3:
        raise ValueError(f"it takes channels of pixels, and what comes is {_words(shape)}; put it before "
                         "Flatten")


def _pool(node: Node, shape: Shape) -> Pooling:
    module: Any = node.module
    _check_pixels(shape)
    maximum = isinstance(module, nn.MaxPool2d)
    size = _pair(module.kernel_size)
    stride = _pair(module.kernel_size if module.stride is None else module.stride)
    padding = _pair(module.padding)
    if any(padding) and not maximum and not module.count_include_pad and not module.divisor_override:
        raise ValueError("count_include_pad must be True where it pads")
    if maximum and _pair(module.dilation) != (1, 1):
        raise ValueError(f"dilation must be 1, not {module.dilation}")
    if maximum and module.return_indices:
        raise ValueError("return_indices must be False")
    room = [length + 2 * around - long for length, around, long in zip(shape[1:], padding, size, strict=True)]
    if min(room) < 0:
        raise ValueError(f"its region is larger than what comes, {_words(shape)}")
    if module.ceil_mode and any(left % step for left, step in zip(room, stride, strict=True)):
        raise ValueError(f"ceil_mode must be False where {size[0]} by {size[1]} regions do not tile "
                         f"{_words(shape)}")
    divisor = 1 if maximum else module.divisor_override or size[0] * size[1]
    after = (left // step + 1 for left, step in zip(room, stride, strict=True))
    return Pooling(node, maximum, size, stride, padding, divisor, shape, (shape[0], *after))


def _adaptive(node: Node, shape: Shape) -> Pooling:
    module: Any = node.module
    _check_pixels(shape)
    wanted = [length if asked is None else asked for asked, length
              in zip(_asked(module.output_size), shape[1:], strict=True)]
    if any(length % asked for asked, length in zip(wanted, shape[1:], strict=True)):
        raise ValueError(f"its regions differ in size, as {wanted[0]} by {wanted[1]} do not divide "
                         f"{_words(shape)}; give an AvgPool2d")
    size = (shape[1] // wanted[0], shape[2] // wanted[1])
    return Pooling(node, False, size, size, (0, 0), size[0] * size[1], shape, (shape[0], *wanted))


def _asked(value: Any) -> tuple[Any, Any]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def _words(shape: Shape) -> str:
    return f"{shape[0]} features" if len(shape) == 1 else " by ".join(map(str, shape))


READERS: Mapping[type[nn.Module], Callable[[Node, Shape], Part]] = {
    nn.Linear: _linear, nn.Conv2d: _conv, nn.BatchNorm1d: _norm, nn.BatchNorm2d: _norm, nn.MaxPool2d: _pool,
    nn.AvgPool2d: _pool, nn.AdaptiveAvgPool2d: _adaptive,
}
