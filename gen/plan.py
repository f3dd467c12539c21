"""The plan: which offer each layer takes, so that the network fits its board and does what is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ..boards import BOARDS, Board
from ..boards.families import FAMILIES
from ..errors import FirstspikeError
from ..network import Network, Readout
from .encoder import ENCODER
from .engines import ENGINES, Job, Offer, engine, jobs
from .expected import expected_spikes
from .resources import Resources

__all__ = ["Aim", "LayerPlan", "Plan", "fits", "plan", "planned_jobs"]

_FULL = 0.95
"""Share of a device's logic beyond which routing is not to be counted on."""
_HOST = Resources(690, 200, 0)
"""What the host link took on ECP5 when it was measured; ``python -m bench.estimates`` measures it again."""


class Aim(StrEnum):
    """What a plan is chosen for, among those that fit."""

    THROUGHPUT = "throughput"
    """The most images per second."""

    LATENCY = "latency"
    """The fewest cycles from an image to its class."""

    AREA = "area"
    """The least of the device."""


@dataclass(frozen=True)
class LayerPlan:
    """One layer's circuit.

    Attributes
    ----------
    name : :class:`str`
    neurons, window : :class:`int`
    phase : :class:`str`
    heard, fired : :class:`float`
        Expected spikes for one window.
    offer : :class:`~.engines.engine.Offer`
        What was chosen.
    """

    name: str
    neurons: int
    window: int
    phase: str
    heard: float
    fired: float
    offer: Offer

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "LayerPlan":
        """The inverse of :func:`dataclasses.asdict`."""
        told: dict[str, Any] = dict(data["offer"])
        form = engine(told["engine"]).form(told["form"])
        made: dict[str, Any] = dict(data)
        made["offer"] = Offer(**told | {"form": form, "resources": Resources(**told["resources"])})
        return cls(**made)


