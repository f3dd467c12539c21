"""The parts of the report that come from the network alone: what it is, and what it does with one image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..network import Fires, Latency, Network, Phase, Readout
from ..network.golden import Trace, run
from .charts import ROWS, Picture, Raster, Table, draw_levels, draw_steps, raster
from .facts import encoding_words, layer_facts, network_facts, neuron_words, notes_facts, span, weight_bits

__all__ = ["NetworkSection", "Node", "SampleSection", "network_section", "sample_section"]


@dataclass(frozen=True)
class Node:
    """A box of the network's picture; ``wire`` stands on the arrow that leads to it."""

    value: str
    name: str
    note: str
    wire: str = ""
    ends: bool = False


@dataclass(frozen=True)
class NetworkSection:
    """What the network is: a sentence, its picture, its layers, where it comes from."""

    lead: str
    nodes: Sequence[Node]
    table: Table
    provenance: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class SampleSection:
    """One image: the pictures of its input and a raster for the input and for each layer."""

    lead: str
    pictures: Sequence[Picture]
    layers: Sequence[Raster]


def network_section(network: Network) -> NetworkSection:
    """The section about ``network``."""
    facts = network_facts(network)
    layers = [layer_facts(network, layer) for layer in network.layers]
    short = {Readout.FIRST_SPIKE: "first spike", Readout.POTENTIAL: "potential", Readout.COUNT: "spike count"}
    coding = type(network.input.encoding).__name__.lower()
    used, steps = len(network.input.used), network.input.window
    nodes = [Node(f"{used:,}", "inputs", f"{coding}, {steps} steps", ends=True)]
    for layer in network.layers:
        bits = sum(synapse.weights.size for synapse in layer.synapses)
        note = "read by potential" if layer.threshold is None else f"threshold {span(layer.threshold)}"
        nodes.append(Node(f"{layer.size:,}", layer.name, note, f"{bits:,} bits"))
    nodes.append(Node("class", f"by {short[network.readout]}", f"one of {network.output.size}", ends=True))
    words = [neuron_words(layer) or "integrate and fire" for layer in network.layers]
    heads = [*layers[0], "Neuron"]
    table = Table(heads, [[*facts.values(), word] for facts, word in zip(layers, words, strict=True)],
                  frozenset((1, 5, 6, 7, 8)))
    notes = notes_facts(network.provenance)
    means = network.calibration.get("mean_spikes")
    if isinstance(means, list):
        names = ["input", *network.names]
        pairs = zip(names, means, strict=True)
        notes["mean spikes"] = ", ".join(f"{name} {mean:,.1f}" for name, mean in pairs)
    return NetworkSection(_lead(network), nodes, table, [
        ("Input", facts["Input"]), ("Encoding", encoding_words(network.input)),
        ("Synapses", f"{weight_bits(network):,}, one bit each"), ("Class", facts["Class"]),
        ("Digest", facts["Digest"]), *((name[:1].upper() + name[1:], text) for name, text in notes.items())])


def _lead(network: Network) -> str:
    phases = {layer.phase for layer in network.layers}
    if phases == {Phase.ONLINE}:
        when = "Online: a spike fired at a step is heard by the next layer at the same step."
    elif phases == {Phase.WINDOWED}:
        when = "Windowed: each layer hears its source's whole window, then fires in a window of its own."
    else:
        when = "Some layers fire while they listen, others after they have heard the whole window."
    how = {Fires.ONCE: "A neuron fires at most once.", Fires.MANY: "A neuron may fire in every step."}
    kinds = {layer.fires for layer in network.layers} - {Fires.NEVER}
    return f"{when} {how[kinds.pop()]}" if len(kinds) == 1 else when


def sample_section(network: Network, image: np.ndarray, label: int | None = None) -> SampleSection:
    """What ``network`` does with ``image`` (as ``golden.run`` takes it), of class ``label`` if known."""
    trace = run(network, image)
    online = all(layer.phase is Phase.ONLINE for layer in network.layers)
    spoke = trace.step < network.output.window
    decided = trace.step if spoke else None
    heard = np.asarray(trace.input_spikes)
    layers = [raster("input", heard, decided=decided if online else None,
                     caption=f"{_count(heard)} of {len(network.input.used):,} inputs")]
    for layer, done in zip(network.layers, trace.layers, strict=True):
        last = layer is network.output
        firing = int(done.spikes.any(axis=0).sum())
        caption = f"{_count(done.spikes)}; {firing:,} of {layer.size:,} neurons fire"
        layers.append(raster(
            layer.name, done.spikes, caption="final potential" if last and layer.size <= ROWS else caption,
            decided=decided if online or last else None, potentials=done.potential if last else None,
            winner=trace.label if last else None, silent=layer.fires is Fires.NEVER))
    lead = _verdict(network, trace, label, spoke)
    return SampleSection(lead, _pictures(network, image, heard, label), layers)


def _count(spikes: np.ndarray) -> str:
    number = int((spikes != 0).sum())
    return f"{number:,} spike{'' if number == 1 else 's'}"


def _verdict(network: Network, trace: Trace, label: int | None, spoke: bool) -> str:
    if network.readout is Readout.FIRST_SPIKE and spoke:
        how = f"The first output spike comes at step {trace.step}: class {trace.label}"
    elif network.readout is Readout.FIRST_SPIKE:
        how = f"No output fires in the window, so the highest potential decides: class {trace.label}"
    elif network.readout is Readout.COUNT:
        how = f"The output with the most spikes is class {trace.label}"
    else:
        how = f"The output with the highest potential is class {trace.label}"
    if label is None:
        return f"Each mark is a spike. {how}."
    return f"Each mark is a spike. {how}, " + ("which is right." if label == trace.label else f"not {label}.")


def _pictures(network: Network, image: np.ndarray, heard: np.ndarray, label: int | None) -> list[Picture]:
    what = "The image" + ("" if label is None else f", a {label}")
    when = draw_steps(heard, "When each input spikes")
    if network.input.levels is None:
        return [when]
    levels = np.asarray(image, dtype=np.int64)
    return [draw_levels(levels, network.input.levels - 1, what),
            *([when] if isinstance(network.input.encoding, Latency) else [])]
