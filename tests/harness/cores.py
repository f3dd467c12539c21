"""Runs a core in Amaranth's simulator and holds everything in it against the golden model."""

from dataclasses import replace

import numpy as np
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator
from firstspike.boards import BOARDS
from firstspike.boards.families import FAMILIES
from firstspike.gen.elaborate import Elaborated, elaborate
from firstspike.gen.plan import plan
from firstspike.network import Network, Phase, golden
from firstspike.rtl.streams.token import Kind


def fold(network: Network, forms, *, early_stop: bool, encoder: bool = False) -> Elaborated:
    """A core with the given form of each layer."""
    planned = plan(network, BOARDS["generic"], early_stop=early_stop, encoder=encoder)
    return elaborate(network, replace(planned, layers=tuple(
        replace(layer, offer=replace(layer.offer, form=form))
        for layer, form in zip(planned.layers, forms, strict=True))), FAMILIES["generic"].fabric)


def tokens_of(network: Network, trace: golden.Trace, rng) -> list[dict]:
    """One window's tokens at the ``spikes`` port; ends of steps by chance, which is drawn for the window."""
    online = network.layers[0].phase is Phase.ONLINE
    spikes = trace.input_spikes[:, network.input.used]
    chance = rng.choice([0, 0.5, 1])
    tokens = []
    for step, values in enumerate(spikes):
        addresses = np.flatnonzero(values)
        rng.shuffle(addresses)
        tokens += [{"kind": Kind.SPIKE, "address": int(a), "step": step, "value": int(values[a])}
                   for a in addresses]
        if online and rng.random() < chance:
            tokens.append({"kind": Kind.STEP, "step": step})
    return [*tokens, {"kind": Kind.WINDOW}]


