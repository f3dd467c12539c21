"""Networks of real numbers, and what they do by their definition, written out."""

import numpy as np
from firstspike.network import Input, Readout, Spikes
from firstspike.quantize.importers.real_network import Group, RealLayer, RealNetwork

__all__ = ["layer", "network", "stated_spikes"]


def layer(weights, threshold=1.0, *, bias=0.0, decay=1.0, name="a", **more) -> RealLayer:
    """A dense layer that hears the input."""
    weights = np.asarray(weights, np.float64)
    size = len(weights)
    numbers = {"reset_value": np.full(size, threshold), "initial": np.zeros(size)} | more
    return RealLayer(name, f"{name} (IF)", (size,), (Group("input", weights, weights.shape[1:]),),
                     np.full(size, bias), threshold=np.full(size, threshold), decay=np.full(size, decay),
                     **numbers)


def network(*layers: RealLayer, window: int = 4, size: int = 3) -> RealNetwork:
    """A network that listens to ready-made spikes."""
    return RealNetwork(Input(size, window, Spikes(once=False)), layers, Readout.COUNT)


def stated_spikes(stated: RealNetwork, images: np.ndarray) -> list[np.ndarray]:
    """What a chain of layers fires, by its definition in real numbers: ``(count, window, neurons)`` each."""
    heard, found = images.astype(float), []
    for item in stated.layers:
        (group,) = item.groups
        currents = weighed(group, heard) + item.bias
        potential = np.tile(item.initial, (len(images), 1))
        spikes = np.zeros(currents.shape, bool)
        for step in range(currents.shape[1]):
            potential = item.decay * potential + currents[:, step]
            fired = potential > item.threshold if item.strict else potential >= item.threshold
            reset = potential - item.reset_value if item.subtract else item.reset_value
            potential = np.where(fired, reset, potential)
            spikes[:, step] = fired
        heard = spikes.astype(float)
        found.append(spikes)
    return found


def weighed(group: Group, heard: np.ndarray) -> np.ndarray:
    """The currents of ``(count, window, heard)``; a convolution is written out, position by position."""
    if group.geometry is None:
        return heard @ group.weights.T
    lie, (_, height, width) = group.geometry, group.heard_shape
    top, bottom, left, right = lie.padding
    planes = heard.reshape(*heard.shape[:2], *group.heard_shape)
    planes = np.pad(planes, [(0, 0)] * 3 + [(top, bottom), (left, right)])
    out, each, rows, columns = group.weights.shape
    down = (height + top + bottom - rows) // lie.stride[0] + 1
    across = (width + left + right - columns) // lie.stride[1] + 1
    found = np.zeros((*heard.shape[:2], out, down, across))
    for channel in range(out):
        first = channel // (out // lie.groups) * each
        for y in range(down):
            for x in range(across):
                seen = planes[:, :, first:first + each, y * lie.stride[0]:y * lie.stride[0] + rows,
                              x * lie.stride[1]:x * lie.stride[1] + columns]
                found[:, :, channel, y, x] = (seen * group.weights[channel]).sum((2, 3, 4))
    return found.reshape(*heard.shape[:2], -1)
