"""What a verification has to do: which images go through which ports of which forms, in which process."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FirstspikeError
from ..gen.build import Build
from ..network import batched
from ..network.images import check_images
from .compare import compare
from .outcome import Outcome, Part, merge
from .result import Run, VerifyResult
from .simulate import Job, Stop, patience, simulate
from .simulators.program import Program
from .simulators.simulator import Simulator
from .stimulus import levels, tokens

__all__ = ["PORTS", "Task"]

PORTS = ("spikes", "levels", "both")
"""What images can go through; "both": one port and the other, by chance."""

_CHUNK = 1000  # images that one simulator process runs at most
_SHORT = 100   # fewer images than that share a process


class Task:
    """What is to be verified: the images, the forms and the ports.

    Parameters
    ----------
    build : Build
    images, count, labels, early_stop, ports, stalls, seed
        As :func:`~.verify.verify` takes them.

    Raises
    ------
    ValueError, FirstspikeError
        As :func:`~.verify.verify`.
    """

    def __init__(self, build: Build, images: np.ndarray, count: int | None, labels, early_stop: bool | None,
                 ports: Sequence[str] | None, stalls: bool, seed: int):
        self.build, self.network, self.top = build, build.network, build.top
        self.verilog = Path(build.path) / "rtl" / "top.v"
        if not self.verilog.is_file():
            raise FirstspikeError(f"{self.verilog} is missing: build again")
        if count is not None and count < 1:
            raise ValueError(f"count must be a positive integer, not {count}")
        self.images = check_images(self.network.input, np.asarray(images)[:count])
        if not len(self.images):
            raise ValueError("images must be at least one")
        if count is not None and count > len(self.images):
            raise FirstspikeError(f"there are {len(self.images)} images, not {count}: ask for fewer")
        self.labels = None if labels is None else np.asarray(labels)[:count]
        if self.labels is not None and self.labels.shape != (len(self.images),):
            raise ValueError(f"labels must be {len(self.images)}, one for each image, "
                             f"not of the shape {self.labels.shape}")
        self.stalls, self.seed = stalls, seed
        self.forms = self._forms(early_stop)
        self.ports = self._ports(ports)
        self.golden = threading.Lock()

    def _forms(self, early_stop: bool | None) -> list[bool]:
        built = self.top.stop_early is not None
        if early_stop and not built:
            raise FirstspikeError("the core was built without early stop: build it with early stop, "
                                  "or verify the other form")
        return [early_stop] if early_stop is not None else [True, False] if built else [False]

    def _ports(self, ports: Sequence[str] | None) -> list[str]:
        encoder = self.top.levels is not None
        if ports is None:
            return list(PORTS) if encoder else ["spikes"]
        for port in ports:
            if port not in PORTS:
                raise ValueError(f"ports must be of {', '.join(PORTS)}, not {port!r}")
            if port != "spikes" and not encoder:
                raise FirstspikeError(f"the core has no encoder, so no port {port!r}: build it with one")
        if not ports:
            raise ValueError("ports must name at least one port")
        return sorted(set(ports), key=PORTS.index)

    def _share(self, port: str) -> int:
        """How many of the images go through a port: all spikes, fewer levels, as each takes far longer."""
        few = {"spikes": len(self.images), "levels": max(10, len(self.images) // 20), "both": 10}[port]
        return len(self.images) if port == self.ports[0] else min(few, len(self.images))

    def run(self, program: Program, scratch: Path, tell: Callable[[str, int, int], Any]) -> tuple[Run, ...]:
        """All forms and ports, on all processors."""
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        groups = self._groups(workers)
        stop, done, total = Stop(), [0] * len(groups), sum(part.count for group in groups for part in group)

        def work(place: int) -> list[Outcome]:
            def report(results: int) -> None:
                done[place] = results
                tell("simulate", sum(done), total)

            outcomes = self.simulate(program, groups[place], scratch / f"run{place}", stop, report)
            report(sum(part.count for part in groups[place]))
            return outcomes

        tell("simulate", 0, total)
        outcomes: list[Outcome] = []
        with ThreadPoolExecutor(workers) as pool:
            try:
                for future in as_completed([pool.submit(work, place) for place in range(len(groups))]):
                    outcomes += future.result()
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        outcomes.sort(key=lambda outcome: outcome.part.start)
        return tuple(merge([outcome for outcome in outcomes if outcome.part.kind == (port, early)])
                     for port in self.ports for early in self.forms)

    def _groups(self, workers: int) -> list[list[Part]]:
        """What each simulator process runs: a long part alone, the short ones together."""
        groups: list[list[Part]] = []
        short: list[Part] = []
        for port in self.ports:
            share = self._share(port)
            size = share if share < 2 * _SHORT else min(_CHUNK, -(-share * len(self.forms) // workers))
            for early in self.forms:
                parts = [Part(port, early, start, min(size, share - start))
                         for start in range(0, share, size)]
                groups += [[part] for part in parts if part.count >= _SHORT]
                short += [part for part in parts if part.count < _SHORT]
        few = 1 if sum(part.count for part in short) < _SHORT else workers
        return groups + [group for place in range(few) if (group := short[place::few])]

    def simulate(self, program: Program, parts: Sequence[Part], scratch: Path, stop: Stop,
                 report: Callable[[int], None] | None = None, waves: Path | None = None) -> list[Outcome]:
        """Some parts in one simulator process, and what came of each."""
        started, jobs, goldens = time.monotonic(), [], []
        for part in parts:
            images = self.images[part.start:part.start + part.count]
            with self.golden:  # which uses all processors itself
                golden = batched.run(self.network, images)
            assert golden.input_spikes is not None
            rng = np.random.default_rng([self.seed, part.start, part.early, PORTS.index(part.port)])
            order = np.full(part.count, PORTS.index(part.port))
            if part.port == "both":
                order = rng.integers(0, 2, part.count)
            spikes = tokens(self.network, self.top.spikes, golden.input_spikes[order == 0],
                            rng if self.stalls else None)
            numbers = images[order == 1] if part.port != "spikes" else np.zeros((0, 1), np.int64)
            bits = self.top.levels.stream.width if self.top.levels else 1
            jobs.append(Job(spikes, levels(numbers, bits), order, part.early, not part.early, self.stalls,
                            patience(self.network), int(rng.integers(1 << 31))))
            goldens.append(golden)
        scratch.mkdir()
        recordings = simulate(program, self.top, jobs, scratch, stop=stop, waves=waves, progress=report)
        shutil.rmtree(scratch)
        seconds, images = time.monotonic() - started, sum(part.count for part in parts)
        outcomes = []
        for part, job, golden, recording in zip(parts, jobs, goldens, recordings, strict=True):
            comparison = compare(self.network, self.top, golden, recording.arrays, early=part.early,
                                 complaint=recording.complaint)
            if (first := comparison.first) is not None:
                comparison = replace(comparison, first=replace(first, image=first.image + part.start))
            outcomes.append(Outcome(part, job.order, comparison, recording.arrays, self.top,
                                     seconds * part.count / images))
        return outcomes

    def record_waves(self, chosen: Simulator, result: VerifyResult, scratch: Path, folder: Path) -> Path:
        """Run what led to the first mismatch again, or the first image, and record all signals."""
        program = chosen.compile([self.verilog], self.top.top, self.top.signals(), waves=True)
        recorded, first = scratch / "waves.fst", result.first
        run = next((run for run in result.runs if first and run.name == first.run), result.runs[0])
        image = first.image if first else 0
        for attempt, start in enumerate((max(0, image - 1), 0)):  # after the image before, or after all
            part = Part(run.port, run.early_stop, start, image + 1 - start)
            outcome, = self.simulate(program, [part], scratch / f"waves{attempt}", Stop(), waves=recorded)
            if first is None or outcome.comparison.mismatches:
                break
        path, half = folder / "waves.fst", folder / f".waves.fst.{os.getpid()}.part"
        try:
            shutil.move(recorded, half)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
        return path
