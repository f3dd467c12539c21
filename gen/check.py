"""The first stage: is this a network that the event engine can carry?"""

from ..errors import FirstspikeError
from ..quantize.network import Network

__all__ = ["check"]


def check(network: Network) -> None:
    """Refuse, by name, what has no circuit yet.

    Raises
    ------
    FirstspikeError
        A layer listens to several sources, or to another than the layer before it.
    """
    source = "input"
    for layer in network.layers:
        if len(layer.synapses) != 1 or layer.synapses[0].source != source:
            heard = ", ".join(repr(synapse.source) for synapse in layer.synapses)
            raise FirstspikeError(
                f"layer {layer.name!r} listens to {heard}, but hardware is built only for chains, where it "
                f"would listen to {source!r} alone; the golden model runs it all the same (firstspike score)")
        source = layer.name
