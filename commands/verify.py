"""``verify`` and ``run``: what a build does, and the proof of it."""

from pathlib import Path
from typing import Any

import click

from ..console import counting, say, show_json, show_pairs, show_table, working
from .options import (
    FOLDER,
    as_json,
    build_argument,
    correct,
    count_option,
    images_option,
    invert_option,
    labels_option,
    read_images,
)

__all__ = ["run", "verify"]


def show_verification(result: Any) -> None:
    """Print what :func:`.sim.verify.verify` found."""
    show_table(
        ("Form and port", "Images", "Spikes", "Potentials", "Mismatches", "Cycles", "Latency"),
        [(run.name, f"{run.images:,}", f"{run.comparison.spikes:,}", f"{run.comparison.potentials:,}",
          f"{run.comparison.mismatches:,}", *(f"{spread.mean:,.1f}" if spread else ""
                                              for spread in (run.interval, run.latency)))
         for run in result.runs], numbers=range(1, 7))
    show_pairs(correct(result.correct, result.images) | {
        "Compared": f"{result.spikes:,} spikes and {result.potentials:,} final potentials, under "
                    f"{result.simulator.capitalize()}",
        "Time": f"{result.seconds:.1f} s, {result.compile_seconds:.1f} s of them compiling",
        "Written": result.path,
    } | ({"Waves": result.waves} if result.waves else {}))
    if result.passed:
        say("Bit-exact: hardware and golden model agree in every spike.", style="bold green")
    else:
        say(f"Not the same: {result.mismatches:,} mismatches. The first: {result.first}", style="bold red")


@click.command(short_help="Prove a build against the golden model.")
@build_argument
@images_option
@labels_option
@count_option
@invert_option
@click.option("--simulator", type=click.Choice(("verilator", "icarus")), default="verilator",
              show_default=True, help="Icarus starts at once, Verilator runs faster.")
@click.option("--stalls", is_flag=True, help="Random stalls and gaps at every port.")
@click.option("--waves", is_flag=True, help="Write an FST of the first mismatch, or of the first image.")
@as_json
def verify(folder: Path, images: Path, labels: Path | None, count: int | None, invert: bool, simulator: str,
           stalls: bool, waves: bool, json_: bool) -> bool:
    """Prove a build against the golden model: every spike and every final potential of every image.

    Simulates the very Verilog that was built, once to the end of the window and once with early stop. Exits
    with 0 only if all agree, with 1 at a mismatch; writes verify/results.json and verify/junit.xml, which
    holds an error where it exits with 2.

    \b
    Examples:
      firstspike verify build/x --images data/mnist --count 1000
      firstspike verify build/x --images data/mnist --count 20 --simulator icarus --stalls --waves
    """
    from ..gen.build import open_build
    from ..sim.results_folder import ResultsFolder
    from ..sim.verify import verify
    stages = {"compile": f"Compiling for {simulator.capitalize()}", "simulate": "Simulating",
              "waves": "Recording waves"}
    with ResultsFolder(folder).errors_recorded():  # of the build and of the images too
        made = open_build(folder)
        chosen = read_images(images, made.network, labels=labels, count=count, invert=invert)
        with counting("Verifying", stages=stages) as progress:
            result = verify(made, chosen.images, labels=chosen.labels, simulator=simulator, stalls=stalls,
                            waves=waves, progress=progress)
    if json_:
        show_json(result.as_dict())
        return not result.passed
    show_verification(result)
    return not result.passed


@click.command(short_help="Classify images on a board or on the simulated design.")
@build_argument
@click.option("--port", required=True, metavar="PORT|sim",
              help="The board's serial port, or `sim` for the simulated design behind the same protocol.")
@click.argument("images", type=FOLDER)
@count_option
@invert_option
@as_json
def run(folder: Path, port: str, images: Path, count: int | None, invert: bool, json_: bool) -> None:
    """Classify images on a board, or on the simulated design, through the UART.

    \b
    Examples:
      firstspike run build/x --port /dev/ttyUSB0 digit.png
      firstspike run build/x --port sim data/mnist --count 3
    """
    from ..gen.build import open_build
    from ..network.golden import encode
    from ..sim.host.client import Host
    made = open_build(folder)
    network = made.network
    chosen = read_images(images, network, count=count, invert=invert)
    with working(f"Opening {port}") as stage:
        host = Host(port, made, progress=stage)
    found = []
    with host, counting("Running") as progress:
        clock = host.identify().clock_hz
        for image in chosen.images:
            sent = image if made.manifest["options"]["encoder"] else encode(network.input, image)
            found.append(host.run(sent))
            progress(len(found), len(chosen))
    labels = [None] * len(found) if chosen.labels is None else chosen.labels.tolist()
    if json_:
        show_json([{"class": result.label, "step": result.step, "cycles": result.cycles, "label": label}
                   for result, label in zip(found, labels, strict=True)])
        return
    show_table(("Image", "Class", "Step", "Cycles", "Time", "Label"),
               [(number, result.label, result.step, f"{result.cycles:,}",
                 f"{result.cycles / clock * 1e6:,.2f} us", "" if label is None else label)
                for number, (result, label) in enumerate(zip(found, labels, strict=True))],
               numbers=range(6))
    right = None if chosen.labels is None else sum(
        result.label == label for result, label in zip(found, labels, strict=True))
    show_pairs({"Images": len(found)} | correct(right, len(found)))
