"""``demo``: the whole way in one go, a shipped network, Verilog for a board, the proof and the report."""

from pathlib import Path

import click

from .. import load
from ..console import counting, say, show_pairs, working
from .options import FOLDER

__all__ = ["demo"]

NETWORK = "mnist-784-600-10-online"
BOARD = "ulx3s-85f"


@click.command(short_help="The whole way in one go, with a network that is here.")
@click.argument("folder", type=FOLDER, metavar="[DIR]", default=Path("build/demo"))
def demo(folder: Path) -> bool:
    """Build a shipped MNIST network for the ULX3S-85F in DIR (build/demo), verify it on 64 real test images
    and write the report. Needs neither a board nor a data set nor torch.

    \b
    Examples:
      firstspike demo
      firstspike demo /tmp/demo
    """
    import numpy as np

    from ..gen.build import build
    from ..models import DEMO_IMAGES
    from ..report.page import write_report
    from ..sim.host.rate import link_rate
    from ..sim.verify import verify
    network = load(NETWORK)
    with np.load(DEMO_IMAGES) as file:
        images, labels = file["images"].astype(int), file["labels"].astype(int)
    with working(f"Building {NETWORK} for {BOARD}") as stage:
        made = build(network, BOARD, folder, progress=stage)
    stages = {"compile": "Compiling the Verilog with Verilator", "simulate": "Simulating", "waves": ""}
    with counting("Verifying", stages=stages) as progress:
        result = verify(made, images, labels=labels, progress=progress)
    with working("Writing the report"):
        report = write_report(made)

    plan, cycles = made.plan, result.cycles
    needs = plan.resources + plan.overhead
    synapses = sum(group.weights.size for layer in network.layers for group in layer.synapses)
    through = f"{link_rate(made):,.0f} through the UART"
    show_pairs({
        "Network": f"{NETWORK}: {network.input.size} inputs, {sum(layer.size for layer in network.layers)} "
                   f"neurons, {synapses:,} synapses of one bit",
        "Board": f"{made.board.title} ({made.board.device})",
        "Accuracy": f"{result.correct} of {result.images} MNIST test images",
        "Spikes compared": f"{result.spikes:,} spikes and {result.potentials:,} final potentials",
        "Mismatches": f"{result.mismatches:,}",
        "Cycles per image": cycles and f"{cycles.mean:,.0f} on average, {cycles.min:,} to {cycles.max:,}",
        "Estimate": f"{needs.luts:,} LUTs, {needs.ffs:,} flip-flops, {needs.block_rams} block RAMs",
        "Images per second": cycles and f"{plan.clock_hz / cycles.mean:,.0f} in the core at "
                                        f"{plan.clock_hz / 1e6:g} MHz, {through}",
        "Report": report.resolve(),
    }, "Firstspike demo")
    if result.passed:
        say("Bit-exact: hardware and golden model agree in every spike.", style="bold green")
    else:
        say(f"Not the same. The first mismatch: {result.first}", style="bold red")
    return not result.passed
