"""A window on its way through a core, cycle by cycle: a small network in Amaranth's own simulator.

``python examples/window.py`` prints what passes between encoder, layers and readout in each cycle in which
something does; ``python examples/window.py docs/window.svg`` draws it, as docs/architecture.md shows it.
"""

import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

import firstspike as fs
import numpy as np
from amaranth.sim import Simulator
from firstspike.boards import BOARDS
from firstspike.boards.families import FAMILIES
from firstspike.gen.elaborate import elaborate
from firstspike.gen.plan import plan
from firstspike.network import golden
from firstspike.rtl.streams.token import Kind

INPUTS = 36
SILENT, LATE, EARLY = 0, 1, 4
IMAGES = np.full((2, INPUTS), LATE)
IMAGES[0, [2, 3]] = EARLY           # these two spike in step 0, and are enough to decide
IMAGES[1, :32] = SILENT
IMAGES[1, [33, 34]] = EARLY


def network() -> fs.Network:
    """Four steps; one hidden neuron is for the first half of the inputs, the other for the second."""
    hidden, output = np.ones((2, INPUTS), np.int8), np.array([[1, -1], [-1, 1]], np.int8)
    hidden[0, INPUTS // 2:] = hidden[1, :INPUTS // 2] = -1
    return fs.Network(fs.Input(INPUTS, 4, fs.Latency([-1, 3, 2, 1, 0])), [
        fs.Layer(fs.Dense(hidden), 4, threshold=2, name="hidden"),
        fs.Layer(fs.Dense(output), 4, threshold=1, name="output")])


@dataclass(frozen=True)
class Cell:
    """What a stream passes in a cycle.

    Attributes
    ----------
    word : str
        A level; a spike, as "a3 t0"; the end of a step, as "t0 |", or of the window, "||"; or the class.
    window : int
        Of which image.
    """

    word: str
    window: int


Rows = dict[str, list[Cell | None]]
"""The rows of the diagram: for each stream a cell, or none, for every cycle."""


def simulate() -> Rows:
    """What passes in each cycle. Raises AssertionError where a stream stalls or a class is wrong."""
    net, board = network(), BOARDS["generic"]
    made = elaborate(net, plan(net, board), FAMILIES[board.family].fabric)
    core, readout = made.core, made.core.readout
    streams = {"levels": core.levels, "encoder": core.encoder.spikes, "hidden": core.layers[0].o,
               "output": core.layers[1].o, "result": core.result}
    rows: Rows = {name: [] for name in ("levels", "encoder", "hidden", "output", "decided", "result")}
    found, passed = [], dict.fromkeys(streams, 0)

    async def send(ctx):
        ctx.set(core.stop_early, 1)
        ctx.set(core.levels.valid, 1)
        for level in IMAGES.reshape(-1).tolist():
            ctx.set(core.levels.payload, level)
            await ctx.tick().until(core.levels.ready)
        ctx.set(core.levels.valid, 0)

    async def watch(ctx):
        ctx.set(core.result.ready, 1)
        signals = [signal for one in streams.values() for signal in (one.valid, one.ready, one.payload)]
        while len(found) < len(IMAGES):
            _, _, decided, *values = await ctx.tick().sample(readout.decided, *signals)
            parts = (values[part::3] for part in range(3))
            for name, valid, ready, payload in zip(streams, *parts, strict=True):
                assert ready or not valid or name == "levels", f"{name} stalls"
                rows[name].append(cell(name, payload, passed) if valid and ready else None)
            rows["decided"].append(Cell("", int(decided) - 1) if decided else None)
            if rows["result"][-1]:
                found.append((int(values[-1].label), int(values[-1].step)))

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(send, background=True)
    simulator.add_testbench(watch)
    simulator.run()
    assert found == [(trace.label, trace.step) for trace in (golden.run(net, image) for image in IMAGES)]
    return rows


def cell(name: str, payload, passed: dict[str, int]) -> Cell:
    """A transfer of a stream; ``passed``: levels or windows of each that have gone by, counted here."""
    if name == "levels":
        passed[name] += 1
        return Cell(str(payload), (passed[name] - 1) // INPUTS)
    window = passed[name]
    if name == "result":
        passed[name] += 1
        return Cell(f"class {int(payload.label)}, step {int(payload.step)}", window)
    if payload.kind == Kind.SPIKE:
        return Cell(f"a{int(payload.address)} t{int(payload.step)}", window)
    if payload.kind == Kind.STEP:
        return Cell(f"t{int(payload.step)} |", window)
    passed[name] += 1
    return Cell("||", window)


def listing(rows: Rows) -> str:
    """The cycles from the first token on in which anything but a level passes."""
    lines = ["cycle  " + "".join(f"{name:<9}" for name in rows).rstrip()]
    for cycle, cells in enumerate(zip(*rows.values(), strict=True)):
        shown = dict(zip(rows, cells, strict=True))
        if any(one for name, one in shown.items() if name not in ("levels", "decided")):
            words = [one.word or f"tag {one.window}" if one else "" for one in cells]
            lines.append(f"{cycle:<7}{''.join(f'{word:<9}' for word in words)}".rstrip())
    return "\n".join(lines)


CELL, HEIGHT, LEFT, TOP = 14, 46, 62, 22
FILL = (("#9ec5e8", "#2f6ea5"), ("#f3c48b", "#b9691b"))
"""Of each window's spikes and levels, and of its ends."""


def drawing(rows: Rows) -> str:
    """The same as an SVG: time to the right, a row a stream, a colour a window."""
    length = len(rows["result"])
    start = next(cycle for cycle, one in enumerate(rows["encoder"]) if one) - 7
    width, height = LEFT + CELL * (length - start) + 8, TOP + HEIGHT * len(rows) + 24
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
             f'height="{height}" font-family="monospace" font-size="10">',
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>']

    def text(x: float, y: float, word: str, more: str = "") -> None:
        parts.append(f'<text x="{x}" y="{y}"{more}>{escape(word)}</text>')

    for cycle in range(-(-start // 5) * 5, length, 5):
        x = LEFT + CELL * (cycle - start)
        parts.append(f'<path d="M{x} {TOP - 4}V{TOP + HEIGHT * len(rows)}" stroke="#dddddd"/>')
        text(x, TOP - 8, str(cycle), ' fill="#666666" text-anchor="middle"')
    for place, (name, cells) in enumerate(rows.items()):
        y = TOP + HEIGHT * place
        text(4, y + HEIGHT / 2 + 3, name)
        parts.append(f'<path d="M{LEFT} {y + HEIGHT - 2}H{width - 8}" stroke="#bbbbbb"/>')
        for cycle in range(start, length):
            one, x = cells[cycle], LEFT + CELL * (cycle - start)
            if one is None:
                continue
            end = one.word.endswith("|")
            parts.append(f'<rect x="{x}" y="{y + 4}" width="{CELL - 1}" height="{HEIGHT - 6}" '
                         f'fill="{FILL[one.window][end]}"/>')
            if name == "result":
                text(x - 2, y + HEIGHT / 2 + 3, one.word, ' text-anchor="end"')
            elif one.word:
                more = f' transform="rotate(-90 {x + 10} {y + HEIGHT - 6})"'
                text(x + 10, y + HEIGHT - 6, one.word, (' fill="#ffffff"' if end else "") + more)
    text(LEFT, height - 8, "a: address; t: step; |: end of step; ||: end of window. Blue: the first image; "
                           "orange: the second. A square: a transfer in this cycle (decided: it is high)")
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(drawing(simulate()))
    else:
        print(listing(simulate()))
