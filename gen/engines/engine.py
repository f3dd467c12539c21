"""What an engine is: the one interface behind which every layer's circuit stands.

An engine turns one layer into a circuit. It says what it cannot take, offers ways to build what it can, each
with its cost, and makes the circuit of the one that is chosen. Nothing else in the generator knows an engine
by name: tables, reports, ``plan.json`` and ``top.json`` show what its offers and circuits say of themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from amaranth.hdl import Value, ValueCastable
from amaranth.lib import wiring

from ...boards.families.fabric import Fabric
from ...rtl.description import Tap
from ..resources import Resources
from .job import Job

__all__ = ["Engine", "LayerCircuit", "Offer", "RomImage"]


@dataclass(frozen=True)
class Offer:
    """One way to build a layer.

    Attributes
    ----------
    engine : :class:`str`
        The name of the engine that offers it.
    form : dataclass
        The engine's own choices; its fields are what JSON can hold.
    resources : :class:`~..resources.Resources`
        What it is expected to take.
    cycles : :class:`float`
        Expected cycles that the layer is busy for one window.
    latency : :class:`float`
        Expected cycles from the end of what it hears to the end of what it says.
    pace : :class:`str`
        What sets its cycles, in words: "4 neurons on an adder".
    facts : mapping of :class:`str` to :class:`int` or :class:`str`
        What tables and the report show of it, in their order.
    hears, speaks : :class:`int`
        Spikes a transfer that it takes and gives; where neighbours differ, adapters join them.
    """

    engine: str
    form: Any
    resources: Resources
    cycles: float
    latency: float
    pace: str
    facts: Mapping[str, int | str] = field(default_factory=dict)
    hears: int = 1
    speaks: int = 1


@dataclass(frozen=True)
class RomImage:
    """The content of a read-only memory, as it is also written beside the Verilog.

    Attributes
    ----------
    name : :class:`str`
        Of its file, below the layer's: "column_0".
    width : :class:`int`
        Bits of a word.
    words : sequence of :class:`int`
    layout : mapping
        What is found where, for whoever reads the file.
    """

    name: str
    width: int
    words: Sequence[int]
    layout: Mapping[str, Any]


@dataclass(frozen=True)
class LayerCircuit:
    """A layer's circuit, and where in it things are found.

    Attributes
    ----------
    component : :class:`~amaranth.lib.wiring.Component`
        With the streams ``i`` and ``o`` of the job's tokens, ``decided`` (one bit a tag: the window is
        decided, and what is left of it may be dropped, all but its end), and the attributes ``source`` and
        ``token``, the layouts of ``i`` and ``o``: those of the job, on as many lanes as it likes.
    taps : tuple of :class:`~...rtl.description.Tap`
        Where final potentials are shown, by names below the component. What is shown is less than the
        potential by the ``offset`` of the job's lanes.
    signals : mapping of :class:`str` to signal
        What each name in the taps is, for benches in Amaranth's own simulator.
    roms : tuple of :class:`RomImage`
    """

    component: wiring.Component
    taps: tuple[Tap, ...]
    signals: Mapping[str, ValueCastable | Value]
    roms: tuple[RomImage, ...]

    def taps_below(self, path: str) -> tuple[Tap, ...]:
        """The taps, by names below what holds the component as ``path``."""
        return tuple(replace(tap, shown=f"{path}.{tap.shown}", potentials=f"{path}.{tap.potentials}",
                             index=tap.index and f"{path}.{tap.index}") for tap in self.taps)


class Engine(Protocol):
    """An engine. ``tests/harness/adder_tree_engine.py`` is the smallest that there is."""

    name: str
    """Short, for tables and ``plan.json``."""

    def refusals(self, job: Job) -> list[str]:
        """What of the layer it cannot take, each in words that follow "has": "a convolution"."""
        ...

    def offers(self, job: Job, fabric: Fabric) -> Iterator[Offer]:
        """Ways to build a layer that it does not refuse, on a fabric."""
        ...

    def form(self, data: Mapping[str, Any]) -> Any:
        """The form of an offer out of JSON. Raises TypeError, ValueError, KeyError where it is none."""
        ...

    def circuit(self, job: Job, form: Any) -> LayerCircuit:
        """The circuit of one of its forms."""
        ...
