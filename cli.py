"""The command line: ``firstspike COMMAND ...``. Each command calls the library function of its name."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from . import __version__, load
from .console import counting, epochs, main_program, say, show_json, show_pairs, show_table, working

__all__ = ["firstspike", "main"]

FOLDER = click.Path(path_type=Path)
as_json = click.option("--json", "json_", is_flag=True, help="Print JSON, for programs to read.")
images_option = click.option(
    "--images", type=FOLDER, required=True, metavar="PATH",
    help="A folder of IDX files (as MNIST comes), a .npy of levels or of spikes, a PNG or a folder of PNGs.")
labels_option = click.option(
    "--labels", type=FOLDER, metavar="FILE",
    help="Labels, where the images bring none: a .npy or an IDX file.")
count_option = click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="Only the first N images.")
build_argument = click.argument("folder", type=FOLDER, metavar="BUILD")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="Firstspike %(version)s")
def firstspike() -> None:
    """Turn a trained binary-weight spiking network into Verilog for a board or a chip, and prove that the
    hardware and the software model are the same, spike for spike.

    \b
    The way from a network to a board:
      firstspike boards                                        what can be targeted
      firstspike info mnist-784-600-10-online                  what a network is made of
      firstspike build mnist-784-600-10-online --board ulx3s-85f -o build/x
      firstspike verify build/x --images DIR --count 100       every spike, against the golden model
      firstspike synth build/x                                 resources and clock
      firstspike bitstream build/x
      firstspike program build/x
      firstspike run build/x --port /dev/ttyUSB0 digit.png

    NET is a network file (.safetensors) or the name of a network that comes with Firstspike. Each command has
    a --help of its own. Exit codes: 0 done, 1 a verification found a mismatch, 2 something is wrong with
    a file, a tool or an argument (one sentence says what), 130 interrupted.
    """


@firstspike.command(short_help="What can be built for.")
@as_json
def boards(json_: bool) -> None:
    """List what can be built for, with the size of each device.

    \b
    Examples:
      firstspike boards
      firstspike boards --json

    A board of your own is a Python file: `firstspike build NET --board my_board.py` (docs/boards.md).
    """
    from .boards import BOARDS
    if json_:
        show_json([{"name": board.name, "title": board.title, "device": board.device, "luts": board.luts,
                    "flip_flops": board.ffs, "block_rams": board.block_rams,
                    "block_ram_bits": board.block_ram_bits, "clock_hz": board.clock_hz,
                    "uart_baud": board.uart_baud} for board in BOARDS.values()])
        return
    show_table(("Board", "Title", "Device", "LUTs", "Flip-flops", "Block RAM", "Clock"),
               [(board.name, board.title, board.device or "any", amount(board.luts), amount(board.ffs),
                 kilobits(board.block_ram_bits), f"{board.clock_hz / 1e6:g} MHz")
                for board in BOARDS.values()],
               numbers=(3, 4, 5, 6))


def correct(right: int | None, count: int) -> dict[str, str]:
    """The line about accuracy, none where it is not known."""
    return {} if right is None else {"Correct": f"{right:,} of {count:,} ({right / count:.2%}, strict)"}


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


def amount(number: int | None) -> str:
    """A count, or "no limit"."""
    return f"{number:,}" if number else "no limit"


def kilobits(bits: int | None) -> str:
    """A memory size, or "no limit"."""
    return f"{bits / 1024:,.0f} Kibit" if bits else "no limit"


@firstspike.command(short_help="What a network is made of.")
@click.argument("net")
@as_json
def info(net: str, json_: bool) -> None:
    """Show what a network is made of: layers, neurons, bits, ranges, digest, and where it comes from.

    \b
    Examples:
      firstspike info mnist-784-600-10-online
      firstspike info mine.safetensors --json
    """
    from .sim.describe import layer_facts, network_facts, neuron_words, notes_facts
    network = load(net)
    facts = network_facts(network)
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


@firstspike.command(short_help="Score a network by the golden model.")
@click.argument("net")
@images_option
@labels_option
@count_option
@click.option("--spikes", type=FOLDER, metavar="FILE", help="Write every spike to FILE (.npz).")
@as_json
def score(net: str, images: Path, labels: Path | None, count: int | None, spikes: Path | None,
          json_: bool) -> None:
    """Score a network by the golden model, without hardware.

    Strict scoring: where outputs tie, the higher potential decides, then the lower index.

    \b
    Examples:
      firstspike score mnist-784-600-10-online --images data/mnist
      firstspike score mine.safetensors --images digits/ --count 20 --spikes spikes.npz
    """
    from .sim.images import load_images
    from .sim.score import score
    network = load(net)
    chosen = load_images(images, network, labels=labels, count=count)
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


@firstspike.command(short_help="Make Verilog, ROMs and the plan for a board.")
@click.argument("net")
@click.option("--board", required=True, metavar="NAME|FILE.py",
              help="A board from `firstspike boards`, `generic` for plain Verilog, or a board file of yours.")
@click.option("-o", "--out", type=FOLDER, required=True, metavar="DIR", help="The build folder to make.")
@click.option("--images-per-second", type=click.FloatRange(min=0, min_open=True), metavar="N",
              help="Spend no more area than this throughput needs. Default: as fast as fits the board.")
@click.option("--clock", type=click.FloatRange(min=0, min_open=True), metavar="MHZ",
              help="Clock of the core. Default: the board's.")
@click.option("--no-early-stop", is_flag=True, help="Leave out the circuit that stops at the first decision.")
@click.option("--no-encoder", is_flag=True, help="Leave out the encoder: only sorted spikes come in.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of placement.")
@as_json
def build(net: str, board: str, out: Path, images_per_second: float | None, clock: float | None,
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
    from .gen import build as building
    network = load(net)
    with working(f"Building {out}") as stage:
        made = building.build(
            network, board, out, images_per_second=images_per_second, clock_hz=clock and clock * 1e6,
            early_stop=not no_early_stop, encoder=not no_encoder, seed=seed, progress=stage)
    if json_:
        show_json({"path": str(made.path), "plan": made.plan.to_json()})
        return
    plan = made.plan
    show_table(
        ("Layer", "Neurons", "Lanes", "Folds", "Columns", "Width", "ROM bits", "Cycles"),
        [(layer.name, f"{layer.neurons:,}", f"{layer.lanes:,}", layer.folding.folds, layer.columns,
          f"{layer.width} bits", f"{layer.rom_bits:,}", f"{layer.cycles:,.0f}") for layer in plan.layers],
        numbers=range(1, 8), title=f"The plan: {plan.limit}")
    needs = plan.resources + plan.overhead
    show_pairs({
        "Bottleneck": plan.bottleneck,
        "Expected": f"{plan.cycles:,.0f} cycles an image, {plan.images_per_second:,.0f} images per second "
                    f"at {plan.clock_hz / 1e6:g} MHz",
        "Estimated": f"{needs.luts:,} LUTs, {needs.ffs:,} flip-flops, {needs.block_rams} block RAMs",
        "Verilog": made.verilog,
    })


@firstspike.command(short_help="Prove a build against the golden model.")
@build_argument
@images_option
@labels_option
@count_option
@click.option("--simulator", type=click.Choice(("verilator", "icarus")), default="verilator",
              show_default=True, help="Icarus starts at once, Verilator runs faster.")
@click.option("--stalls", is_flag=True, help="Random stalls and gaps at every port.")
@click.option("--waves", is_flag=True, help="Write an FST of the first mismatch, or of the first image.")
@as_json
def verify(folder: Path, images: Path, labels: Path | None, count: int | None, simulator: str, stalls: bool,
           waves: bool, json_: bool) -> bool:
    """Prove a build against the golden model: every spike and every final potential of every image.

    Simulates the very Verilog that was built, once to the end of the window and once with early stop. Exits
    with 0 only if all agree, with 1 at a mismatch; writes verify/results.json and verify/junit.xml.

    \b
    Examples:
      firstspike verify build/x --images data/mnist --count 1000
      firstspike verify build/x --images data/mnist --count 20 --simulator icarus --stalls --waves
    """
    from .gen.build import open_build
    from .sim.images import load_images
    from .sim.verify import verify
    made = open_build(folder)
    chosen = load_images(images, made.network, labels=labels, count=count)
    stages = {"compile": f"Compiling for {simulator.capitalize()}", "simulate": "Simulating",
              "waves": "Recording waves"}
    with counting("Verifying", stages=stages) as progress:
        result = verify(made, chosen.images, labels=chosen.labels, simulator=simulator, stalls=stalls,
                        waves=waves, progress=progress)
    if json_:
        show_json(result.as_dict())
        return not result.passed
    show_verification(result)
    return not result.passed


@firstspike.command(short_help="Synthesise, place and route: resources and clock.")
@build_argument
@as_json
def synth(folder: Path, json_: bool) -> None:
    """Synthesise, place and route: what a build takes of its device and how fast it runs.

    Runs Yosys and nextpnr (both come with Firstspike), writes reports/resources.json, and shows the estimate
    beside the truth.

    \b
    Examples:
      firstspike synth build/x
    """
    from .gen.build import open_build
    from .gen.synthesise import synthesise
    made = open_build(folder)
    with working(f"Working on {folder}") as stage:
        found = synthesise(made, progress=stage)
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


@firstspike.command(short_help="Make the board's bitstream.")
@build_argument
def bitstream(folder: Path) -> None:
    """Make the board's bitstream, where an open tool can.

    \b
    Examples:
      firstspike bitstream build/x
    """
    from .gen.synthesise import bitstream
    with working(f"Making the bitstream of {folder}") as stage:
        path = bitstream(folder, progress=stage)
    show_pairs({"Bitstream": path, "Size": f"{path.stat().st_size:,} bytes"})


@firstspike.command(short_help="Load the bitstream into the board.")
@build_argument
def program(folder: Path) -> None:
    """Load the bitstream into the board with openFPGALoader, which must be installed.

    \b
    Examples:
      firstspike program build/x
    """
    from .gen.synthesise import program
    with working("Loading the board"):
        program(folder)
    say("The board runs it.")


@firstspike.command(short_help="Classify images on a board or on the simulated design.")
@build_argument
@click.option("--port", required=True, metavar="PORT|sim",
              help="The board's serial port, or `sim` for the simulated design behind the same protocol.")
@click.argument("images", type=FOLDER)
@count_option
@as_json
def run(folder: Path, port: str, images: Path, count: int | None, json_: bool) -> None:
    """Classify images on a board, or on the simulated design, through the UART.

    \b
    Examples:
      firstspike run build/x --port /dev/ttyUSB0 digit.png
      firstspike run build/x --port sim data/mnist --count 3
    """
    from .gen.build import open_build
    from .sim.golden import encode
    from .sim.host import Host
    from .sim.images import load_images
    made = open_build(folder)
    network = made.network
    chosen = load_images(images, network, count=count)
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


class Recipes(click.Group):
    """One command a recipe, with the recipe's own options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from .quantize.train import RECIPES
        return list(RECIPES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from .quantize.train import RECIPES
        return training(RECIPES[cmd_name]) if cmd_name in RECIPES else None


@firstspike.group(cls=Recipes, short_help="Train a network by a recipe.")
def train() -> None:
    """Train a network by a recipe; needs the train extra (pip install 'firstspike[train]').

    \b
    Examples:
      firstspike train mnist-mlp --data data/mnist -o mine.safetensors
      firstspike train mnist-mlp --data data/mnist -o small.safetensors --hidden 128 --phase windowed
      firstspike train mnist-mlp --help
    """


def training(recipe: Any) -> click.Command:
    """The command that trains by ``recipe``."""
    def call(data: Path, out: Path, device: str, resume: bool, **chosen: Any) -> None:
        from .quantize.train import train
        from .sim.describe import notes_facts
        try:
            recipe.settings(**chosen)
        except (TypeError, ValueError) as error:
            raise click.UsageError(str(error)) from None
        with epochs() as progress:
            trained = train(recipe.name, data, out, device=device, resume=resume, progress=progress, **chosen)
        show_pairs(notes_facts(trained.figures), f"Wrote {trained.path}")
        for picture in trained.pictures:
            say(f"  {picture}", style="dim")

    options: list[click.Parameter] = [
        click.Option(["--data"], type=FOLDER, required=True, metavar="DIR", help="The folder of IDX files."),
        click.Option(["-o", "--out"], type=FOLDER, required=True, metavar="NET", help="The file to write."),
        click.Option(["--device"], default="cpu", show_default=True, help="cpu or cuda."),
        click.Option(["--resume"], is_flag=True, help="Go on where an interrupted training stopped."),
    ]
    for option in recipe.options:
        plain: Any = option.default
        if isinstance(plain, tuple):
            plain = ",".join(map(str, plain))
        options.append(click.Option(
            [f"--{option.name}"], default=plain, show_default=True, help=option.help,
            is_flag=isinstance(plain, bool),
            type=click.Choice(option.choices) if option.choices else None))
    return click.Command(
        recipe.name, callback=call, params=options, short_help=recipe.title,
        help=f"{recipe.title}. An interrupted training leaves a checkpoint to --resume from.")


@firstspike.command(short_help="Write the build's report, one page.")
@build_argument
@click.option("--images", type=FOLDER, metavar="PATH", help="Images to draw the spikes of one from.")
@click.option("--index", type=click.IntRange(min=0), default=0, show_default=True,
              help="Which image to draw.")
def report(folder: Path, images: Path | None, index: int) -> None:
    """Write the build's report, reports/index.html: one page, to be looked at.

    \b
    Examples:
      firstspike report build/x
      firstspike report build/x --images data/mnist --index 7
    """
    from .gen.build import open_build
    from .sim.images import load_images
    from .sim.report import write_report
    made, image, label = open_build(folder), None, None
    if images is not None:
        chosen = load_images(images, made.network, count=index + 1)
        image = chosen.images[index]
        label = None if chosen.labels is None else int(chosen.labels[index])
    show_pairs({"Report": write_report(made, image, label)})


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(main_program(firstspike, args))


if __name__ == "__main__":
    main()
