"""The device families: one file for each, its facts stated there and nowhere else.

To add one, write its file with a ``FAMILY`` and name it in :data:`FAMILIES`.
"""

from . import chip, ecp5, generic, gowin, ice40, xilinx7
from .family import Family

__all__ = ["FAMILIES"]

FAMILIES: dict[str, Family] = {
    module.FAMILY.name: module.FAMILY for module in (ice40, ecp5, gowin, xilinx7, generic, chip)
}
"""Every device family by its name."""
