"""A torch network read module by module: what each of them computes, in order, or why it cannot be taken.

`walk` flattens an ``nn.Sequential`` (others may be nested in it) and gives one part for every module that
computes something: an :class:`Affine`, a :class:`Norm`, a :class:`Pooling` or an :class:`Activation`. What
has no effect in evaluation (Dropout, Identity) gives none, and Flatten only changes the shape. Everything
else is refused, all of it at once, each by its place, its kind and what would do in its stead.

Only exact types are taken: a subclass may compute something else, and so may a module with hooks.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any

import torch
from torch import nn

from .modules import READERS
from .parts import Activation, Affine, Geometry, Node, Norm, Part, Pooling, Refusals, Shape

__all__ = ["Activation", "Affine", "Geometry", "Node", "Norm", "Part", "Pooling", "Refusals", "Shape", "walk"]

TAKEN = ("Linear, Conv2d, BatchNorm1d, BatchNorm2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten, "
         "Dropout and Identity in an nn.Sequential")


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
        return None, (prod(shape),)
    if kind in READERS:
        part = READERS[kind](node, shape)
        return part, part.shape
    if next(module.children(), None) is not None:
        raise ValueError(f"it is a module of its own kind; write it as {TAKEN}")
    neurons = ", ".join(sorted(taken.__name__ for taken in activations))
    raise ValueError(f"there is no exact form of it; taken are {TAKEN}, and {neurons}")
