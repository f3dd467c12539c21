"""What a conversion cost, measured: the float network beside the golden model."""

from dataclasses import replace

import numpy as np

from ...network import Fires, Layer, Phase, batched
from .report import Converted, LayerReport, Report
from .rounding import Rounded

__all__ = ["measured"]

POTENTIALS = 200
"""Images on which the potentials of every layer are compared."""


def measured(made: Rounded, levels: np.ndarray, wanted: np.ndarray, classes: np.ndarray | None, trained: int,
             bound: float) -> Converted:
    """The network with its report, by the golden model.

    Parameters
    ----------
    made : Rounded
        The network as it was rounded, and trained.
    levels : numpy.ndarray
        Images to measure on: integers, shape ``(count, size)``.
    wanted : numpy.ndarray
        The float network's scores of them, shape ``(count, outputs)``.
    classes : numpy.ndarray or None
        Their classes, where they are known.
    trained : int
        On how many others it was fine-tuned.
    bound : float
        The loss that passes.
    """
    network = made.network()
    found = batched.run(network, levels, keep=False)
    own = wanted.argmax(axis=1)
    few = levels[:POTENTIALS]
    detail = batched.run(network, few)
    layers, values = [], few.astype(np.float64)
    for index, (layer, trace) in enumerate(zip(network.layers, detail.layers, strict=True)):
        rounded, synapse = made.rounded.layers[index], layer.synapses[0]
        exact, values = made.float_layer(index, values)
        worth, start = made.potential_worth(index)
        arrived = _arrived(layer, trace, start) * worth
        off = np.abs(arrived - exact)
        sizes = np.abs(exact)
        weights, threshold, bias = rounded.roundings()
        layers.append(LayerReport(
            layer.name, str(rounded.stage.place), layer.size,
            synapse.weight_kind.value, synapse.weight_bits, layer.window,
            None if rounded.code is None else rounded.unit, weights, threshold, bias,
            float(off.mean() / max(sizes.mean(), 1e-300)), float(off.max() / max(sizes.max(), 1e-300)),
            found.mean_spikes[index + 1]))
    report = Report(
        made.conversion.name, len(levels), trained, float(np.mean(found.label == own)),
        None if classes is None else float(np.mean(own == classes)),
        None if classes is None else float(np.mean(found.label == classes)), bound, made.input.rounding,
        tuple(layers))
    spikes = [round(mean, 3) for mean in found.mean_spikes]
    return Converted(replace(network, provenance=report.notes(made.settings.changed()),
                             calibration={"mean_spikes": spikes}), report)


def _arrived(layer: Layer, trace: batched.LayerBatch, start: np.ndarray) -> np.ndarray:
    """What arrived at each neuron, with its bias, in a step on average where the layer is online: float64,
    shape ``(count, neurons)``. ``start``: what the potentials start with besides the bias."""
    total = trace.potential.astype(np.float64)
    if layer.fires is Fires.MANY:
        assert trace.spikes is not None
        total += np.einsum("ctn,t->cn", trace.spikes, layer.reset_schedule) * layer.reset_value
    total -= start
    return total / layer.window if layer.phase is Phase.ONLINE else total
