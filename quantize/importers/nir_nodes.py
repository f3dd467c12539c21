"""The nodes of a NIR graph as operations: what each states, in steps of a length ``dt``.

NIR states differential equations. In steps (Euler's, as its simulators take them), with ``x`` what comes::

    IF        v = v + dt * r * x
    LIF       v = v + dt / tau * (v_leak - v + r * x)
    CubaLIF   the same of ``w_in * x``, where tau_syn = dt: the synaptic current lasts one step
    fires where v > v_threshold;   then v = v_reset

IF starts at 0 and LIF at its ``v_leak``. An ``r`` of 1 of an IF is taken as one step's, as much as
``1 / dt``: both are in use. NIR's reset is of continuous time, where a potential never passes its threshold,
so that in steps it may as well mean a subtraction of ``v_threshold - v_reset``; a node's metadata ``reset``
may say so, or the caller.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...network.limits import Limits
from ..graph.graph import Operation
from ..graph.neurons import Integrator, Neuron
from ..graph.operations import Affine, Flat, Gain, Geometry, Pooling

__all__ = ["TAKEN", "Reading", "declared_shape", "operation_of"]

TAKEN = ("Input, Output, Linear, Affine, Scale, Conv2d, SumPool2d, AvgPool2d, Flatten, IF, LIF, Threshold, "
         "CubaLIF with tau_syn = dt, and I, LI and CubaLI as the last")


@dataclass(frozen=True)
class Reading:
    """How a graph is read.

    Attributes
    ----------
    dt : float
        Length of a step.
    reset : str or None
        "to", "subtract", or None: as a node says, else "to".
    strict : bool
        Whether a neuron fires above its threshold, and not at it.
    """

    dt: float
    reset: str | None
    strict: bool = True


def operation_of(node: Any, reading: Reading) -> Operation:
    """What a node is in our words. Raises ValueError with the reason where it cannot be taken."""
    reader = READERS.get(type(node).__name__)
    if reader is None:
        raise ValueError(f"there is no exact form of it; taken are {TAKEN}")
    return reader(node, reading)


def declared_shape(node: Any) -> Any:
    """What a node states of the shape that comes to it: of a Conv2d without the channels; None where it
    states nothing."""
    kind = type(node).__name__
    if kind == "Conv2d":
        return node.input_shape
    if kind == "Output":
        return node.output_type["output"]
    if kind in ("Linear", "Affine"):  # their weights say it
        return None
    return node.input_type["input"]


def _numbers(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):  # a tensor, or a parameter, of torch
        value = value.detach().cpu().tolist()
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"it holds numbers of the kind {array.dtype}, and must hold real numbers")
    return array.astype(np.float64)


def _factor(node: Any) -> int | None:
    """What our own export says that the weights are multiples of."""
    stated = node.metadata.get("kernel")
    if stated is None:
        return None
    array = np.asarray(stated)
    if array.dtype.kind not in "iu" or array.size != 1 or not 1 <= array.item() <= Limits.SCHEDULE:
        raise ValueError(f"its metadata 'kernel' must be a positive integer, not {stated!r}")
    return int(array.item())


def _linear(node: Any, reading: Reading) -> Affine:
    weight = _numbers(node.weight)
    if weight.ndim != 2:
        raise ValueError(f"its weights must have the shape (out, in), not {weight.shape}")
    bias = _numbers(getattr(node, "bias", np.zeros(len(weight))))
    if bias.shape != (len(weight),):
        raise ValueError(f"its bias must be of the shape ({len(weight)},), not {bias.shape}")
    return Affine(weight, bias, None, _factor(node))


def _pair(value: Any) -> tuple[int, int]:
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or array.size not in (1, 2):
        raise ValueError(f"its geometry must be integers, one or two, not {value!r}")
    first, second = (array.flat[0], array.flat[-1])
    return int(first), int(second)


def _around(value: Any) -> tuple[int, int, int, int]:
    rows, columns = _pair(value)
    return rows, rows, columns, columns


def _conv(node: Any, reading: Reading) -> Affine:
    weight, bias = _numbers(node.weight), _numbers(node.bias)
    if weight.ndim != 4 or bias.shape != (len(weight),):
        raise ValueError(f"its weights must have the shape (out, in, height, width) and its bias (out,), "
                         f"not {weight.shape} and {bias.shape}")
    stride, dilation = _pair(node.stride), _pair(node.dilation)
    if isinstance(node.padding, str | bytes):
        same = node.padding in ("same", b"same")
        if same and stride != (1, 1):
            raise ValueError("padding 'same' needs a stride of 1; give numbers")
        total = [far * (size - 1) * same for far, size in zip(dilation, weight.shape[2:], strict=True)]
        padding = (total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2)
    else:
        padding = _around(node.padding)
    groups = int(np.asarray(node.groups))
    kept = int(np.asarray(node.metadata.get("groups", 1)))
    if groups == 1 and kept > 1:
        weight, groups = _grouped(weight, kept)
    return Affine(weight, bias, Geometry(stride, padding, dilation, groups), _factor(node))


def _grouped(weight: np.ndarray, groups: int) -> tuple[np.ndarray, int]:
    """Weights that are 0 but in ``groups`` on the diagonal, without the rest; else as they are."""
    out, channels = weight.shape[:2]
    if out % groups or channels % groups:
        return weight, 1
    blocks = weight.reshape(groups, out // groups, groups, channels // groups, *weight.shape[2:])
    inside = np.stack([blocks[group, :, group] for group in range(groups)])
    if np.count_nonzero(inside) != np.count_nonzero(weight):
        return weight, 1
    return inside.reshape(out, channels // groups, *weight.shape[2:]), groups


def _pool(node: Any, reading: Reading) -> Pooling:
    size = _pair(node.kernel_size)
    mean = type(node).__name__ == "AvgPool2d"
    return Pooling(False, size, Geometry(_pair(node.stride), _around(node.padding)),
                   size[0] * size[1] if mean else 1)


def _flatten(node: Any, reading: Reading) -> Flat:
    stated = node.input_type["input"]
    count = 3 if stated is None else np.asarray(stated).size
    first, last = (int(np.asarray(getattr(node, name))) for name in ("start_dim", "end_dim"))
    if first % count or (last + 1) % count:  # NIR counts without the images, and some tools with them
        if (first, last) != (1, -1) and (first, last) != (1, count):
            raise ValueError(f"it must flatten all dimensions, not {first} to {last}; give start_dim 0 and "
                             "end_dim -1")
    return Flat()


def _delay(node: Any, reading: Reading) -> Gain:
    if np.any(_numbers(node.delay)):
        raise ValueError("it delays spikes; only a delay of 0 can be taken")
    return Gain(np.ones(()))


def _if(node: Any, reading: Reading) -> Neuron:
    r = _numbers(node.r)
    return _neuron(node, reading, 0.0, 1.0, np.ones(()) if (r == 1).all() else r * reading.dt)


def _leak(node: Any, tau: Any, dt: float) -> np.ndarray:
    share = dt / _numbers(tau)
    if not ((share > 0) & (share <= 1 + 1e-9)).all():
        raise ValueError(f"its time constant must be at least a step, {dt:g}, not {_numbers(tau).min():g}; "
                         "check dt")
    return np.minimum(share, 1.0)


def _lif(node: Any, reading: Reading) -> Neuron:
    share = _leak(node, node.tau, reading.dt)
    return _neuron(node, reading, _numbers(node.v_leak), 1.0 - share, _numbers(node.r) * share)


def _one_step(node: Any, dt: float) -> np.ndarray:
    last = _numbers(node.tau_syn) / dt
    if (np.abs(last - 1) > 1e-6).any():
        raise ValueError(f"its synaptic current lasts longer than a step (tau_syn is {last.flat[0]:g} dt); "
                         "give tau_syn = dt, or a LIF")
    return _numbers(node.w_in)


def _cuba(node: Any, reading: Reading) -> Neuron:
    current, share = _one_step(node, reading.dt), _leak(node, node.tau_mem, reading.dt)
    return _neuron(node, reading, _numbers(node.v_leak), 1.0 - share, current * _numbers(node.r) * share)


def _neuron(node: Any, reading: Reading, rest: Any, decay: Any, gain: Any) -> Neuron:
    """A neuron counted from where it starts; metadata ``initial`` says where that is in our own."""
    start = _numbers(node.metadata.get("initial", 0.0))
    threshold, reset = _numbers(node.v_threshold) - rest, _numbers(node.v_reset) - rest
    way = reading.reset or str(node.metadata.get("reset", "to"))
    if way not in ("to", "subtract"):
        raise ValueError(f"its metadata 'reset' must be 'to' or 'subtract', not {way!r}")
    subtract = way == "subtract"
    if subtract and (threshold < reset).any():
        raise ValueError("its v_reset must not be above its v_threshold where the reset subtracts")
    return Neuron(threshold + start, reading.strict, subtract,
                  threshold - reset if subtract else reset + start, decay, start, gain)


def _threshold(node: Any, reading: Reading) -> Neuron:
    return Neuron(_numbers(node.threshold), reading.strict, True, 0.0, 0.0)


def _i(node: Any, reading: Reading) -> Integrator:
    r = _numbers(node.r)
    return Integrator(1.0, _numbers(node.metadata.get("initial", 0.0)),
                      np.ones(()) if (r == 1).all() else r * reading.dt)


def _li(node: Any, reading: Reading) -> Integrator:
    share = _leak(node, node.tau, reading.dt)
    return _integrator(node, share, _numbers(node.r) * share)


def _cuba_li(node: Any, reading: Reading) -> Integrator:
    current, share = _one_step(node, reading.dt), _leak(node, node.tau_mem, reading.dt)
    return _integrator(node, share, current * _numbers(node.r) * share)


def _integrator(node: Any, share: np.ndarray, gain: np.ndarray) -> Integrator:
    rest = _numbers(node.v_leak)
    if (rest != rest.flat[0]).any():
        raise ValueError("its v_leak must be the same for all, as its potentials are compared")
    return Integrator(1.0 - share, _numbers(node.metadata.get("initial", 0.0)), gain)


READERS: Mapping[str, Callable[[Any, Reading], Operation]] = {
    "Linear": _linear, "Affine": _linear, "Conv2d": _conv, "SumPool2d": _pool, "AvgPool2d": _pool,
    "Delay": _delay,
    "Scale": lambda node, reading: Gain(_numbers(node.scale)),
    "Flatten": _flatten,
    "IF": _if, "LIF": _lif, "CubaLIF": _cuba, "Threshold": _threshold, "I": _i, "LI": _li, "CubaLI": _cuba_li,
}
