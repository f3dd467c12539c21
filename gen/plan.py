"""The plan: how each layer is folded so that the network fits its board or meets a throughput."""

from dataclasses import asdict, dataclass
from math import ceil

from ..boards import BOARDS, Board
from ..errors import FirstspikeError
from ..network import Fires, Latency, Network, Phase, Readout
from ..rtl.event.layer import Folding
from .estimate import FAMILIES, Family, Resources, layer_cycles, layer_resources
from .neurons import LaneModel, lane_model

__all__ = ["LayerPlan", "Plan", "plan"]

_FOLDS = (1, 4, 8, 16, 32, 64, 128, 256)
_FULL = 0.95        # of a device's logic, beyond which routing is not to be counted on
_HOST = Resources(690, 200, 0)      # measured on ECP5
_ENCODER = Resources(320, 310, 4)   # the larger of its forms


@dataclass(frozen=True)
class LayerPlan:
    """One layer's circuit.

    ``engine``: "event". ``width``: bits of a potential. ``lanes``: adders. ``cycles``: expected cycles that
    it is busy for one window. ``heard``, ``fired``: expected spikes for one window.
    """

    name: str
    engine: str
    inputs: int
    neurons: int
    window: int
    phase: str
    width: int
    columns: int
    lanes: int
    folding: Folding
    rom_bits: int
    heard: float
    fired: float
    cycles: float
    resources: Resources


