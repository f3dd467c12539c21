"""A chip: Verilog for an ASIC flow.

Nothing there has a value when power comes up: what an FPGA's configuration does, on a chip only the reset
does. Initial values in the Verilog are not synthesised; registers that the reset leaves alone, and written
memories, hold anything until they are first written. So ``rst`` must be high for :data:`RESET_EDGES` clock
edges before the first use: the first sets what a reset sets, and the next ones flush the pipelines that it
leaves alone. Read-only memories and the larger written ones are macros, which take the place of the modules
that Yosys leaves for them; the contents of the read-only ones are in ``rtl/rom``.
"""

from .fabric import Fabric
from .family import Family

__all__ = ["FAMILY", "RESET_EDGES"]

RESET_EDGES = 4
"""Clock edges for which the reset must last before the first use; as the test benches do it."""

# Standard cells have no lookup tables; logic is counted in the equivalent of those with 4 inputs.
FAMILY = Family(
    name="chip",
    title="A chip: Verilog for an ASIC flow",
    fabric=Fabric(block_rams=(), initial_ones=False, initial_values=False),
    toolchain=None,
)
