"""What a network is and what it does: its description in integers, its file, its ranges and the golden model.

The names of the description are imported from here; the rest from the module that has it: :mod:`.golden` runs
one image, :mod:`.batched` many, :mod:`.scoring` counts the hits, :mod:`.network_file` reads and writes.
"""

from .network import (
    Bits,
    Convolution,
    Dense,
    Direct,
    Draw,
    Encoding,
    Fires,
    Input,
    Latency,
    Layer,
    Limits,
    Network,
    Phase,
    Pool,
    PoolKind,
    Probability,
    Readout,
    Reset,
    Spikes,
    WeightKind,
    unrolled,
)

__all__ = [
    "Bits", "Convolution", "Dense", "Direct", "Draw", "Encoding", "Fires", "Input", "Latency", "Layer",
    "Limits", "Network", "Phase", "Pool", "PoolKind", "Probability", "Readout", "Reset", "Spikes",
    "WeightKind", "unrolled",
]
