"""From a network and its plan to the core."""

from ..network import Bits, Direct, Latency, Network, Phase
from ..rtl.core import Core
from ..rtl.encoders import (
    BitsEncoder,
    DirectEncoder,
    LatencyEncoder,
    WindowedBitsEncoder,
    WindowedDirectEncoder,
    WindowedLatencyEncoder,
)
from ..rtl.event.layer import EventLayer
from ..rtl.readout import Readout as ReadoutCircuit
from ..rtl.streams.token import Token
from .neurons import lane_model
from .plan import Plan

__all__ = ["elaborate"]


def elaborate(network: Network, plan: Plan) -> Core:
    """Build the core that ``plan`` describes, of a network that :mod:`.check` has passed."""
    early_stop = plan.early_stop
    used = network.input.used
    spikes = Token(len(used), network.input.window, value_bits=_value_bits(network), tagged=False)
    source = Token(spikes.addresses, spikes.window, value_bits=spikes.value_bits, tagged=early_stop)
    layers = []
    for index, (layer, place) in enumerate(zip(network.layers, plan.layers, strict=True)):
        model = lane_model(network, layer)
        read = layer is network.output
        token = Token(layer.size, layer.window, tagged=early_stop,
                      potential_bits=model.neurons.width if read else 0)
        synapses = layer.synapses[0]
        weights = synapses.weights.T > 0
        if index == 0:
            weights = weights[used]
        layers.append(EventLayer(
            source, token, model.neurons, weights, synapses.kernel, folding=place.folding,
            online=layer.phase is Phase.ONLINE, every_step=model.every_step,
            fires_at_start=model.fires_at_start,
            ordered=read or network.layers[index + 1].phase is Phase.ONLINE))
        source = token
    readout = ReadoutCircuit(source, network.readout.value, early_stop=early_stop)
    encoder = _encoder(network, fast=not plan.layers[0].folding.scan) if plan.encoder else None
    return Core(spikes, encoder, layers, readout)


def _value_bits(network: Network) -> int:
    return network.input.highest_value.bit_length() if isinstance(network.input.encoding, Direct) else 0


def _encoder(network: Network, *, fast: bool):
    """The encoder; a ``fast`` one takes the next image while it gives one, and has shorter paths."""
    source = network.input
    mask, window = source.mask.tolist(), source.window
    if network.layers[0].phase is Phase.ONLINE:
        form = {"buffers": 2, "read_latency": 2} if fast else {}
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