@dataclass(frozen=True)
class Plan:
    """The whole circuit and what is expected of it.

    Attributes
    ----------
    board : :class:`str`
    clock_hz : :class:`float`
    aim : :class:`Aim`
    early_stop, encoder : :class:`bool`
        What is built in.
    layers : tuple of :class:`LayerPlan`
    cycles : :class:`float`
        Expected from one image to the next, where the input keeps up.
    images_per_second : :class:`float`
        At ``clock_hz``.
    bottleneck, limit : :class:`str`
        What sets the pace, and what kept the plan from a faster one.
    resources, overhead : :class:`~.resources.Resources`
        Estimated for the core's layers, and for the encoder and the board's host link.
    warnings : tuple of :class:`str`
        What of it is in doubt, a sentence each.
    """

    board: str
    clock_hz: float
    aim: Aim
    early_stop: bool
    encoder: bool
    layers: tuple[LayerPlan, ...]
    cycles: float
    images_per_second: float
    bottleneck: str
    limit: str
    resources: Resources
    overhead: Resources
    warnings: tuple[str, ...] = ()

    def fact_heads(self) -> list[str]:
        """The names of all that the layers' offers say of themselves, as heads of a table's columns."""
        names = dict.fromkeys(name for layer in self.layers for name in layer.offer.facts)
        return [name.replace("_", " ").capitalize() for name in names]

    def facts_of(self, layer: LayerPlan) -> list[str]:
        """What a layer's offer says of itself, under :meth:`fact_heads`; "" where it says nothing."""
        names = dict.fromkeys(name for one in self.layers for name in one.offer.facts)
        facts = [layer.offer.facts.get(name, "") for name in names]
        return [f"{fact:,}" if isinstance(fact, int) else fact for fact in facts]

    def to_json(self) -> dict[str, Any]:
        """As plain data, for ``plan.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Plan":
        """The inverse of :meth:`to_json`. Raises TypeError, ValueError, KeyError where it is no plan."""
        made: dict[str, Any] = dict(data) | {
            "aim": Aim(data["aim"]), "layers": tuple(map(LayerPlan.from_json, data["layers"])),
            "resources": Resources(**data["resources"]), "overhead": Resources(**data["overhead"]),
            "warnings": tuple(map(str, data["warnings"]))}
        return cls(**made)


def plan(network: Network, board: Board, *, clock_hz: float | None = None, aim: Aim | str = Aim.THROUGHPUT,
         images_per_second: float | None = None, early_stop: bool = True, encoder: bool = True) -> Plan:
    """Choose an offer for every layer.

    Parameters
    ----------
    network : :class:`~..network.Network`
        One that :mod:`.check` has passed.
    board : :class:`~..boards.Board`
    clock_hz : :class:`float`, optional
        The core's clock; None: the board's.
    aim : :class:`Aim`
        What the best is, among the plans that fit.
    images_per_second : :class:`float`, optional
        Take the least area that gives this, whatever the aim.
    early_stop, encoder : :class:`bool`
        What to build in, where the network has a use for it.

    Raises
    ------
    FirstspikeError
        The network does not fit the board in any form, or the throughput is out of reach there. The sentence
        says what it needs, what there is, the best that fits, and which boards would do.
    """
    choice = _Choice(network, board, float(clock_hz or board.clock_hz),
                     early_stop=early_stop and network.readout is Readout.FIRST_SPIKE,
                     encoder=encoder and network.input.levels is not None)
    if images_per_second is None:
        return choice.best(Aim(aim))
    return choice.least_area(images_per_second, Aim(aim))


def planned_jobs(network: Network, plan: Plan) -> tuple[Job, ...]:
    """The jobs that a plan was made for."""
    spikes = [plan.layers[0].heard, *(layer.fired for layer in plan.layers)]
    return jobs(network, spikes, early_stop=plan.early_stop)


def fits(board: Board, needs: Resources) -> bool:
    """Whether a board has what is needed, with some logic left for routing."""
    return ((not board.luts or needs.luts <= board.luts * _FULL)
            and (not board.ffs or needs.ffs <= board.ffs * _FULL)
            and (not board.block_rams or needs.block_rams <= board.block_rams))


def front(offers: Sequence[Offer]) -> list[Offer]:
    """The offers that no other beats or equals in everything; of equals the first. In their order."""
    kept: list[Offer] = []
    for place, offer in enumerate(offers):
        later = [other for other in offers[place + 1:] if not _covers(offer, other)]
        if not any(_covers(other, offer) for other in (*kept, *later)):
            kept.append(offer)
    return kept


def _covers(one: Offer, other: Offer) -> bool:
    """Whether one offer is as good as another in everything."""
    return (other.resources.covers(one.resources) and one.cycles <= other.cycles
            and one.latency <= other.latency)


class _Choice:
    """All plans of a network for a board, and the choice among them.

    A plan is set by its pace, the cycles that its slowest layer takes: every layer takes the least area that
    keeps it. So there are no more plans to look at than there are offers.
    """

    def __init__(self, network: Network, board: Board, clock_hz: float, *, early_stop: bool, encoder: bool):
        self.network, self.board, self.clock_hz = network, board, clock_hz
        self.early_stop, self.encoder = early_stop, encoder
        self.jobs = jobs(network, expected_spikes(network), early_stop=early_stop)
        self.overhead = (_HOST if board.luts else Resources()) + (ENCODER if encoder else Resources())
        self.offers = self._offers(board)
        paces = {offer.cycles for offers in self.offers for offer in offers}
        slowest = max(min(offer.cycles for offer in offers) for offers in self.offers)
        self.paces = sorted(pace for pace in paces if pace >= slowest)

    def _offers(self, board: Board) -> list[list[Offer]]:
        fabric = FAMILIES[board.family].fabric
        return [front([offer for one in ENGINES if not one.refusals(job)
                       for offer in one.offers(job, fabric)]) for job in self.jobs]

    def area(self, needs: Resources) -> float:
        """How much of the device something takes: the share of what it takes most of; of no device, LUTs."""
        board = self.board
        if not board.luts:
            return needs.luts + needs.ffs / 4 + 256 * needs.block_rams
        return (needs.luts / board.luts + needs.ffs / board.ffs
                + needs.block_rams / max(board.block_rams, 1))

    def at(self, pace: float) -> tuple[Offer, ...]:
        """Of each layer the least area that keeps a pace; of equals the slowest."""
        def cost(offer: Offer) -> tuple[float, float]:
            return self.area(offer.resources), -offer.cycles

        return tuple(min((offer for offer in offers if offer.cycles <= pace), key=cost)
                     for offers in self.offers)

    def needs(self, chosen: Sequence[Offer]) -> Resources:
        """What the whole design takes."""
        return sum((offer.resources for offer in chosen), self.overhead)

    def fitting(self) -> list[tuple[Offer, ...]]:
        """One plan for each pace at which one fits, the fastest first."""
        return [chosen for chosen in map(self.at, self.paces) if fits(self.board, self.needs(chosen))]

    def best(self, aim: Aim) -> Plan:
        there = self.fitting()
        if not there:
            raise FirstspikeError(self.too_large())
        match aim:
            case Aim.THROUGHPUT:
                chosen = there[0]
            case Aim.LATENCY:
                chosen = min(there, key=lambda chosen: sum(offer.cycles + offer.latency for offer in chosen))
            case Aim.AREA:
                chosen = min(there, key=lambda chosen: self.area(self.needs(chosen)))
        most = chosen == self.at(self.paces[0])
        limit = {
            Aim.THROUGHPUT: "everything in parallel" if most else f"the most that fits {self.board.name}",
            Aim.LATENCY: f"the least latency that fits {self.board.name}",
            Aim.AREA: "the least area",
        }[aim]
        return self.plan(chosen, aim, limit)

    def least_area(self, images_per_second: float, aim: Aim) -> Plan:
        pace = self.clock_hz / images_per_second
        asked = f"{images_per_second:,.0f} images per second"
        if pace >= self.paces[0]:
            chosen = self.at(pace)
            if fits(self.board, self.needs(chosen)):
                return self.plan(chosen, aim, f"the least area that gives {asked}")
        there = self.fitting()
        if not there:
            raise FirstspikeError(self.too_large())
        cycles = max(offer.cycles for offer in there[0])
        at = f"on {self.board.name} at {self.clock_hz / 1e6:g} MHz"
        raise FirstspikeError(
            f"{asked} are out of reach {at}: the most that is expected there is "
            f"{self.clock_hz / cycles:,.0f}; ask for less" + self.larger(images_per_second))

    def plan(self, chosen: Sequence[Offer], aim: Aim, limit: str) -> Plan:
        layers = tuple(LayerPlan(job.layer.name, job.layer.size, job.layer.window, job.layer.phase.value,
                                 job.heard, job.fired, offer)
                       for job, offer in zip(self.jobs, chosen, strict=True))
        busiest = max(layers, key=lambda layer: layer.offer.cycles)
        return Plan(
            board=self.board.name, clock_hz=self.clock_hz, aim=aim, early_stop=self.early_stop,
            encoder=self.encoder, layers=layers, cycles=busiest.offer.cycles,
            images_per_second=self.clock_hz / busiest.offer.cycles,
            bottleneck=f"layer {busiest.name!r}: {busiest.heard:.0f} spikes heard, {busiest.fired:.0f} "
                       f"fired, {busiest.offer.pace}",
            limit=limit, resources=sum((offer.resources for offer in chosen), Resources()),
            overhead=self.overhead, warnings=self.warnings())

    def warnings(self) -> tuple[str, ...]:
        """Of a clock that no measured design of the board's family reaches."""
        fastest = FAMILIES[self.board.family].fabric.fastest_hz
        if fastest is None or self.clock_hz <= fastest:
            return ()
        return (f"the clock of {self.clock_hz / 1e6:g} MHz is above the {fastest / 1e6:g} MHz that the "
                f"fastest design measured on {self.board.family} stands: believe the images per second once "
                "firstspike synth has placed and routed it",)

    def too_large(self) -> str:
        """Why no plan fits: what the smallest lacks, and where it would fit."""
        board = self.board
        least = min((self.needs(self.at(pace)) for pace in self.paces),
                    key=lambda needs: (needs.block_rams, needs.luts))
        short = [f"{need:,} {what} of {there:,}" for need, there, what, full in (
            (least.luts, board.luts, "LUTs", _FULL), (least.ffs, board.ffs, "flip-flops", _FULL),
            (least.block_rams, board.block_rams, "block RAMs", 1)) if need > there * full]
        others = self.others()
        remedy = f"it would fit {' or '.join(others)}" if others else "no board known here is large enough"
        return (f"the network does not fit {board.name}: folded as far as it goes, it needs about "
                f"{' and '.join(short)}; {remedy}")

    def larger(self, images_per_second: float) -> str:
        """Which boards reach a throughput at their own clock, as the end of a sentence."""
        others = self.others(images_per_second)
        return f", or build for {' or '.join(others)}" if others else ""

    def others(self, images_per_second: float | None = None) -> list[str]:
        """Other boards on which the network fits, at a throughput where one is asked for."""
        found = []
        for other in BOARDS.values():
            if not other.luts or other.name == self.board.name:
                continue
            choice = _Choice(self.network, other, float(other.clock_hz), early_stop=self.early_stop,
                             encoder=self.encoder)
            pace = None if images_per_second is None else other.clock_hz / images_per_second
            if any(pace is None or max(offer.cycles for offer in chosen) <= pace
                   for chosen in choice.fitting()):
                found.append(other.name)
        return found