class CoreRun:
    """What a core did with some images, from power-up on or after a reset that cut other windows off.

    ``results``: (label, step) for each image. ``spikes[layer][image]``: set of (address, step).
    ``potentials[layer]``: array of shape (images, neurons). ``times``: cycle of each result.
    """

    def __init__(self, made: Elaborated, images, *, stop_early: bool = False, stall: float = 0.0,
                 seed: int = 0, reset_first: int | None = None):
        self.network, self.made, self.core = made.network, made, made.core
        self.traces = [golden.run(self.network, image) for image in images]
        self.stop_early, self.stall, self.reset_first = stop_early, stall, reset_first
        self.rng = np.random.default_rng(seed)
        self.results: list[tuple[int, int]] = []
        self.times: list[int] = []
        self.cycle = 0
        self.reset, self.started = Signal(), reset_first is None
        self.spikes = [[set()] for _ in self.network.layers]
        self.potentials = [[{}] for _ in self.network.layers]
        self._run()

    def _run(self):
        self.simulator = Simulator(ResetInserter(self.reset)(self.core))
        self.simulator.add_clock(1e-6)
        for index in range(len(self.core.layers)):
            self.simulator.add_testbench(self._watch(index), background=True)
        self.simulator.add_testbench(self._count, background=True)
        self.simulator.add_testbench(self._send, background=True)
        self.simulator.add_testbench(self._receive)
        self.simulator.run()

    async def _count(self, ctx):
        async for _ in ctx.tick():
            self.cycle += 1

    async def _pause(self, ctx):
        while self.rng.random() < self.stall:
            await ctx.tick()

    async def _send(self, ctx):
        port = self.core.spikes
        fields = [name for name, _ in self.core.spike_token]
        if self.core.early_stop:
            ctx.set(self.core.stop_early, self.stop_early)
        if self.reset_first is not None:
            await self._cut_off(ctx, fields)
        for trace in self.traces:
            tokens = tokens_of(self.network, trace, self.rng)
            while tokens:
                token = tokens.pop(0)
                if self.core.early_stop and ctx.get(self.core.decided) and self.rng.random() < 0.7:
                    token, tokens = {"kind": Kind.WINDOW}, []
                await self._pause(ctx)
                ctx.set(port.payload, {name: token[name] for name in fields if name in token})
                ctx.set(port.valid, 1)
                await ctx.tick().until(port.ready)
                ctx.set(port.valid, 0)

    async def _cut_off(self, ctx, fields):
        """Send windows for ``reset_first`` cycles, take results now and then; reset."""
        port, result, waiting = self.core.spikes, self.core.result, []
        for _ in range(self.reset_first):
            if not ctx.get(port.valid) and self.rng.random() >= self.stall:
                trace = self.traces[self.rng.integers(len(self.traces))]
                waiting = waiting or tokens_of(self.network, trace, self.rng)
                token = waiting.pop(0)
                ctx.set(port.payload, {name: token[name] for name in fields if name in token})
                ctx.set(port.valid, 1)
            ctx.set(result.ready, bool(self.rng.random() < 0.5))
            _, _, ready = await ctx.tick().sample(port.ready)
            if ready:
                ctx.set(port.valid, 0)
        ctx.set(port.valid, 0)
        ctx.set(result.ready, 0)
        ctx.set(self.reset, 1)
        await ctx.tick()
        ctx.set(self.reset, 0)
        self.started = True

    async def _receive(self, ctx):
        result = self.core.result
        while not self.started:
            await ctx.tick()
        for _ in self.traces:
            await self._pause(ctx)
            ctx.set(result.ready, 1)
            for _ in range(20000):
                _, _, valid, payload = await ctx.tick().sample(result.valid, result.payload)
                if valid:
                    break
            else:
                raise AssertionError(f"no result after image {len(self.results)}")
            self.results.append((int(payload.label), int(payload.step)))
            self.times.append(self.cycle)
            ctx.set(result.ready, 0)
        for _ in range(20000):
            if all(len(windows) > len(self.traces) for windows in self.spikes):
                return
            await ctx.tick()
        raise AssertionError("a layer does not end its last window")

    def _watch(self, index):
        circuit = self.made.circuits[index]
        layer, taps = circuit.component, circuit.taps
        signals = [circuit.signals[name] for tap in taps
                   for name in (tap.shown, tap.potentials, tap.index) if name]

        async def watch(ctx):
            ended = [0] * len(taps)
            async for _, _, reset, valid, ready, token, *values in ctx.tick().sample(
                    self.reset, layer.o.valid, layer.o.ready, layer.o.payload, *signals):
                if reset or not self.started:
                    continue
                if valid and ready and token.kind == Kind.WINDOW:
                    self.spikes[index].append(set())
                elif valid and ready and token.kind == Kind.SPIKE:
                    if not (layer.token.potential_bits and token.dump):
                        spike = int(token.address), int(token.step)
                        assert spike not in self.spikes[index][-1], "a spike came twice"
                        self.spikes[index][-1].add(spike)
                values = iter(values)
                for place, tap in enumerate(taps):
                    shown, potentials = next(values), next(values)
                    row = next(values) if tap.index else 0
                    if shown >> tap.bit & 1 and row < len(tap.neurons):
                        self._keep(index, tap, potentials, row, ended[place])
                        ended[place] += row == len(tap.neurons) - 1
        return watch

    def _keep(self, index, tap, potentials, row, window):
        offset, windows = self.made.jobs[index].lanes.offset, self.potentials[index]
        while len(windows) <= window:
            windows.append({})
        for place, neuron in enumerate(tap.row(row)):
            if neuron >= 0:
                value = potentials >> place * tap.width & (1 << tap.width) - 1
                value -= value >> tap.width - 1 << tap.width
                windows[window][neuron] = value + int(offset[neuron])

    def check(self):
        """Assert that every spike, potential and result is the golden model's."""
        for image, trace in enumerate(self.traces):
            assert self.results[image] == (trace.label, trace.step), f"image {image}"
            for index, layer in enumerate(trace.layers):
                wanted = {(int(a), int(t)) for t, a in np.argwhere(layer.spikes)}
                got = self.spikes[index][image]
                if self.stop_early:
                    wanted = {spike for spike in wanted if spike[1] <= trace.step}
                    got = {spike for spike in got if spike[1] <= trace.step}
                assert got == wanted, f"image {image}, layer {index}"
                if not self.stop_early:
                    potentials = self.potentials[index][image]
                    assert [potentials[n] for n in range(len(layer.potential))] == layer.potential.tolist(), (
                        f"image {image}, layer {index}")
