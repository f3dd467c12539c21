"""What a network file may hold: its version, its limits, and the words for what a network is made of."""

from ..behaviour import Fires
from ..convolution import Convolution
from ..inputs import Bits, Direct, Latency, Spikes
from ..pool import PoolKind
from ..provenance import NOTES_LIMIT
from ..synapses import Dense, WeightKind

__all__ = [
    "ENCODINGS", "FEATURES", "FILE_LIMIT", "FORMAT", "HEADER_LIMIT", "KINDS", "POOLING", "RESERVED",
    "SCHEDULES", "VERSION", "arrays_of",
]

FORMAT = "firstspike-network"
VERSION = 1
FILE_LIMIT = 1 << 27
"""The most bytes that a network file may have."""
HEADER_LIMIT = 8 * NOTES_LIMIT
"""The most bytes that its header may have."""

ENCODINGS = {Latency: "latency", Direct: "direct", Bits: "bits", Spikes: "spikes"}
KINDS = {Dense: "dense", Convolution: "convolution"}
POOLING = {PoolKind.MAX: "max_pooling", PoolKind.SUM: "sum_pooling"}
FEATURES = {*ENCODINGS.values(), "shape", *KINDS.values(), *(kind.value for kind in WeightKind),
            *POOLING.values(), "probability", "scale"}
"""What this version reads: kinds of encoding, the shape of an input, and what synapses may be."""
RESERVED = {
    "delay": "a delay for each neuron",
    "lower_threshold": "a second threshold with its own reset",
    "persistent": "potentials that last from window to window",
    "wrap": "potentials that wrap around",
    "saturate": "potentials that saturate",
}
"""Names kept for what the format will hold one day; a file that uses one is refused by its name."""
SCHEDULES = ("threshold_schedule", "reset_schedule")
"""The arrays of a layer that have an entry for each step; the others have one for each neuron."""


def arrays_of(fires: Fires, leak: bool) -> list[str]:
    """The names of a layer's arrays of integers, of one that ``fires`` and has a ``leak`` like this."""
    names = ["initial", "bias", *SCHEDULES]
    if fires is not Fires.NEVER:
        names.append("threshold")
    if fires is Fires.MANY:
        names.append("reset_value")
    return [*names, "leak"] if leak else names
