"""Icarus Verilog, the one on PATH: slow, but there is nearly nothing to compile."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ...errors import FirstspikeError
from .program import Program
from .simulator import Simulator
from .tools import clean_environment, execute, tool

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
    """Icarus Verilog 11 or later.

    Raises
    ------
    FirstspikeError
        It is missing or older.
    """

    name = "icarus"

    def __init__(self):
        self._compiler, self._runner = tool("iverilog", "iverilog"), tool("vvp", "iverilog")
        try:
            said = subprocess.run([self._compiler, "-V"], capture_output=True, text=True, errors="replace",
                                  check=False, cwd=tempfile.gettempdir(), env=clean_environment())
        except OSError as error:
            raise FirstspikeError(f"{self._compiler} cannot be run: {error.strerror or error}; let TMPDIR "
                                  "name a folder that can be written, or install iverilog anew") from error
        found = re.search(r"version (\d+)\.(\d+)", said.stdout)
        if not found:
            words = (said.stderr + said.stdout).strip().splitlines() or [f"exit code {said.returncode}"]
            raise FirstspikeError(f"{self._compiler} does not tell its version ({words[-1]}): install "
                                  "iverilog 11 or later, or use Verilator")
        if int(found[1]) < 11:
            raise FirstspikeError(f"{self._compiler} is {found[0]}, and Icarus Verilog 11 or later is "
                                  "needed: install a newer iverilog, or use Verilator")
        self.version = f"{found[1]}.{found[2]}"

    def key(self) -> list[str]:
        return [self.name, self.version, self._compiler, "2005"]

    def make(self, sources: Sequence[str], top: str, signals: Sequence[str], waves: bool, scratch: Path,
             made: Path) -> None:
        (scratch / "options").write_text("+timescale+1ns/1ps\n")
        tops = ["-s", top]
        if waves:
            (scratch / "record_waves.v").write_text(_RECORD_WAVES.replace("{top}", top))
            sources, tops = [*sources, "record_waves.v"], [*tops, "-s", "record_waves"]
        # As Verilog 2005: in later versions the initial value of a variable is no event, and an always @*
        # whose inputs keep theirs (the emitted text has such) would never run
        execute([self._compiler, "-g2005", "-o", f"{made.name}/simulation.vvp", *tops, "-f", "options",
                 *sources], scratch, f"Icarus Verilog cannot compile {sources[0]}")
        if not _is_whole(made / "simulation.vvp"):
            raise OSError("Icarus Verilog wrote half a program; is the disk full?")

    def program(self, folder: Path, waves: bool) -> Program:
        import cocotb_tools.config
        command = (self._runner, "-m", str(cocotb_tools.config.lib_entry("vpi", "icarus")),
                   str(folder / "simulation.vvp"))
        return Program((*command, "-fst" if waves else "-none"), ("+waves={}",) if waves else None)


def _is_whole(path: Path) -> bool:
    """Whether a program has its end, a table of as many file names as it says: the compiler does not look."""
    *_, table = path.read_text(errors="replace").rpartition("\n:file_names ")
    count, *names = table.split("\n")
    return count.rstrip(";").isdecimal() and len(names) == int(count.rstrip(";")) + 1 and not names[-1]
