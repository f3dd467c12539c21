"""Where a torch module, or a call in a forward, stands in a network."""

from dataclasses import dataclass

from torch import nn

from .refusals import Place

__all__ = ["ModulePlace"]


@dataclass(frozen=True, eq=False)
class ModulePlace:
    """A module, or a function that a module's forward calls.

    Attributes
    ----------
    name : str
        As torch names it in a state dict ("features.0"), or the line of a function in the forward.
    module : torch.nn.Module
        The module, or one that computes what the function does.
    called : str
        The function's name; empty where it is a module.
    """

    name: str
    module: nn.Module
    called: str = ""

    @property
    def kind(self) -> str:
        """The name of its class, or of the function."""
        return self.called or type(self.module).__name__

    @property
    def place(self) -> Place:
        """The same without the module."""
        return Place(self.name, self.kind)

    def inner(self, name: str, module: nn.Module) -> "ModulePlace":
        """What it calls by this name."""
        return ModulePlace(f"{self.name}.{name}" if self.name else name, module)

    def __str__(self) -> str:
        return str(self.place)
