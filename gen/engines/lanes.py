"""A layer of a network as the plain numbers of its lanes."""

from dataclasses import dataclass

import numpy as np

from ...network import Fires, Layer, Network, Reset
from ...network.ranges import potential_range, width
from ...rtl.event.neuron import Neurons

__all__ = ["LaneModel", "lane_model"]


@dataclass(frozen=True)
class LaneModel:
    """How a layer's potentials live in its lanes.

    Attributes
    ----------
    neurons : :class:`~...rtl.event.neuron.Neurons`
    offset : int64 array, shape (neurons,)
        At the end of a window, potential = lane value + offset.
    every_step : :class:`bool`
        Whether a step without spikes can change a potential or make a neuron fire.
    fires_at_start : :class:`bool`
        Whether a neuron's initial value reaches its first threshold.
    """

    neurons: Neurons
    offset: np.ndarray
    every_step: bool
    fires_at_start: bool


def lane_model(network: Network, layer: Layer) -> LaneModel:
    """Derive a layer's lane numbers, and a width that they cannot overflow.

    A lane holds ``V - theta * G[t]`` for the coming step ``t``, so that firing is a sign; each ``FIRE`` adds
    ``theta * (G[t] - G[t+1])``. It holds ``V`` itself where potentials are compared with each other (the
    layer that is read) or shifted (a leak).
    """
    low, high = potential_range(network, layer)
    raw = layer is network.output or layer.leak is not None or layer.fires is Fires.NEVER
    fires, many = layer.fires is not Fires.NEVER, layer.fires is Fires.MANY
    goal = layer.threshold_schedule
    level = np.outer(layer.threshold, goal) if fires else np.zeros((layer.size, layer.window), np.int64)
    resets = np.zeros_like(level)
    if many and layer.reset is Reset.SUBTRACT:
        resets = -np.outer(layer.reset_value, layer.reset_schedule)

    if raw:
        offset, change, threshold = np.zeros(layer.size, np.int64), np.zeros_like(level), level
        following = np.zeros_like(level)
    else:
        offset, threshold = level[:, -1], np.zeros_like(level)
        following = np.concatenate([level[:, 1:], level[:, -1:]], axis=1)
        change = level - following
        low, high = low - level.max(axis=1), high - level.min(axis=1)

    reset_to = None
    if many and layer.reset is Reset.TO:
        reset_to = layer.reset_value[:, None] - following

    goes_on = many and (layer.reset is Reset.SUBTRACT or bool((layer.reset_value >= level.min(axis=1)).any()))
    neurons = Neurons(
        width=max(2, width(int(low.min()), int(high.max()))),
        start=_row(layer.initial - (0 if raw else level[:, 0])),
        threshold=_table(threshold), after=_table(change), after_fire=_table(change + resets),
        reset_to=None if reset_to is None else _table(reset_to),
        leak=None if layer.leak is None else _row(layer.leak), bias=_row(layer.bias),
        fires=fires, once=layer.fires is Fires.ONCE)
    return LaneModel(
        neurons=neurons, offset=offset,
        every_step=neurons.leaks or (fires and (goes_on or bool((goal != goal[0]).any()))),
        fires_at_start=fires and bool((layer.initial >= level[:, 0]).any()))


def _row(values) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _table(values) -> tuple[tuple[int, ...], ...]:
    return tuple(_row(row) for row in values)
