"""Threshold and initial-potential calibration for networks of plain ReLUs (OPI, Bu et al., arXiv 2202.01440).

Rates of integrate-and-fire neurons as in :mod:`.qcfs`. The paper shows that a start at half the threshold is
best in expectation; here both, threshold and start, are chosen for each layer on the data, by the error of
the rates that the neurons really have with the spikes that really arrive, uneven as they are.
"""

import torch

from .codes import rate
from .qcfs import Rates
from .rounded_layers import RoundedLayer

__all__ = ["CalibratedRates"]

STARTS = (0.25, 0.375, 0.5, 0.625, 0.75)
"""Parts of the threshold that the potential may start with."""
THRESHOLDS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4)
"""What the threshold that would be best for even currents is multiplied with."""
IMAGES = 100
"""How many images are tried with each."""


class CalibratedRates(Rates):
    """Rates, calibrated layer by layer."""

    name = "opi"

    @torch.no_grad()
    def tune(self, layer: RoundedLayer, amounts: torch.Tensor, values: torch.Tensor) -> None:
        """Take threshold and start with the least mean squared error of the rates."""
        code = layer.code
        if code is None or layer.output:
            return
        sums, wanted = layer.sums(amounts[:, :IMAGES]), values[:IMAGES]
        base, found = layer.unit, []
        for factor in THRESHOLDS:
            for start in STARTS:
                layer.unit, layer.code = base * factor, rate(code.window, start)
                threshold = layer.threshold()
                spikes = layer.code.fire(sums, layer.lead(threshold), threshold)
                error = float((spikes.mean(dim=0) * layer.unit - wanted).square().mean())
                found.append((error, factor, start))
        _, factor, start = min(found)
        layer.unit, layer.code = base * factor, rate(code.window, start)
