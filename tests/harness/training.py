"""What tests of trainable modules share: made inputs, and the golden model's view of the same network."""

import numpy as np
from firstspike.network import Input, Latency, Network, Phase, batched, golden
from firstspike.quantize.train.evaluate import Evaluation, evaluate
from firstspike.quantize.train.input_tables import latency_table

__all__ = ["as_golden", "final_potentials", "made_input", "made_levels"]


def made_input(generator: np.random.Generator, size: int = 30, window: int = 6, dark: int = 40) -> Input:
    """An input of levels, a fifth of which are left out."""
    return Input(size, window, Latency(latency_table(window, dark)), generator.random(size) < 0.8)


def made_levels(generator: np.random.Generator, count: int, size: int = 30) -> np.ndarray:
    """Random levels: uint8, shape ``(count, size)``."""
    return generator.integers(0, 256, (count, size)).astype(np.uint8)


def as_golden(network: Network, levels: np.ndarray) -> Evaluation:
    """Check `evaluate` against what the golden model gives, image by image; returns what it found."""
    seen = evaluate(network, levels)
    names = ["input", *network.names]
    heard = {name: [synapse.source for synapse in layer.synapses]
             for name, layer in zip(names[1:], network.layers, strict=True) if layer.phase is Phase.ONLINE}
    sharing = [names[-1]]
    for name in sharing:
        sharing += heard.get(name, [])
    for image, one in enumerate(levels.astype(np.int64)):
        trace = golden.run(network, one, image)
        assert (seen.labels[image], seen.steps[image]) == (trace.label, trace.step)
        for index, (name, train) in enumerate(zip(
                names, (trace.input_spikes != 0, *(layer.spikes for layer in trace.layers)), strict=True)):
            assert seen.spikes[image, index] == train.sum()
            until = train[:trace.step + 1] if name in sharing else train
            assert seen.spikes_until[image, index] == until.sum()
    return seen


def final_potentials(network: Network, levels: np.ndarray) -> np.ndarray:
    """Of the outputs, by the golden model: int64, shape ``(count, outputs)``."""
    return batched.run(network, levels, keep=False).layers[-1].potential
