"""A group of synapses out of what stands in a network file."""

from math import prod
from typing import Any

from ..budget import Budget
from ..checks import integer
from ..convolution import Convolution
from ..limits import Limits
from ..pool import Pool, PoolKind
from ..probability import Draw, Probability
from ..sliding import Sliding
from ..synapses import Dense, WeightKind
from .fields import Fields, Tensors
from .format import KINDS
from .packing import unpack

__all__ = ["rebuild_synapses"]


def rebuild_synapses(about: Fields, tensors: Tensors, prefix: str, size: int,
                     sources: dict[str, tuple[int, int]], budget: Budget) -> Dense | Convolution:
    """A group of synapses as :func:`.writing_synapses.describe_synapses` described it.

    Parameters
    ----------
    about : Fields
        Its JSON object.
    tensors : Tensors
        Those of the file.
    prefix : str
        Of its tensors' names.
    size : int
        Number of neurons that it leads to.
    sources : dict
        Size and window of each source that there is.
    budget : Budget
        What it takes is spent here before anything is made of it.

    Raises
    ------
    ValueError, TypeError
        Something is missing, or is of another type, shape or range, or more than the budget.
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
        shape, heard_shape, neurons, positions = (size, heard), (heard,), size, 1
    else:
        shape = about.integers("shape", 4, 1, Limits.SIZE)
        more["source_shape"] = heard_shape = about.integers("source_shape", 3, 1, Limits.SIZE)
        more |= {name: about.integers(name, count, low, Limits.SIDE)
                 for name, count, low in (("stride", 2, 1), ("padding", 4, 0), ("dilation", 2, 1))}
        more["groups"] = about.size("groups", Limits.SIZE)
        integer(prod(shape), "the number of synapses", 1, Limits.SYNAPSES, about.where)
        positions = prod(Sliding.checked(heard_shape, shape[2:], more["stride"], more["padding"],
                                         more["dilation"]).positions)
        neurons = shape[0] * positions
    if neurons != size:
        raise ValueError(f"{about.where} must have {size} neurons, not {neurons}")
    budget.spend_group(prod(shape), prod(shape) * positions, prod(heard_shape))
    weights = unpack(lambda name, count: tensors.packed(f"{prefix}.{name}", count), shape, weight_kind, bits)
    if "probability" in about.left:
        fields = Fields(about.take("probability", dict), f"the probability of {about.where}")
        more["probability"] = Probability(tensors.take(f"{prefix}.levels", shape), fields.take("seed", int),
                                          Draw(fields.known("draw", *Draw)))
        fields.end()
    if "scale" in about.left and about.take("scale", bool):
        more["scale"] = tensors.by_channel(f"{prefix}.scale", heard_shape)
    about.end()
    return Dense(weights, **more) if kind == "dense" else Convolution(weights, **more)


def _pool(fields: Fields) -> Pool:
    pool = Pool(fields.known("kind", *PoolKind), fields.integers("size", 2, 1, Limits.SIDE),
                fields.integers("stride", 2, 1, Limits.SIDE), fields.integers("padding", 4, 0, Limits.SIDE),
                fields.integers("source_shape", 3, 1, Limits.SIZE))
    fields.end()
    return pool
