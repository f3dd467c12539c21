"""Networks of snnTorch: of torch's layers and ``snntorch.Leaky``.

Leaky computes, in each step (snntorch/_neurons/leaky.py of 1.0)::

    mem = beta * mem + input - reset * threshold;   spike where mem > threshold

where ``reset`` is the spike of the step before (``reset_delay=True``). Where the reset is to zero the delay
changes no spike; where it subtracts, ``threshold / beta`` at once, which then leaks, is ``threshold`` a step
later: all spikes are the same again. Without the delay, a potential that is still above the
threshold after its reset is reset a second time before the next comparison; that differs from a plain
subtraction only above twice the threshold.
"""

from importlib import import_module
from typing import Any

from ...errors import FirstspikeError
from ...network.inputs import Input
from ..graph.neurons import Neuron
from .assemble import assemble
from .report import Imported, imported

__all__ = ["import_snntorch"]


def import_snntorch(network: Any, input: Input, *, readout: str | None = None, level: float = 1.0,
                    images: Any = None, labels: Any = None, weights: str = "auto", bits: int = 8,
                    places: int | None = None, approximate: bool = False) -> Imported:
    """A network of snnTorch as integers, spike for spike where its weights are on a grid of integers.

    Parameters
    ----------
    network : torch.nn.Module
        Of Linear, Conv2d, BatchNorm, pooling, Flatten and ``snntorch.Leaky``: an ``nn.Sequential``, or with a
        forward of its own, of one step or of all (:mod:`..graph.torch_forward`).
    input : Input
        What it listens to, with the number of steps; ``shape`` where it takes planes.
    readout : str or None
        "count" (the default where the last module is a neuron), "first_spike" or "potential".
    level : float
        What a level of 1 is worth to the network: 1/255 where it was trained on pixels from 0 to 1.
    images, labels : array_like or None
        To measure on what rounding did.
    weights : str
        "auto" (as few bits as hold them exactly, else integers), "sign", "ternary" or "integer".
    bits : int
        Of an integer.
    places : int or None
        Binary places below the weights; None: as many as it takes.
    approximate : bool
        Take a decay that is no power of two, and the second reset, as what is nearest.

    Returns
    -------
    Imported
        The network, and the report of what that took.

    Raises
    ------
    ValueError
        Something cannot be taken; every such module is named, with what would do.
    FirstspikeError
        snnTorch or torch is not installed.
    """
    try:
        snntorch: Any = import_module("snntorch")
        from .torch_graph import graph_of
    except ModuleNotFoundError as error:
        if error.name not in ("snntorch", "torch"):
            raise
        raise FirstspikeError(f"importing from snnTorch needs {error.name}: pip install snntorch") from error
    graph = graph_of(network, input, {snntorch.Leaky: _leaky})
    tool = f"snnTorch {getattr(snntorch, '__version__', '')}".strip()
    return imported(tool, assemble(graph, input, readout, level), images, labels, weights=weights, bits=bits,
                    places=places, approximate=approximate)


def _leaky(module: Any) -> Neuron:
    beta = module.beta.detach().double().clamp(0, 1).cpu().numpy()
    threshold = module.threshold.detach().double().cpu().numpy()
    value = module.graded_spikes_factor.detach().double().cpu()
    if module.inhibition:
        raise ValueError("inhibition lets only one neuron of the layer fire; give inhibition=False")
    if module.state_quant:
        raise ValueError("state_quant rounds its potential in a way of its own; give state_quant=False")
    if value.numel() != 1 or value.item() == 0:
        raise ValueError("graded_spikes_factor must be one number but 0")
    reset, delayed = module.reset_mechanism, bool(getattr(module, "reset_delay", True))
    amount = 0.0
    if reset == "subtract":
        if delayed and (beta == 0).any():
            raise ValueError("its reset is delayed by a step in which it forgets everything else (beta 0); "
                             "give a beta above 0, reset_mechanism='zero', or reset_delay=False")
        amount = threshold / beta if delayed else threshold
    return Neuron(threshold, True, reset != "zero", amount, beta, value=value.item(),
                  again=reset == "subtract" and not delayed)
