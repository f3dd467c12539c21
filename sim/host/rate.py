"""How fast the serial line of a board can feed its core."""

from ...gen.board import core_facts
from ...gen.build import Build
from ...rtl.host.protocol import RESULT

__all__ = ["link_rate"]

_AROUND = 9 + 7
"""Bytes of a frame about an image, and of an answer about its result."""


def link_rate(build: Build) -> float:
    """Images per second that the serial line of a build's board can bring, each a frame and its answer.

    Where spikes are sent, as many as the network was calibrated to hear, with an end for each step.
    """
    options = build.manifest["options"]
    facts = core_facts(build.network, early_stop=options["early_stop"], encoder=options["encoder"])
    image = facts.levels_length
    if not facts.levels:
        means = build.network.calibration.get("mean_spikes")
        spikes = float(means[0]) if isinstance(means, list) else facts.max_spikes / 2
        image = (spikes + (facts.window if facts.online else 0)) * facts.token_bytes
    return build.board.uart_baud / 10 / (image + _AROUND + RESULT.size)
