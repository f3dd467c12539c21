"""The board's side of a build: the numbers of its core for the host link, and the files around it."""

from pathlib import Path

from ..boards import Board
from ..boards.files import board_files, clock_for
from ..network import Direct, Fires, Network, Phase
from ..rtl.description import CoreDescription
from ..rtl.host.protocol import CoreFacts

__all__ = ["core_facts", "emit_board"]


def core_facts(network: Network, *, early_stop: bool, encoder: bool) -> CoreFacts:
    """What the host link must know of the core that a network becomes.

    Parameters
    ----------
    early_stop, encoder : :class:`bool`
        What is built in.
    """
    source = network.input
    valued = isinstance(source.encoding, Direct)
    return CoreFacts(
        size=source.size,
        levels=(source.levels or 0) if encoder else 0,
        addresses=len(source.used),
        window=source.window,
        value_bits=source.highest_value.bit_length() if valued else 0,
        max_value=source.highest_value if valued else 1,
        online=network.layers[0].phase is Phase.ONLINE,
        max_spikes=len(source.used) * (1 if source.fires is Fires.ONCE else source.window),
        outputs=network.output.size,
        output_window=network.output.window,
        stop_early=early_stop,
        digest=bytes.fromhex(network.digest),
    )


def emit_board(board: Board, facts: CoreFacts, top: CoreDescription, folder: Path, *, clock_hz: float,
               seed: int = 1, cycles: float = 0) -> None:
    """Write the files of a build's folder ``board``.

    Parameters
    ----------
    facts : :class:`~..rtl.host.protocol.CoreFacts`
    top : :class:`~..rtl.description.CoreDescription`
        The core from outside.
    folder : :class:`~pathlib.Path`
        Made if it is not there.
    clock_hz : :class:`float`
        The core's clock, as :func:`~..boards.files.clock_for` gave it.
    cycles : :class:`float`
        Cycles that a window is expected to take; the host link waits for a hundred times as many.

    Raises
    ------
    FirstspikeError
        The board cannot make this clock.
    """
    folder.mkdir(exist_ok=True)
    cycle_bits = min(31, max(24, round(100 * cycles).bit_length()))
    files = board_files(board, facts, top, clock_for(board, clock_hz), seed=seed, cycle_bits=cycle_bits)
    for name, content in files.items():
        (folder / name).write_text(content)
