"""A forward of one's own, followed call by call with torch.fx; nothing is computed.

Taken are the module's own modules, the functions of :mod:`.torch_functions`, sums of two ways, and, of
spiking neurons, loops over the steps: all steps must do the same.
"""

import inspect
import operator
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

from .graph import INPUT
from .refusals import Refusals
from .torch_functions import module_of, reshaped
from .torch_places import ModulePlace
from .torch_signals import UNKNOWN, Ahead, Odd, Signal, State, Steps, added, gathered, length_of

__all__ = ["follow"]

ADDS = (operator.add, operator.iadd, torch.add, "add", "add_")
TOTALS = (torch.sum, torch.mean, "sum", "mean")
AHEAD = ("unsqueeze", torch.unsqueeze)
SHAPES = ("view", "reshape", torch.reshape)
ZEROS = (torch.zeros, torch.zeros_like, "new_zeros")
TORCH = str(Path(torch.__file__).parent)

Call = Callable[[ModulePlace, list[Any]], Any]
"""What comes of a module, called with these."""
Add = Callable[[ModulePlace, list[Signal]], Any]
"""What comes of a sum."""


def follow(whole: ModulePlace, given: list[Any], call: Call, add: Add, refusals: Refusals,
           steps: int) -> Any:
    """What the forward of a module gives.

    Parameters
    ----------
    whole : ModulePlace
        The module and where it stands.
    given : list
        What it is called with.
    call, add : callable
        What becomes of the modules that it calls, and of sums; they raise ValueError where that cannot be
        taken.
    refusals : Refusals
        Where every call goes that cannot be taken.
    steps : int
        How many a window has, where neurons keep a state and may be called once in each; else 0.

    Raises
    ------
    ValueError
        The calls cannot be seen.
    """
    graph, met = _graph(whole.module, steps)
    return _Following(whole, call, add, refusals, steps).through(graph, met, given)


