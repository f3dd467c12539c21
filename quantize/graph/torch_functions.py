"""Functions that a forward of one's own calls, as the modules of torch that compute the same."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from .operations import Shape

__all__ = ["BATCH", "module_of", "reshaped"]


class _Batch:
    """Stands for the count of images, which is not known: what ``x.size(0)`` gives."""


BATCH = _Batch()


def module_of(target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> nn.Module | None:
    """The module that computes what a function, or a method of a tensor, does.

    Parameters
    ----------
    target : callable or str
        The function, or the method's name.
    args, kwargs : tuple, mapping
        What it is called with, but for the first one, the tensor.

    Returns
    -------
    torch.nn.Module or None
        None where no module does the same.

    Raises
    ------
    ValueError
        A module does the same, but for the options.
    """
    maker = _MAKERS.get(target)
    if maker is None:
        return None
    try:
        return maker(*args, **kwargs)
    except TypeError as error:
        raise ValueError(f"its options are not known ({error}); use the module of torch") from None


def reshaped(shape: Shape, wanted: tuple[Any, ...]) -> Shape:
    """The shape that ``view`` or ``reshape`` gives.

    Parameters
    ----------
    shape : tuple of int
        Of what comes, without the count of images.
    wanted : tuple
        What it is called with: the count of images (`BATCH` or -1), then lengths.

    Raises
    ------
    ValueError
        It mixes images.
    """
    first, rest = wanted[0] if wanted else None, list(wanted[1:])
    whole = all(isinstance(length, int) for length in rest)
    if whole and (first is BATCH or (first == -1 and -1 not in rest)) and rest.count(-1) <= 1:
        known = prod(length for length in rest if length != -1)
        found = tuple(prod(shape) // max(known, 1) if length == -1 else length for length in rest)
        if found and prod(found) == prod(shape):
            return found
    raise ValueError("it must keep the images apart; give x.flatten(1), or x.view(x.size(0), -1)")


def _flatten(start_dim: int = 0, end_dim: int = -1) -> nn.Module:
    return nn.Flatten(start_dim, end_dim)


def _relu(inplace: bool = False) -> nn.Module:
    return nn.ReLU()


def _relu6(inplace: bool = False) -> nn.Module:
    return nn.ReLU6()


def _maximum(kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
             ceil_mode: bool = False, return_indices: bool = False) -> nn.Module:
    return nn.MaxPool2d(kernel_size, _stride(stride), padding, dilation, return_indices, ceil_mode)


def _mean(kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
          count_include_pad: bool = True, divisor_override: int | None = None) -> nn.Module:
    return nn.AvgPool2d(kernel_size, _stride(stride), padding, ceil_mode, count_include_pad, divisor_override)


def _stride(stride: Any) -> Any:
    """None where torch takes the size of the regions; a stride of 0 stays one."""
    return None if isinstance(stride, tuple | list) and not stride else stride


def _dropout(p: float = 0.5, training: bool = True, inplace: bool = False) -> nn.Module:
    if training:
        raise ValueError("it drops values in evaluation too; give training=self.training, or nn.Dropout")
    return nn.Identity()


def _same(*args: Any, **kwargs: Any) -> nn.Module:
    return nn.Identity()


_MAKERS: Mapping[Any, Callable[..., nn.Module]] = {
    torch.relu: _relu, functional.relu: _relu, functional.relu_: _relu, "relu": _relu, "relu_": _relu,
    functional.relu6: _relu6, torch.flatten: _flatten, "flatten": _flatten,
    functional.max_pool2d: _maximum, torch.max_pool2d: _maximum, functional.avg_pool2d: _mean,
    functional.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
    functional.dropout: _dropout, functional.dropout1d: _dropout, functional.dropout2d: _dropout,
    "contiguous": _same, "clone": _same, "detach": _same,
}
"""By a function, or the name of a tensor's method: the module that computes the same."""
