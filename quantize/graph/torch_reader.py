"""A torch network read call by call: what each module computes, and which feed it, or why it cannot be taken.

Each module that computes something becomes a node of a :class:`.graph.Graph`, and so does each sum of two
ways. What has no effect in evaluation (Dropout, Identity) gives none. An ``nn.Sequential`` is read as it
stands, and a forward of one's own is followed (:mod:`.torch_forward`). Everything else is refused, all of it
at once, each by its place, its kind and what would do in its stead.

Only exact types are taken: a subclass may compute something else, and so may a module with hooks.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from .graph import INPUT, Graph, Node, Operation
from .operations import Shape, Sum
from .refusals import Refusals
from .torch_forward import follow
from .torch_modules import READERS, WITHOUT_EFFECT
from .torch_places import ModulePlace
from .torch_signals import REFUSED, UNKNOWN, Signal, State, Steps, gathered, is_silent

__all__ = ["Makers", "read_chain", "read_spiking"]

TAKEN = ("Linear, Conv2d, BatchNorm1d, BatchNorm2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten, "
         "Dropout and Identity")

Makers = Mapping[type[nn.Module], Callable[[Any], Operation]]
"""For each type of neuron or activation that is taken, a function from a module of that type to its
operation; it raises ValueError with the reason where one cannot be taken."""


def read_chain(network: nn.Module, shape: Shape, activations: Makers) -> Graph:
    """The operations of a network that is a chain, in their order.

    Parameters
    ----------
    network : torch.nn.Module
        An ``nn.Sequential`` (others may be nested in it), a single module, or one with a forward of its own.
    shape : tuple of int
        Of one image, as the network takes it.
    activations : mapping
        The activations that are taken.

    Raises
    ------
    ValueError
        Something cannot be taken, sums of two ways among it; each is named.
    """
    return _Reader(activations).read(network, shape)


def read_spiking(network: nn.Module, shape: Shape, neurons: Makers, steps: int,
                 plain: Callable[[nn.Module], nn.Module] = lambda module: module) -> Graph:
    """The operations of a network of spiking neurons, and which feed which.

    Parameters
    ----------
    network : torch.nn.Module
        As of `read_chain`; a forward of its own may go through all steps itself.
    shape : tuple of int
        Of one image, as the network takes it in a step.
    neurons : mapping
        The neurons that are taken; each keeps a state.
    steps : int
        How many a window has.
    plain : callable
        From a module of another package to what stands for it in torch's own.

    Raises
    ------
    ValueError
        Something cannot be taken; every such module is named.
    """
    return _Reader(neurons, steps, plain).read(network, shape)


class _Reader:
    """What has been read so far. ``steps``: how many there are in which activations, which are neurons then,
    keep a state; else 0."""

    def __init__(self, makers: Makers, steps: int = 0,
                 plain: Callable[[nn.Module], nn.Module] = lambda module: module):
        self.makers, self.steps, self.plain = makers, steps, plain
        self.refusals = Refusals()
        self.graph = Graph(())
        self.numbers: dict[Any, int] = {}
        self.calls: dict[nn.Module, int] = {}
        self.stand_ins: dict[nn.Module, nn.Module] = {}
        packages = {kind.__module__.partition(".")[0] for kind in makers} - {"torch"}
        self.packages = packages - {__name__.partition(".")[0]}

    def read(self, network: nn.Module, shape: Shape) -> Graph:
        self.graph.input_shape = shape
        whole = ModulePlace("", network)
        with _evaluating(network):
            given = self.module(whole, [Signal(INPUT, shape)])
        self.refusals.raise_any()
        self.graph.steps = max(self.calls.values(), default=1)
        self.graph.output = self._read_out(whole, given)
        self.refusals.raise_any()
        for node in self.graph.without_use():
            self.refusals.add(node.place, "it does not lead to what is read; leave it out")
        self.refusals.raise_any()
        return self.graph

    def module(self, node: ModulePlace, given: list[Any]) -> Any:
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
        return kind in self.makers or ready \
            or getattr(kind.forward, "__module__", "").startswith("torch.nn")

    def _called(self, node: ModulePlace, given: list[Any]) -> Signal:
        heard, *states = given
        if not isinstance(heard, Signal):
            raise ValueError("what comes to it is no signal of one step; "  # noqa: TRY004
                             "call it with what a module gives")
        kind: Any = type(node.module)
        if kind in self.makers and self.steps:
            return self._fired(node, heard, [state for state in states if state is not None])
        if states:
            raise ValueError("it must be called with one tensor")
        if kind in WITHOUT_EFFECT:
            return replace(heard, state=None)
        if kind in self.makers:
            operation = self.makers[kind](node.module)
        elif kind in READERS:
            operation = READERS[kind](node.module, heard.shape)
        else:
            neurons = ", ".join(sorted(taken.__name__ for taken in self.makers))
            raise ValueError(f"there is no exact form of it; taken are {TAKEN}, and {neurons}")
        key = repr(node.module) if node.called else node.module
        return self._added(node, operation, heard.shape, (heard.source,), key, heard.step)

    def _fired(self, node: ModulePlace, heard: Signal, states: list[Any]) -> Signal:
        """The spikes of a neuron in the next of its steps."""
        neuron: Any = node.module
        operation = self.makers[type(neuron)](neuron)
        step = self.calls.get(neuron, 0)
        if step and (neuron, (heard.source,)) not in self.numbers:
            raise ValueError("it stands at two places with one state; give each its own")
        if heard.step not in (None, step):
            raise ValueError(f"it is called for the {step + 1}. time with step {heard.step} of what it "
                             "hears; call every module once in each step, in their order")
        fired = self._added(node, operation, heard.shape, (heard.source,), neuron, step)
        wanted = State(fired.source, step - 1)
        if any(not (is_silent(state) if step == 0 else state == wanted) for state in states):
            raise ValueError("its state is not the one of the step before; start with none or zeros, and "
                             "hand it on as it comes")
        self.calls[neuron] = step + 1
        pair = getattr(neuron, "init_hidden", True) is False or getattr(neuron, "output", False) is True
        return replace(fired, state=State(fired.source, step) if pair else None)

    def _sum(self, node: ModulePlace, given: list[Signal]) -> Signal:
        first, second = given
        if first.shape != second.shape:
            raise ValueError(f"it adds the shapes {first.shape} and {second.shape}; give two of one shape")
        if None not in (first.step, second.step) and first.step != second.step:
            raise ValueError("it adds what comes of two different steps, and only networks without "
                             "recurrence can be taken")
        if not self.steps:
            self.refusals.add(node, "it adds up two ways, and only a chain of modules can be converted; "
                                    "leave one out")
        return self._added(node, Sum(), first.shape, (first.source, second.source), "sum",
                           first.step if second.step is None else second.step)

    def _added(self, node: ModulePlace, operation: Operation, shape: Shape, sources: tuple[int, ...],
               key: Any, step: int | None) -> Signal:
        """What a node gives for what comes of ``shape``; the same node for the same in other steps."""
        after = operation.behind(shape)
        if (key, sources) not in self.numbers:
            self.numbers[key, sources] = REFUSED if REFUSED in sources else self.graph.add(
                Node(node.place, operation, sources, after))
        return Signal(self.numbers[key, sources], after, step)

    def _read_out(self, node: ModulePlace, given: Any) -> int:
        """The number of the node that is read."""
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
        if count != self.graph.steps:
            self.refusals.add(node, f"its forward gives {count} of the {self.graph.steps} steps that it goes "
                                    "through; give torch.stack() of all")
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


def _behind(node: ModulePlace, heard: Any) -> Any:
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
