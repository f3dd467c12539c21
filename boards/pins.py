"""A board's pins: the Amaranth platform that tells them, and whether it tells what a design needs."""

from amaranth.build import Platform, ResourceError
from amaranth.lib import io

from ..errors import FirstspikeError
from .board import Board

__all__ = ["check_pins", "crystal_hz", "make_platform"]


def make_platform(board: Board) -> Platform:
    """A fresh platform of a board that has one, with what its family mends in Amaranth's.

    Raises
    ------
    FirstspikeError
        None can be made, or it is not of the board's family.
    """
    toolchain = board.toolchain
    assert toolchain is not None and board.platform is not None
    try:
        platform = board.platform()
    except (Exception, SystemExit) as error:
        raise FirstspikeError(f"the platform of the board {board.name} cannot be made: "
                              f"{type(error).__name__}: {error}") from error
    kind = type(platform)
    if not isinstance(platform, Platform) or not toolchain.accepts(platform):
        raise FirstspikeError(f"the family of the board {board.name} must be that of its platform: "
                              f"{board.family} is none for a {kind.__name__}")
    if toolchain.mixin is not None and not isinstance(platform, toolchain.mixin):
        platform.__class__ = type(kind.__name__, (toolchain.mixin, kind), {})
    return platform


def crystal_hz(board: Board, platform: Platform) -> int:
    """The frequency of a platform's default clock.

    Raises
    ------
    FirstspikeError
        It has no default clock, or none of a frequency.
    """
    if platform.default_clk is None:
        raise FirstspikeError(f"default_clk must name a clock of the platform of the board {board.name}, not "
                              "be None")
    try:
        hz = round(platform.default_clk_frequency)
    except (Exception, SystemExit) as error:
        raise FirstspikeError(f"default_clk must name a resource with a Clock on the platform of the board "
                              f"{board.name}, not {platform.default_clk!r} ({error})") from error
    if hz < 1:
        raise FirstspikeError(f"default_clk must have a frequency of at least 1 Hz on the platform of the "
                              f"board {board.name}, not {hz}")
    return hz


def check_pins(board: Board) -> None:
    """Refuse a platform that lacks what a design is connected to.

    Raises
    ------
    FirstspikeError
        As :func:`make_platform` and :func:`crystal_hz`; or there is no ``uart`` with one pin ``rx`` to listen
        at and one ``tx`` to speak at, or a pin is used twice.
    """
    platform = make_platform(board)
    crystal_hz(board, platform)
    _input(board, platform.default_clk, platform)
    if platform.default_rst is not None:
        _input(board, platform.default_rst, platform)
    uart = _request(board, "uart", platform)
    for name, needed in (("rx", io.Direction.Input), ("tx", io.Direction.Output)):
        port = getattr(uart, name, None)
        if port is None:
            raise FirstspikeError(f"the resource uart of the board {board.name} has no pin {name}: give it "
                                  "rx and tx, as amaranth_boards.resources.UARTResource does")
        _check_port(board, f"uart.{name}", needed, port)


def _input(board: Board, name: str | None, platform: Platform) -> None:
    _check_port(board, str(name), io.Direction.Input, _request(board, name, platform))


def _request(board: Board, name: str | None, platform: Platform):
    try:
        return platform.request(name, 0, dir="-")
    except ResourceError as error:
        told = str(error)
        if "does not exist" in told:
            raise FirstspikeError(f"the platform of the board {board.name} has no resource {name!r}: add one"
                                  ) from error
        raise FirstspikeError(f"a pin of the resource {name!r} of the board {board.name} is used twice: "
                              f"{told[:1].lower()}{told[1:]}") from error
    except (Exception, SystemExit) as error:
        raise FirstspikeError(f"the resource {name!r} of the board {board.name} cannot be used: "
                              f"{type(error).__name__}: {error}") from error


def _check_port(board: Board, name: str, needed: io.Direction, port) -> None:
    words = {io.Direction.Input: "an input", io.Direction.Output: "an output"}[needed]
    if not isinstance(port, io.PortLike) or port.direction not in (needed, io.Direction.Bidir):
        raise FirstspikeError(f"{name} of the board {board.name} must be {words}, not {port!r}")
    if len(port) != 1:
        raise FirstspikeError(f"{name} of the board {board.name} must be one pin, not {len(port)}")
