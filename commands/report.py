"""``report`` and ``compare``: builds as pages to look at."""

from pathlib import Path

import click

from ..console import say, show_json, show_pairs, show_table
from .options import FOLDER, as_json, build_argument, invert_option, read_images

__all__ = ["compare", "report"]


@click.command(short_help="Write the build's report, one page.")
@build_argument
@click.option("--images", type=FOLDER, metavar="PATH", help="Images to draw the spikes of one from.")
@invert_option
@click.option("--index", type=click.IntRange(min=0), default=0, show_default=True,
              help="Which image to draw.")
def report(folder: Path, images: Path | None, invert: bool, index: int) -> None:
    """Write the build's report, reports/index.html: one page, to be looked at.

    \b
    Examples:
      firstspike report build/x
      firstspike report build/x --images data/mnist --index 7
    """
    from ..gen.build import open_build
    from ..report.page import write_report
    made, image, label = open_build(folder), None, None
    if images is not None:
        chosen = read_images(images, made.network, count=index + 1, invert=invert)
        image = chosen.images[index]
        label = None if chosen.labels is None else int(chosen.labels[index])
    show_pairs({"Report": write_report(made, image, label)})


@click.command(short_help="Set two builds side by side.")
@click.argument("first", type=FOLDER, metavar="BUILD")
@click.argument("second", type=FOLDER, metavar="BUILD")
@click.option("--all", "all_", is_flag=True, help="Also what is the same in both.")
@click.option("-o", "--out", type=FOLDER, metavar="FILE", help="Write all of it as a page (.html) too.")
@as_json
def compare(first: Path, second: Path, all_: bool, out: Path | None, json_: bool) -> None:
    """Set two builds side by side: network, plan, resources and verification, and what differs.

    \b
    Examples:
      firstspike compare build/x build/y
      firstspike compare build/x build/y --all -o compared.html
    """
    from ..report.side_by_side import side_by_side, write_side_by_side
    found = side_by_side(first, second)
    written = None if out is None else write_side_by_side(found, out)
    if json_:
        show_json(found.as_dict())
        return
    differing = False
    for group, facts in found.groups:
        shown = [fact for fact in facts if all_ or not fact.same]
        differing |= any(not fact.same for fact in facts)
        if shown:
            show_table((group, *found.names, "Change"),
                       [(fact.name, fact.first, fact.second, fact.change) for fact in shown],
                       numbers=(1, 2, 3))
    if not differing:
        say("The two builds are the same in all that is compared.")
    if written:
        show_pairs({"Page": written})