@dataclass(frozen=True)
class Plan:
    """The whole circuit and what is expected of it.

    ``cycles``: expected cycles from one image to the next, where the input keeps up, and
    ``images_per_second`` at ``clock_hz``; ``bottleneck`` says what sets it. ``resources``: estimate of the
    core, with ``overhead`` for the board's host link.
    """

    board: str
    clock_hz: float
    early_stop: bool
    encoder: bool
    layers: tuple[LayerPlan, ...]
    cycles: float
    images_per_second: float
    bottleneck: str
    limit: str
    resources: Resources
    overhead: Resources

    def to_json(self) -> dict:
        """As plain data, for ``plan.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict) -> "Plan":
        """The inverse of :meth:`to_json`."""
        layers = tuple(LayerPlan(**layer | {
            "folding": Folding(**layer["folding"]), "resources": Resources(**layer["resources"]),
        }) for layer in data["layers"])
        return cls(**data | {"layers": layers, "resources": Resources(**data["resources"]),
                             "overhead": Resources(**data["overhead"])})


def plan(network: Network, board: Board, *, clock_hz: float | None = None,
         images_per_second: float | None = None, early_stop: bool = True, encoder: bool = True) -> Plan:
    """Choose every layer's folding.

    With ``images_per_second`` the least area that meets it; without, the most throughput that fits.

    Raises
    ------
    FirstspikeError
        The network does not fit the board however it is folded (the message says what it needs, what there
        is, and which boards would do), or the throughput is out of reach.
    """
    clock = float(clock_hz or board.clock_hz)
    choices = _choices(network, FAMILIES[board.family])
    overhead = _HOST if board.toolchain else Resources()
    if encoder and network.input.levels is not None:
        overhead += _ENCODER
    paces = sorted({option.cycles for options in choices for option in options})
    slowest = max(min(option.cycles for option in options) for options in choices)

    def at_pace(pace):
        return tuple(max((option for option in options if option.cycles <= pace),
                         key=lambda option: (-option.resources.luts, option.cycles)) for options in choices)

    if images_per_second:
        pace = clock / images_per_second
        if pace < slowest:
            raise FirstspikeError(
                f"{images_per_second:,.0f} images per second are out of reach on {board.name} at "
                f"{clock / 1e6:g} MHz: the most is about {clock / slowest:,.0f}; ask for less, "
                f"or for a higher --clock")
        chosen = at_pace(pace)
        limit = f"least area that gives {images_per_second:,.0f} images per second"
        if not fits(board, _total(chosen) + overhead):
            raise FirstspikeError(_refusal(network, board, _total(chosen) + overhead, limit))
    else:
        options = [at_pace(pace) for pace in paces if pace >= slowest]
        chosen = next((o for o in options if fits(board, _total(o) + overhead)), None)
        if chosen is None:
            least = min((_total(o) + overhead for o in options), key=lambda r: (r.block_rams, r.luts))
            raise FirstspikeError(_refusal(network, board, least, "folded as far as it goes"))
        limit = "everything in parallel" if chosen == options[0] else f"the most that fits {board.name}"

    busiest = max(chosen, key=lambda option: option.cycles)
    return Plan(
        board=board.name, clock_hz=clock,
        early_stop=early_stop and network.readout is Readout.FIRST_SPIKE,
        encoder=encoder and network.input.levels is not None,
        layers=chosen, cycles=busiest.cycles, images_per_second=clock / busiest.cycles,
        bottleneck=f"layer {busiest.name!r}: {busiest.heard:.0f} spikes heard, {busiest.fired:.0f} fired, "
                   f"{busiest.folding.folds} neurons on an adder",
        limit=limit, resources=_total(chosen), overhead=overhead)


def fits(board: Board, needs: Resources) -> bool:
    """Whether a board has what is needed, with some logic left for routing."""
    return ((not board.luts or needs.luts <= board.luts * _FULL)
            and (not board.ffs or needs.ffs <= board.ffs * _FULL)
            and (not board.block_rams or needs.block_rams <= board.block_rams))


def _choices(network: Network, family: Family) -> list[list[LayerPlan]]:
    """For each layer what each folding would mean."""
    known = network.calibration.get("mean_spikes")
    spikes = known if isinstance(known, list | tuple) else _guess(network)
    result = []
    for index, layer in enumerate(network.layers):
        model = lane_model(network, layer)
        inputs = len(network.input.used) if index == 0 else network.layers[index - 1].size
        options = []
        for folds in _FOLDS:
            if folds > 1 and ceil(layer.size / folds) * folds >= 2 * layer.size and folds > 4:
                break
            options.append(_option(network, index, family, model, inputs, folds,
                                   float(spikes[index]), float(spikes[index + 1])))
        result.append(options)
    return result


def _option(network: Network, index: int, family: Family, model: LaneModel, inputs: int, folds: int,
            heard: float, fired: float) -> LayerPlan:
    layer = network.layers[index]
    lanes = ceil(layer.size / folds)
    word = lanes if folds > 1 and lanes <= 18 else family.best_width(inputs * folds, lanes)
    per_column = min(lanes, word * (family.words_per_column if folds == 1 else 1))
    folding = Folding(per_column=per_column * folds, folds=folds, group=min(word, 18),
                      queue=family.queue, scan=family.scan,
                      fetch_registers=family.fetch_registers, zero_init=family.zero_init,
                      carry=family.carry)
    synapses = layer.synapses[0]
    plain = bool((synapses.kernel == 1).all()) and (index > 0 or network.input.highest_value == 1)
    return LayerPlan(
        name=layer.name, engine="event", inputs=inputs, neurons=layer.size, window=layer.window,
        phase=layer.phase.value, width=model.neurons.width, columns=ceil(layer.size / folding.per_column),
        lanes=lanes, folding=folding, rom_bits=inputs * layer.size, heard=heard, fired=fired,
        cycles=layer_cycles(model, folding, online=layer.phase is Phase.ONLINE, heard=heard, fired=fired,
                            steps=layer.window if layer.fires is not Fires.NEVER else 0),
        resources=layer_resources(family, model, inputs, folding, read=layer is network.output, plain=plain))


def _guess(network: Network) -> list[float]:
    """Spikes of the input and of each layer where no calibration says: half of what could speak does."""
    steps = network.input.window if network.input.fires is Fires.MANY else 1
    share = 0.25 if isinstance(network.input.encoding, Latency) else 0.5
    spikes = [len(network.input.used) * steps * share]
    for layer in network.layers:
        share = {Fires.ONCE: 0.5, Fires.MANY: 0.25 * layer.window, Fires.NEVER: 0.0}[layer.fires]
        spikes.append(layer.size * share)
    return spikes


def _total(chosen) -> Resources:
    return sum((option.resources for option in chosen), Resources())


def _refusal(network: Network, board: Board, needs: Resources, how: str) -> str:
    shortages = [
        f"{need:,} {what} of {there:,}" for need, there, what in (
            (needs.luts, board.luts, "LUTs"), (needs.ffs, board.ffs, "flip-flops"),
            (needs.block_rams, board.block_rams, "block RAMs"))
        if there and need > there * (1 if what == "block RAMs" else _FULL)]
    others = []
    for other in BOARDS.values():
        if other.toolchain and other.name != board.name:
            totals = [sum(parts, Resources()) for parts in zip(
                *([option.resources for option in options]
                  for options in (_pad(o) for o in _choices(network, FAMILIES[other.family]))), strict=False)]
            if any(fits(other, total + _HOST + _ENCODER) for total in totals):
                others.append(other.name)
    remedy = f"it would fit {' or '.join(others)}" if others else "no board known here is large enough"
    return (f"the network does not fit {board.name}: {how} it needs about {' and '.join(shortages)} "
            f"(the board has {board.luts:,} LUTs, {board.block_rams:,} block RAMs); {remedy}")


def _pad(options: list[LayerPlan]) -> list[LayerPlan]:
    return options + [options[-1]] * (len(_FOLDS) - len(options))
