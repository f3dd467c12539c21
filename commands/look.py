"""``boards``, ``info`` and ``score``: look before anything is built."""

from pathlib import Path

import click

from .. import load
from ..console import counting, show_json, show_pairs, show_table
from .options import (
    FOLDER,
    as_json,
    correct,
    count_option,
    images_option,
    invert_option,
    labels_option,
    net_argument,
    read_images,
)

__all__ = ["boards", "info", "score"]


@click.command(short_help="What can be built for.")
@as_json
def boards(json_: bool) -> None:
    """List what can be built for, with the size of each device.

    \b
    Examples:
      firstspike boards
      firstspike boards --json

    A board of your own is a Python file: `firstspike build NET --board my_board.py` (docs/boards.md).
    """
    from ..boards import BOARDS
    if json_:
        show_json([{"name": board.name, "title": board.title, "family": board.family,
                    "device": board.device, "luts": board.luts, "flip_flops": board.ffs,
                    "block_rams": board.block_rams, "block_ram_bits": board.block_ram_bits,
                    "clock_hz": board.clock_hz, "uart_baud": board.uart_baud} for board in BOARDS.values()])
        return
    show_table(("Board", "Title", "Device", "LUTs", "Flip-flops", "Block RAM", "Clock"),
               [(board.name, board.title, board.device or "any", amount(board.luts), amount(board.ffs),
                 kilobits(board.block_ram_bits), f"{board.clock_hz / 1e6:g} MHz")
                for board in BOARDS.values()],
               numbers=(3, 4, 5, 6))


def amount(number: int | None) -> str:
    """A count, or "no limit"."""
    return f"{number:,}" if number else "no limit"


def kilobits(bits: int | None) -> str:
    """A memory size, or "no limit"."""
    return f"{bits / 1024:,.0f} Kibit" if bits else "no limit"


@click.command(short_help="What a network is made of.")
@net_argument
@as_json
def info(net: str, json_: bool) -> None:
    """Show what a network is made of: layers, neurons, bits, ranges, digest, and where it comes from.

    \b
    Examples:
      firstspike info mnist-784-600-10-online
      firstspike info mine.safetensors --json
    """
    from ..gen.check import hardware
    from ..report.facts import layer_facts, network_facts, neuron_words, notes_facts
    network = load(net)
    facts = network_facts(network) | {"Hardware": hardware(network)}
    layers = [layer_facts(network, layer) for layer in network.layers]
    if json_:
        show_json({"network": facts, "layers": layers, "provenance": dict(network.provenance),
                   "calibration": dict(network.calibration)})
        return
    show_pairs(facts)
    show_table(list(layers[0]), [list(layer.values()) for layer in layers], numbers=(1, 5, 6, 7, 8))
    words = {layer.name: neuron_words(layer) for layer in network.layers if neuron_words(layer)}
    if words:
        show_pairs(words, "Neurons")
    for title, notes in (("Provenance", network.provenance), ("Calibration", network.calibration)):
        if notes:
            show_pairs(notes_facts(notes), title)


@click.command(short_help="Score a network by the golden model.")
@net_argument
@images_option
@labels_option
@count_option
@invert_option
@click.option("--spikes", type=FOLDER, metavar="FILE", help="Write every spike to FILE (.npz).")
@as_json
def score(net: str, images: Path, labels: Path | None, count: int | None, invert: bool,
          spikes: Path | None, json_: bool) -> None:
    """Score a network by the golden model, without hardware.

    Strict scoring: where outputs tie, the higher potential decides, then the lower index.

    \b
    Examples:
      firstspike score mnist-784-600-10-online --images data/mnist
      firstspike score mine.safetensors --images digits/ --count 20 --spikes spikes.npz
    """
    from ..network.scoring import score
    network = load(net)
    chosen = read_images(images, network, labels=labels, count=count, invert=invert)
    with counting(f"Scoring {len(chosen):,} images") as progress:
        result = score(network, chosen, spikes=spikes, progress=progress)
    if json_:
        show_json(result.to_json())
        return
    decided = {} if result.undecided == result.count else {
        "Decision step": f"{result.mean_step:.2f} of {network.output.window} on average"
                         + (f"; {result.undecided:,} images without a spike" if result.undecided else "")}
    show_pairs({"Images": f"{result.count:,}"} | correct(result.correct, result.count) | decided | {
        "Mean spikes": ", ".join(f"{name} {mean:,.1f}" for name, mean in result.mean_spikes.items()),
        "Time": f"{result.seconds:.2f} s",
    } | ({"Spikes": spikes} if spikes else {}))
