"""The planner's estimates beside what synthesis finds: ``python -m bench.estimates``.

For a board of each family with an open synthesis: whole cores of shipped networks as they are planned, single
layers of small random networks in forms that differ, and the parts that the estimate's constants stand for.
Counted are nextpnr's cells, out of context on ECP5 and only packed on iCE40, elsewhere those of Yosys. The
clock of a core on the Tang Nano 9K is measured with them, since no other bench builds for Gowin.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import firstspike as fs
import numpy as np
from amaranth.lib import data
from firstspike.boards import BOARDS
from firstspike.boards.families import FAMILIES
from firstspike.gen.board import core_facts
from firstspike.gen.elaborate import elaborate
from firstspike.gen.encoder import ENCODER, make_encoder
from firstspike.gen.engines import ENGINES, Job, Offer, engine, jobs
from firstspike.gen.expected import expected_spikes
from firstspike.gen.plan import plan
from firstspike.network import Dense, Input, Latency, Layer, Network, Readout
from firstspike.rtl.event.drain import Drain
from firstspike.rtl.event.op import Op
from firstspike.rtl.event.outbox import Outbox
from firstspike.rtl.event.sequencer import Sequencer
from firstspike.rtl.host.link import HostLink
from firstspike.rtl.memory import Rom
from firstspike.rtl.readout import Readout as ReadoutCircuit
from firstspike.rtl.streams.buffer import Buffer
from firstspike.rtl.streams.token import Token

from .common import RESULTS, Figure, write_results
from .netlists import SEED, Netlists, Piece

BOARD_NAMES = ("icebreaker", "ulx3s-85f", "tang-nano-9k", "arty-a7-100")
PART_BOARDS = BOARD_NAMES[:2]
SHIPPED = ("mnist-784-128-10-online", "mnist-784-128-10-windowed")
CORES = {name: SHIPPED if name == "icebreaker" else SHIPPED[:1] for name in BOARD_NAMES}
"""Of shipped networks on a board; the windowed one where it is folded."""
RESOURCES = {"luts": "LUTs", "ffs": "flip-flops", "block_rams": "block RAMs"}


def online() -> Network:
    """128-48-10, 16 steps, first spikes: potentials go up and down by one."""
    return _network(16, [_dense(128, 48), _dense(48, 10)], "first_spike", phase="online")


def windowed() -> Network:
    """128-48-10, 8 steps, windowed: falling kernels and thresholds, read by potential."""
    falling = np.arange(8, 0, -1)
    hidden = Layer(_dense(128, 48, falling), 8, "windowed", threshold=_thresholds(48),
                   threshold_schedule=falling)
    read = Layer(_dense(48, 10, falling), 8, "windowed", fires="never")
    return Network(_pixels(128, 8), [hidden, read], "potential")


def leaky() -> Network:
    """64-24-10, 8 steps, firing many times: with a leak and resets that subtract, read by count."""
    return _network(8, [_dense(64, 24), _dense(24, 10)], "count", phase="online", fires="many", leak=2)


SMALL: Mapping[Callable[[], Network], tuple[int, ...]] = {online: (0, 1), windowed: (0, 1), leaky: (0,)}
"""Networks, and those of their layers that are measured."""


def _pixels(size: int, window: int) -> Input:
    table = np.linspace(window - 1, 0, 16).round().astype(int)
    table[0] = -1
    return Input(size, window, Latency(table))


def _dense(heard: int, size: int, kernel: Any = 1) -> Dense:
    rng = np.random.default_rng(heard + size)
    return Dense(rng.choice(np.array([-1, 1], np.int8), (size, heard)), kernel)


def _thresholds(size: int) -> np.ndarray:
    return np.random.default_rng(size).integers(3, 12, size)


def _network(window: int, groups: list[Dense], readout: str, **neurons: Any) -> Network:
    layers = [Layer(group, window, threshold=_thresholds(len(group.weights)), **neurons) for group in groups]
    return Network(_pixels(groups[0].weights.shape[1], window), layers, readout)


def layer_jobs(network: Network) -> tuple[Job, ...]:
    """The jobs of a network's layers, as the planner asks for them."""
    return jobs(network, expected_spikes(network), early_stop=network.readout is Readout.FIRST_SPIKE)


def some_offers(job: Job, board: str) -> list[Offer]:
    """The first two of all offers for a layer, and the last where the class is not read off it."""
    fabric = FAMILIES[BOARDS[board].family].fabric
    offers = [offer for one in ENGINES if not one.refusals(job) for offer in one.offers(job, fabric)]
    return offers[:2] if job.is_read else [*offers[:2], offers[-1]]


def estimated(board: str) -> Iterator[Piece]:
    """What the planner estimates on a board's device: layers of small networks, and cores of shipped ones."""
    for make, layers in SMALL.items():
        for index in layers:
            job = layer_jobs(make())[index]
            for offer in some_offers(job, board):
                yield Piece(
                    "layer", f"{make.__name__}, layer {index}, {offer.pace}", board,
                    lambda job=job, offer=offer: engine(offer.engine).circuit(job, offer.form).component,
                    offer.resources)
    for name in CORES[board]:
        network, there = fs.load(name), BOARDS[board]
        planned = plan(network, there)
        fabric = FAMILIES[there.family].fabric
        yield Piece(
            "core", name, board,
            lambda network=network, planned=planned, fabric=fabric: elaborate(network, planned, fabric).core,
            planned.resources + ENCODER)


