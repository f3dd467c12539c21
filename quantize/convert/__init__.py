"""Conversion of trained torch networks of weights, batch normalisation, ReLU and pooling into spikes.

========  ==============================================================================================
name      what becomes of a ReLU
========  ==============================================================================================
relu      one spike whose earliness is the value (exact ReLU mapping): :mod:`.relu`
t2fsnn    one spike of an exponential kernel, or of powers of two: :mod:`.t2fsnn`
fs        the binary digits of the value: :mod:`.few_spikes`
qcfs      a count of spikes, from a start at half the threshold: :mod:`.qcfs`
opi       a count of spikes, thresholds and starts calibrated layer by layer: :mod:`.calibrated_rates`
========  ==============================================================================================

The way is the same for all: :mod:`..graph.torch_reader` reads the modules, :mod:`.fold` folds batch
normalisation, :mod:`.rounding` collects activations on the user's images, chooses scales and rounds,
:mod:`.finetune` trains through the rounding where that is asked, :mod:`.measured` says what it cost.
:func:`firstspike.convert` does all of it. This module needs no torch.
"""

from .settings import Settings

__all__ = ["TITLES", "Settings"]

TITLES = {
    "relu": "TTFS with the exact ReLU mapping", "t2fsnn": "T2FSNN kernels", "fs": "FS-neurons",
    "qcfs": "rates by QCFS", "opi": "rates by OPI calibration",
}
"""The conversions, by name."""
