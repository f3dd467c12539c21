"""Options and arguments that several commands take, and how a count of hits is told."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from ..errors import FirstspikeError

__all__ = [
    "FOLDER", "as_json", "bound_option", "build_argument", "check_out", "complete_boards",
    "complete_networks", "correct", "count_option", "images_option", "invert_option", "labels_option",
    "net_argument", "read_images",
]

FOLDER = click.Path(path_type=Path)


def _names_or_files(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """What a shell offers: the names that begin so, or files where none does."""
    fitting = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return fitting or [CompletionItem(incomplete, type="file")]


def complete_networks(context: click.Context, parameter: click.Parameter,
                      incomplete: str) -> list[CompletionItem]:
    """The shipped networks that a shell offers, or files."""
    from ..models import shipped
    return _names_or_files(shipped(), incomplete)


def complete_boards(context: click.Context, parameter: click.Parameter,
                    incomplete: str) -> list[CompletionItem]:
    """The boards that a shell offers, or files."""
    from ..boards import BOARDS
    return _names_or_files(BOARDS, incomplete)


net_argument = click.argument("net", shell_complete=complete_networks)
as_json = click.option("--json", "json_", is_flag=True, help="Print JSON, for programs to read.")
images_option = click.option(
    "--images", type=FOLDER, required=True, metavar="PATH",
    help="A folder of IDX files (as MNIST comes), of CIFAR-10 or of spike data, a .npy of levels or of "
         "spikes, a PNG or a folder of PNGs.")
labels_option = click.option(
    "--labels", type=FOLDER, metavar="FILE",
    help="Labels, where the images bring none: a .npy or an IDX file.")
count_option = click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="Only the first N images.")

invert_option = click.option(
    "--invert", is_flag=True, help="Take the negative of each image: dark strokes become bright ones.")


class Points(click.FloatRange):
    """Percentage points: a number from 0 to 100."""

    name = "points"

    def __init__(self) -> None:
        super().__init__(0, 100)

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        points = super().convert(value, param, ctx)
        return points if points == points else self.fail(f"{value!r} is no number from 0 to 100", param, ctx)


bound_option = click.option(
    "--bound", type=Points(), default=1.0, show_default=True, metavar="POINTS",
    help="Percentage points of accuracy (of agreement, without labels) that may be lost.")
build_argument = click.argument("folder", type=FOLDER, metavar="BUILD")


def correct(right: int | None, count: int) -> dict[str, str]:
    """The line about accuracy, none where it is not known."""
    return {} if right is None else {"Correct": f"{right:,} of {count:,} ({right / count:.2%}, strict)"}


def read_images(path: Path, network: Any, **chosen: Any) -> Any:
    """The images at ``path`` (see :func:`.load_images`); that they look like negatives is said on stderr."""
    from ..quantize.data.images import InvertedImages, load_images
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", InvertedImages)
        found = load_images(path, network, **chosen)
    for warning in said:
        click.echo(f"Note: {warning.message}.", err=True)
    return found


def check_out(out: Path) -> None:
    """FirstspikeError where a network cannot be written to ``out`` at all, before the work begins."""
    if out.suffix != ".safetensors":
        raise FirstspikeError(f"the network file must end in .safetensors, not {out.name!r}")
    if not out.absolute().parent.is_dir():
        raise FirstspikeError(f"there is no folder {out.parent} to write {out.name} into: make it first")
