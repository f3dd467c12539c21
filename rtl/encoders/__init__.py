"""Encoders: images of levels in, spikes of the input layer out.

Every encoder has the same three members: ``levels``, a stream of one level for each of its ``size``
inputs, image after image; ``spikes``, a stream of :class:`~..streams.token.Token` with the compact addresses
of the inputs that the mask leaves in; and ``drop``, which leaves out the rest of a window. For an online
first layer spikes are sorted by step and steps with spikes are closed, for a windowed one they come unsorted;
every window ends with ``WINDOW``, exactly once.
"""

from .latency import LatencyEncoder
from .replay import BitsEncoder, DirectEncoder
from .windowed import WindowedBitsEncoder, WindowedDirectEncoder, WindowedLatencyEncoder

__all__ = [
    "BitsEncoder", "DirectEncoder", "LatencyEncoder",
    "WindowedBitsEncoder", "WindowedDirectEncoder", "WindowedLatencyEncoder",
]
