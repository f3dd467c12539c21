"""What pieces of the hardware take of a device, by the same commands that synthesise a core.

A run that was interrupted goes on where it was: what was found is kept, piece by piece, until all is.
"""

import json
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Elaboratable
from firstspike.boards import BOARDS, Board
from firstspike.boards.design import core_commands
from firstspike.boards.families import ice40
from firstspike.boards.pins import make_platform
from firstspike.boards.programs import Command
from firstspike.boards.tools import to_verilog
from firstspike.gen.resources import Resources
from firstspike.gen.run_tools import execute
from firstspike.gen.usage import read_usage

__all__ = ["SEED", "Netlists", "Piece"]

SEED = 1
"""Of place and route."""
CLOCK = 50_000_000
_PACK = Command(ice40.NEXTPNR, (
    "--up5k", "--package", "sg48", "--pack-only", "--quiet", "--json", "core.json", "--log", "core.tim"))
_CELLS = re.compile(r"ICESTORM_LC: +(\d+)/")
"""Of iCE40 the logic cells are counted that nextpnr packs, more than there are lookup tables: it places no
core without pins."""


@dataclass(frozen=True)
class Piece:
    """A piece of hardware whose size is asked for.

    Attributes
    ----------
    kind : :class:`str`
        "core", "layer" or "part".
    name : :class:`str`
    board : :class:`str`
        The board on whose device.
    make : callable
        Makes the elaboratable.
    estimate : :class:`~firstspike.gen.resources.Resources` or None
        What the generator expects of it, None of what it does not ask for alone.
    """

    kind: str
    name: str
    board: str
    make: Callable[[], Elaboratable]
    estimate: Resources | None = None


class Netlists:
    """Synthesises pieces, each once.

    Parameters
    ----------
    kept : :class:`~pathlib.Path`
        A file of lines to which each finding is added as it comes.
    workers : :class:`int`
        Programs that run at a time.
    """

    def __init__(self, kept: Path, workers: int):
        self._kept = kept
        self._pool = ThreadPoolExecutor(workers)
        lines = kept.read_text().splitlines() if kept.is_file() else []
        self._known: dict[str, dict[str, int]] = dict(json.loads(line) for line in lines)

    def forget(self) -> None:
        """Remove what was kept."""
        self._kept.unlink(missing_ok=True)

    def ask(self, piece: Piece) -> Future[dict[str, Any]]:
        """An entry for a piece: kind, name, board, estimate and truth."""
        verilog = to_verilog(piece.make(), "top")
        return self._pool.submit(self._entry, piece, verilog)

    def _entry(self, piece: Piece, verilog: str) -> dict[str, Any]:
        board = BOARDS[piece.board]
        assert board.toolchain is not None
        commands = core_commands(board.toolchain, make_platform(board), CLOCK, SEED)
        commands += [_PACK] * (board.family == "ice40")
        key = f"{piece.board}: {piece.name}"
        if key not in self._known:
            self._known[key] = truth = _measured(board, commands, verilog)
            with self._kept.open("a") as file:
                file.write(json.dumps([key, truth]) + "\n")
            print(f"{piece.board}: {piece.name}: {truth}", flush=True)
        return {"kind": piece.kind, "name": piece.name, "board": piece.board, "family": board.family,
                "estimate": piece.estimate and asdict(piece.estimate), "truth": self._known[key]}


def _measured(board: Board, commands: list[Command], verilog: str) -> dict[str, int]:
    assert board.toolchain is not None
    with tempfile.TemporaryDirectory() as scratch:
        work, rtl = Path(scratch) / "board", Path(scratch) / "rtl"
        work.mkdir()
        rtl.mkdir()
        (rtl / "top.v").write_text(verilog)
        for command in commands:
            execute(command, work)
        used = read_usage(board.toolchain, work, "core")
        packed = _CELLS.search((work / "core.tim").read_text()) if _PACK in commands else None
    return {"luts": int(packed[1]) if packed else used.luts, "ffs": used.ffs, "block_rams": used.block_rams}
