"""Reading ``top.json``: where a core's spikes and potentials are found."""

import numpy as np

__all__ = ["folds", "neurons", "signals"]


def signals(top: dict) -> list[str]:
    """All names of ``top.json`` that a bench may read or write, below the top module."""
    ports = top["ports"]
    found = [top["clock"], top["reset"], ports["stop_early"], ports["decided"]]
    streams = [ports["spikes"], ports["levels"], ports["result"]]
    streams += [layer["spikes"] for layer in top["layers"]]
    for stream in filter(None, streams):
        found += [stream["valid"], stream["ready"], stream["payload"]]
    for layer in top["layers"]:
        found.append(layer["final"]["ended"])
        for column in layer["final"]["columns"]:
            found += [column["potential"], column["fold"]]
    return [name for name in found if name]


def folds(column: dict) -> int:
    """How many times a column shows its potentials in a window: one lane holds that many neurons."""
    if column["fold"] is None:
        return 1
    if column["lane_stride"] > column["fold_stride"]:
        return min(column["neurons"], column["lane_stride"])
    return -(-column["neurons"] // column["fold_stride"])


def neurons(column: dict, fold: int) -> np.ndarray:
    """The layer's neuron in each lane of a fold, -1 in lanes without one: int64, shape ``(lanes,)``."""
    place = np.arange(column["lanes"]) * column["lane_stride"] + fold * column["fold_stride"]
    return np.where(place < column["neurons"], column["first"] + place, -1)
