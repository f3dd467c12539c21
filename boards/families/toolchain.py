"""What the tools of a device family want: how it is synthesised, placed, clocked and packed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from amaranth.build import Platform
from amaranth.hdl import Module, Value
from amaranth.lib.io import PortLike

from ..programs import YOSYS, Program, Step
from .pll import Setting

__all__ = ["Toolchain"]


@dataclass(frozen=True)
class Toolchain:
    """The tools of a device family.

    Parameters
    ----------
    accepts : callable
        Whether an Amaranth platform is one of this family's.
    synthesis : :class:`str`
        The Yosys command.
    luts, ffs, block_rams : mapping of cell type to weight
        What the cells that synthesis leaves count for; a LUT counts as one, whatever its inputs.
    settings : callable
        Every setting of the family's PLL for a crystal in Hz.
    pll : callable
        Puts a PLL into a module: ``pll(m, platform, setting, crystal, clock)`` drives the signal ``clock``
        from the port ``crystal`` and returns the lock signal.
    bitstream : :class:`str`
        How the bitstream's name ends.
    programs : tuple of :class:`~..programs.Program`
        What runs after Yosys.
    by_hand : :class:`str`
        How a bitstream is made, to be run in the build's folder ``board``, where no open tool makes one; ""
        where one does.
    mixin : :class:`type` or None
        A base class that every platform of the family gets, to mend what Amaranth does for it.
    overrides : mapping
        Further options of the platform's build.
    utilisation : mapping
        Names, in nextpnr's report, of "luts", "ffs" and "block_rams"; several add up.
    placer : tuple of :class:`str`
        Further options of nextpnr.
    after_synthesis : tuple of :class:`~..programs.Step`
        What changes Yosys' netlist before nextpnr reads it.
    out_of_context : callable or None
        For a platform: the nextpnr program and its options that place and route a core without pins; None
        where nextpnr cannot.
    """

    accepts: Callable[[Platform], bool]
    synthesis: str
    luts: Mapping[str, float]
    ffs: Mapping[str, float]
    block_rams: Mapping[str, float]
    settings: Callable[[int], Iterable[Setting]]
    pll: Callable[[Module, Platform, Setting, PortLike, Value], Value]
    bitstream: str
    programs: tuple[Program, ...] = ()
    by_hand: str = ""
    mixin: type | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    utilisation: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    placer: tuple[str, ...] = ()
    after_synthesis: tuple[Step, ...] = ()
    out_of_context: Callable[[Platform], tuple[Program, tuple[str, ...]]] | None = None

    def program(self, name: str) -> Program:
        """The program of that name: Yosys, or one of :attr:`programs`.

        Raises
        ------
        KeyError
            There is none.
        """
        return {program.name: program for program in (YOSYS, *self.programs)}[name]
