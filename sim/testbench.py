"""The cocotb bench: runs inside the simulator, drives a core's ports and writes down every transfer.

It judges nothing: :mod:`.simulate` writes jobs (``jobs.json``, ``job0.npz``, ...) into a folder, starts the
simulator there and reads recordings (``recording0.npz``, ...), :mod:`.compare` holds them against the
golden model. All names come from the core's description. A transfer is what is valid and ready at a rising
edge; cycles are counted from the end of the reset.
"""

import json
import os
import random
import time
from array import array
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock

from ..rtl.description import CoreDescription, LayerDescription, Place, StreamPort, Tap
from .payloads import size_of

_QUIET = 64         # cycles that are watched after all has come, for what is too much
_HEARTBEAT = 0.25   # seconds between two notes of the progress


class _Failure(Exception):
    """Something in the design that the recording cannot hold; its message is for the user."""


def _find(dut, name: str):
    handle = dut
    for part in name.split("."):
        try:
            handle = handle[part]
        except (AttributeError, KeyError):
            raise _Failure(f"top.json names {name}, which the Verilog does not have: build again") from None
    return handle


def _integer(handle) -> int:
    """The value of a signal; an unknown bit is a failure of the design."""
    value = handle.get()
    try:
        return int(value)
    except ValueError:
        raise _Failure(f"{handle._path} is unknown: {value!s}") from None


def _known(handle, *masks: int) -> int:
    """The value of a signal of which only the bits of ``masks`` have to be known; unknown bits count as 0."""
    value = handle.get()
    try:
        return int(value)
    except ValueError:
        text = str(value)
        unknown = int("".join("0" if bit in "01" else "1" for bit in text), 2)
        if any(unknown & mask for mask in masks):
            raise _Failure(f"{handle._path} is unknown: {text}") from None
        return int("".join("1" if bit == "1" else "0" for bit in text), 2)


def _mask(place: Place) -> int:
    lowest, width = place
    return ((1 << width) - 1) << lowest


class _Source:
    """Drives a port: window after window, payload after payload.

    ``first``, ``last``: the cycles in which the first and the last payload of each window went in.
    """

    def __init__(self, dut, port: StreamPort, payloads: np.ndarray, ends: list[int],
                 stalls: random.Random | None):
        self.payload, self.valid, self.ready = (_find(dut, name) for name in port.signals)
        self.payloads = [int.from_bytes(row, "little") for row in payloads.tolist()]
        self.ends, self.stalls = ends, stalls
        self.first, self.last = array("q"), array("q")
        self.restart()

    def restart(self) -> None:
        self.place = self.start = self.limit = 0   # of the next payload, of its window, and how far it may go
        self.window = self.released = 0
        self.offered, self.gap = False, 0
        self.valid.set(0)
        self.payload.set(0)
        del self.first[:], self.last[:]

    def release(self, windows: int = 1) -> None:
        """Let that many more windows go."""
        self.released += windows
        self.limit = self.ends[self.released - 1]

    def step(self, cycle: int, decided: bool) -> bool:
        """What to do at a rising edge; whether a payload went in."""
        accepted = False
        if self.offered:
            if not _integer(self.ready):
                return False
            accepted = True
            if self.place == self.start:
                self.first.append(cycle)
            self.place += 1
            if self.place == self.ends[self.window]:
                self.last.append(cycle)
                self.window += 1
                self.start = self.place
            if self.stalls and self.stalls.random() < 0.2:
                self.gap = self.stalls.randint(1, 6)
        if decided and self.place > self.start and (not self.stalls or self.stalls.random() < 0.5):
            self.place = self.ends[self.window] - 1
        if self.gap or self.place >= self.limit:
            self.gap = max(0, self.gap - 1)
            if self.offered:
                self.offered = False
                self.valid.set(0)
        else:
            self.payload.set(self.payloads[self.place])
            if not self.offered:
                self.offered = True
                self.valid.set(1)
        return accepted


