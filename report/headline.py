"""The head of the page: the answer, and the figures that are asked for first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..sim.host.rate import link_rate
from .build_files import BuildFiles
from .resources import FIGURES, taken

__all__ = ["Tile", "Verdict", "tiles", "verdict"]


@dataclass(frozen=True)
class Verdict:
    """The answer at the head of the page.

    Attributes
    ----------
    state : str
        "exact", "differs" or "unknown".
    headline, detail : str
    """

    state: str
    headline: str
    detail: str


@dataclass(frozen=True)
class Tile:
    """One figure at the head of the page."""

    name: str
    value: str
    unit: str = ""
    note: str = ""


def verdict(results: Mapping[str, Any]) -> Verdict:
    """What ``verify/results.json`` comes to."""
    if not results:
        return Verdict("unknown", "Not verified yet", "Run firstspike verify on this folder to compare every "
                                                      "spike with the golden model.")
    what = (f"{results['images']:,} images, {results['spikes']:,} spikes and {results['potentials']:,} final "
            f"potentials compared under {results['simulator'].capitalize()}")
    if results["passed"]:
        return Verdict("exact", "Bit-exact: hardware and golden model agree in every spike",
                       f"{what}; no mismatch.")
    return Verdict("differs", f"Not the same: {results['mismatches']:,} mismatches",
                   f"{what}. The first: {results['first_mismatch']['text']}")


def tiles(files: BuildFiles) -> list[Tile]:
    """The figures: of the verification, then of the synthesis."""
    return [*_of_results(files), *_of_resources(files.resources)]


def _of_results(files: BuildFiles) -> list[Tile]:
    results, build = files.results, files.build
    if not results:
        return []
    found = []
    if results["correct"] is not None:
        share = results["correct"] / results["images"]
        found.append(Tile("Correct", f"{100 * share:.4g}", "%",
                          f"{results['correct']:,} of {results['images']:,} images"))
    cycles = results["cycles"]
    if cycles:
        clock = build.plan.clock_hz
        found.append(Tile("Cycles an image", f"{cycles['mean']:,.0f}", "",
                          f"{cycles['min']:,} to {cycles['max']:,}"))
        found.append(Tile("Images per second", f"{clock / cycles['mean']:,.0f}", "",
                          f"at {clock / 1e6:g} MHz, back to back"))
    if build.board.toolchain:
        found.append(Tile("Through the UART", f"{link_rate(build):,.0f}", "/s",
                          f"at {build.board.uart_baud:,} baud"))
    steps = files.first_run("step")
    if steps is not None and steps.min() >= 0 and steps.min() < build.network.output.window:
        found.append(Tile("Mean decision step", f"{steps.mean():.1f}", f"of {build.network.output.window}",
                          "first output spike"))
    return found


def _of_resources(resources: Mapping[str, Any]) -> list[Tile]:
    part = taken(resources)
    if part is None:
        return []
    name, used = part
    found = [Tile(title, f"{100 * used[key] / resources['available'][key]:.1f}", "%",
                  f"{used[key]:,} of {resources['available'][key]:,}")
             for title, key in FIGURES if key != "ffs"]
    if used["fmax_hz"]:
        found.append(Tile("Fmax", f"{used['fmax_hz'] / 1e6:.1f}", "MHz",
                          f"{name}; asked for {resources['clock_hz'] / 1e6:g}"))
    return found
