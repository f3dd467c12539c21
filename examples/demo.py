"""The whole way in one go: a shipped network, Verilog for a board, the proof, the report.

Run as ``make demo``, or ``python examples/demo.py [FOLDER]``. Needs neither torch nor a data set.
"""

import sys
from pathlib import Path

import click
import firstspike as fs
import numpy as np
from firstspike.console import counting, main_program, say, show_pairs, working
from firstspike.models import DEMO_IMAGES
from firstspike.sim.host.rate import link_rate

NETWORK = "mnist-784-600-10-online"
BOARD = "ulx3s-85f"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("build/demo"))
def demo(folder: Path) -> bool:
    """Build NETWORK for BOARD in FOLDER, verify it on real test images, write the report."""
    network = fs.load(NETWORK)
    with np.load(DEMO_IMAGES) as file:
        images, labels = file["images"].astype(int), file["labels"].astype(int)
    with working(f"Building {NETWORK} for {BOARD}") as stage:
        build = fs.build(network, BOARD, folder, progress=stage)
    stages = {"compile": "Compiling the Verilog with Verilator", "simulate": "Simulating", "waves": ""}
    with counting("Verifying", stages=stages) as progress:
        result = fs.verify(build, images, labels=labels, progress=progress)
    with working("Writing the report"):
        report = fs.write_report(build)

    plan, cycles = build.plan, result.cycles
    needs = plan.resources + plan.overhead
    rate = f"{plan.clock_hz / cycles.mean:,.0f} in the core at {plan.clock_hz / 1e6:g} MHz"
    show_pairs({
        "Network": f"{NETWORK}: 784 inputs, 610 neurons, 476,400 synapses of one bit",
        "Board": f"{build.board.title} ({build.board.device})",
        "Accuracy": f"{result.correct} of {result.images} MNIST test images",
        "Spikes compared": f"{result.spikes:,} spikes and {result.potentials:,} final potentials",
        "Mismatches": f"{result.mismatches:,}",
        "Cycles per image": f"{cycles.mean:,.0f} on average, {cycles.min:,} to {cycles.max:,}",
        "Estimate": f"{needs.luts:,} LUTs, {needs.ffs:,} flip-flops, {needs.block_rams} block RAMs",
        "Images per second": f"{rate}, {link_rate(build):,.0f} through the UART",
        "Report": report.resolve(),
    }, "Firstspike demo")
    if result.passed:
        say("Bit-exact: hardware and golden model agree in every spike.", style="bold green")
    else:
        say(f"Not the same. The first mismatch: {result.first}", style="bold red")
    return not result.passed


if __name__ == "__main__":
    sys.exit(main_program(demo))
