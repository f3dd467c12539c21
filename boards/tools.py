"""Verilog from Amaranth, by Yosys: the same text wherever it is made."""

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator

from amaranth.back import verilog
from amaranth.hdl import Elaboratable

from .programs import YOSYS, packaged_program

__all__ = ["PREPARING", "prepare_yosys", "to_verilog", "yosys_for_amaranth"]

PREPARING = "Preparing to run"
"""How the line begins that a program from PyPI prints before it is compiled for this machine."""


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


def prepare_yosys(progress: Callable[[str], None]) -> None:
    """Let the Yosys that writes Verilog compile itself for this machine, if it has not yet.

    It does so once, which takes minutes, and ``progress`` is told; where it cannot keep what it compiled
    (its cache, by default in the home folder, cannot be written), every time.
    """
    path = packaged_program(YOSYS).path
    if path in _READY:
        return
    ready = True
    with subprocess.Popen([path, "-V"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(PREPARING):
                ready = False
                progress("prepare Yosys for this machine, which takes minutes, but only once")
    if ready:
        _READY.add(path)


_READY: set[str] = set()


@contextlib.contextmanager
def yosys_for_amaranth() -> Iterator[None]:
    """Let Amaranth find the Yosys from PyPI while this lasts: another version writes other Verilog."""
    before = {name: os.environ.get(name) for name in ("YOSYS", "AMARANTH_USE_YOSYS")}
    os.environ |= {"YOSYS": packaged_program(YOSYS).path, "AMARANTH_USE_YOSYS": "system"}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
