"""The build's report: one page, ``reports/index.html``, that stands by itself and is made to be looked at."""

from importlib.metadata import version
from os import PathLike
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..files import write_whole
from ..gen.build import Build, open_build
from .measured import measured
from .network import network_section, sample_section

__all__ = ["write_report"]

TEMPLATES = Path(__file__).parent / "templates"


def write_report(build: Build | str | PathLike[str], image: np.ndarray | None = None,
                 label: int | None = None) -> Path:
    """Write the report of a build and return its path, ``reports/index.html`` in the build folder.

    Parameters
    ----------
    build: a build, or its folder. What is missing in it (not synthesised, not verified) the page says.
    image: the image whose spikes are drawn, as :func:`..network.golden.run` takes it; None: the first image
        that ``verify`` compared, if it has run.
    label: the image's class, if known.

    Raises
    ------
    FirstspikeError: the folder is no build, is damaged, or cannot be written.
    """
    build = build if isinstance(build, Build) else open_build(Path(build))
    path = build.path / "reports" / "index.html"
    path.parent.mkdir(exist_ok=True)
    write_whole(path, page(build, image, label).encode())
    return path


def page(build: Build, image: np.ndarray | None = None, label: int | None = None) -> str:
    """The report as HTML; see :func:`write_report`."""
    found = measured(build)
    if image is None and found.image is not None:
        image, label = found.image, found.label
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style = Markup((TEMPLATES / "report.css").read_text())  # ours, and the only text that is not escaped
    return environment.get_template("report.html").render(
        page=found, network=network_section(build.network), style=style,
        sample=None if image is None else sample_section(build.network, image, label),
        version=version("firstspike"))
