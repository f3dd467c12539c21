"""A torch network read call by call: what each module computes, and which feed it, or why it cannot be taken.

`flow` gives one part for every module that computes something: an :class:`Affine`, a :class:`Norm`, a
:class:`Pooling` or an :class:`Activation`, and a :class:`Sum` where two ways meet. What has no effect in
evaluation (Dropout, Identity) gives none, and Flatten only changes the shape. An ``nn.Sequential`` is read as
it stands, and a forward of one's own is followed (:mod:`.forward`). Everything else is refused, all of it at
once, each by its place, its kind and what would do in its stead. `walk` gives the parts of a chain.

Only exact types are taken: a subclass may compute something else, and so may a module with hooks.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import nn

from .forward import follow
from .modules import READERS
from .parts import Activation, Affine, Geometry, Node, Norm, Part, Pooling, Refusals, Shape, Sum
from .signals import INPUT, REFUSED, UNKNOWN, Signal, State, Steps, gathered, is_silent

__all__ = ["INPUT", "Activation", "Affine", "Flow", "Geometry", "Node", "Norm", "Part", "Pooling", "Refusals",
           "Shape", "Sum", "flow", "walk"]

TAKEN = ("Linear, Conv2d, BatchNorm1d, BatchNorm2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten, "
         "Dropout and Identity")
WITHOUT_EFFECT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity)

Activations = Mapping[type[nn.Module], Callable[[Any], Any]]
"""For each type of neuron that is taken, a function from a module of that type to what :class:`Activation`
holds; it raises ValueError with the reason where one cannot be taken."""


@dataclass(frozen=True, eq=False)
class Flow:
    """The parts of a network, each behind those that feed it.

    ``sources``: of each part the numbers of those that feed it, `INPUT` among them; a :class:`Sum` has two.
    ``output``: the number of what is read. ``steps``: how many a forward goes through by itself, 1 where it
    is called for each.
    """

    parts: tuple[Part, ...]
    sources: tuple[tuple[int, ...], ...]
    output: int
    steps: int


def walk(network: nn.Module, shape: Shape, activations: Activations) -> list[Part]:
    """The parts of a ``network`` that is a chain, in their order; the arguments are those of `flow`.

    Raises ValueError where something cannot be taken, sums of two ways among it; each is named.
    """
    return list(_Reader(activations).read(network, shape).parts)


def flow(network: nn.Module, shape: Shape, activations: Activations, steps: int,
         plain: Callable[[nn.Module], nn.Module] = lambda module: module) -> Flow:
    """The parts of a ``network`` of spiking neurons, and which feed which.

    Parameters
    ----------
    network: an ``nn.Sequential`` (others may be nested in it), a single module, or one with a forward of its
        own, which may go through all steps itself.
    shape: of one image, as the network takes it in a step.
    activations: the neurons that are taken; each keeps a state.
    steps: how many a window has.
    plain: what stands for a module of another package in torch's own.

    Raises
    ------
    ValueError: something cannot be taken; every such module is named.
    """
    return _Reader(activations, steps, plain).read(network, shape)


class _Reader:
    """What has been read so far. ``steps``: how many there are in which activations, which are neurons then,
    keep a state; else 0."""

    def __init__(self, activations: Activations, steps: int = 0,
                 plain: Callable[[nn.Module], nn.Module] = lambda module: module):
        self.activations, self.steps, self.plain = activations, steps, plain
        self.refusals = Refusals()
        self.parts: list[Part] = []
        self.sources: list[tuple[int, ...]] = []
        self.numbers: dict[Any, int] = {}
        self.calls: dict[nn.Module, int] = {}
        self.stand_ins: dict[nn.Module, nn.Module] = {}
        packages = {kind.__module__.partition(".")[0] for kind in activations} - {"torch"}
        self.packages = packages - {__name__.partition(".")[0]}

    def read(self, network: nn.Module, shape: Shape) -> Flow:
        with _evaluating(network):
            given = self.module(Node("", network), [Signal(INPUT, shape)])
        self.refusals.raise_any()
        steps = max(self.calls.values(), default=1)
        output = self._read_out(Node("", network), given, steps)
        self.refusals.raise_any()
        return Flow(tuple(self.parts), tuple(self.sources), output, steps)

    def module(self, node: Node, given: list[Any]) -> Any:
        """What a module gives; what cannot be taken is refused."""
        if node.module._forward_hooks or node.module._forward_pre_hooks:
            self.refusals.add(node, "it has hooks, which may change what it computes; remove them")
        module = self.stand_ins.setdefault(node.module, self.plain(node.module))
        node = replace(node, module=module)
        if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
            for name, child in module._modules.items():  # named_children() leaves out what stands there twice
                if child is not None:
                    given = [self.module(node.inner(name, child), given)]
            return given[0]
        if given[0] is UNKNOWN:
            return UNKNOWN
        try:
            if self._is_known(module):
                return self._called(node, given)
            found = follow(node, given, self.module, self._sum, self.refusals, self.steps)
            return _behind(node, given[0]) if found is UNKNOWN else found
        except ValueError as error:
            self.refusals.add(node, str(error))
            return _behind(node, given[0])

    def _is_known(self, module: nn.Module) -> bool:
        """Whether it is read as a whole, and its forward not followed."""
        kind = type(module)
        home = kind.__module__.partition(".")[0]
        ready = home in self.packages and ".model." not in kind.__module__  # whole networks are no such parts
        return kind in self.activations or ready \
            or getattr(kind.forward, "__module__", "").startswith("torch.nn")

    def _called(self, node: Node, given: list[Any]) -> Signal:
        heard, *states = given
        if not isinstance(heard, Signal):
            raise ValueError("what comes to it is no signal of one step; "  # noqa: TRY004
                             "call it with what a module gives")
        kind: Any = type(node.module)
        if kind in self.activations:
            part = Activation(node, self.activations[kind](node.module), heard.shape)
            if self.steps:
                return self._fired(part, heard, [state for state in states if state is not None])
        else:
            part = _read(node, heard.shape, self.activations)
        if states:
            raise ValueError("it must be called with one tensor")
        if not isinstance(part, Affine | Norm | Pooling | Activation):
            return replace(heard, shape=part, state=None)
        key = repr(node.module) if node.called else node.module
        return Signal(self._number(part, (heard.source,), key), part.shape, heard.step)

    def _fired(self, part: Activation, heard: Signal, states: list[Any]) -> Signal:
        """The spikes of a neuron in the next of its steps."""
        neuron: Any = part.node.module
        step = self.calls.get(neuron, 0)
        if step and (neuron, (heard.source,)) not in self.numbers:
            raise ValueError("it stands at two places with one state; give each its own")
        if heard.step not in (None, step):
            raise ValueError(f"it is called for the {step + 1}. time with step {heard.step} of what it "
                             "hears; call every module once in each step, in their order")
        number = self._number(part, (heard.source,), neuron)
        wanted = State(number, step - 1)
        if any(not (is_silent(state) if step == 0 else state == wanted) for state in states):
            raise ValueError("its state is not the one of the step before; start with none or zeros, and "
                             "hand it on as it comes")
        self.calls[neuron] = step + 1
        pair = getattr(neuron, "init_hidden", True) is False or getattr(neuron, "output", False) is True
        return Signal(number, part.shape, step, State(number, step) if pair else None)

    def _sum(self, node: Node, given: list[Signal]) -> Signal:
        first, second = given
        if first.shape != second.shape:
            raise ValueError(f"it adds the shapes {first.shape} and {second.shape}; give two of one shape")
        if None not in (first.step, second.step) and first.step != second.step:
            raise ValueError("it adds what comes of two different steps, and only networks without "
                             "recurrence can be taken")
        if not self.steps:
            self.refusals.add(node, "it adds up two ways, and only a chain of modules can be converted; "
                                    "leave one out")
        number = self._number(Sum(node, first.shape), (first.source, second.source), "sum")
        return Signal(number, first.shape, first.step if second.step is None else second.step)

    def _number(self, part: Part, sources: tuple[int, ...], key: Any) -> int:
        """The number of a part; the same for the same on the same sources, in other steps."""
        if (key, sources) not in self.numbers:
            self.numbers[key, sources] = len(self.parts)
            self.parts.append(part)
            self.sources.append(sources)
        return self.numbers[key, sources]

    def _read_out(self, node: Node, given: Any, steps: int) -> int:
        """The number of the part that is read."""
        several = list(given) if isinstance(given, tuple | list) else [given]
        found = []
        try:
            if len(several) > 1 and all(isinstance(value, Signal) for value in several) \
                    and len({value.source for value in several}) == 1:
                several = [gathered(several, 0)]
            several = [gathered(value, 0) if isinstance(value, list) and value else value
                       for value in several]
            found = [value for value in several if isinstance(value, Signal | Steps)]
        except ValueError as error:
            self.refusals.add(node, str(error))
            return INPUT
        if not found or (len(several) > 1 and not self.steps):
            self.refusals.add(node, "its forward must give one tensor, which comes of a module")
            return INPUT
        last = max(found, key=lambda value: value.source)
        count = last.count if isinstance(last, Steps) else 1
        if count != steps:
            self.refusals.add(node, f"its forward gives {count} of the {steps} steps that it goes through; "
                                    "give torch.stack() of all")
        behind = {last.source}
        for number in range(last.source, -1, -1):
            if number in behind:
                behind.update(self.sources[number])
        for number, part in enumerate(self.parts):
            if number not in behind:
                self.refusals.add(part.node, "it does not lead to what is read; leave it out")
        return last.source


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """``network`` in evaluation mode, and back."""
    were = {module: module.training for module in network.modules()}
    try:
        for module in were:
            module.training = False
        yield
    finally:
        for module, training in were.items():
            module.training = training


def _behind(node: Node, heard: Any) -> Any:
    """What a module gives that cannot be taken, so that more can be said of what follows; or `UNKNOWN` where
    it does not even run."""
    try:
        module = copy.deepcopy(node.module).eval()
        like = next(module.parameters(), torch.zeros(0))
        with torch.no_grad():
            given = module(torch.zeros(1, *heard.shape, dtype=like.dtype, device=like.device))
        given = given[0] if isinstance(given, tuple) else given
        return Signal(REFUSED, tuple(given.shape[1:]), None, State())
    except Exception:  # whatever a module of the user's own raises
        return UNKNOWN


def _read(node: Node, shape: Shape, activations: Activations) -> Part | Shape:
    """The part that a module is, or the shape of what it gives where it computes nothing."""
    module: Any = node.module
    kind = type(module)
    if kind in WITHOUT_EFFECT:
        return shape
    if kind is nn.Flatten:
        if module.start_dim != 1 or module.end_dim not in (-1, len(shape)):
            raise ValueError(f"it must flatten everything but the first dimension, not {module.start_dim} to "
                             f"{module.end_dim}; give nn.Flatten()")
        return (prod(shape),)
    if kind in READERS:
        return READERS[kind](node, shape)
    neurons = ", ".join(sorted(taken.__name__ for taken in activations))
    raise ValueError(f"there is no exact form of it; taken are {TAKEN}, and {neurons}")
