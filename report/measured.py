"""The parts of the report that come from a build's files: plan, resources, verification, versions."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import FirstspikeError
from ..gen.build import Build
from .charts import Bar, Histogram, Table, histogram
from .facts import link_rate

__all__ = ["Measured", "PlanSection", "ResourcesSection", "Tile", "Verdict", "VerificationSection",
           "measured"]


@dataclass(frozen=True)
class Verdict:
    """The answer at the head of the page. ``state``: "exact", "differs" or "unknown"."""

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


@dataclass(frozen=True)
class PlanSection:
    """The plan: a sentence, a line a layer, a bar of cycles a layer."""

    lead: str
    table: Table
    bars: Sequence[Bar]


@dataclass(frozen=True)
class ResourcesSection:
    """What the design takes of its device, and the estimate beside the truth."""

    lead: str
    bars: Sequence[Bar] = ()
    table: Table | None = None


@dataclass(frozen=True)
class VerificationSection:
    """What was compared and how it came out, a line a run."""

    lead: str
    table: Table
    mismatch: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, eq=False)
class Measured:
    """All that a build folder says about itself; ``image``, ``label``: the first that was verified."""

    title: str
    subtitle: str
    verdict: Verdict
    tiles: Sequence[Tile]
    plan: PlanSection
    resources: ResourcesSection
    histograms: Sequence[Histogram]
    verification: VerificationSection | None
    origin: Sequence[tuple[str, str]]
    files: Sequence[tuple[str, str]]
    image: np.ndarray | None = field(default=None, repr=False)
    label: int | None = None


def measured(build: Build) -> Measured:
    """Read the files of ``build``. Raises FirstspikeError where one is damaged."""
    results = _json(build, "verify/results.json")
    resources = _json(build, "reports/resources.json")
    vectors = _vectors(build) if results else {}
    labels = vectors.get("labels")
    return Measured(
        title=build.path.resolve().name, subtitle=_subtitle(build), verdict=_verdict(results),
        tiles=[*_result_tiles(build, results, vectors), *_resource_tiles(build, resources)],
        plan=_plan(build), resources=_resources(build, resources),
        histograms=_histograms(build, results, vectors),
        verification=_verification(results), origin=_origin(build), files=_files(build),
        image=vectors["images"][0] if "images" in vectors else None,
        label=None if labels is None else int(labels[0]))


def _json(build: Build, name: str) -> dict[str, Any]:
    """The JSON object in the file ``name`` of the build folder, {} where there is none."""
    path = build.path / name
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


def _subtitle(build: Build) -> str:
    board, network = build.board, build.network
    neurons = sum(layer.size for layer in network.layers)
    return " \u00b7 ".join(filter(None, (
        board.title, board.device, f"{network.input.size:,} inputs, {neurons:,} neurons, "
                                   f"{network.output.size} classes")))


def _verdict(results: Mapping[str, Any]) -> Verdict:
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


def _first_run(results: Mapping[str, Any], vectors: Mapping[str, np.ndarray], what: str) -> np.ndarray | None:
    """``what`` ("cycles", "step") of the first run, whose images came back to back."""
    if not results or not results["runs"]:
        return None
    run = results["runs"][0]
    values = vectors.get(f"{run['port']}_{'early' if run['early_stop'] else 'whole'}_{what}")
    return values if values is not None and len(values) else None


def _result_tiles(build: Build, results: Mapping[str, Any], vectors: Mapping[str, np.ndarray]) -> list[Tile]:
    if not results:
        return []
    tiles = []
    if results["correct"] is not None:
        share = results["correct"] / results["images"]
        tiles.append(Tile("Correct", f"{100 * share:.4g}", "%",
                          f"{results['correct']:,} of {results['images']:,} images"))
    cycles = results["cycles"]
    if cycles:
        clock = build.plan.clock_hz
        tiles.append(Tile("Cycles an image", f"{cycles['mean']:,.0f}", "",
                          f"{cycles['min']:,} to {cycles['max']:,}"))
        tiles.append(Tile("Images per second", f"{clock / cycles['mean']:,.0f}", "",
                          f"at {clock / 1e6:g} MHz, back to back"))
    if build.board.toolchain:
        tiles.append(Tile("Through the UART", f"{link_rate(build):,.0f}", "/s",
                          f"at {build.board.uart_baud:,} baud"))
    steps = _first_run(results, vectors, "step")
    if steps is not None and steps.min() >= 0 and steps.min() < build.network.output.window:
        tiles.append(Tile("Mean decision step", f"{steps.mean():.1f}", f"of {build.network.output.window}",
                          "first output spike"))
    return tiles


_RESOURCES = (("LUTs", "luts"), ("Flip-flops", "ffs"), ("Block RAMs", "block_rams"))


def _taken(resources: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """What was synthesised: the whole design where it was, else the core; with its name."""
    for part, name in (("design", "the whole design"), ("core", "the core")):
        if resources.get(part):
            return name, resources[part]
    return None


def _resource_tiles(build: Build, resources: Mapping[str, Any]) -> list[Tile]:
    taken = _taken(resources)
    if taken is None:
        return []
    name, used = taken
    tiles = [Tile(title, f"{100 * used[key] / resources['available'][key]:.1f}", "%",
                  f"{used[key]:,} of {resources['available'][key]:,}")
             for title, key in _RESOURCES if key != "ffs"]
    if used["fmax_hz"]:
        tiles.append(Tile("Fmax", f"{used['fmax_hz'] / 1e6:.1f}", "MHz",
                          f"{name}; asked for {resources['clock_hz'] / 1e6:g}"))
    return tiles


def _resources(build: Build, resources: Mapping[str, Any]) -> ResourcesSection:
    board, plan = build.board, build.plan
    guess = plan.resources + plan.overhead
    taken = _taken(resources)
    if taken is None:
        bars = []
        for title, key in _RESOURCES:
            need, limit = getattr(guess, key), getattr(board, key)
            bars.append(Bar(title, f"{need:,} of {limit:,}", need / limit) if limit
                        else Bar(title, f"{need:,}", None))
        how = "run firstspike synth on this folder for the truth." if board.toolchain else "without a device."
        return ResourcesSection(f"Estimated, {how}", bars)
    name, used = taken
    if not resources.get("design"):
        guess = plan.resources
    there = resources["available"]
    bars = [Bar(title, f"{used[key]:,} of {there[key]:,}", used[key] / there[key],
                getattr(guess, key) / there[key]) for title, key in _RESOURCES]
    lines = [[title, f"{getattr(guess, key):,}", f"{used[key]:,}", _error(getattr(guess, key), used[key])]
             for title, key in _RESOURCES]
    lead = (f"Of {name}. The tick is the estimate made before synthesis. " + (
        f"Placed and routed it stands {used['fmax_hz'] / 1e6:.1f} MHz; asked for was "
        f"{resources['clock_hz'] / 1e6:g} MHz." if used["fmax_hz"] else "Synthesised, not placed."))
    versions = resources["versions"]
    core = resources.get("core")
    if core and resources.get("design") and core["fmax_hz"]:
        lead += (f" The core alone takes {core['luts']:,} LUTs, {core['ffs']:,} flip-flops and "
                 f"{core['block_rams']} block RAMs, and stands {core['fmax_hz'] / 1e6:.1f} MHz.")
    used_tools = [f"{tool} {version}" for tool, version in versions.items()]
    return ResourcesSection(f"{lead} {', '.join(used_tools)}, seed {resources['seed']}.", bars, Table(
        ["Figure", "Estimate", "Truth", "Error of the estimate"], lines, frozenset((1, 2, 3))))


def _error(guess: float, truth: float) -> str:
    return f"{100 * (guess - truth) / truth:+.1f} %" if truth else ""


def _plan(build: Build) -> PlanSection:
    plan = build.plan
    heads = ["Layer", "Engine", *plan.fact_heads(), "Spikes in", "Spikes out", "Cycles"]
    lines = [[layer.name, layer.offer.engine, *plan.facts_of(layer), f"{layer.heard:,.0f}",
              f"{layer.fired:,.0f}", f"{layer.offer.cycles:,.0f}"] for layer in plan.layers]
    cycles = [layer.offer.cycles for layer in plan.layers]
    most = max(cycles)
    slowest = cycles.index(most)
    bars = [Bar(layer.name, f"{cycles[index]:,.0f} cycles", cycles[index] / most, hot=index == slowest,
                note="sets the pace" if index == slowest else "")
            for index, layer in enumerate(plan.layers)]
    how = plan.limit[:1].upper() + plan.limit[1:]
    lead = (f"{how}: {plan.cycles:,.0f} cycles expected from one image to the next, which are "
            f"{plan.images_per_second:,.0f} images per second at {plan.clock_hz / 1e6:g} MHz.")
    return PlanSection(lead, Table(heads, lines, frozenset(range(2, len(heads))), slowest), bars)


def _histograms(build: Build, results: Mapping[str, Any],
                vectors: Mapping[str, np.ndarray]) -> list[Histogram]:
    charts = []
    cycles = _first_run(results, vectors, "cycles")
    if cycles is not None:
        charts.append(histogram(f"Cycles from one class to the next ({results['runs'][0]['name']})", cycles))
    steps = _first_run(results, vectors, "step")
    window = build.network.output.window
    if steps is not None and (steps < window).any():
        silent = f" ({window}: no output spike)" if (steps == window).any() else ""
        charts.append(histogram(f"Decision step{silent}", steps, whole=True, digits=1))
    return charts


def _spread(spread: Mapping[str, float] | None) -> str:
    return f"{spread['min']:,} / {spread['mean']:,.1f} / {spread['max']:,}" if spread else ""


def _verification(results: Mapping[str, Any]) -> VerificationSection | None:
    if not results:
        return None
    heads = ["Form and port", "Images", "Spikes", "Final potentials", "Mismatches",
             "Cycles (min / mean / max)", "Latency (min / mean / max)", "Seconds"]
    lines = [[run["name"], f"{run['images']:,}", f"{run['spikes']:,}", f"{run['potentials']:,}",
              f"{run['mismatches']:,}", _spread(run["cycles"]), _spread(run["latency"]),
              f"{run['seconds']:.1f}"] for run in results["runs"]]
    how = f"{results['simulator'].capitalize()} {results['version']}"
    if results["stalls"]:
        how += ", with random stalls"
    lead = (f"Every spike (layer, neuron, step) and every final potential against the golden model, under "
            f"{how}. With early stop, all up to the decision, the class and its step. Cycles are from one "
            "class to the next, latency from the first spike or level in to the class out.")
    first = results["first_mismatch"]
    rows = [(name.replace("_", " "), str(value)) for name, value in (first or {}).items()
            if value is not None and value != ""]
    return VerificationSection(lead, Table(heads, lines, frozenset(range(1, 8))), rows)


def _origin(build: Build) -> list[tuple[str, str]]:
    manifest = build.manifest
    options = [(name.replace("_", " ").capitalize(),
                ("no", "yes")[value] if isinstance(value, bool) else f"{value:,.0f}")
               for name, value in manifest["options"].items() if value is not None]
    return [("Board", build.board_file or build.board.name), ("Seed", str(manifest["seed"])), *options,
            *manifest["versions"].items()]


def _files(build: Build) -> list[tuple[str, str]]:
    files = build.manifest["files"]
    roms = [name for name in files if name.startswith("rtl/rom/")]
    shown = [(name, digest) for name, digest in files.items() if name not in roms]
    return [*shown, ("rtl/rom", f"{len(roms)} ROM files, each with its hash in manifest.json")]
