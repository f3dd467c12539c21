"""The simulators by name."""

from ...errors import FirstspikeError
from .icarus import Icarus
from .simulator import Simulator
from .verilator import Verilator

__all__ = ["SIMULATORS", "simulator"]

SIMULATORS: dict[str, type[Simulator]] = {kind.name: kind for kind in (Verilator, Icarus)}
"""Every simulator that there is."""


def simulator(name: str) -> Simulator:
    """The simulator of that name, ready to use.

    Raises
    ------
    FirstspikeError
        It is none of :data:`SIMULATORS`, or something that it needs is missing.
    """
    if name not in SIMULATORS:
        raise FirstspikeError(f"simulator must be one of {', '.join(SIMULATORS)}, not {name!r}")
    return SIMULATORS[name]()
