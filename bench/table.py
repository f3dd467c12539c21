"""All measured figures against their floors, goals and peers: ``python -m bench.table``."""

import json

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .common import ROOT, Figure, read_results

__all__ = ["main", "table"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _mark(figure: Figure) -> Text:
    if figure.reaches(figure.floor) is False:
        return Text("below the floor", style="bold red")
    if figure.reaches(figure.goal):
        return Text("goal reached", style="bold green")
    return Text("above the floor", style="green") if figure.floor is not None else Text("")


def table() -> Table:
    """One row a figure; a peer's figure of the same kind stands below ours."""
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for head, where in (("Measured by", "left"), ("Figure", "left"), ("Value", "right"), ("Unit", "left"),
                        ("Better", "left"), ("Floor", "right"), ("Goal", "right"), ("", "left")):
        view.add_column(head, justify=where, overflow="fold")  # type: ignore[arg-type]
    peers = json.loads((ROOT / "bench" / "peers.json").read_text())
    for name, figures in read_results().items():
        for place, figure in enumerate(figures):
            view.add_row(name if place == 0 else "", figure.figure, _number(figure.value), figure.unit,
                         figure.better, _number(figure.floor), _number(figure.goal), _mark(figure))
            for peer in peers:
                for other in peer["figures"]:
                    if other["beside"] == name and other["figure"] == figure.figure:
                        view.add_row("", Text(f"  {peer['peer']}", style="dim"), _number(other["value"]),
                                     other["unit"], style="dim")
        view.add_section()
    return view


def main() -> None:
    """Print the table."""
    console = Console()
    if not read_results():
        console.print("Nothing is measured yet: run `make bench`, or one of them, `python -m bench.NAME`.")
        return
    console.print(table())
    console.print(Text("How each peer was measured stands in bench/peers.json.", style="dim"))


if __name__ == "__main__":
    main()
