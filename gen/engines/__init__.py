"""The engines: every circuit that a layer can become, one a line."""

from .engine import Engine, LayerCircuit, Offer, RomImage
from .event import EventEngine
from .job import Job, Source, input_token, jobs

__all__ = [
    "ENGINES", "Engine", "Job", "LayerCircuit", "Offer", "RomImage", "Source", "engine", "input_token",
    "jobs",
]

ENGINES: list[Engine] = [
    EventEngine(),
]
"""All that there are, in the order in which they are asked."""


def engine(name: str) -> Engine:
    """The engine of that name. Raises ValueError where there is none."""
    for one in ENGINES:
        if one.name == name:
            return one
    raise ValueError(f"engine must be one of {', '.join(one.name for one in ENGINES)}, not {name!r}")
