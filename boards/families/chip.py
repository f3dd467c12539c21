"""A chip: Verilog for an ASIC flow.

Nothing there has a value when power comes up: what an FPGA's configuration does, on a chip only the reset
does. Initial values in the Verilog are not synthesised; registers that the reset leaves alone, and written
memories, hold anything until they are first written. So ``rst`` must be high for a clock edge at least before
the first use. Read-only memories and the larger written ones are macros, which take the place of the modules
that Yosys leaves for them; the contents of the read-only ones are in ``rtl/rom``.
"""

from .fabric import Fabric
from .family import Family

__all__ = ["FAMILY"]

# Standard cells have no lookup tables; logic is counted in the equivalent of those with 4 inputs.
FAMILY = Family(
    name="chip",
    title="A chip: Verilog for an ASIC flow",
    fabric=Fabric(block_rams=(), initial_ones=False, initial_values=False),
    toolchain=None,
)
