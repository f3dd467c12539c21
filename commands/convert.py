"""``convert``: a trained torch network becomes a network of spikes."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ..console import epochs, say, show_json, show_pairs, show_table, working
from ..errors import FirstspikeError
from ..quantize.convert import TITLES
from .options import FOLDER, as_json, bound_option, check_out, count_option, labels_option

__all__ = ["convert"]


class Numbers(click.ParamType):
    """One number, or several with commas between."""

    name = "numbers"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            self.fail(f"{value!r} is no number, nor numbers with commas between", param, ctx)
        return numbers if len(numbers) > 1 else numbers[0]


class Lengths(click.ParamType):
    """Channels, height and width."""

    name = "lengths"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            lengths = tuple(int(part) for part in value.split(","))
        except (AttributeError, ValueError):
            lengths = ()
        if len(lengths) not in (1, 3) or min(lengths) < 1:
            self.fail(f"{value!r} must be channels, height and width, as in 1,28,28, or one size", param, ctx)
        return lengths


@click.command(short_help="Convert a trained torch network.")
@click.argument("weights", type=FOLDER, metavar="MODEL.pt")
@click.option("--model", required=True, metavar="MODULE:FUNCTION",
              help="The function that makes the torch module: package.module:function or FILE.py:function.")
@click.option("--to", type=click.Choice(tuple(TITLES)), required=True,
              help="; ".join(f"{name}: {title}" for name, title in TITLES.items()) + ".")
@click.option("--calibrate", type=FOLDER, required=True, metavar="DATA",
              help="Images to choose scales on and to measure the loss on: a folder of IDX files or of "
                   "CIFAR-10 (its training images), an IDX file, PNGs, a .npy of levels or a .npz of images "
                   "and labels.")
@labels_option
@count_option
@click.option("-o", "--out", type=FOLDER, required=True, metavar="NET", help="The file to write.")
@bound_option
@click.option("--accept-loss", is_flag=True, help="Exit with 0 even if more is lost.")
@click.option("--window", type=int, help="Steps of a layer. Default: 16 for relu and t2fsnn, else 4.")
@click.option("--bits", type=int, default=8, show_default=True, help="Bits of a weight: 1 (signs) to 8.")
@click.option("--encoding", type=click.Choice(("auto", "latency", "direct", "bits")), default="auto",
              help="How levels become spikes. Default: latency for relu and t2fsnn, bits for fs, else "
                   "direct.")
@click.option("--input-window", type=int, help="Steps of a latency input. Default: the window.")
@click.option("--shape", type=Lengths(), metavar="C,H,W",
              help="Of an image, where the data does not show it.")
@click.option("--levels", type=int, default=256, show_default=True, help="Levels of an input.")
@click.option("--scale", type=float, help="The module saw (level * scale - mean) / deviation. "
                                          "Default: 1 / (levels - 1).")
@click.option("--mean", type=Numbers(), default=0.0, metavar="M[,M...]", help="One, or one a channel.")
@click.option("--deviation", type=Numbers(), default=1.0, metavar="D[,D...]", help="One, or one a channel.")
@click.option("--rounding", type=click.Choice(("nearest", "down")), default="nearest",
              help="Of activations, in relu, t2fsnn and fs. Default: nearest.")
@click.option("--kernel", type=click.Choice(("exponential", "two")), default="exponential",
              help="Of t2fsnn: exponential, or powers of two.")
@click.option("--tau", type=float, help="Of t2fsnn: time constant of the kernels. Default: the best a layer.")
@click.option("--readout", type=click.Choice(("potential", "count")), default="potential",
              help="Of qcfs and opi. Default: potential.")
@click.option("--correct/--no-correct", default=True,
              help="Fit scales and biases to the float network after rounding. Default: do.")
@click.option("--finetune", type=int, default=0, metavar="EPOCHS",
              help="Train through the rounding on four fifths of the images; the last fifth measures.")
@click.option("--rate", type=float, default=0.02, show_default=True, help="Its learning rate.")
@click.option("--batch", type=int, default=128, show_default=True, metavar="N",
              help="Images a step of its optimiser.")
@click.option("--loss", type=click.Choice(("sum", "tet")), default="sum",
              help="Of qcfs and opi: on the sum over the steps, or on each step's scores (TET).")
@click.option("--consistency", type=float, default=0.0,
              help="Of qcfs and opi: price of steps that disagree (output distillation between steps).")
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes what is drawn.")
@as_json
@click.pass_context
def convert(context: click.Context, weights: Path, model: str, to: str, calibrate: Path, labels: Path | None,
            count: int | None, out: Path, bound: float, accept_loss: bool, shape: tuple[int, ...] | None,
            json_: bool, **settings: Any) -> bool:
    """Convert a trained torch network to spikes: a chain of Linear, Conv2d, BatchNorm, ReLU, pooling, Flatten
    and Dropout, as an nn.Sequential or called in a forward of its own. Needs the train extra (pip install
    'firstspike[train]').

    MODEL.pt holds a state dict: torch.save(model.state_dict(), "MODEL.pt"). What was rounded, how far, and
    what that did to the images is printed and kept in the network's provenance. Exits with 1 where more than
    the bound is lost.

    \b
    Examples:
      firstspike convert mlp.pt --model nets.py:mlp --to relu --calibrate data/mnist -o mlp.safetensors
      firstspike convert mlp.pt --model nets.py:mlp --to qcfs --window 1 --bits 1 --finetune 5 \\
          --calibrate data/mnist --count 10000 -o mlp1.safetensors
    """
    check_out(out)
    from ..gen.check import hardware
    from ..quantize.convert.convert import convert as converting
    levels, classes = _data(calibrate, labels, count)
    module = _module(weights, model)
    given = {name: value for name, value in settings.items()
             if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    try:
        with epochs() if settings["finetune"] else working(f"Converting {weights}") as progress:
            converted = converting(module, to, levels, labels=classes, shape=shape, bound=bound / 100,
                                   progress=progress if settings["finetune"] else None, **given)
    except (TypeError, ValueError) as error:
        raise FirstspikeError(f"{weights}: {error}") from None
    converted.network.save(out)
    report, built = converted.report, hardware(converted.network)
    if json_:
        show_json(report.to_json() | {"path": str(out), "within": report.within, "hardware": built})
    else:
        _show(report, out, built)
    return not report.within and not accept_loss


def _module(weights: Path, model: str) -> Any:
    try:
        from ..quantize.convert.weight_files import load_module
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise FirstspikeError("conversion needs torch: pip install 'firstspike[train]'") from error
    return load_module(weights, model)


def _data(path: Path, labels: Path | None, count: int | None) -> tuple[Any, Any]:
    """Levels and labels, or None, from what ``path`` is."""
    from ..quantize.data.arrays import read_array
    from ..quantize.data.images import load_levels
    levels, classes = load_levels(path)
    if labels is not None:
        classes = read_array(labels)
    if count is not None and count > len(levels):
        raise FirstspikeError(f"{path} holds {len(levels)} images, not the {count} that were asked for; ask "
                              "for fewer")
    if classes is not None and len(classes) != len(levels):
        raise FirstspikeError(f"there are {len(classes)} labels for the {len(levels)} images in {path}; take "
                              "both from the same set")
    return levels[:count], None if classes is None else classes[:count]


def _show(report: Any, out: Path, built: str) -> None:
    show_table(
        ("Layer", "Module", "Neurons", "Weights", "Weights by", "Thresholds by", "Biases by"),
        [(layer.name, layer.place, f"{layer.neurons:,}", weights_words(layer.weights, layer.bits),
          f"{layer.weight_rounding:.2%}", "" if layer.unit is None else f"{layer.threshold_rounding:.2%}",
          f"{layer.bias_rounding:.2%}") for layer in report.layers],
        numbers=(2, 4, 5, 6), title="What was rounded, and how far")
    show_table(
        ("Layer", "Steps", "Unit", "Potentials off", "At most", "Spikes"),
        [(layer.name, layer.window, "" if layer.unit is None else f"{layer.unit:.4g}",
          f"{layer.mean_error:.2%}", f"{layer.largest_error:.2%}", f"{layer.spikes:,.1f}")
         for layer in report.layers], numbers=range(1, 6), title="What it did")
    measured = f"{report.images:,}"
    if report.trained:
        measured += f", held back; fine-tuned on the {report.trained:,} others"
    pairs = {"Images": measured, "Same class": f"{report.agreement:.2%} of them"}
    if report.accuracy is not None:
        pairs["Accuracy"] = (f"{report.float_accuracy:.2%} of the torch network, "
                             f"{report.accuracy:.2%} of the golden model (strict)")
    show_pairs(pairs | {"Input": f"levels off by {report.input_rounding:.2%} of the highest at most",
                        "Hardware": built, "Written": str(out)})
    what = "of agreement" if report.accuracy is None else "of accuracy"
    points = f"{abs(report.loss) * 100:.2f} percentage points {what}"
    if report.within:
        way = "lost" if report.loss >= 0 else "won"
        say(f"Within the bound: {points} {way}, at most {report.bound * 100:g} allowed.", style="bold green")
    else:
        say(f"TOO MUCH IS LOST: {points}, where at most {report.bound * 100:g} are allowed. Take more bits "
            "or steps, --finetune, or say --accept-loss.", style="bold red")


def weights_words(kind: str, bits: int) -> str:
    """What the weights of a layer are."""
    return {"sign": "signs", "ternary": "-1, 0, 1"}.get(kind, f"{bits} bits")
