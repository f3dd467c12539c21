"""The nodes of a NIR graph as parts: what each states, in steps of a length ``dt``.

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

from . import parts

__all__ = ["TAKEN", "Reading", "part_of"]

TAKEN = ("Input, Output, Linear, Affine, Scale, Conv2d, SumPool2d, AvgPool2d, Flatten, IF, LIF, Threshold, "
         "CubaLIF with tau_syn = dt, and I, LI and CubaLI as the last")


@dataclass(frozen=True)
class Reading:
    """How a graph is read. ``dt``: length of a step. ``reset``: "to", "subtract", or None: as a node says,
    else "to". ``strict``: a neuron fires above its threshold, and not at it."""

    dt: float
    reset: str | None
    strict: bool = True


def part_of(node: Any, reading: Reading) -> parts.Part:
    """What a node is in our words. Raises ValueError with the reason where it cannot be taken."""
    reader = READERS.get(type(node).__name__)
    if reader is None:
        raise ValueError(f"there is no exact form of it; taken are {TAKEN}")
    return reader(node, reading)


def _numbers(value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"it holds numbers of the kind {array.dtype}, and must hold real numbers")
    return array.astype(np.float64)


def _linear(node: Any, reading: Reading) -> parts.Weights:
    weight = _numbers(node.weight)
    if weight.ndim != 2:
        raise ValueError(f"its weights must have the shape (out, in), not {weight.shape}")
    bias = _numbers(getattr(node, "bias", np.zeros(len(weight))))
    if bias.shape != (len(weight),):
        raise ValueError(f"its bias must be of the shape ({len(weight)},), not {bias.shape}")
    return parts.Weights(weight, bias)


def _pair(value: Any) -> tuple[int, int]:
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or array.size not in (1, 2):
        raise ValueError(f"its geometry must be integers, one or two, not {value!r}")
    first, second = (array.flat[0], array.flat[-1])
    return int(first), int(second)


def _around(value: Any) -> tuple[int, int, int, int]:
    rows, columns = _pair(value)
    return rows, rows, columns, columns


def _conv(node: Any, reading: Reading) -> parts.Weights:
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
    return parts.Weights(weight, bias, parts.Geometry(stride, padding, dilation, groups))


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


def _pool(node: Any, reading: Reading) -> parts.Pooling:
    size = _pair(node.kernel_size)
    mean = type(node).__name__ == "AvgPool2d"
    return parts.Pooling(False, size, _pair(node.stride), _around(node.padding),
                         size[0] * size[1] if mean else 1)


def _delay(node: Any, reading: Reading) -> parts.Gain:
    if np.any(_numbers(node.delay)):
        raise ValueError("it delays spikes; only a delay of 0 can be taken")
    return parts.Gain(np.ones(()))


def _if(node: Any, reading: Reading) -> parts.Neuron:
    r = _numbers(node.r)
    return _neuron(node, reading, 0.0, 1.0, np.ones(()) if (r == 1).all() else r * reading.dt)


def _leak(node: Any, tau: Any, dt: float) -> np.ndarray:
    share = dt / _numbers(tau)
    if not ((share > 0) & (share <= 1 + 1e-9)).all():
        raise ValueError(f"its time constant must be at least a step, {dt:g}, not {_numbers(tau).min():g}; "
                         "check dt")
    return np.minimum(share, 1.0)


def _lif(node: Any, reading: Reading) -> parts.Neuron:
    share = _leak(node, node.tau, reading.dt)
    return _neuron(node, reading, _numbers(node.v_leak), 1.0 - share, _numbers(node.r) * share)


def _one_step(node: Any, dt: float) -> np.ndarray:
    last = _numbers(node.tau_syn) / dt
    if (np.abs(last - 1) > 1e-6).any():
        raise ValueError(f"its synaptic current lasts longer than a step (tau_syn is {last.flat[0]:g} dt); "
                         "give tau_syn = dt, or a LIF")
    return _numbers(node.w_in)


def _cuba(node: Any, reading: Reading) -> parts.Neuron:
    current, share = _one_step(node, reading.dt), _leak(node, node.tau_mem, reading.dt)
    return _neuron(node, reading, _numbers(node.v_leak), 1.0 - share, current * _numbers(node.r) * share)


def _neuron(node: Any, reading: Reading, rest: Any, decay: Any, gain: Any) -> parts.Neuron:
    """A neuron counted from where it starts; metadata ``initial`` says where that is in our own."""
    start = _numbers(node.metadata.get("initial", 0.0))
    threshold, reset = _numbers(node.v_threshold) - rest, _numbers(node.v_reset) - rest
    way = reading.reset or str(node.metadata.get("reset", "to"))
    if way not in ("to", "subtract"):
        raise ValueError(f"its metadata 'reset' must be 'to' or 'subtract', not {way!r}")
    subtract = way == "subtract"
    if subtract and (threshold < reset).any():
        raise ValueError("its v_reset must not be above its v_threshold where the reset subtracts")
    return parts.Neuron(threshold + start, reading.strict, subtract,
                        threshold - reset if subtract else reset + start, decay, start, gain)


def _threshold(node: Any, reading: Reading) -> parts.Neuron:
    return parts.Neuron(_numbers(node.threshold), reading.strict, True, 0.0, 0.0)


def _i(node: Any, reading: Reading) -> parts.Integrator:
    r = _numbers(node.r)
    return parts.Integrator(1.0, _numbers(node.metadata.get("initial", 0.0)),
                            np.ones(()) if (r == 1).all() else r * reading.dt)


def _li(node: Any, reading: Reading) -> parts.Integrator:
    share = _leak(node, node.tau, reading.dt)
    return _integrator(node, share, _numbers(node.r) * share)


def _cuba_li(node: Any, reading: Reading) -> parts.Integrator:
    current, share = _one_step(node, reading.dt), _leak(node, node.tau_mem, reading.dt)
    return _integrator(node, share, current * _numbers(node.r) * share)


def _integrator(node: Any, share: np.ndarray, gain: np.ndarray) -> parts.Integrator:
    rest = _numbers(node.v_leak)
    if (rest != rest.flat[0]).any():
        raise ValueError("its v_leak must be the same for all, as its potentials are compared")
    return parts.Integrator(1.0 - share, _numbers(node.metadata.get("initial", 0.0)), gain)


READERS: Mapping[str, Callable[[Any, Reading], parts.Part]] = {
    "Linear": _linear, "Affine": _linear, "Conv2d": _conv, "SumPool2d": _pool, "AvgPool2d": _pool,
    "Delay": _delay,
    "Scale": lambda node, reading: parts.Gain(_numbers(node.scale)),
    "Flatten": lambda node, reading: parts.Flat(),
    "IF": _if, "LIF": _lif, "CubaLIF": _cuba, "Threshold": _threshold, "I": _i, "LI": _li, "CubaLI": _cuba_li,
}
