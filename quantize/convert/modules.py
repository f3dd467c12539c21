"""What each kind of torch module computes in evaluation, or why it has no exact form."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import nn

from .parts import Affine, Geometry, Node, Norm, Part, Pooling, Shape

__all__ = ["READERS"]


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
        hint = "; put nn.Flatten() before it" if prod(shape) == module.in_features else ""
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
    reach = [far * (size - 1) + 1 for far, size in zip(dilation, kernel, strict=True)]
    if max(padding[:2]) >= reach[0] or max(padding[2:]) >= reach[1]:
        raise ValueError(f"padding must be less than the kernel, which is {reach[0]} by {reach[1]}")
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
