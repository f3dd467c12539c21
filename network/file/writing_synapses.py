"""What stands in a network file about a group of synapses.

==============  =========================================================================================
tensor          content
==============  =========================================================================================
the weights     see :mod:`.packing`
``kernel``      the kernel schedule
``levels``      the levels of a probability, of the weights' shape
``scale``       the scale of each address, or of each channel where that says it all
==============  =========================================================================================
"""

from typing import Any

import numpy as np

from ..convolution import Convolution
from ..synapses import Dense, WeightKind
from .format import KINDS, POOLING
from .packing import pack

__all__ = ["by_channel", "describe_synapses", "narrow"]


def narrow(array: np.ndarray) -> np.ndarray:
    """``array``, of integers, in the narrowest of int8, int16, int32 and int64 that holds it; contiguous."""
    low, high = array.min(), array.max()
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.ascontiguousarray(array, dtype)
    return np.ascontiguousarray(array, np.int64)


def by_channel(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``values`` of the addresses of ``shape``; one for each channel, where they say no more than that."""
    channels = values.reshape(shape[0], -1)
    return channels[:, 0] if (channels == channels[:, :1]).all() else values


def describe_synapses(synapse: Dense | Convolution,
                      weights: bool = True) -> tuple[dict[str, np.ndarray], dict[str, Any], set[str]]:
    """The tensors of a group of synapses, its JSON object, and the features that it uses.

    ``weights``: whether those of the weights are wanted, too.
    """
    kind = synapse.weight_kind
    about: dict[str, Any] = {"kind": KINDS[type(synapse)], "weights": kind.value, "source": synapse.source}
    features = {about["kind"], kind.value}
    arrays = {"kernel": narrow(synapse.kernel)}
    if weights:
        arrays |= pack(synapse.weights, kind, synapse.weight_bits)
    if kind is WeightKind.INTEGER:
        about["bits"] = synapse.weight_bits
    if isinstance(synapse, Convolution):
        about |= {"shape": list(synapse.weights.shape), "source_shape": list(synapse.source_shape),
                  "stride": list(synapse.stride), "padding": list(synapse.padding),
                  "dilation": list(synapse.dilation), "groups": synapse.groups}
    if synapse.pool is not None:
        pool = synapse.pool
        about["pool"] = {"kind": pool.kind.value, "size": list(pool.size), "stride": list(pool.stride),
                         "padding": list(pool.padding), "source_shape": list(pool.source_shape)}
        features.add(POOLING[pool.kind])
    if synapse.probability is not None:
        about["probability"] = {"seed": synapse.probability.seed, "draw": synapse.probability.draw.value}
        arrays["levels"] = narrow(synapse.probability.levels)
        features.add("probability")
    if synapse.scale is not None:
        about["scale"] = True
        arrays["scale"] = narrow(by_channel(synapse.scale, synapse.heard_shape))
        features.add("scale")
    return arrays, about, features
