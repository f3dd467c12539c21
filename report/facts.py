"""A network in words: what the command line's ``info`` and the report say about it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..network import (
    Bits,
    Convolution,
    Dense,
    Direct,
    Draw,
    Fires,
    Input,
    Latency,
    Layer,
    Network,
    Phase,
    PoolKind,
    Readout,
    Reset,
    WeightKind,
)
from ..network.ranges import potential_range, width

__all__ = [
    "encoding_words", "layer_facts", "network_facts", "neuron_words", "notes_facts",
    "readout_words", "schedule_words", "span", "synapse_words", "weight_bits",
]


def weight_bits(network: Network) -> int:
    """Bits that the weights of a network take, those of masked inputs included: one for a sign."""
    return sum(synapse.weights.size * synapse.weight_bits
               for layer in network.layers for synapse in layer.synapses)


def span(values: np.ndarray) -> str:
    """``"12"`` or ``"12 to 40"``: the smallest and the largest of ``values``."""
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def schedule_words(schedule: np.ndarray) -> str:
    """A schedule as its shortest description: a number, a line, powers of two or a table."""
    values = [int(value) for value in schedule]
    steps = np.diff(schedule)
    if len(set(values)) == 1:
        return str(values[0])
    if len(set(steps.tolist())) == 1:
        return f"{values[0]} to {values[-1]}, in steps of {abs(int(steps[0]))}"
    if all(value > 0 and value & (value - 1) == 0 for value in values):
        return f"powers of two, {values[0]} to {values[-1]}"
    return f"table, {values[0]} to {values[-1]}"


def encoding_words(source: Input) -> str:
    """How levels become spikes."""
    match source.encoding:
        case Latency() as latency:
            silent = int((latency.table < 0).sum())
            return f"latency: {latency.levels} levels" + (f", {silent} of them silent" if silent else "")
        case Direct() as direct:
            return f"direct: {direct.levels} levels, sent in every step"
        case Bits() as bits:
            return f"bits: the {bits.width} binary digits of a level"
        case spikes:
            return "ready-made spikes, " + ("at most one an input" if spikes.once else "many an input")


def readout_words(readout: Readout) -> str:
    """How the class is found."""
    return {
        Readout.FIRST_SPIKE: "the output that fires first; then the higher potential, then the lower index",
        Readout.POTENTIAL: "the output with the highest potential; then the lower index",
        Readout.COUNT: "the output with the most spikes; then the higher potential, then the lower index",
    }[readout]


def synapse_words(synapse: Dense | Convolution) -> str:
    """What the weights are and what a spike passes before them, "" for dense signs alone."""
    words = []
    if synapse.pool is not None:
        pool = synapse.pool
        kind = "max" if pool.kind is PoolKind.MAX else "sum"
        words.append(f"{kind} pool {_sides(pool.size)}" + _placed(pool.size, pool.stride, pool.padding))
    if isinstance(synapse, Convolution):
        made = f"convolution {_sides(synapse.weights.shape[2:])}"
        made += _placed((1, 1), synapse.stride, synapse.padding)
        if synapse.dilation != (1, 1):
            made += f" dilation {_side(synapse.dilation)}"
        if synapse.groups > 1:
            made += f" in {synapse.groups} groups"
        words.append(f"{made} to {_sides(synapse.output_shape)}")
    if synapse.weight_kind is WeightKind.TERNARY:
        words.append(f"ternary weights, {(synapse.weights == 0).mean():.0%} of them 0")
    elif synapse.weight_kind is WeightKind.INTEGER:
        words.append(f"weights of {synapse.weight_bits} bits")
    if synapse.scale is not None:
        words.append(f"inputs scaled by {span(synapse.scale)}")
    if synapse.probability is not None:
        levels = synapse.probability.levels / 256
        each = "synapse" if synapse.probability.draw is Draw.SYNAPSE else "spike"
        words.append(f"probability {levels.min():.3g} to {levels.max():.3g}, drawn for each {each}")
    return ", ".join(words)


def _sides(sides: Sequence[int]) -> str:
    return " x ".join(map(str, sides))


def _side(sides: Sequence[int]) -> str:
    """As :func:`_sides`, one where all are the same."""
    return _sides(sides) if len(set(sides)) > 1 else str(sides[0])


def _placed(usual: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int, int, int]) -> str:
    """Stride and padding, where they are not the usual ones."""
    words = "" if stride == usual else f" stride {_side(stride)}"
    if any(padding):
        words += f" padding {_side(padding)}"
    return words


def neuron_words(layer: Layer) -> str:
    """What a layer does beside integrating signs of all its source and firing, "" where that is all."""
    groups = [synapse_words(synapse) for synapse in layer.synapses]
    words = list(filter(None, groups))
    if words and len(groups) > 1:
        words = [f"from {synapse.source}: {group or 'dense signs'}"
                 for synapse, group in zip(layer.synapses, groups, strict=True)]
    kernels = [synapse.kernel for synapse in layer.synapses]
    if any(np.any(kernel != 1) for kernel in kernels):
        words.append("kernel " + "; ".join(schedule_words(kernel) for kernel in kernels))
    if np.any(layer.threshold_schedule != 1):
        words.append("threshold schedule " + schedule_words(layer.threshold_schedule))
    if layer.leak is not None:
        words.append(f"leak 1/2^({span(layer.leak)})")
    if np.any(layer.bias):
        words.append(f"bias {span(layer.bias)}")
    if layer.fires is Fires.MANY:
        words.append("reset to a value" if layer.reset is Reset.TO else "reset by subtraction")
        if np.any(layer.reset_schedule != 1):
            words.append("reset schedule " + schedule_words(layer.reset_schedule))
    return ", ".join(words)


def layer_facts(network: Network, layer: Layer) -> dict[str, str]:
    """The facts of one layer, in the order of a table's columns."""
    lows, highs = potential_range(network, layer)
    low, high = int(lows.min()), int(highs.max())
    return {
        "Layer": layer.name,
        "Neurons": f"{layer.size:,}",
        "From": ", ".join(synapse.source for synapse in layer.synapses),
        "Phase": layer.phase.value,
        "Fires": layer.fires.value,
        "Steps": str(layer.window),
        "Threshold": "none" if layer.threshold is None else span(layer.threshold),
        "Potential": f"{low:,} to {high:,}",
        "Bits": str(width(low, high)),
    }


def network_facts(network: Network) -> dict[str, str]:
    """The facts of the whole network."""
    source = network.input
    online = [layer for layer in network.layers if layer.phase is Phase.ONLINE]
    phases = ("online" if len(online) == len(network.layers) else "windowed" if not online
              else "online and windowed")
    used = len(source.used)
    inputs = f"{source.size:,} inputs" + (f", {_sides(source.shape)}" if source.shape else "")
    return {
        "Input": f"{inputs}, {used:,} of them used, over {source.window} steps"
                 if used < source.size else f"{inputs} over {source.window} steps",
        "Encoding": encoding_words(source),
        "Layers": f"{len(network.layers)}, {phases}",
        "Neurons": f"{sum(layer.size for layer in network.layers):,}",
        "Weight bits": f"{weight_bits(network):,}",
        "Class": readout_words(network.readout),
        "Digest": network.digest,
    }


def notes_facts(notes: Mapping[str, Any]) -> dict[str, str]:
    """Provenance or calibration: a line of text for each of its names."""
    return {str(key).replace("_", " "): _note(value) for key, value in notes.items()}


def _note(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {_note(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " / ".join(_note(item) for item in value[:12]) + (" ..." if len(value) > 12 else "")
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)
