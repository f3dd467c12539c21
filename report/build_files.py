"""What later commands left in a build folder: results of a verification, resources, the router's paths."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FirstspikeError
from ..gen.build import Build

__all__ = ["BuildFiles", "read_files"]


@dataclass(frozen=True, eq=False)
class BuildFiles:
    """A build, and what has been found out about it.

    Attributes
    ----------
    build : Build
    results : mapping
        ``verify/results.json``; empty where it was not verified.
    vectors : mapping
        ``verify/vectors.npz``: "images", "labels" where they are known, and what each run answered.
    resources : mapping
        ``reports/resources.json``; empty where it was not synthesised.
    routed : mapping
        nextpnr's report of the whole design, else of the core; empty where there is none.
    waves : Path or None
        ``verify/waves.fst``, where it was recorded.
    """

    build: Build
    results: Mapping[str, Any]
    vectors: Mapping[str, np.ndarray]
    resources: Mapping[str, Any]
    routed: Mapping[str, Any]
    waves: Path | None

    def first_run(self, what: str) -> np.ndarray | None:
        """What the first run answered, whose images came back to back.

        Parameters
        ----------
        what : str
            "class", "step" or "cycles".

        Returns
        -------
        ndarray or None
            One integer for each image, for "cycles" one less; None where there is nothing.
        """
        if not self.results or not self.results["runs"]:
            return None
        run = self.results["runs"][0]
        values = self.vectors.get(f"{run['port']}_{'early' if run['early_stop'] else 'whole'}_{what}")
        return values if values is not None and len(values) else None


def read_files(build: Build) -> BuildFiles:
    """Read what there is.

    Raises
    ------
    FirstspikeError
        A file is damaged.
    """
    results = _json(build.path / "verify" / "results.json")
    waves = build.path / "verify" / "waves.fst"
    reports = build.path / "reports"
    routed = _json(reports / "report.json") or _json(reports / "core_report.json")
    return BuildFiles(build, results, _vectors(build) if results else {},
                      _json(reports / "resources.json"), routed,
                      waves if results and waves.is_file() else None)


def _json(path: Path) -> dict[str, Any]:
    """The JSON object in a file, {} where there is none."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FirstspikeError(f"{path} is damaged ({error}); remove it or make it again") from error
    if not isinstance(value, dict):
        raise FirstspikeError(f"{path} is damaged (it holds no JSON object); remove it or make it again")
    return value


def _vectors(build: Build) -> dict[str, np.ndarray]:
    path = build.path / "verify" / "vectors.npz"
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file.items())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FirstspikeError(f"{path} is damaged ({error}); run firstspike verify again") from error
