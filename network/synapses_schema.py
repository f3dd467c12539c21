"""What stands in a network file about a group of synapses.

==============  =========================================================================================
tensor          content
==============  =========================================================================================
``signs``       uint8, packed bits, in the order of the weights: 1 is +1, 0 is -1; of ternary weights, only
                of those that are not 0
``mask``        ternary weights: uint8, packed bits: 1 where the weight is not 0
``weights``     integer weights: uint8, packed: each in two's complement, most significant bit first
``kernel``      the kernel schedule
``levels``      the levels of a probability, of the weights' shape
``scale``       the scale of each address, or of each channel where that says it all
==============  =========================================================================================
"""

from math import prod
from typing import Any

import numpy as np

from .checks import integer
from .file_parts import Fields, Tensors, narrow
from .network import Convolution, Dense, Draw, Limits, Pool, PoolKind, Probability, WeightKind

__all__ = ["SYNAPSE_FEATURES", "by_channel", "describe_synapses", "pack", "rebuild_synapses"]

KINDS = {Dense: "dense", Convolution: "convolution"}
POOLING = {PoolKind.MAX: "max_pooling", PoolKind.SUM: "sum_pooling"}
SYNAPSE_FEATURES = {*KINDS.values(), *(kind.value for kind in WeightKind), *POOLING.values(), "probability",
                    "scale"}
"""What synapses may be, in the words of a file's features."""


def by_channel(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``values`` of the addresses of ``shape``; one for each channel, where they say no more than that."""
    channels = values.reshape(shape[0], -1)
    return channels[:, 0] if (channels == channels[:, :1]).all() else values


def describe_synapses(
        synapse: Dense | Convolution) -> tuple[dict[str, np.ndarray], dict[str, Any], set[str]]:
    """The tensors of a group of synapses, its JSON object, and the features that it uses."""
    kind = synapse.weight_kind
    about: dict[str, Any] = {"kind": KINDS[type(synapse)], "weights": kind.value, "source": synapse.source}
    features = {about["kind"], kind.value}
    arrays = pack(synapse.weights, kind, synapse.weight_bits) | {"kernel": narrow(synapse.kernel)}
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
        arrays["levels"] = narrow(synapse.probability.levels.astype(np.int64))
        features.add("probability")
    if synapse.scale is not None:
        about["scale"] = True
        arrays["scale"] = narrow(by_channel(synapse.scale, synapse.heard_shape))
        features.add("scale")
    return arrays, about, features


def rebuild_synapses(about: Fields, tensors: Tensors, prefix: str, size: int,
                     sources: dict[str, tuple[int, int]]) -> Dense | Convolution:
    """The group of ``size`` neurons that :func:`describe_synapses` described.

    ``prefix``: of its tensors' names. ``sources``: size and window of each source that there is. Raises
    ValueError or TypeError where something is missing, or is of another type, shape or range.
    """
    kind = about.known("kind", *KINDS.values())
    weight_kind = WeightKind(about.known("weights", *WeightKind))
    bits = about.size("bits", 8) if weight_kind is WeightKind.INTEGER else 1
    source = about.known("source", *sources)
    heard, window = sources[source]
    more: dict[str, Any] = {"source": source, "kernel": tensors.take(f"{prefix}.kernel", (window,))}
    if "pool" in about.left:
        more["pool"] = pool = _pool(Fields(about.take("pool", dict), f"the pool of {about.where}"))
        heard = prod(pool.output_shape)
    if kind == "dense":
        shape, heard_shape = (size, heard), (heard,)
    else:
        shape = about.integers("shape", 4, 1, Limits.SIZE)
        more["source_shape"] = heard_shape = about.integers("source_shape", 3, 1, Limits.SIZE)
        more |= {name: about.integers(name, count, low, Limits.SIDE)
                 for name, count, low in (("stride", 2, 1), ("padding", 4, 0), ("dilation", 2, 1))}
        more["groups"] = about.size("groups", Limits.SIZE)
    integer(prod(shape), "the number of synapses", 1, Limits.SYNAPSES, about.where)
    weights = _unpack(tensors, prefix, shape, weight_kind, bits)
    if "probability" in about.left:
        fields = Fields(about.take("probability", dict), f"the probability of {about.where}")
        more["probability"] = Probability(tensors.take(f"{prefix}.levels", shape), fields.take("seed", int),
                                          Draw(fields.known("draw", *Draw)))
        fields.end()
    if "scale" in about.left and about.take("scale", bool):
        more["scale"] = tensors.by_channel(f"{prefix}.scale", heard_shape)
    about.end()
    made = Dense(weights, **more) if kind == "dense" else Convolution(weights, **more)
    if made.size != size:
        raise ValueError(f"{about.where} must have {size} neurons, not {made.size}")
    return made


def _pool(fields: Fields) -> Pool:
    pool = Pool(fields.known("kind", *PoolKind), fields.integers("size", 2, 1, Limits.SIDE),
                fields.integers("stride", 2, 1, Limits.SIDE), fields.integers("padding", 4, 0, Limits.SIDE),
                fields.integers("source_shape", 3, 1, Limits.SIZE))
    fields.end()
    return pool


def pack(weights: np.ndarray, kind: WeightKind, bits: int) -> dict[str, np.ndarray]:
    """The tensors of int8 ``weights`` by their names; ``bits``: of one, where they are integers."""
    match kind:
        case WeightKind.SIGN:
            return {"signs": np.packbits(weights > 0)}
        case WeightKind.TERNARY:
            return {"mask": np.packbits(weights != 0), "signs": np.packbits(weights[weights != 0] > 0)}
        case _:
            digits = np.unpackbits(weights.view(np.uint8).reshape(-1, 1), axis=1)
            return {"weights": np.packbits(digits[:, 8 - bits:])}


def _unpack(tensors: Tensors, prefix: str, shape: tuple[int, ...], kind: WeightKind, bits: int) -> np.ndarray:
    """Weights of ``shape``: int8. ``bits``: of one weight, where they are integers."""
    if kind is WeightKind.INTEGER:
        digits = tensors.take(f"{prefix}.weights", (prod(shape), bits), bits=True)
        weights = -digits[:, 0].astype(np.int8)
        for digit in digits.T[1:]:
            weights *= 2
            weights += digit
        return weights.reshape(shape)
    weights = np.ones(shape, np.int8)
    if kind is WeightKind.TERNARY:
        weights = tensors.take(f"{prefix}.mask", shape, bits=True).astype(np.int8)
    present = weights != 0
    weights[present] -= 2 * ~tensors.take(f"{prefix}.signs", (int(present.sum()),), bits=True)
    return weights
