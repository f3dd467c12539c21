"""Icarus Verilog, the one on PATH: slow, but there is nearly nothing to compile."""

import os
import re
import subprocess
from pathlib import Path

from ...errors import FirstspikeError
from .base import Program, Simulator, execute, tool

__all__ = ["Icarus"]

_RECORD_WAVES = """\
module record_waves;
  reg [8*4096:1] file;
  initial if ($value$plusargs("waves=%s", file)) begin
    $dumpfile(file);
    $dumpvars(0, {top});
  end
endmodule
"""


class Icarus(Simulator):
    """Icarus Verilog 11 or later. Raises FirstspikeError where it is missing or older."""

    name = "icarus"

    def __init__(self):
        self._compiler, self._runner = tool("iverilog", "iverilog"), tool("vvp", "iverilog")
        said = subprocess.run([self._compiler, "-V"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"version (\d+)\.(\d+)", said)
        if not found or int(found[1]) < 11:
            version = found[0] if found else "of no known version"
            raise FirstspikeError(f"{self._compiler} is {version}, and Icarus Verilog 11 or later is needed: "
                                  "install a newer iverilog, or use Verilator")
        self.version = f"{found[1]}.{found[2]}"

    def key(self) -> list[str]:
        return [self.name, self.version, self._compiler, "2005"]

    def make(self, sources: list[Path], top: str, signals: list[str], waves: bool, scratch: Path,
             made: Path) -> None:
        options = scratch / "options"
        options.write_text("+timescale+1ns/1ps\n")
        tops = ["-s", top]
        if waves:
            recorder = scratch / "record_waves.v"
            recorder.write_text(_RECORD_WAVES.replace("{top}", top))
            sources, tops = [*sources, recorder], [*tops, "-s", "record_waves"]
        # As Verilog 2005: in later versions the initial value of a variable is no event, and an always @*
        # whose inputs keep theirs (the emitted text has such) would never run
        execute([self._compiler, "-g2005", "-o", str(made / "simulation.vvp"), *tops, "-f", str(options),
                 *map(str, sources)], scratch, os.environ, f"Icarus Verilog cannot compile {sources[0]}")

    def program(self, folder: Path, waves: bool) -> Program:
        import cocotb_tools.config
        command = (self._runner, "-m", str(cocotb_tools.config.lib_entry("vpi", "icarus")),
                   str(folder / "simulation.vvp"))
        return Program((*command, "-none"), (*command, "-fst", "+waves={}") if waves else ())
