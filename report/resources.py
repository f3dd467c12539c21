"""Resources and clock on the page: the estimate beside the truth, and the path that sets the clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .build_files import BuildFiles
from .charts import Bar, Table

__all__ = ["FIGURES", "ResourcesSection", "critical_path", "resources_section", "taken"]

FIGURES = (("LUTs", "luts"), ("Flip-flops", "ffs"), ("Block RAMs", "block_rams"))
"""What a design takes: its name on the page, and in ``resources.json``."""

_HOPS = 14  # of a path that are shown


@dataclass(frozen=True)
class ResourcesSection:
    """What the design takes of its device, the estimate beside the truth, and the slowest path."""

    lead: str
    bars: Sequence[Bar] = ()
    table: Table | None = None
    path: Table | None = None


def taken(resources: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """What was synthesised: the whole design where it was, else the core; with its name."""
    for part, name in (("design", "the whole design"), ("core", "the core")):
        if resources.get(part):
            return name, resources[part]
    return None


def resources_section(files: BuildFiles) -> ResourcesSection:
    """The section about the resources of a build."""
    board, plan, resources = files.build.board, files.build.plan, files.resources
    guess = plan.resources + plan.overhead
    part = taken(resources)
    if part is None:
        bars = []
        for title, key in FIGURES:
            need, limit = getattr(guess, key), getattr(board, key)
            bars.append(Bar(title, f"{need:,} of {limit:,}", need / limit) if limit
                        else Bar(title, f"{need:,}", None))
        how = "run firstspike synth on this folder for the truth." if board.toolchain else "without a device."
        return ResourcesSection(f"Estimated, {how}", bars)
    name, used = part
    if not resources.get("design"):
        guess = plan.resources
    there = resources["available"]
    bars = [Bar(title, f"{used[key]:,} of {there[key]:,}", used[key] / there[key],
                getattr(guess, key) / there[key]) for title, key in FIGURES]
    lines = [[title, f"{getattr(guess, key):,}", f"{used[key]:,}", _error(getattr(guess, key), used[key])]
             for title, key in FIGURES]
    lead = (f"Of {name}. The tick is the estimate made before synthesis. " + (
        f"Placed and routed it stands {used['fmax_hz'] / 1e6:.1f} MHz; asked for was "
        f"{resources['clock_hz'] / 1e6:g} MHz." if used["fmax_hz"] else "Synthesised, not placed."))
    versions = resources["versions"]
    core = resources.get("core")
    if core and resources.get("design") and core["fmax_hz"]:
        lead += (f" The core alone takes {core['luts']:,} LUTs, {core['ffs']:,} flip-flops and "
                 f"{core['block_rams']} block RAMs, and stands {core['fmax_hz'] / 1e6:.1f} MHz.")
    used_tools = [f"{tool} {version}" for tool, version in versions.items()]
    table = Table("The estimate beside the truth", ["Figure", "Estimate", "Truth", "Error of the estimate"],
                  lines, frozenset((1, 2, 3)))
    return ResourcesSection(f"{lead} {', '.join(used_tools)}, seed {resources['seed']}.", bars, table,
                            critical_path(files.routed))


def _error(guess: float, truth: float) -> str:
    return f"{100 * (guess - truth) / truth:+.1f} %" if truth else ""


def critical_path(routed: Mapping[str, Any]) -> Table | None:
    """The longest path from one edge of a clock to the next in nextpnr's report.

    Parameters
    ----------
    routed : mapping
        The report: ``critical_paths``, each with ``from``, ``to`` and the hops of its ``path``.

    Returns
    -------
    Table or None
        A line for each hop, the longest of them where there are many; None where there is no such path.
    """
    paths = []
    for path in _list(routed.get("critical_paths")):
        hops = [(hop, _delay(hop)) for hop in _list(path.get("path"))]
        clocks = str(path.get("from", "")).split()[-1:] == str(path.get("to", "")).split()[-1:]
        if hops and clocks and "<async>" not in f"{path.get('from')} {path.get('to')}":
            paths.append((sum(delay for _, delay in hops), hops))
    if not paths:
        return None
    total, hops = max(paths, key=lambda path: path[0])
    routing = sum(delay for hop, delay in hops if hop.get("type") == "routing")
    shown = sorted(sorted(range(len(hops)), key=lambda at: -hops[at][1])[:_HOPS])
    lines = [[str(hops[at][0].get("type", "")), f"{hops[at][1]:.2f}", _end(hops[at][0].get("from")),
              _end(hops[at][0].get("to"))] for at in shown]
    cut = f"; the longest {_HOPS} of {len(hops)} hops" if len(hops) > _HOPS else ""
    title = f"The critical path: {total:.2f} ns, {routing / total if total else 0:.0%} of them routing{cut}"
    return Table(title, ["Hop", "ns", "From", "To"], lines, frozenset((1,)))


def _list(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list of a foreign file."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _delay(hop: Mapping[str, Any]) -> float:
    delay = hop.get("delay")
    return float(delay) if isinstance(delay, int | float) else 0.0


def _end(end: Any) -> str:
    if not isinstance(end, Mapping):
        return ""
    where = end.get("loc")
    place = f" at {where[0]}, {where[1]}" if isinstance(where, list) and len(where) == 2 else ""
    return f"{end.get('cell', '')}.{end.get('port', '')}{place}"
