"""The encoder that a network's input becomes."""

from amaranth.lib import wiring

from ..boards.families.fabric import Fabric
from ..network import Bits, Direct, Latency, Network, Phase
from ..rtl.encoders import (
    BitsEncoder,
    DirectEncoder,
    LatencyEncoder,
    WindowedBitsEncoder,
    WindowedDirectEncoder,
    WindowedLatencyEncoder,
)
from .resources import Resources

__all__ = ["ENCODER", "make_encoder"]

ENCODER = Resources(320, 310, 4)
"""What its largest form took on ECP5, for 784 inputs; ``python -m bench.estimates`` measures it again."""

_FAST = 100_000_000
"""On a fabric that reaches such a clock the encoder takes the next image while it gives one."""


def make_encoder(network: Network, fabric: Fabric) -> wiring.Component | None:
    """The encoder of a network's input, in the form that suits a fabric; None for ready-made spikes."""
    source = network.input
    mask, window = source.mask.tolist(), source.window
    if network.layers[0].phase is Phase.ONLINE:
        form = {"buffers": 2, "read_latency": 2} if fabric.reaches(_FAST) else {}
        match source.encoding:
            case Latency(table=table):
                return LatencyEncoder(table.tolist(), window, mask, **form)
            case Direct(levels=levels):
                return DirectEncoder(levels, window, mask, **form)
            case Bits(width=width):
                return BitsEncoder(width, mask, **form)
    match source.encoding:
        case Latency(table=table):
            return WindowedLatencyEncoder(table.tolist(), window, mask)
        case Direct(levels=levels):
            return WindowedDirectEncoder(levels, window, mask)
        case Bits(width=width):
            return WindowedBitsEncoder(width, mask)
    return None
