"""What stands between a source and the weights: regions of its planes, each an address of its own."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .checks import choice
from .sliding import Sliding, pair, shape_of_planes

__all__ = ["Pool", "PoolKind"]


class PoolKind(StrEnum):
    """What passes of the spikes of a region in one step.

    Members
    -------
    MAX
        One spike if any arrives, of the highest value; of a source that spikes once, only the first of the
        window.
    SUM
        Every spike, under the region's address: their values add up. (No division: thresholds absorb it.)
    """

    MAX = "max"
    SUM = "sum"


@dataclass(frozen=True)
class Pool:
    """Regions of a source's planes. Those that would leave the padded planes are left out.

    Attributes
    ----------
    kind : PoolKind
        "max" or "sum".
    size : int or tuple of int
        Of a region: a number or (down, across).
    stride : int or tuple of int
        From one region to the next; None: the size.
    padding : int or tuple of int
        Around the planes: a number, (down, across) or (top, bottom, left, right). It holds no address.
    source_shape : tuple of int
        (channels, height, width) of the source.

    Raises
    ------
    TypeError, ValueError
        One of them is of another type or range, or no region fits.
    """

    kind: Any
    size: Any
    stride: Any = None
    padding: Any = 0
    source_shape: Any = None

    def __post_init__(self):
        put = object.__setattr__
        put(self, "kind", choice(self.kind, PoolKind, "kind", "pool"))
        put(self, "source_shape", shape_of_planes(self.source_shape, "source_shape of a pool"))
        put(self, "size", pair(self.size, "size", 1))
        sliding = Sliding.checked(self.source_shape, self.size,
                                  self.size if self.stride is None else self.stride, self.padding)
        put(self, "stride", sliding.stride)
        put(self, "padding", sliding.padding)

    @property
    def sliding(self) -> Sliding:
        """Where its regions lie."""
        _, height, width = self.source_shape
        return Sliding(height, width, self.size, self.stride, self.padding)

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of the regions."""
        return self.source_shape[0], *self.sliding.positions
