"""The first stage: is this a network that the event engine can carry?"""

from ..errors import FirstspikeError
from ..network import Convolution, Dense, Network, WeightKind

__all__ = ["check"]


def check(network: Network) -> None:
    """Refuse, by name, what has no circuit yet.

    Raises
    ------
    FirstspikeError
        A layer has a convolution, a pool, weights other than -1 and +1, a scale or a probability; or it
        listens to several sources, or to another than the layer before it.
    """
    source = "input"
    for layer in network.layers:
        strange = list(dict.fromkeys(word for group in layer.synapses for word in _strange(group)))
        if strange:
            what = " and ".join(filter(None, [", ".join(strange[:-1]), strange[-1]]))
            raise FirstspikeError(
                f"layer {layer.name!r} has {what}, but hardware is so far built only for dense layers of -1 "
                "and +1; train or convert to such a network, or run this one in the golden model "
                "(firstspike score)")
        if len(layer.synapses) != 1 or layer.synapses[0].source != source:
            heard = ", ".join(repr(synapse.source) for synapse in layer.synapses)
            raise FirstspikeError(
                f"layer {layer.name!r} listens to {heard}, but hardware is built only for chains, where it "
                f"would listen to {source!r} alone; the golden model runs it all the same (firstspike score)")
        source = layer.name


def _strange(group: Dense | Convolution) -> list[str]:
    """What a group of synapses has that the event engine does not know."""
    words = []
    if isinstance(group, Convolution):
        words.append("a convolution")
    if group.pool is not None:
        words.append(f"a {group.pool.kind.value} pool")
    if group.weight_kind is WeightKind.TERNARY:
        words.append("ternary weights")
    elif group.weight_kind is WeightKind.INTEGER:
        words.append(f"integer weights of {group.weight_bits} bits")
    if group.scale is not None:
        words.append("scaled inputs")
    if group.probability is not None:
        words.append("synapses with a probability")
    return words