def parts(board: str) -> Iterator[Piece]:
    """What the constants of the estimate stand for, each alone; on the devices that count whole cells."""
    if board not in PART_BOARDS:
        return
    network = fs.load(SHIPPED[0])
    fabric, window = FAMILIES[BOARDS[board].family].fabric, 8
    source, token = Token(256, window, tagged=True), Token(48, window, tagged=True)
    read = Token(10, window, tagged=True, potential_bits=8)
    ways = {"skipping": {"scan": False, "queue": False}, "scanning": {"scan": True, "queue": False},
            "skipping, with a queue": {"scan": False, "queue": True}}

    def piece(name: str, component: Any) -> Piece:
        return Piece("part", name, board, lambda: component)

    for name, options in {"online": {"online": True, "kernel": [1] * window, "closing": True},
                          "windowed": {"online": False, "kernel": range(window, 0, -1)}}.items():
        yield piece(f"sequencer, {name}", Sequencer(
            source, window, fires=True, leaks=False, every_step=not options["online"], fires_at_start=False,
            **options))
    op = Op(256, window, operand=0, tagged=True, closing=True)
    yield piece("column's entry", Buffer(data.StructLayout({"op": op, "closes": 1})))
    for first in (True, False):
        yield piece(f"drain of the {'first' if first else 'second'} column", Drain(token, first=first))
    for size in (16, 48):
        for name, options in ways.items():
            yield piece(f"outbox of {size} neurons, {name}",
                        Outbox(token, base=0, size=size, group=16, ordered=True, **options))
    for size in (5, 10):
        yield piece(f"outbox of {size} neurons with potentials of 8 bits",
                    Outbox(read, base=0, size=size, group=16, ordered=True, scan=False, queue=False))
    rng = np.random.default_rng(1)
    yield piece("ROM of 64 words of 15 bits", Rom(15, rng.integers(0, 1 << 15, 64).tolist()))
    yield piece("readout of 10 classes", ReadoutCircuit(read, "first_spike", early_stop=True))
    for name in SHIPPED:
        yield piece(f"encoder of {name}", make_encoder(fs.load(name), fabric))
    facts = core_facts(network, early_stop=True, encoder=True)
    yield piece("host link", HostLink(facts, clock_hz=BOARDS[board].clock_hz, baud=1_000_000))


def error(entry: Mapping[str, Any], kind: str) -> float:
    """How far the estimate is above the truth, in per cent of it; of block RAMs in block RAMs."""
    estimate, truth = entry["estimate"][kind], entry["truth"][kind]
    return estimate - truth if kind == "block_rams" else 100 * (estimate / truth - 1)


def errors(entries: list[dict[str, Any]]) -> Iterator[Figure]:
    """Of each family and resource the median and the worst error, whichever its sign."""
    for family in dict.fromkeys(entry["family"] for entry in entries):
        for kind, title in RESOURCES.items():
            found = [abs(error(entry, kind)) for entry in entries
                     if entry["family"] == family and entry["estimate"]]
            unit = "block RAMs" if kind == "block_rams" else "%"
            yield Figure(f"median error of estimated {title}, {family}", median(found), unit, "lower")
            yield Figure(f"worst error of estimated {title}, {family}", max(found), unit, "lower")


def error_rows(entries: list[dict[str, Any]]) -> list[str]:
    """The errors as rows of a table in Markdown, a family each: median and worst, in whole per cent."""
    figures = {figure.figure: figure.value for figure in errors(entries)}
    rows = []
    for family in dict.fromkeys(entry["family"] for entry in entries):
        cells = [family]
        for title in RESOURCES.values():
            middle, worst = (figures[f"{which} error of estimated {title}, {family}"]
                             for which in ("median", "worst"))
            cells.append(f"{middle:.0f}, {worst:.0f}" + (" %" if title != RESOURCES["block_rams"] else ""))
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def clock() -> Figure:
    """The clock of a shipped network's whole design on the Tang Nano 9K."""
    with tempfile.TemporaryDirectory() as folder:
        build = fs.build(fs.load(SHIPPED[0]), "tang-nano-9k", Path(folder) / "build", seed=SEED)
        design = fs.synthesise(build, core=False).design
    assert design is not None and design.fmax_hz is not None
    return Figure(f"Fmax of {SHIPPED[0]} with host link, tang-nano-9k", design.fmax_hz / 1e6, "MHz", "higher")


def main() -> None:
    """Measure and write the figures."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--only", choices=("parts", "estimated"), help="measure, and write no figures")
    only = options.parse_args().only
    sets = [making for name, making in (("parts", parts), ("estimated", estimated)) if only in (None, name)]
    netlists = Netlists(RESULTS / "estimates.partial.jsonl", os.cpu_count() or 1)
    asked = [netlists.ask(piece) for making in sets for board in BOARD_NAMES for piece in making(board)]
    entries = [future.result() for future in asked]
    if only is None:
        write_results("estimates", [*errors(entries), clock()], seed=SEED, entries=entries)
        netlists.forget()
        print(*error_rows(entries), sep="\n")


if __name__ == "__main__":
    main()
