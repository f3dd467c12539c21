"""``build``, ``synth``, ``bitstream`` and ``program``: from a network to a board."""

from pathlib import Path

import click

from .. import load
from ..console import say, show_json, show_pairs, show_table, working
from .options import FOLDER, as_json, build_argument, complete_boards, net_argument

__all__ = ["bitstream", "build", "program", "synth"]

board_again = click.option(
    "--board", metavar="FILE.py",
    help="The board's file again, where it is one of yours: a build keeps what it says, not its code.")


@click.command(short_help="Make Verilog, ROMs and the plan for a board.")
@net_argument
@click.option("--board", required=True, metavar="NAME|FILE.py", shell_complete=complete_boards,
              help="A board from `firstspike boards`, `generic` for plain Verilog, or a board file of yours.")
@click.option("-o", "--out", type=FOLDER, required=True, metavar="DIR", help="The build folder to make.")
@click.option("--aim", type=click.Choice(["throughput", "latency", "area"]), default="throughput",
              show_default=True, help="What the plan is chosen for.")
@click.option("--images-per-second", type=click.FloatRange(min=0, min_open=True), metavar="N",
              help="Spend no more area than this throughput needs. Default: as fast as fits the board.")
@click.option("--clock", type=click.FloatRange(min=0, min_open=True), metavar="MHZ",
              help="Clock of the core. Default: the board's.")
@click.option("--no-early-stop", is_flag=True, help="Leave out the circuit that stops at the first decision.")
@click.option("--no-encoder", is_flag=True, help="Leave out the encoder: only sorted spikes come in.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of placement.")
@as_json
def build(net: str, board: str, out: Path, aim: str, images_per_second: float | None, clock: float | None,
          no_early_stop: bool, no_encoder: bool, seed: int, json_: bool) -> None:
    """Make Verilog, ROMs and the plan for a board.

    The folder holds everything that was made: rtl/top.v, its ports as JSON, the weights as hex, the plan, the
    network itself and a manifest with hashes. The same input gives the same bytes.

    \b
    Examples:
      firstspike build mnist-784-600-10-online --board ulx3s-85f -o build/x
      firstspike build mine.safetensors --board icebreaker -o build/small --images-per-second 1000
      firstspike build mine.safetensors --board generic -o build/asic --no-early-stop
    """
    from ..gen import build as building
    network = load(net)
    with working(f"Building {out}") as stage:
        made = building.build(
            network, board, out, aim=aim, images_per_second=images_per_second, clock_hz=clock and clock * 1e6,
            early_stop=not no_early_stop, encoder=not no_encoder, seed=seed, progress=stage)
    for warning in made.plan.warnings:
        click.echo(f"Note: {warning}.", err=True)
    if json_:
        show_json({"path": str(made.path), "plan": made.plan.to_json()})
        return
    plan = made.plan
    show_table(
        ("Layer", "Engine", "Neurons", *plan.fact_heads(), "Cycles"),
        [(layer.name, layer.offer.engine, f"{layer.neurons:,}", *plan.facts_of(layer),
          f"{layer.offer.cycles:,.0f}") for layer in plan.layers],
        numbers=range(2, 4 + len(plan.fact_heads())), title=f"The plan: {plan.limit}")
    needs = plan.resources + plan.overhead
    show_pairs({
        "Bottleneck": plan.bottleneck,
        "Expected": f"{plan.cycles:,.0f} cycles an image, {plan.images_per_second:,.0f} images per second "
                    f"at {plan.clock_hz / 1e6:g} MHz",
        "Estimated": f"{needs.luts:,} LUTs, {needs.ffs:,} flip-flops, {needs.block_rams} block RAMs",
        "Verilog": made.verilog,
    })


@click.command(short_help="Synthesise, place and route: resources and clock.")
@build_argument
@board_again
@as_json
def synth(folder: Path, board: str | None, json_: bool) -> None:
    """Synthesise, place and route: what a build takes of its device and how fast it runs.

    Runs Yosys and nextpnr (both come with Firstspike), writes reports/resources.json, and shows the estimate
    beside the truth.

    \b
    Examples:
      firstspike synth build/x
      firstspike synth build/mine --board my_board.py
    """
    from ..gen.build import open_build
    from ..gen.synthesise import synthesise
    made = open_build(folder)
    with working(f"Working on {folder}") as stage:
        found = synthesise(made, board=board, progress=stage)
    if json_:
        show_json(found.to_json())
        return
    guess = made.plan.resources + made.plan.overhead
    parts = [("core", found.core), ("whole design", found.design)]
    show_table(
        ("", "LUTs", "Flip-flops", "Block RAMs", "Fmax"),
        [*((name, f"{used.luts:,}", f"{used.ffs:,}", used.block_rams,
            f"{used.fmax_hz / 1e6:.1f} MHz" if used.fmax_hz else "") for name, used in parts if used),
         ("estimate", f"{guess.luts:,}", f"{guess.ffs:,}", guess.block_rams, ""),
         ("device", *(f"{found.available[name]:,}" for name in ("luts", "ffs", "block_rams")),
          f"{found.clock_hz / 1e6:g} MHz asked")], numbers=range(1, 5))
    if found.meets_clock is not None:
        say("It stands its clock." if found.meets_clock else "It does not stand its clock.",
            style="bold green" if found.meets_clock else "bold red")


@click.command(short_help="Make the board's bitstream.")
@build_argument
@board_again
def bitstream(folder: Path, board: str | None) -> None:
    """Make the board's bitstream, where an open tool can.

    \b
    Examples:
      firstspike bitstream build/x
    """
    from ..gen.synthesise import bitstream
    with working(f"Making the bitstream of {folder}") as stage:
        path = bitstream(folder, board=board, progress=stage)
    show_pairs({"Bitstream": path, "Size": f"{path.stat().st_size:,} bytes"})


@click.command(short_help="Load the bitstream into the board.")
@build_argument
@board_again
def program(folder: Path, board: str | None) -> None:
    """Load the bitstream into the board with openFPGALoader, which must be installed.

    \b
    Examples:
      firstspike program build/x
    """
    from ..gen.synthesise import program
    with working("Loading the board"):
        program(folder, board=board)
    say("The board runs it.")
