# amaranth: UnusedElaboratable=no
"""A core that is slow and obviously right, and can be made wrong on purpose, to try the verification with.

It has the ports and the description of a generated core and shares no code with one: layers of neurons that
fire once, online; signs; a latency code; the first spike is read. One window is in it at a time.
"""

from hashlib import sha256
from types import SimpleNamespace

import numpy as np
from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from firstspike.boards.tools import to_verilog
from firstspike.network import Dense, Input, Latency, Layer, Network
from firstspike.rtl.description import (
    CoreDescription,
    InputPort,
    LayerDescription,
    LevelPort,
    StreamPort,
    Tap,
)

__all__ = ["FAULTS", "make", "put_verilog", "small_network"]

FAULTS = (
    "spike address", "spike missing", "spike twice", "spike step", "spike late",
    "potential", "potential missing", "potential twice", "window missing", "window twice", "stuck",
    "class", "step", "result missing", "result twice", "result changes", "result withdrawn", "takes nothing",
)
"""What can be wrong: in the first layer, in the readout or at the ports, in window :data:`WHEN` only."""

WHEN = 3
LANES, WIDTH, SHIFT = 4, 12, 5  # of the final potentials; what shows is the potential less SHIFT
SPIKE, STEP, WINDOW = 0, 1, 2


def small_network(seed: int = 1) -> Network:
    """10-9-4, 6 steps, two inputs left out."""
    rng = np.random.default_rng(seed)
    weights = [rng.choice(np.array([-1, 1], np.int8), shape) for shape in ((9, 10), (4, 9))]
    mask = np.ones(10, bool)
    mask[[2, 7]] = False
    return Network(Input(10, 6, Latency(np.array([-1, 5, 4, 3, 2, 1, 0])), mask),
                   [Layer(Dense(weights[0]), 6, threshold=2, initial=1, name="hidden"),
                    Layer(Dense(weights[1]), 6, threshold=rng.integers(1, 3, 4))])


def make(network: Network, folder, fault: str = "") -> SimpleNamespace:
    """The build of a network, as ``verify`` takes it, with a fault or without."""
    core = NaiveCore(network, fault)
    (folder / "rtl").mkdir(parents=True)
    build = SimpleNamespace(path=folder, network=network, top=core.describe(), manifest={"files": {}})
    put_verilog(build, to_verilog(core, "top"))
    return build


def put_verilog(build: SimpleNamespace, text: str) -> None:
    """Let a build be of another Verilog."""
    (build.path / "rtl" / "top.v").write_text(text)
    build.manifest["files"]["rtl/top.v"] = sha256(text.encode()).hexdigest()


def token(addresses: int, window: int, tag: int = 0) -> data.StructLayout:
    return data.StructLayout({"kind": 2, "address": range(addresses), "step": range(window), "value": 0,
                              "tag": tag})


