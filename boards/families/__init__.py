"""Temporary: fabrics until the families are one file each."""

from types import SimpleNamespace

from .fabric import Fabric

_WIDE = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
FAMILIES = {
    "ice40": SimpleNamespace(fabric=Fabric(((256, 16), (512, 8), (1024, 4), (2048, 2)), lut_ram=False, initial_ones=False, fastest_hz=35_500_000)),
    "ecp5": SimpleNamespace(fabric=Fabric(_WIDE, carry_cells=4, block_ram_registers=True, fastest_hz=141_200_000)),
    "gowin": SimpleNamespace(fabric=Fabric(((512, 32), *_WIDE[1:]), fastest_hz=60_000_000)),
    "xilinx7": SimpleNamespace(fabric=Fabric(_WIDE, lut_inputs=6)),
    "generic": SimpleNamespace(fabric=Fabric(_WIDE)),
}
FAMILIES[None] = FAMILIES["generic"]
