"""What a device family is: its fabric, and the tools that build for it."""

from dataclasses import dataclass

from .fabric import Fabric
from .toolchain import Toolchain

__all__ = ["Family"]


@dataclass(frozen=True)
class Family:
    """A device family.

    Parameters
    ----------
    name : :class:`str`
        What boards call it.
    title : :class:`str`
        One line for people.
    fabric : :class:`~.fabric.Fabric`
    toolchain : :class:`~.toolchain.Toolchain` or None
        None where a build ends with its Verilog.
    """

    name: str
    title: str
    fabric: Fabric
    toolchain: Toolchain | None
