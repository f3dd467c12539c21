"""Encoders: images of levels in, spikes of the input layer out; see :class:`~.encoder.Encoder`."""

from .encoder import Encoder
from .latency import LatencyEncoder
from .replay import BitsEncoder, DirectEncoder
from .windowed import WindowedBitsEncoder, WindowedDirectEncoder, WindowedLatencyEncoder

__all__ = [
    "BitsEncoder", "DirectEncoder", "Encoder", "LatencyEncoder",
    "WindowedBitsEncoder", "WindowedDirectEncoder", "WindowedLatencyEncoder",
]