class NaiveLayer(wiring.Component):
    """All neurons add a spike in one cycle; what fires is sent one by one."""

    def __init__(self, layer: Layer, weights: np.ndarray, fault: str):
        self.layer, self.weights, self.fault = layer, weights, fault
        self.folds = -(-layer.size // LANES)
        super().__init__({
            "i": In(stream.Signature(token(weights.shape[1], layer.window))),
            "o": Out(stream.Signature(token(layer.size, layer.window))),
            "drop": In(1), "potentials": Out(data.ArrayLayout(signed(WIDTH), layer.size)),
        })

    def elaborate(self, platform):
        m = Module()
        size, window, i, o = self.layer.size, self.layer.window, self.i, self.o
        start = [int(value) for value in self.layer.initial]
        potentials = [Signal(signed(WIDTH), init=start[j], name=f"v{j}") for j in range(size)]
        fired, fires, waiting, some = Signal(size), Signal(size), Signal(size), Signal()
        now, number = Signal(range(window + 1)), Signal(16)
        m.d.comb += [self.potentials[j].eq(potentials[j]) for j in range(size)]
        wrong = {name: (number == WHEN) & (self.fault == name) for name in FAULTS}
        once, shown_once = Signal(), Signal()  # the fault has been shown in this window

        # names of the description; attributes keep what nothing else reads
        ended = Signal(name="ended")
        final = Signal(WIDTH * LANES, name="shown")
        fold = Signal(range(max(self.folds, 2)), name="shown_fold")
        lanes = Array(
            Cat(Const(0, 0), *((potentials[f * LANES + lane] - SHIFT).as_unsigned()[:WIDTH]
                               if f * LANES + lane < size else Const(0, WIDTH) for lane in range(LANES)))
            for f in range(self.folds))
        m.d.comb += final.eq(lanes[fold] ^ (wrong["potential"] & (fold == 0)))
        m.d.comb += o.payload.step.eq(now)

        target = Signal(range(window + 1))
        with m.Switch(i.payload.kind):
            with m.Case(SPIKE):
                m.d.comb += target.eq(i.payload.step)
            with m.Case(STEP):
                m.d.comb += target.eq(i.payload.step + 1)
            with m.Default():
                m.d.comb += target.eq(window)
        for j in range(size):
            m.d.comb += fires[j].eq((potentials[j] >= int(self.layer.threshold[j])) & ~fired[j])

        with m.FSM():
            with m.State("LISTEN"):
                with m.If(i.valid & ~wrong["stuck"]):
                    with m.If((now < target) & ~self.drop):
                        m.d.sync += [waiting.eq(fires), fired.eq(fired | fires), some.eq(fires.any())]
                        m.next = "SEND"
                    with m.Else():
                        m.d.comb += i.ready.eq(1)
                        with m.If(i.payload.kind == WINDOW):
                            m.next = "SHOW"
                        with m.Elif((i.payload.kind == SPIKE) & ~self.drop):
                            for j in range(size):
                                row = Array(Const(int(weight), 2) for weight in self.weights[j])
                                m.d.sync += potentials[j].eq(
                                    potentials[j] + Mux(row[i.payload.address] == 1, 1, -1))
            with m.State("SEND"):
                first = Signal(range(size))
                for j in reversed(range(size)):
                    with m.If(waiting[j]):
                        m.d.comb += first.eq(j)
                late = some & wrong["spike late"] & ~once
                with m.If(waiting.any() & ~late):
                    m.d.comb += [o.valid.eq(~(wrong["spike missing"] & ~once)), o.payload.kind.eq(SPIKE),
                                 o.payload.address.eq(first)]
                    with m.If(wrong["spike address"] & ~once):
                        m.d.comb += o.payload.address.eq(first ^ 1)
                    with m.If(wrong["spike step"] & ~once):
                        m.d.comb += o.payload.step.eq(Mux(now == window - 1, now - 1, now + 1))
                    with m.If(o.ready | ~o.valid):
                        m.d.sync += once.eq(1)
                        with m.If(~(wrong["spike twice"] & ~once)):
                            m.d.sync += waiting.eq(waiting & (waiting - 1))
                with m.Elif(some):
                    m.d.comb += [o.valid.eq(1), o.payload.kind.eq(STEP)]
                    with m.If(o.ready):
                        m.d.sync += [some.eq(0), once.eq(1)]
                with m.Else():
                    m.d.sync += now.eq(now + 1)
                    m.next = "LISTEN"
            with m.State("SHOW"):
                again = wrong["potential twice"] & ~shown_once
                m.d.comb += ended.eq(~wrong["potential missing"])
                m.d.sync += fold.eq(fold + 1)
                with m.If(fold == self.folds - 1):
                    m.d.sync += [fold.eq(0), shown_once.eq(again), once.eq(0)]
                    with m.If(~again):
                        m.next = "END"
            with m.State("END"):
                m.d.comb += [o.valid.eq(~wrong["window missing"]), o.payload.kind.eq(WINDOW)]
                with m.If(o.ready | ~o.valid):
                    m.d.sync += once.eq(1)
                    with m.If(~(wrong["window twice"] & ~once)):
                        m.d.sync += [now.eq(0), fired.eq(0), once.eq(0), number.eq(number + 1)]
                        m.d.sync += [potentials[j].eq(start[j]) for j in range(size)]
                        m.next = "LISTEN"
        return m


class NaiveCore(wiring.Component):
    def __init__(self, network: Network, fault: str = ""):
        assert fault in ("", *FAULTS)
        self.network, self.fault = network, fault
        inputs, output = network.input, network.output
        self.layers = []
        for index, layer in enumerate(network.layers):
            weights = np.asarray(layer.synapses[0].weights)
            self.layers.append(NaiveLayer(layer, weights[:, inputs.used] if index == 0 else weights,
                                          fault if index == 0 else ""))
        self.answer = data.StructLayout({"label": range(output.size), "step": range(output.window + 1)})
        super().__init__({
            "spikes": In(stream.Signature(token(len(inputs.used), inputs.window, 1))),
            "levels": In(stream.Signature(3)), "stop_early": In(1), "decided": Out(1),
            "result": Out(stream.Signature(self.answer)),
        })

    def elaborate(self, platform):
        m = Module()
        for index, layer in enumerate(self.layers):
            m.submodules[f"layer_{index}"] = layer
        inputs, entry = self.network.input, self.layers[0].i
        known, stopped, answered, number = Signal(), Signal(), Signal(), Signal(16)
        m.d.comb += stopped.eq(known & self.stop_early)
        wrong = {name: (number == WHEN) & (self.fault == name) for name in FAULTS}

        # levels: all are taken in, then every step asks every input
        steps = Array(Signal(range(inputs.window + 1), name=f"level{j}") for j in range(inputs.size))
        coded = stream.Signature(token(len(inputs.used), inputs.window)).create()
        place, step = Signal(range(inputs.size + 1)), Signal(range(inputs.window + 1))
        some, full = Signal(), Signal()
        table = Array(Const(inputs.window if at < 0 else int(at), 4) for at in inputs.encoding.table)
        compact = Array(Const(int(np.searchsorted(inputs.used, j)), 4) for j in range(inputs.size + 1))
        used = Array(Const(int(j < inputs.size and inputs.mask[j]), 1) for j in range(inputs.size + 1))
        m.d.comb += [coded.payload.step.eq(step), coded.payload.address.eq(compact[place])]
        with m.If(~full):
            m.d.comb += self.levels.ready.eq(1)
            with m.If(self.levels.valid):
                m.d.sync += [steps[place].eq(table[self.levels.payload]), place.eq(place + 1)]
                with m.If(place == inputs.size - 1):
                    m.d.sync += [full.eq(1), place.eq(0)]
        with m.Elif((step == inputs.window) | stopped):
            m.d.comb += [coded.valid.eq(1), coded.payload.kind.eq(WINDOW)]
            with m.If(coded.ready):
                m.d.sync += [full.eq(0), place.eq(0), step.eq(0), some.eq(0)]
        with m.Elif(place < inputs.size):
            m.d.comb += coded.valid.eq((steps[place] == step) & used[place])
            with m.If(coded.ready | ~coded.valid):
                m.d.sync += [place.eq(place + 1), some.eq(some | coded.valid)]
        with m.Else():
            m.d.comb += [coded.valid.eq(some), coded.payload.kind.eq(STEP)]
            with m.If(coded.ready | ~some):
                m.d.sync += [place.eq(0), some.eq(0), step.eq(step + 1)]

        inside, direct, chosen, busy = Signal(), Signal(), Signal(), Signal()
        m.d.comb += chosen.eq(Mux(inside, direct, ~full))
        for source, here in ((self.spikes, chosen), (coded, ~chosen)):
            with m.If(here & ~busy & ~wrong["takes nothing"]):
                m.d.comb += [entry.valid.eq(source.valid), source.ready.eq(entry.ready)]
                m.d.comb += [entry.payload[name].eq(source.payload[name])
                             for name in ("kind", "address", "step")]
        with m.If(entry.valid & ~inside):
            m.d.sync += [inside.eq(1), direct.eq(chosen)]
        with m.If(entry.valid & entry.ready & (entry.payload.kind == WINDOW)):
            m.d.sync += [inside.eq(0), busy.eq(1)]
        m.d.comb += self.decided.eq(stopped & ~busy & direct & inside)

        for before, after in zip(self.layers, self.layers[1:], strict=False):
            wiring.connect(m, before.o, after.i)
        m.d.comb += [layer.drop.eq(stopped) for layer in self.layers]

        # the readout: the best of the first step with a spike, else the best of all
        last = self.layers[-1]
        size, window = self.network.output.size, self.network.output.window
        best, label, everyone = Signal(signed(WIDTH)), Signal(range(size)), Signal(range(size))
        found, at = Signal(), Signal(range(window + 1))
        m.d.comb += last.o.ready.eq(~answered | ~self.result.valid)
        highest = last.potentials[0]
        for j in range(1, size):
            better = last.potentials[j] > highest
            with m.If(better):
                m.d.comb += everyone.eq(j)
            highest = Mux(better, last.potentials[j], highest)
        valid, over, again, waited = Signal(), Signal(), Signal(), Signal()
        token_ = last.o.payload
        potential = Signal(signed(WIDTH))
        m.d.comb += potential.eq(Array(last.potentials[j] for j in range(size))[token_.address])
        with m.If(last.o.valid & last.o.ready):
            with m.Switch(token_.kind):
                with m.Case(SPIKE):
                    with m.If(~known & (~found | (potential > best))):
                        m.d.sync += [found.eq(1), best.eq(potential), label.eq(token_.address),
                                     at.eq(token_.step)]
                with m.Case(STEP):
                    with m.If(found & ~known):
                        m.d.sync += known.eq(1)
                        with m.If(self.stop_early):
                            m.d.sync += valid.eq(1)
                with m.Default():
                    m.d.sync += over.eq(1)
                    with m.If(~known | ~self.stop_early):
                        m.d.sync += valid.eq(1)
                    with m.If(~found):
                        m.d.sync += [label.eq(everyone), at.eq(window)]
        m.d.comb += [
            self.result.valid.eq(valid & ~wrong["result missing"]
                                 & ~(wrong["result withdrawn"] & waited & ~again)),
            self.result.payload.label.eq(label ^ wrong["class"] ^ (wrong["result changes"] & waited)),
            self.result.payload.step.eq(at ^ wrong["step"]),
        ]
        m.d.sync += waited.eq(valid & ~waited & ~self.result.ready)
        with m.If(waited):
            m.d.sync += again.eq(1)
        with m.If(valid & (self.result.ready & self.result.valid | wrong["result missing"])):
            with m.If(wrong["result twice"] & ~again):
                m.d.sync += again.eq(1)
            with m.Else():
                m.d.sync += [valid.eq(0), answered.eq(1)]
        with m.If(over & answered):
            m.d.sync += [signal.eq(0) for signal in (over, answered, known, found, busy, again)]
            m.d.sync += number.eq(number + 1)
        return m

    def describe(self) -> CoreDescription:
        """The core from outside."""
        def port(path, layout, width=None):
            fields = {} if width else {name: (place.offset, place.width) for name, place in layout}
            kinds = {"SPIKE": SPIKE, "STEP": STEP, "WINDOW": WINDOW} if "kind" in fields else {}
            return StreamPort(f"{path}__payload", f"{path}__valid", f"{path}__ready", width or layout.size,
                              fields, kinds)

        layers = []
        for index, engine in enumerate(self.layers):
            layer, path = engine.layer, f"layer_{index}"
            rows = tuple(
                ((fold * LANES, 1, there), *(((-1, 0, LANES - there),) if there < LANES else ()))
                for fold in range(engine.folds) for there in [min(LANES, layer.size - fold * LANES)])
            layers.append(LayerDescription(
                layer.name, layer.size, layer.window, layer.phase.value,
                port(f"{path}.o", engine.o.payload.shape()),
                (Tap(f"{path}.ended", 0, f"{path}.shown", WIDTH,
                     f"{path}.shown_fold" if engine.folds > 1 else None, rows),), (SHIFT,) * layer.size))
        inputs = self.network.input
        return CoreDescription(
            "top", "clk", "rst", InputPort(port("spikes", self.spikes.payload.shape()),
                                           tuple(inputs.used.tolist())),
            LevelPort(port("levels", None, 3), inputs.size), port("result", self.answer), "stop_early",
            "decided", tuple(layers))
