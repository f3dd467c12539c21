"""From the core to files: Verilog, its description as JSON, the ROMs as hex."""

import json
from pathlib import Path
from typing import Any

from ..boards import tools
from .elaborate import Elaborated

__all__ = ["emit"]


def emit(made: Elaborated, folder: Path) -> list[dict[str, Any]]:
    """Write ``top.v``, ``top.json`` and ``rom/*.hex`` below ``folder/rtl``.

    The Verilog is self-contained, and the same text wherever and whenever it is made.

    Returns
    -------
    list of :class:`dict`
        For the manifest: each ROM's file, layer, rows and width, and what is found where in it.
    """
    (folder / "rtl" / "rom").mkdir(parents=True)
    (folder / "rtl" / "top.v").write_text(tools.to_verilog(made.core, "top"))
    (folder / "rtl" / "top.json").write_text(
        json.dumps(made.describe().to_json(), indent=1, sort_keys=True) + "\n")
    layout = []
    for index, rom in made.roms():
        name, digits = f"rtl/rom/layer_{index}_{rom.name}.hex", -(-rom.width // 4)
        (folder / name).write_text("".join(f"{word:0{digits}x}\n" for word in rom.words))
        layout.append({"file": name, "layer": index, "rows": len(rom.words), "width": rom.width}
                      | dict(rom.layout))
    return layout
