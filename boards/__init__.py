"""The boards that networks are built for."""

import hashlib
import importlib.util
import sys
from os import PathLike
from pathlib import Path

from ..errors import FirstspikeError, did_you_mean
from . import arty_a7_100, chip, generic, icebreaker, tang_nano_9k, ulx3s_85f
from .board import Board, BoardFacts
from .pins import check_pins

__all__ = ["BOARDS", "Board", "BoardFacts", "find"]

BOARDS: dict[str, Board] = {
    module.BOARD.name: module.BOARD
    for module in (icebreaker, ulx3s_85f, tang_nano_9k, arty_a7_100, generic, chip)
}
"""Every board that comes with Firstspike, by name."""


def find(name: "str | PathLike[str] | Board") -> Board:
    """The board of that name, or the one that a Python file of the user's own defines as ``BOARD``.

    A file is run to find it, as any Python module that is imported.

    Raises
    ------
    FirstspikeError
        The name is unknown, or the file is not there, does not run, or defines no board; or the pins of its
        board lack what a design needs (:func:`~.pins.check_pins`).
    """
    if isinstance(name, Board):
        return name
    if not str(name).endswith(".py"):
        if str(name) in BOARDS:
            return BOARDS[str(name)]
        raise FirstspikeError(
            f"there is no board {str(name)!r}{did_you_mean(name, BOARDS)}: choose one of "
            f"{', '.join(BOARDS)}, or a Python file that defines BOARD")
    path = Path(name)
    if not path.is_file():
        raise FirstspikeError(f"there is no board file {path}: give the path of a Python file that defines "
                              "BOARD")
    module_name = f"firstspike_board_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise FirstspikeError(
            f"the board file {path} does not run: {type(error).__name__}: {error}") from error
    board = getattr(module, "BOARD", None)
    if not isinstance(board, Board):
        raise FirstspikeError(f"the board file {path} defines no BOARD: set BOARD = "
                              "firstspike.boards.Board(...)")
    if board.toolchain is not None:
        check_pins(board)
    return board