class _Proxy(fx.Proxy):
    """Stands for a tensor; tells ``x += y`` from ``x = x + y``, and as a length of the input how many steps
    there are, for ``range(x.size(0))``."""

    def __index__(self) -> int:
        node: Any = self.node
        steps: int = getattr(self.tracer, "steps", 0)
        if node.target is operator.getitem and node.args[1] in (0, 1):  # of x.shape, or x.size()
            node = node.args[0]
        elif node.target == "size" and node.args[1:] not in ((0,), (1,)):
            steps = 0
        length = node.target == "size" or (node.target is getattr and node.args[1] == "shape")
        if not steps or not length or node.args[0].op != "placeholder":
            raise TypeError("a value cannot be interpreted as an integer")
        return steps

    def __iadd__(self, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", operator.iadd, (self, other), {})


class _Tracer(fx.Tracer):
    """Sees what a forward calls, and where, and does not look into that."""

    record_stack_traces = True

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def _graph(module: nn.Module, steps: int) -> tuple[fx.Graph, dict[str, Any]]:
    """The calls of ``module``'s forward, and the tensors that it makes by itself. Raises ValueError."""
    plain = {name: parameter.default
             for name, parameter in inspect.signature(module.forward).parameters.items()
             if parameter.default is not parameter.empty}
    before = set(vars(module))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of defaults that it does not check
            graph = _Tracer(steps).trace(module, plain)
        return graph, {name: vars(module)[name] for name in set(vars(module)) - before}
    except Exception as error:  # whatever a forward of the user's own raises
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "let it call modules, in the same way for all images, or give an nn.Sequential"
        if "interpreted as an integer" in what:
            remedy = "loop over a number of steps that is written down, not over a length of the input"
        raise ValueError(f"its forward cannot be followed ({what}); {remedy}") from None
    finally:
        for name in set(vars(module)) - before:
            if name.startswith("_tensor_constant"):  # where torch.fx keeps tensors that it meets
                delattr(module, name)


def _needed(graph: fx.Graph, steps: int) -> list[fx.Node]:
    """The calls that what is given comes from, in their order; with ``steps`` those of all modules, which may
    keep a state."""
    needed = {node for node in graph.nodes if node.op == "output" or (steps and node.op == "call_module")}
    open_ = list(needed)
    while open_:
        for node in open_.pop().all_input_nodes:
            if node not in needed:
                needed.add(node)
                open_.append(node)
    return [node for node in graph.nodes if node in needed or node.op == "placeholder"]


class _Following:
    """One forward, on its way."""

    def __init__(self, whole: ModulePlace, call: Call, add: Add, refusals: Refusals, steps: int):
        self.whole, self.module = whole, whole.module
        self.call, self.add, self.refusals, self.steps = call, add, refusals, steps

    def through(self, graph: fx.Graph, met: dict[str, Any], given: list[Any]) -> Any:
        """What it gives for ``given``; ``met``: tensors that are no attributes of the module."""
        values: dict[fx.Node, Any] = {}
        left = list(given)
        self._check_places(graph)
        for node in _needed(graph, self.steps):
            args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
            if node.op == "output":
                return args[0]
            if node.op == "placeholder":
                values[node] = left.pop(0) if left else args[0] if args else State()
                continue
            if node.op == "get_attr":
                name = str(node.target)
                values[node] = met[name] if name in met else operator.attrgetter(name)(self.module)
                continue
            try:
                values[node] = self._called(node, args, dict(kwargs))
            except ValueError as error:
                self.refusals.add(self._place(node), str(error))
                values[node] = UNKNOWN
        raise ValueError("its forward gives nothing")

    def _check_places(self, graph: fx.Graph) -> None:
        """Refuse what changes its argument in place, where that is used again: the graph does not show it."""
        order = {node: index for index, node in enumerate(graph.nodes)}
        for node in graph.nodes:
            heard = node.all_input_nodes[:1]
            if self._is_in_place(node) and any(order[user] > order[node] for user in heard[0].users):
                self.refusals.add(self._place(node), "it changes in place what is used again behind it; use "
                                                     "what it gives")

    def _is_in_place(self, node: fx.Node) -> bool:
        if node.op == "call_module":
            return bool(getattr(self.module.get_submodule(str(node.target)), "inplace", False))
        name = str(getattr(node.target, "__name__", node.target))
        changes = name.endswith("_") or node.target is operator.iadd or bool(node.kwargs.get("inplace"))
        return changes and bool(node.all_input_nodes)

    def _place(self, node: fx.Node) -> ModulePlace:
        """Where a call stands: the module's own place, or its line in the forward."""
        if node.op == "call_module":
            return self.whole.inner(str(node.target), self.module.get_submodule(str(node.target)))
        frames = re.findall(r'File "(.*)", line (\d+), in (\S+)', node.stack_trace or "")
        own = [f"{function}, line {line}" for file, line, function in frames
               if not file.startswith((TORCH, __file__))]
        name = own[-1] if own else node.name
        kind = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", node.name)
        return replace(self.whole.inner(name, self.module), called=node.name if kind == "fn" else kind)

    def _called(self, node: fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        everything = [*args, *kwargs.values()]
        flat = [item for value in everything
                for item in (value if isinstance(value, tuple | list) else [value])]
        if any(item is UNKNOWN for item in flat):
            return UNKNOWN
        if node.op == "call_module":
            return self.call(self._place(node), everything)
        first = args[0] if args else kwargs.pop("input", None)
        target: Any = node.target
        if not any(isinstance(item, Signal | Steps | Ahead) for item in flat):
            return self._plain(target, args, kwargs, first)
        if target in ADDS:
            return self._sum(node, first, everything[1:])
        if target is torch.stack:
            return gathered(first, kwargs.get("dim", args[1] if len(args) > 1 else 0))
        if isinstance(first, Steps):
            wanted = kwargs.get("dim", args[1] if len(args) > 1 else None)
            if target in TOTALS and first.dim is not None and wanted == first.dim:
                return replace(first, dim=None)
        elif isinstance(first, Signal):
            return self._function(node, target, first, args[1:], kwargs)
        elif isinstance(first, Ahead) and target == "repeat":
            times = args[1] if len(args) == 2 and isinstance(args[1], tuple | list) else args[1:]
            if tuple(times) == (self.steps, *[1] * (len(first.signal.shape) + 1)):
                return first.signal
            raise ValueError(f"it must repeat the input in {self.steps} steps, as many as were told, and in "
                             "no other dimension")
        raise ValueError("there is no exact form of it")

    def _plain(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], first: Any) -> Any:
        """What a function gives of what are no signals."""
        if target in ZEROS:
            return State()
        if target is operator.getitem and isinstance(first, tuple | list):
            return first[args[1]]
        if getattr(target, "__module__", "") == "_operator" and all(isinstance(arg, int) for arg in args):
            return target(*args, **kwargs)
        return Odd(getattr(target, "__name__", str(target)))

    def _sum(self, node: fx.Node, first: Any, others: list[Any]) -> Any:
        second = others[0] if len(others) == 1 else None
        for one, other in ((first, second), (second, first)):
            if isinstance(one, int | float) and one == 0:
                return other
        total = added(first, second) if self.steps else None
        if total is not None:
            return total
        if isinstance(first, Signal) and isinstance(second, Signal):
            return self.add(self._place(node), [first, second])
        raise ValueError("it adds something else than what two modules give; let it add only those")

    def _function(self, node: fx.Node, target: Any, first: Signal, rest: tuple[Any, ...],
                  kwargs: dict[str, Any]) -> Any:
        """What a function gives of a signal."""
        if target == "size" or (target is getattr and rest == ("shape",)):
            return length_of(first.shape, *(rest if target == "size" else ()), **kwargs)
        if target is getattr:
            return Odd(str(rest[0]))
        if target is operator.getitem:
            return self._item(first, rest[0])
        if target in SHAPES:
            wanted = rest[0] if rest and isinstance(rest[0], tuple | list) else rest
            found = reshaped(first.shape, tuple(wanted))
            if found != first.shape and len(found) > 1:
                raise ValueError("it makes planes of what is flat; give the input the shape "
                                 f"{','.join(map(str, found))} from the start")
            if found == first.shape:
                return first
            return self.call(replace(self._place(node), module=nn.Flatten()), [first])
        if target in TOTALS and self._over_steps(rest, kwargs):
            return Steps(first.source, first.shape, 1, None)
        if target in AHEAD and first.source == INPUT and self._over_steps(rest, kwargs):
            return Ahead(first)
        module = module_of(target, rest, kwargs)
        if module is None:
            raise ValueError("there is no exact form of it; use modules of torch, or x + y")
        place = self._place(node)
        return self.call(replace(place, module=module, called=type(module).__name__), [first])

    def _over_steps(self, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether these arguments name the first dimension, and that is the steps': modules take all."""
        modes = {getattr(module, "step_mode", None) for module in self.module.modules()} - {None}
        return bool(self.steps) and "m" in modes and (*rest, *kwargs.values()) == (0,)

    def _item(self, first: Signal, index: Any) -> Any:
        if first.state is not None and index in (0, 1):
            return first.state if index else replace(first, state=None)
        if isinstance(index, tuple) and len(index) == 2 and index[0] == slice(None):
            index = index[1]
        if self.steps and isinstance(index, int) and first.source == INPUT and first.step is None:
            return replace(first, step=index)
        raise ValueError("it takes a part of the values; only x[step] of the input can be taken, for neurons "
                         "in their steps")
