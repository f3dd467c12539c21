"""What each kind of torch module computes in evaluation, or why it has no exact form."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from .operations import Affine, Flat, Gain, Geometry, Pooling, Shape, told_shape

__all__ = ["READERS", "WITHOUT_EFFECT"]

WITHOUT_EFFECT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity)
"""Modules that compute nothing in evaluation."""


def _pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, tuple | list) else (value, value)
    return int(first), int(second)


def _around(padding: tuple[int, int]) -> tuple[int, int, int, int]:
    return padding[0], padding[0], padding[1], padding[1]


def _doubles(**tensors: torch.Tensor | None) -> list[np.ndarray]:
    found = []
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if tensor.is_complex() or tensor.is_quantized:
            raise ValueError(f"its {name} must be real floating-point numbers, not {tensor.dtype}")
        if not torch.isfinite(tensor).all():
            raise ValueError(f"its {name} holds numbers that are not finite; train it again")
        found.append(tensor.detach().to("cpu", torch.float64).numpy())
    return found


def _affine(module: Any, geometry: Geometry | None) -> Affine:
    weight, *bias = _doubles(weight=module.weight, bias=module.bias)
    return Affine(weight, bias[0] if bias else np.zeros(len(weight)), geometry)


def _linear(module: Any, shape: Shape) -> Affine:
    return _affine(module, None)


def _conv(module: Any, shape: Shape) -> Affine:
    stride, dilation = _pair(module.stride), _pair(module.dilation)
    if module.padding == "same":  # as torch lays it out: the odd one goes below and to the right
        total = [far * (size - 1) for far, size in zip(dilation, module.weight.shape[2:], strict=True)]
        padding = (total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2)
    else:
        padding = _around((0, 0) if module.padding == "valid" else _pair(module.padding))
    if module.padding_mode != "zeros" and any(padding):
        raise ValueError(f"padding_mode must be 'zeros', not {module.padding_mode!r}")
    return _affine(module, Geometry(stride, padding, dilation, module.groups))


def _norm(module: Any, shape: Shape) -> Gain:
    dimensions = 3 if isinstance(module, nn.BatchNorm2d) else 1
    if len(shape) != dimensions or shape[0] != module.num_features:
        wanted = "channels of pixels" if dimensions == 3 else "features"
        raise ValueError(f"it takes {module.num_features} {wanted}, and what comes is {told_shape(shape)}")
    if module.running_mean is None or module.running_var is None:
        raise ValueError("it has no running statistics, so what it computes depends on the batch; train it "
                         "with track_running_stats=True")
    mean, variance, *both = _doubles(running_mean=module.running_mean, running_var=module.running_var,
                                     weight=module.weight, bias=module.bias)
    weight, bias = both if both else (np.ones_like(mean), np.zeros_like(mean))
    gain = weight / np.sqrt(variance + module.eps)
    each = (-1, *[1] * (dimensions - 1))
    return Gain(gain.reshape(each), (bias - gain * mean).reshape(each))


def _pool(module: Any, shape: Shape) -> Pooling:
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
    divisor = 1 if maximum else module.divisor_override or size[0] * size[1]
    made = Pooling(maximum, size, Geometry(stride, _around(padding)), divisor)
    made.behind(shape)
    room = [length + 2 * around - long for length, around, long in zip(shape[1:], padding, size, strict=True)]
    if module.ceil_mode and any(left % step for left, step in zip(room, stride, strict=True)):
        raise ValueError(f"ceil_mode must be False where {size[0]} by {size[1]} regions do not tile "
                         f"{told_shape(shape)}")
    return made


def _adaptive(module: Any, shape: Shape) -> Pooling:
    if len(shape) == 3:
        wanted = [length if asked is None else asked for asked, length
                  in zip(_asked(module.output_size), shape[1:], strict=True)]
        if any(asked < 1 or length % asked for asked, length in zip(wanted, shape[1:], strict=True)):
            raise ValueError(f"its regions differ in size, as {wanted[0]} by {wanted[1]} do not divide "
                             f"{told_shape(shape)}; give an AvgPool2d")
        size = (shape[1] // wanted[0], shape[2] // wanted[1])
    else:
        size = (1, 1)  # of what are no planes, which is told as of all pools
    return Pooling(False, size, Geometry(size), size[0] * size[1])


def _asked(value: Any) -> tuple[Any, Any]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def _flatten(module: Any, shape: Shape) -> Flat:
    if module.start_dim != 1 or module.end_dim not in (-1, len(shape)):
        raise ValueError(f"it must flatten everything but the first dimension, not {module.start_dim} to "
                         f"{module.end_dim}; give nn.Flatten()")
    return Flat()


READERS: Mapping[type[nn.Module], Callable[[Any, Shape], Affine | Gain | Pooling | Flat]] = {
    nn.Linear: _linear, nn.Conv2d: _conv, nn.BatchNorm1d: _norm, nn.BatchNorm2d: _norm, nn.MaxPool2d: _pool,
    nn.AvgPool2d: _pool, nn.AdaptiveAvgPool2d: _adaptive, nn.Flatten: _flatten,
}
"""For each kind of module that computes something, a function from a module and the shape of what comes to
its operation; it raises ValueError with the reason where there is none."""
