"""From few lanes to more."""

from .gather import Gather
from .token import Token

__all__ = ["Widen"]


class Widen(Gather):
    """Packs the spikes of a step, as they come, into transfers of several lanes.

    A transfer leaves when all its lanes are taken, when the end of its step or window has come, or when a
    spike or an end of a later step has. So of the transfers of a step only the last has lanes to spare; in a
    windowed stream, of those of a window. Order stays.

    One transfer is taken every cycle, of one lane or several; latency as in :class:`~.gather.Gather`.

    Parameters
    ----------
    source : :class:`~.token.Token`
        Layout of the input.
    lanes : :class:`int`
        Of the output; more than one, and than the input has.

    Members
    -------
    i : ``In(stream.Signature(source))``
    o : ``Out(stream.Signature(source.with_lanes(lanes)))``
    """

    def __init__(self, source: Token, lanes: int):
        if not isinstance(lanes, int) or lanes <= source.lanes:
            raise ValueError(f"Lanes must be more than the input's {source.lanes}, not {lanes!r}")
        if source.banks is not None:
            raise ValueError("What is widened must not be sorted into banks")
        super().__init__(source, source.with_lanes(lanes))

    def lane(self, spike, free):
        return free & ~(free - 1)
