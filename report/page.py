"""The build's report: one page, ``reports/index.html``, that stands by itself and is made to be looked at."""

from collections.abc import Mapping
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..files import write_whole
from ..gen.build import Build, open_build
from ..printable import printable
from .build_files import read_files
from .headline import tiles, verdict
from .network import network_section
from .plan import plan_section
from .resources import resources_section
from .samples import choose, draw_sample
from .verification import histograms, verification_section

__all__ = ["render", "write_report"]

TEMPLATES = Path(__file__).parent / "templates"


def write_report(build: Build | str | PathLike[str], image: np.ndarray | None = None,
                 label: int | None = None) -> Path:
    """Write the report of a build.

    Parameters
    ----------
    build : Build, str or path
        A build, or its folder. What is missing in it (not synthesised, not verified) the page says.
    image : ndarray or None
        The image whose spikes are drawn, as :func:`..network.golden.run` takes it; None: some of those that
        ``verify`` compared, if it has run.
    label : int or None
        The image's class, if known.

    Returns
    -------
    Path
        The page, ``reports/index.html`` in the build folder.

    Raises
    ------
    FirstspikeError
        The folder is no build, is damaged, or cannot be written.
    """
    build = build if isinstance(build, Build) else open_build(Path(build))
    path = build.path / "reports" / "index.html"
    path.parent.mkdir(exist_ok=True)
    write_whole(path, page(build, image, label).encode("utf-8", "replace"))
    return path


def page(build: Build, image: np.ndarray | None = None, label: int | None = None) -> str:
    """The report as HTML; see :func:`write_report`."""
    files, network, board = read_files(build), build.network, build.board
    if image is None:
        labels, first = files.vectors.get("labels"), files.results.get("first_mismatch")
        samples = [draw_sample(network, files.vectors["images"][number],
                               None if labels is None else int(labels[number]), name,
                               first if first and first["image"] == number else None)
                   for name, number in choose(files)]
    else:
        samples = [draw_sample(network, image, label)]
    neurons = sum(layer.size for layer in network.layers)
    size = f"{network.input.size:,} inputs, {neurons:,} neurons, {network.output.size} classes"
    return render("report.html", {
        "title": printable(build.path.resolve().name),
        "subtitle": " \u00b7 ".join(filter(None, (board.title, board.device, size))),
        "verdict": verdict(files.results), "tiles": tiles(files), "network": network_section(network),
        "samples": samples, "histograms": histograms(files), "plan": plan_section(build),
        "resources": resources_section(files), "verification": verification_section(files),
        "origin": _origin(build), "files": _files(build)})


def render(template: str, content: Mapping[str, Any]) -> str:
    """A page from a template of ours; all that goes into it is escaped."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style = Markup((TEMPLATES / "report.css").read_text())  # ours, and the only text that is not escaped
    return environment.get_template(template).render(**content, style=style, version=version("firstspike"))


def _origin(build: Build) -> list[tuple[str, str]]:
    manifest = build.manifest
    options = [(name.replace("_", " ").capitalize(),
                ("no", "yes")[value] if isinstance(value, bool) else value if isinstance(value, str)
                else f"{value:,.0f}")
               for name, value in manifest["options"].items() if value is not None]
    return [("Board", build.board_file or build.board.name), ("Seed", str(manifest["seed"])), *options,
            *manifest["versions"].items()]


def _files(build: Build) -> list[tuple[str, str]]:
    files = build.manifest["files"]
    roms = [name for name in files if name.startswith("rtl/rom/")]
    shown = [(name, digest) for name, digest in files.items() if name not in roms]
    return [*shown, ("rtl/rom", f"{len(roms)} ROM files, each with its hash in manifest.json")]
