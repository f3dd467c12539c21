"""Two builds side by side: what differs in network, plan, verification and resources."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..gen.build import Build, open_build
from ..printable import printable
from .build_files import BuildFiles, read_files
from .charts import Table
from .facts import network_facts
from .page import render
from .resources import FIGURES, taken

__all__ = ["Difference", "SideBySide", "side_by_side", "write_side_by_side"]


@dataclass(frozen=True)
class Difference:
    """One fact of both builds.

    Attributes
    ----------
    name : str
    first, second : str
        What it is in each, in words; "" where it is not known.
    change : str
        From the first to the second where both are numbers, in percent, else "".
    """

    name: str
    first: str
    second: str
    change: str = ""

    @property
    def same(self) -> bool:
        """Whether both builds have the same."""
        return self.first == self.second


@dataclass(frozen=True)
class SideBySide:
    """Two builds, fact by fact.

    Attributes
    ----------
    names : (str, str)
        What they are called.
    groups : tuple of (str, tuple of Difference)
        The facts, by what they are about.
    """

    names: tuple[str, str]
    groups: tuple[tuple[str, tuple[Difference, ...]], ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"builds": list(self.names), "facts": {
            group: [{"name": fact.name, "first": fact.first, "second": fact.second, "change": fact.change}
                    for fact in facts] for group, facts in self.groups}}


def side_by_side(first: Build | str | PathLike[str], second: Build | str | PathLike[str]) -> SideBySide:
    """Set two builds side by side.

    Parameters
    ----------
    first, second : Build, str or path
        The builds, or their folders.

    Raises
    ------
    FirstspikeError
        One is no build, or is damaged.
    """
    both = [read_files(each if isinstance(each, Build) else open_build(Path(each)))
            for each in (first, second)]
    names = [printable(files.build.path.resolve().name) for files in both]
    if names[0] == names[1]:
        names = [printable(str(files.build.path)) for files in both]
    sides = [_facts(files) for files in both]
    groups = []
    for group in sides[0]:
        here, there = sides[0][group], sides[1][group]
        groups.append((group, tuple(_difference(name, here.get(name), there.get(name))
                                    for name in dict.fromkeys((*here, *there)))))
    return SideBySide((names[0], names[1]), tuple(groups))


def write_side_by_side(found: SideBySide, path: str | PathLike[str]) -> Path:
    """Write it as a page that stands by itself.

    Raises
    ------
    FirstspikeError
        It cannot be written.
    """
    path = Path(path)
    tables = []
    for group, facts in found.groups:
        lines = [[fact.name, fact.first, fact.second, fact.change or ("" if fact.same else "differs")]
                 for fact in facts]
        tables.append(Table(group, ["Fact", *found.names, "Change"], lines))
    text = render("side_by_side.html", {"title": " and ".join(found.names), "tables": tables})
    write_whole(path, text.encode("utf-8", "replace"))
    return path


_Fact = tuple[float | None, str]  # the number, where it is one, and the words


def _number(value: float, digits: int = 0, unit: str = "") -> _Fact:
    return value, f"{value:,.{digits}f}{unit and ' '}{unit}"


def _facts(files: BuildFiles) -> dict[str, dict[str, _Fact]]:
    """What is known of a build, by groups; every build has every group."""
    build = files.build
    plan, manifest = build.plan, build.manifest
    network: dict[str, _Fact] = {name: (None, text) for name, text in network_facts(build.network).items()}
    made: dict[str, _Fact] = {
        "Board": (None, build.board.title), "Clock": _number(plan.clock_hz / 1e6, 1, "MHz"),
        "Early stop": (None, "yes" if plan.early_stop else "no"),
        "Encoder": (None, "yes" if plan.encoder else "no"), "Seed": (None, str(manifest["seed"])),
        **{name: (None, version) for name, version in sorted(manifest["versions"].items())}}
    expected = {"Cycles an image": _number(plan.cycles),
                "Images per second": _number(plan.images_per_second),
                "Limit": (None, plan.limit)}
    for layer in plan.layers:
        for head, fact in zip(plan.fact_heads(), plan.facts_of(layer), strict=True):
            expected[f"{layer.name}: {head.lower()}"] = None, fact
        expected[f"{layer.name}: cycles"] = _number(layer.offer.cycles)
    guess = plan.resources + plan.overhead
    area = {f"{title}, estimated": _number(getattr(guess, key)) for title, key in FIGURES}
    part = taken(files.resources)
    if part is not None:
        area["Synthesised"] = None, part[0]
        area |= {title: _number(part[1][key]) for title, key in FIGURES}
        if part[1]["fmax_hz"]:
            area["Fmax"] = _number(part[1]["fmax_hz"] / 1e6, 1, "MHz")
    return {"Network": network, "Build": made, "Plan": expected, "Resources": area,
            "Verification": _verified(files)}


def _verified(files: BuildFiles) -> dict[str, _Fact]:
    results = files.results
    if not results:
        return {"Verified": (None, "not yet")}
    found: dict[str, _Fact] = {
        "Verified": (None, "bit-exact" if results["passed"] else f"{results['mismatches']:,} mismatches"),
        "Images": _number(results["images"])}
    if results["correct"] is not None:
        found["Correct"] = _number(100 * results["correct"] / results["images"], 2, "%")
    if results["cycles"]:
        mean = results["cycles"]["mean"]
        found["Cycles an image, measured"] = _number(mean, 1)
        found["Images per second, measured"] = _number(files.build.plan.clock_hz / mean)
    if results["latency"]:
        found["Latency in cycles"] = _number(results["latency"]["mean"], 1)
    return found


def _difference(name: str, first: _Fact | None, second: _Fact | None) -> Difference:
    (here, words), (there, others) = first or (None, ""), second or (None, "")
    change = f"{100 * (there - here) / here:+.1f} %" if here and there is not None and here != there else ""
    return Difference(name, words, others, change)
