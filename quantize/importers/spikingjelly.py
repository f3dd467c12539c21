"""Networks of SpikingJelly: of its layers, or torch's, and its IFNode and LIFNode.

A node computes, in each step (spikingjelly.activation_based.neuron of 0.0.0.0.14 and 2.0)::

    IFNode    v = v + x
    LIFNode   v = v + (x - (v - v_reset)) / tau      with decay_input
              v = v - (v - v_reset) / tau + x        without
    spike where v >= v_threshold;   then v = v - v_threshold where v_reset is None (which counts as 0 above),
    else v = v_reset

``v`` starts at ``v_reset``, or 0. Counted from there, it is a neuron that starts at 0.
"""

from collections import OrderedDict
from importlib import import_module
from typing import Any

from ...errors import FirstspikeError
from ...network.inputs import Input
from ..graph.neurons import Neuron
from .assemble import assemble
from .report import Imported, imported

__all__ = ["import_spikingjelly"]

PLAIN = ("Linear", "Conv2d", "BatchNorm1d", "BatchNorm2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d",
         "Flatten")
"""Layers of SpikingJelly that are torch's, for one step or many."""
CONTAINERS = ("SeqToANNContainer", "MultiStepContainer", "StepModeContainer")
IGNORED = ("Dropout", "Dropout2d")


def import_spikingjelly(network: Any, input: Input, *, readout: str | None = None, level: float = 1.0,
                        images: Any = None, labels: Any = None, weights: str = "auto", bits: int = 8,
                        places: int | None = None, approximate: bool = False) -> Imported:
    """A network of SpikingJelly as integers, spike for spike where its weights are on a grid of integers.

    Parameters
    ----------
    network : torch.nn.Module
        Of Linear, Conv2d, BatchNorm, pooling, Flatten, IFNode and LIFNode, for single steps or many: an
        ``nn.Sequential``, or with a forward of its own (:mod:`..graph.torch_forward`). One that ends in
        weights is read by the sum of what they give in all steps.
    input, readout, level, images, labels, weights, bits, places, approximate
        As in :func:`.snntorch.import_snntorch`.

    Returns
    -------
    Imported
        The network, and the report of what that took.

    Raises
    ------
    ValueError
        Something cannot be taken; every such module is named, with what would do.
    FirstspikeError
        SpikingJelly or torch is not installed.
    """
    try:
        layers: Any = import_module("spikingjelly.activation_based.layer")
        neurons: Any = import_module("spikingjelly.activation_based.neuron")
        from .torch_graph import graph_of
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in ("spikingjelly", "torch"):
            raise
        raise FirstspikeError(f"importing from SpikingJelly needs {missing}: "
                              "pip install spikingjelly") from error
    from importlib.metadata import version
    graph = graph_of(network, input, {neurons.IFNode: _if, neurons.LIFNode: _lif},
                     lambda module: _plain(module, layers))
    return imported(f"SpikingJelly {version('spikingjelly')}", assemble(graph, input, readout, level), images,
                    labels, weights=weights, bits=bits, places=places, approximate=approximate)


def _plain(module: Any, layers: Any) -> Any:
    """``module`` with torch's own layers, of the same parameters, in place of SpikingJelly's."""
    from torch import nn
    kind = type(module)
    if kind in [getattr(layers, name, None) for name in IGNORED]:
        return nn.Identity()
    for name in PLAIN:
        if kind is getattr(layers, name, None):
            plain = getattr(nn, name).__new__(getattr(nn, name))
            plain.__dict__ = dict(module.__dict__)
            return plain
    containers = [getattr(layers, name, None) for name in CONTAINERS]
    sequence = isinstance(module, nn.Sequential) and kind.forward is nn.Sequential.forward
    if sequence or kind in containers:
        plain = nn.Sequential(OrderedDict(
            (name, _plain(child, layers)) for name, child in module._modules.items() if child is not None))
        plain._forward_hooks, plain._forward_pre_hooks = module._forward_hooks, module._forward_pre_hooks
        return plain
    return module


def _if(node: Any) -> Neuron:
    return _neuron(node, 1.0, 1.0)


def _lif(node: Any) -> Neuron:
    return _neuron(node, 1.0 - 1.0 / node.tau, 1.0 / node.tau if node.decay_input else 1.0)


def _neuron(node: Any, decay: float, gain: float) -> Neuron:
    rest = 0.0 if node.v_reset is None else float(node.v_reset)
    threshold = float(node.v_threshold) - rest
    return Neuron(threshold, False, node.v_reset is None, threshold if node.v_reset is None else 0.0, decay,
                  gain=gain)
