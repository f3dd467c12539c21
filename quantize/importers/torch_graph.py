"""Torch modules with neurons among them, as a graph of operations."""

from collections.abc import Callable

from torch import nn

from ...network.inputs import Input
from ..graph.graph import Graph
from ..graph.torch_reader import Makers, read_spiking

__all__ = ["graph_of"]


def graph_of(network: nn.Module, heard: Input, neurons: Makers,
             plain: Callable[[nn.Module], nn.Module] = lambda module: module) -> Graph:
    """The operations of a network, for what it listens to.

    Parameters
    ----------
    network, neurons, plain
        As of :func:`..graph.torch_reader.read_spiking`.
    heard : Input
        The input, with its shape and its steps.

    Raises
    ------
    ValueError
        Something cannot be taken, every such module is named; or the forward goes through another number of
        steps than the input has.
    """
    found = read_spiking(network, heard.shape or (heard.size,), neurons, heard.window, plain)
    if found.steps not in (1, heard.window):
        raise ValueError(f"its forward goes through {found.steps} steps, and the input has {heard.window}; "
                         "give an input of as many")
    return found
