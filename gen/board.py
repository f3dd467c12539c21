"""The board's side of a build: the numbers of its core for the host link, and the files around it."""

from pathlib import Path

from ..boards import Board
from ..boards.clock import clock_for
from ..boards.design import BoardDesign, board_design
from ..network import Direct, Fires, Network, Phase
from ..rtl.description import CoreDescription
from ..rtl.host.protocol import CoreFacts
from .plan import Plan

__all__ = ["core_facts", "derive_board", "emit_board"]


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


def derive_board(board: Board, network: Network, plan: Plan, top: CoreDescription, *,
                 seed: int = 1) -> BoardDesign:
    """The board's design around the core of a network: files and commands, the same ones every time.

    The host link waits for a hundred times the cycles that a window is expected to take.

    Parameters
    ----------
    plan : :class:`~.plan.Plan`
    top : :class:`~..rtl.description.CoreDescription`
        The core from outside.
    seed : :class:`int`
        Of place and route.

    Raises
    ------
    FirstspikeError
        The board cannot make this clock, or nothing can be built from its platform.
    """
    facts = core_facts(network, early_stop=plan.early_stop, encoder=plan.encoder)
    cycle_bits = min(31, max(24, round(100 * min(plan.cycles, 1 << 31)).bit_length()))
    return board_design(board, facts, top, clock_for(board, plan.clock_hz), seed=seed, cycle_bits=cycle_bits)


def emit_board(design: BoardDesign, folder: Path) -> None:
    """Write the files of a build's folder ``board``, which is made if it is not there."""
    folder.mkdir(exist_ok=True)
    for name, content in design.files.items():
        (folder / name).write_text(content)
