"""The network on the page: what it is, and where it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..network import Fires, Network, Phase, Readout
from .charts import Table
from .facts import encoding_words, layer_facts, network_facts, neuron_words, notes_facts, span, weight_bits

__all__ = ["NetworkSection", "Node", "network_section"]


@dataclass(frozen=True)
class Node:
    """A box of the network's picture.

    Attributes
    ----------
    value, name, note : str
        What stands in it.
    wire : str
        What stands on the arrow that leads to it.
    ends : bool
        Whether it is the input or the class.
    """

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
    lines = [[*facts.values(), word] for facts, word in zip(layers, words, strict=True)]
    table = Table("The layers", heads, lines, frozenset((1, 5, 6, 7, 8)))
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
