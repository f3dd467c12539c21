"""What a network may take in all, spent before the work that it is for."""

from collections import Counter

from .limits import Limits

__all__ = ["Budget"]

_SENTENCES = {
    "synapses": "a network must have at most {} synapses, not {}",
    "connections": "a network must make at most {} connections, not {}",
    "groups": "a network must have at most {} groups of synapses, not {}",
    "addresses": "neurons and the addresses that they listen to must be at most {} in all, not {}",
    "steps": "the windows must have at most {} steps together, not {}",
    "neuron_steps": "neurons times steps must be at most {} in all, not {}",
    "range_work": "the ranges of the potentials must take at most {} additions to derive, not {}: give fewer "
                  "steps, neurons that are alike, or smaller windows over planes",
}


class Budget:
    """How much of each limit a network has used so far.

    Attributes
    ----------
    spent : collections.Counter
        By the name of the limit in :class:`.limits.Limits`, in small letters: ``synapses``, ``connections``,
        ``groups``, ``addresses``, ``steps``, ``neuron_steps``, ``range_work``.
    """

    def __init__(self):
        self.spent: Counter[str] = Counter()

    def spend(self, what: str, amount: int) -> None:
        """Take ``amount`` of one of the limits.

        Raises
        ------
        ValueError
            That is more than is left.
        """
        self.spent[what] += amount
        limit = getattr(Limits, what.upper())
        if self.spent[what] > limit:
            raise ValueError(_SENTENCES[what].format(limit, self.spent[what]))

    def spend_layer(self, neurons: int, window: int) -> None:
        """Take what a layer needs, but for its synapses. Raises as :meth:`spend`."""
        self.spend("addresses", neurons)
        self.spend("steps", window)
        self.spend("neuron_steps", neurons * window)

    def spend_group(self, synapses: int, connections: int, addresses: int) -> None:
        """Take what a group of synapses needs.

        Parameters
        ----------
        synapses, connections : int
            How many there are, each counted once and at every position at which it stands.
        addresses : int
            How many it listens to.

        Raises
        ------
        ValueError
            That is more than is left.
        """
        self.spend("groups", 1)
        self.spend("synapses", synapses)
        self.spend("connections", connections)
        self.spend("addresses", addresses)
