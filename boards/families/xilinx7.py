# pyright: reportAttributeAccessIssue=false
"""Xilinx 7 series: synthesis by Yosys for the resources, and a Vivado project for the rest."""

from collections.abc import Iterator
from fractions import Fraction

from amaranth.hdl import Const, Instance, Signal
from amaranth.lib import io
from amaranth.vendor import XilinxPlatform

from .fabric import Fabric
from .family import Family
from .pll import Setting
from .toolchain import Toolchain

__all__ = ["FAMILY"]


def _settings(crystal_hz: int) -> Iterator[Setting]:
    # Limits: Xilinx DS181 (Artix-7, speed grade 1), PLLE2:
    # out = in * CLKFBOUT_MULT / (DIVCLK_DIVIDE * CLKOUT0_DIVIDE).
    if not 19_000_000 <= crystal_hz <= 800_000_000:
        return
    for divclk in range(1, 57):
        comparison = Fraction(crystal_hz, divclk)
        if not 19_000_000 <= comparison <= 450_000_000:
            continue
        for mult in range(2, 65):
            oscillator = comparison * mult
            if not 800_000_000 <= oscillator <= 1_600_000_000:
                continue
            for divide in range(1, 129):
                if oscillator / divide <= 464_000_000:  # what a global clock buffer carries
                    yield Setting(oscillator / divide, comparison, (
                        ("DIVCLK_DIVIDE", divclk), ("CLKFBOUT_MULT", mult), ("CLKOUT0_DIVIDE", divide)))


def _pll(m, platform, setting, crystal, clock):
    m.submodules.crystal = buffer = io.Buffer("i", crystal)
    lock, feedback, out = Signal(), Signal(), Signal()
    m.submodules.pll = Instance(
        "PLLE2_BASE",
        p_CLKIN1_PERIOD=1e9 / platform.default_clk_frequency,
        **{f"p_{name}": value for name, value in setting.dividers},
        i_CLKIN1=buffer.i,
        i_CLKFBIN=feedback,
        i_RST=Const(0),
        i_PWRDWN=Const(0),
        o_CLKFBOUT=feedback,
        o_CLKOUT0=out,
        o_LOCKED=lock,
    )
    m.submodules.pll_buffer = Instance("BUFG", i_I=out, o_O=clock)
    return lock


# Block RAMs: Xilinx UG473, counted in halves (RAMB18E1); Yosys leaves their output registers out. Lookup
# tables of 6 inputs, which are RAM as well, and carry beside them: UG474.
FAMILY = Family(
    name="xilinx7",
    title="Xilinx 7 series",
    fabric=Fabric(
        block_rams=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)), lut_inputs=6),
    toolchain=Toolchain(
        accepts=lambda platform: isinstance(platform, XilinxPlatform) and platform.family == "series7",
        synthesis="synth_xilinx -family xc7",
        luts={f"LUT{inputs}": 1 for inputs in range(1, 7)} | {
            "RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "SRL16E": 1,
            "SRLC32E": 1},
        ffs={"FDRE": 1, "FDSE": 1, "FDCE": 1, "FDPE": 1},
        block_rams={"RAMB18E1": 1, "RAMB36E1": 2},
        settings=_settings,
        pll=_pll,
        bitstream=".bit",
        by_hand="run Vivado, `vivado -mode batch -source pins.tcl`",
        overrides={"script_after_read": "add_files [list board.v ../rtl/top.v]", "script_after_synth": ""},
    ),
)
