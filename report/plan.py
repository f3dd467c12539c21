"""The plan on the page: what each layer became, what it takes and how long."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..gen.build import Build
from .charts import Bar, Table
from .resources import FIGURES

__all__ = ["PlanSection", "plan_section"]


@dataclass(frozen=True)
class PlanSection:
    """The plan: a sentence, a line a layer, a bar of cycles a layer, and the area of each."""

    lead: str
    table: Table
    bars: Sequence[Bar]
    area: Table


def plan_section(build: Build) -> PlanSection:
    """The section about the plan of ``build``."""
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
    numbers = frozenset(range(2, len(heads)))
    return PlanSection(lead, Table("The layers as circuits", heads, lines, numbers, slowest), bars,
                       _area(build))


def _area(build: Build) -> Table:
    """A line for each layer and for what is beside them, each with its share of all LUTs."""
    plan = build.plan
    parts = [*((layer.name, layer.offer.resources) for layer in plan.layers),
             ("host link, encoder", plan.overhead)]
    total = plan.resources + plan.overhead
    lines = [[name, *(f"{getattr(part, key):,}" for _, key in FIGURES),
              f"{part.luts / max(1, total.luts):.0%}"] for name, part in parts]
    lines.append(["all", *(f"{getattr(total, key):,}" for _, key in FIGURES), "100%"])
    heads = ["Layer", *(title for title, _ in FIGURES), "Share of LUTs"]
    return Table("Area of each layer, estimated", heads, lines, frozenset(range(1, 5)), len(lines) - 1)
