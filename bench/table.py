"""All measured figures against their floors, goals and peers: ``python -m bench.table``."""

import json

from firstspike.console import say, show_table
from rich.text import Text

from .common import ROOT, Figure, read_results

__all__ = ["main", "rows"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _mark(figure: Figure) -> Text:
    if figure.reaches(figure.floor) is False:
        return Text("below the floor", style="bold red")
    if figure.reaches(figure.goal):
        return Text("goal reached", style="bold green")
    return Text("above the floor", style="green") if figure.floor is not None else Text("")


HEADS = ("Measured by", "Figure", "Value", "Unit", "Better", "Floor", "Goal", "Status")


def rows() -> list[tuple[object, ...]]:
    """One row a figure; a peer's figure of the same kind stands below ours."""
    found: list[tuple[object, ...]] = []
    peers = json.loads((ROOT / "bench" / "peers.json").read_text())
    for name, figures in read_results().items():
        for place, figure in enumerate(figures):
            found.append((name if place == 0 else "", figure.figure, _number(figure.value), figure.unit,
                          figure.better, _number(figure.floor), _number(figure.goal), _mark(figure)))
            for peer in peers:
                for other in peer["figures"]:
                    if other["beside"] == name and other["figure"] == figure.figure:
                        found.append(("", Text(f"  {peer['peer']}", style="dim"), _number(other["value"]),
                                      other["unit"], "", "", "", ""))
    return found


def main() -> None:
    """Print the table."""
    found = rows()
    if not found:
        say("Nothing is measured yet: run `make bench`, or one of them, `python -m bench.NAME`.")
        return
    show_table(HEADS, found, numbers=(2, 5, 6), grouped=True)
    say("How each peer was measured stands in bench/peers.json.", "dim")


if __name__ == "__main__":
    main()
