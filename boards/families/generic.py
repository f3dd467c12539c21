"""Any FPGA: portable Verilog that its vendor's tools take."""

from .fabric import Fabric
from .family import Family

__all__ = ["FAMILY"]

# Nothing is assumed that some FPGA lacks and that another tool would not make up for: lookup tables of 4
# inputs, block RAMs of 18 kbit as most have them, no word about carry or registers in block RAMs.
FAMILY = Family(
    name="generic",
    title="Any FPGA: portable Verilog",
    fabric=Fabric(block_rams=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))),
    toolchain=None,
)
