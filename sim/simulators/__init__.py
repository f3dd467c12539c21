"""The simulators, by name: found, checked and set up without the user's help."""

from ...errors import FirstspikeError
from .base import SIMULATORS, Program, Simulator
from .icarus import Icarus
from .verilator import Verilator

__all__ = ["SIMULATORS", "Program", "Simulator", "simulator"]


def simulator(name: str) -> Simulator:
    """The simulator of that name, ready to use.

    Raises FirstspikeError where it is none of :data:`SIMULATORS`, or something that it needs is missing.
    """
    for kind in (Verilator, Icarus):
        if kind.name == name:
            return kind()
    raise FirstspikeError(f"simulator must be one of {', '.join(SIMULATORS)}, not {name!r}")
