"""What a network is and what it does: its description in integers, its file, its ranges and the golden model.

The names of the description are imported from here; the rest from the module that has it: :mod:`.golden` runs
one image, :mod:`.batched` many, :mod:`.scoring` counts the hits, :mod:`.file` is the file.
"""

from .behaviour import Fires, Phase, Readout, Reset
from .convolution import Convolution, unrolled
from .inputs import Bits, Direct, Encoding, Input, Latency, Spikes
from .layer import Layer
from .limits import Limits
from .network import Network
from .pool import Pool, PoolKind
from .probability import Draw, Probability
from .synapses import Dense, WeightKind

__all__ = [
    "Bits", "Convolution", "Dense", "Direct", "Draw", "Encoding", "Fires", "Input", "Latency", "Layer",
    "Limits", "Network", "Phase", "Pool", "PoolKind", "Probability", "Readout", "Reset", "Spikes",
    "WeightKind", "unrolled",
]