class _Layer:
    """Writes down what a layer sends and, where asked, its final potentials."""

    def __init__(self, dut, layer: LayerDescription, finals: bool):
        stream = layer.spikes
        self.name = layer.name
        self.payload, self.valid, self.ready = (_find(dut, name) for name in stream.signals)
        self.size, self.whole = size_of(stream.width), (1 << stream.width) - 1
        masks = {field: _mask(place) for field, place in stream.fields.items()}
        kinds, self.kind_mask = stream.kinds, masks["kind"]
        self.window_token = kinds["WINDOW"] << stream.fields["kind"][0]
        self.meant = {kinds[kind] << stream.fields["kind"][0]: [masks.get(field, 0) for field in fields]
                      for kind, fields in (("SPIKE", ("address", "step", "dump")), ("STEP", ("step",)))}
        self.lanes = [(_mask(lane.valid), [_mask(place) for place in (lane.address, lane.step) if place])
                      for lane in stream.lanes]
        self.payloads, self.cycles, self.windows = bytearray(), array("q"), 0
        self.taps = [_Tap(dut, tap) for tap in layer.taps] if finals else []
        self.shown = [(_find(dut, name), {tap.bit: tap for tap in self.taps if tap.shown == name})
                      for name in dict.fromkeys(tap.shown for tap in self.taps)]

    def step(self, cycle: int) -> int:
        """Look at the stream at a rising edge: 0 nothing, 1 a token, 2 the end of a window."""
        if not _integer(self.valid) or not _integer(self.ready):
            return 0
        payload = _known(self.payload, self.kind_mask)
        _known(self.payload, *self.meant.get(payload & self.kind_mask, ()))
        if self.lanes:
            payload = _known(self.payload, *(valid for valid, _ in self.lanes))
            _known(self.payload, *(mask for valid, masks in self.lanes if payload & valid for mask in masks))
        self.payloads += (payload & self.whole).to_bytes(self.size, "little")
        self.cycles.append(cycle)
        if payload & self.kind_mask == self.window_token:
            self.windows += 1
            return 2
        return 1

    def step_finals(self) -> int:
        """Look for final potentials at a rising edge: how many rows came that the layer has neurons for."""
        came = 0
        for signal, taps in self.shown:
            ended = _integer(signal)
            while ended:
                lowest = ended & -ended
                ended ^= lowest
                came += taps[lowest.bit_length() - 1].record()
        return came


class _Tap:
    """Writes down what a tap shows: ``values``, ``size`` bytes a time, of the rows ``rows``."""

    def __init__(self, dut, tap: Tap):
        self.shown, self.bit, self.needed = tap.shown, tap.bit, len(tap.neurons)
        self.potentials = _find(dut, tap.potentials)
        self.index = _find(dut, tap.index) if tap.index else None
        self.size = size_of(tap.width * tap.numbers)
        self.values, self.rows = bytearray(), array("q")

    def record(self) -> bool:
        """Whether a row came that there are neurons for."""
        self.values += _integer(self.potentials).to_bytes(self.size, "little")
        self.rows.append(_integer(self.index) if self.index is not None else 0)
        return self.rows[-1] < self.needed


