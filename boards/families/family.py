"""What the tools of a device family want: how it is synthesised, placed and clocked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from amaranth.build import Platform
from amaranth.hdl import Module, Value
from amaranth.lib.io import PortLike

from .pll import Setting

__all__ = ["Family"]


@dataclass(frozen=True)
class Family:
    """A device family.

    Parameters
    ----------
    name : :class:`str`
        What boards call it.
    synthesis : :class:`str`
        The Yosys command.
    luts, ffs, block_rams : mapping of cell type to weight
        What the cells that synthesis leaves count for; a LUT weight is in 4-input LUTs (6 on Xilinx 7).
    settings : callable
        Every setting of the family's PLL for a crystal in Hz.
    pll : callable
        Puts a PLL into a module: ``pll(m, platform, setting, crystal, clock)`` drives the signal ``clock``
        from the port ``crystal`` and returns the lock signal.
    overrides : mapping
        Further options of the platform's build.
    bitstream : :class:`str`
        How the bitstream's name ends; "" where no open tool makes one.
    utilisation : mapping
        Names, in nextpnr's report, of "luts", "ffs" and "block_rams"; several add up.
    placer : tuple of :class:`str`
        Further options of nextpnr.
    after_synthesis : tuple of :class:`str`
        Steps of :data:`~..tools.STEPS` that change Yosys' netlist before nextpnr reads it.
    out_of_context : callable or None
        For a platform: the nextpnr program and its options that place and route a core without pins; None
        where nextpnr cannot.
    """

    name: str
    synthesis: str
    luts: Mapping[str, float]
    ffs: Mapping[str, float]
    block_rams: Mapping[str, float]
    settings: Callable[[int], Iterable[Setting]]
    pll: Callable[[Module, Platform, Setting, PortLike, Value], Value]
    overrides: Mapping[str, str] = field(default_factory=dict)
    bitstream: str = ""
    utilisation: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    placer: tuple[str, ...] = ()
    after_synthesis: tuple[str, ...] = ()
    out_of_context: Callable[[Platform], list[str]] | None = None
