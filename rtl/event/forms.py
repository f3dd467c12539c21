"""The two forms of an event layer: an adder for every neuron, or neurons that share one in turn."""

from dataclasses import dataclass

__all__ = ["FoldedForm", "ParallelForm"]


def _check(form: object, **lowest: int) -> None:
    for name, low in lowest.items():
        value = getattr(form, name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} must be an integer, not {value!r}")
        if value < low:
            raise ValueError(f"{name} must be at least {low}, not {value}")


@dataclass(frozen=True)
class ParallelForm:
    """Each neuron has an adder and a register of its own: a spike is heard in one cycle.

    Attributes
    ----------
    per_column : :class:`int`
        Neurons in each column of the chain; the last has what is left.
    group : :class:`int`
        Neurons that share one spike emitter.
    queue : :class:`bool`
        Whether a column's spikes can wait to leave the layer without keeping it from the next step (not in a
        layer that is read).
    scan : :class:`bool`
        Whether emitters scan, which is small, rather than skip, which is fast.
    fetch_registers : :class:`int`
        Registers after the synapse ROM, for a fast clock: the first can lie beside the block RAM or in it,
        the last beside the adders.
    zero_init : :class:`bool`
        Whether potentials are set in the first cycle after a reset instead of by it, for flip-flops that do
        not power up at 1.
    carry : :class:`int`
        Neurons that share a carry chain where their potentials only go up or down by one, which is smaller
        where a chain takes cells beyond its bits.

    Raises
    ------
    TypeError, ValueError
        A number is no integer, or below its least.
    """

    per_column: int
    group: int = 18
    queue: bool = False
    scan: bool = False
    fetch_registers: int = 1
    zero_init: bool = False
    carry: int = 1

    def __post_init__(self):
        _check(self, per_column=1, group=1, fetch_registers=0, carry=1)


@dataclass(frozen=True)
class FoldedForm:
    """Several neurons share an adder in turn, their potentials in memory: a spike takes ``folds`` cycles.

    Attributes
    ----------
    per_column : :class:`int`
        Neurons in each column of the chain; the last has what is left.
    folds : :class:`int`
        Neurons that share an adder: a power of two, 4 or more.

    Raises
    ------
    TypeError, ValueError
        A number is no integer, below its least, or no power of two.
    """

    per_column: int
    folds: int

    def __post_init__(self):
        _check(self, per_column=1, folds=4)
        if self.folds & (self.folds - 1):
            raise ValueError(f"folds must be a power of two, not {self.folds}")