class _Bench:
    """One job: all its windows, in order, without a pause between them."""

    def __init__(self, dut, top: CoreDescription, job: dict, data, before: int):
        self.job, self.before = job, before
        self.random = random.Random(job["seed"])
        stalls = self.random if job["stalls"] else None
        self.order = data["order"].tolist()
        ports = {"spikes": top.spikes, "levels": top.levels}
        self.sources = [_Source(dut, port.stream, data[name], data[f"{name}_ends"].tolist(), stalls)
                        for name, port in ports.items() if port]
        self.layers = [_Layer(dut, layer, job["finals"]) for layer in top.layers]
        self.result_payload, self.result_valid, self.result_ready = (
            _find(dut, name) for name in top.result.signals)
        self.result_size = size_of(top.result.width)
        self.stop_early = _find(dut, top.stop_early) if top.stop_early else None
        self.decided = _find(dut, top.decided) if top.decided and job["early"] else None
        self.results, self.result_cycles = [], array("q")
        self.complaint, self.cycle, self.noted = "", 0, 0.0
        self.edge, self.reset = _find(dut, top.clock).rising_edge, _find(dut, top.reset)

    async def run(self) -> None:
        self.result_ready.set(1)
        if self.stop_early is not None:
            self.stop_early.set(int(self.job["early"]))
        await self._start_anew()
        if self.job["stalls"]:
            await self._leave_a_window_half_done()
            await self._start_anew()
        await self._windows()

    async def _start_anew(self) -> None:
        self.reset.set(1)
        for _ in range(4):
            await self.edge
        self.reset.set(0)

    async def _leave_a_window_half_done(self) -> None:
        """What is in the core when it is reset must not be seen in the window after."""
        source = self.sources[self.order[0]]
        source.limit = max(0, source.ends[0] - 1)
        for cycle in range(50):
            await self.edge
            source.step(cycle, False)
        source.restart()

    async def _windows(self) -> None:
        count, patience, finals = len(self.order), self.job["patience"], self.job["finals"]
        awaited = count * (1 + len(self.layers))
        if finals:
            awaited += count * sum(tap.needed for layer in self.layers for tap in layer.taps)
        alternating, released = len(set(self.order)) > 1, 0
        if not alternating:
            self.sources[self.order[0]].release(count)
        active = [source for source in self.sources if source.ends]
        layers, edge, decided_port = self.layers, self.edge, self.decided
        decided, taken, held = False, True, None
        cycle = moved = advanced = 0
        quiet = _QUIET
        while quiet:
            await edge
            if decided_port is not None:
                decided = _integer(decided_port) == 1
            for source in active:
                if source.step(cycle, decided and source is self.sources[0]):
                    moved = cycle
            for layer in layers:
                seen = layer.step(cycle)
                if seen:
                    moved = cycle
                    if seen == 2:
                        advanced = cycle
                        awaited -= 1
                if finals:
                    awaited -= layer.step_finals()
            if _integer(self.result_valid):
                payload = _integer(self.result_payload)
                if held is not None and payload != held:
                    raise _Failure(f"result {len(self.results)} changed while it was waiting")
                held = None if taken else payload
                if taken:
                    self.results.append(payload)
                    self.result_cycles.append(cycle)
                    moved = advanced = cycle
                    awaited -= 1
            elif held is not None:
                raise _Failure(f"result {len(self.results)} went away while it was waiting")
            if self.job["stalls"]:
                taken = self.random.random() < 0.4
                self.result_ready.set(int(taken))
            if alternating and released < count and self._may_start(released):
                self.sources[self.order[released]].release()
                released += 1
            if awaited <= 0:
                quiet -= 1
            elif cycle - moved > patience or cycle - advanced > 20 * patience:
                self.complaint = self._hang(patience)
                break
            cycle += 1
            if not cycle & 1023:
                self.note()
        self.cycle = cycle

    def _may_start(self, window: int) -> bool:
        """Whether a window that changes ports may go in, so that the order stays the one that was asked for:
        levels while the spikes before them go in, spikes when the first layer is through with the levels."""
        if window == 0 or self.order[window] == self.order[window - 1]:
            return True
        if self.order[window] == 1:
            return len(self.sources[0].first) == self.order[:window].count(0)
        return self.layers[0].windows >= window

    def _hang(self, patience: int) -> str:
        """Who stopped: the first layer that has not ended a window which went into it."""
        before = min(len(self.order), sum(len(source.last) for source in self.sources))
        total = f"nothing moved for {patience} cycles after {len(self.results)} results"
        for layer in self.layers:
            if layer.windows < before:
                waits = _integer(layer.valid) and not _integer(layer.ready)
                what = "offers a token that is not taken" if waits else "does not go on"
                return f"{total}: layer {layer.name!r} {what} in window {layer.windows}"
            before = layer.windows
        if len(self.results) < before:
            return f"{total}: the readout does not give the result of window {len(self.results)}"
        if before < len(self.order):
            return (f"{total}: window {before} does not go in, so layer {self.layers[0].name!r} is stuck, "
                    "or what is before it")
        return f"{total}: final potentials are missing"

    def note(self) -> None:
        """Tell how far it is, and that the simulator is alive."""
        now = time.monotonic()
        if now - self.noted > _HEARTBEAT:
            self.noted = now
            Path("progress").write_text(str(self.before + len(self.results)))

    def recording(self) -> dict[str, np.ndarray]:
        """All that was seen, as arrays."""
        results = b"".join(payload.to_bytes(self.result_size, "little") for payload in self.results)
        arrays: dict[str, array | np.ndarray] = {
            "results": _rows(results, self.result_size), "result_cycles": self.result_cycles}
        for name, source in zip(("spikes", "levels"), self.sources, strict=False):
            arrays |= {f"{name}_first": source.first, f"{name}_last": source.last}
        for index, layer in enumerate(self.layers):
            arrays |= {f"layer{index}_payloads": _rows(layer.payloads, layer.size),
                       f"layer{index}_cycles": layer.cycles}
            for number, tap in enumerate(layer.taps):
                arrays |= {f"layer{index}_final{number}": _rows(tap.values, tap.size),
                           f"layer{index}_row{number}": tap.rows}
        return {name: np.array(values) for name, values in arrays.items()}


def _rows(values: bytes | bytearray, size: int) -> np.ndarray:
    return np.frombuffer(values, np.uint8).reshape(-1, size)


@cocotb.test()
async def windows(dut):
    """Run the jobs of this folder, one after the other, and leave the recordings there."""
    os.chdir(os.environ["FIRSTSPIKE_JOBS"])
    asked = json.loads(Path("jobs.json").read_text())
    top, outcomes, before = CoreDescription.from_json(asked["top"]), [], 0
    try:
        Clock(_find(dut, top.clock), 10, unit="ns").start()
        for number, job in enumerate(asked["jobs"]):
            with np.load(f"job{number}.npz") as data:
                bench = _Bench(dut, top, job, dict(data), before)
            try:
                await bench.run()
            except _Failure as failure:
                bench.complaint = str(failure)
            np.savez(f"recording{number}.npz", **bench.recording())  # type: ignore[arg-type]
            outcomes.append({"complaint": bench.complaint, "cycles": bench.cycle})
            before += len(bench.order)
        broken = ""
    except _Failure as failure:
        broken = str(failure)
    Path("outcomes.json").write_text(json.dumps({"broken": broken, "outcomes": outcomes}))
