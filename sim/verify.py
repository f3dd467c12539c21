"""The proof: a build's Verilog, simulated, does what the golden model does, spike for spike."""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FirstspikeError
from ..network import batched
from ..network.images import ImageSet, check_images
from . import simulators
from .compare import Comparison, compare
from .names import signals
from .result import Run, Spread, VerifyResult, write
from .simulate import Job, Stop, patience, simulate
from .simulators import Program, Simulator
from .stimulus import field, levels, tokens

if TYPE_CHECKING:
    from ..gen.build import Build

__all__ = ["VerifyResult", "verify"]

PORTS = ("spikes", "levels", "both")
_CHUNK = 1000  # images that one simulator process runs at most
_SHORT = 100   # fewer images than that share a process


def verify(build: "Build | str | os.PathLike[str]", images: np.ndarray | ImageSet, count: int | None = None,
           labels: Sequence[int] | np.ndarray | None = None, *, simulator: str = "verilator",
           stalls: bool = False, waves: bool = False, early_stop: bool | None = None,
           ports: Sequence[str] | None = None, seed: int = 1,
           progress: Callable[[str, int, int], Any] | None = None) -> VerifyResult:
    """Simulate a build's ``rtl/top.v`` and compare every spike and final potential with the golden model.

    Each form of the core (the whole window, and stopped early) gets all images through the ``spikes`` port,
    back to back; where the core has an encoder, some also through the ``levels`` port, and a few through both
    in turns. Writes ``verify/results.json``, ``verify/junit.xml`` and ``verify/vectors.npz`` (the images, and
    what each run answered) into the build folder.

    Parameters
    ----------
    build: a build, or the folder of one.
    images: as :func:`..network.golden.run` takes them, many; or what ``load_images`` gives, with labels.
    count: take so many of them, the first; None: all.
    labels: the true classes, to count what is correct.
    simulator: "verilator" or "icarus".
    stalls: random gaps at the inputs, a result that waits, spikes of a step in any order, superfluous ends of
        steps, and a reset in the middle of a window before the first.
    waves: also write ``verify/waves.fst``: of the first mismatch or, where there is none, of the first image.
    early_stop: only that form; None: all that the core has.
    ports: only these of "spikes", "levels", "both"; None: all that the core has.
    seed: of all that is drawn.
    progress: called with the stage ("compile", "simulate" or "waves"), how much of it is done, and how much
        there is; from whatever thread, one call at a time.

    Raises
    ------
    TypeError, ValueError: the images do not fit the network, or another argument is none of those above.
    FirstspikeError: the build has no such form or port, a simulator is missing or breaks off, or a file
        cannot be written.
    """
    started = time.monotonic()
    if not hasattr(build, "top"):
        from ..gen.build import open_build
        build = open_build(build)  # type: ignore[arg-type]
    if isinstance(images, ImageSet):
        images, labels = images.images, images.labels if labels is None else labels
    task = _Task(build, images, count, labels, early_stop, ports, stalls, seed)  # type: ignore[arg-type]
    tell = _one_at_a_time(progress or (lambda what, done, total: None))
    chosen = simulators.simulator(simulator)
    tell("compile", 0, 1)
    program = chosen.compile([task.verilog], task.top["top"], signals(task.top))
    compiled = time.monotonic() - started
    tell("compile", 1, 1)
    folder = Path(task.build.path) / "verify"
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="firstspike-") as scratch:
            runs = task.run(program, Path(scratch), tell)
            result = VerifyResult(
                images=len(task.images), correct=None, runs=runs, simulator=chosen.name,
                version=chosen.version, seconds=0.0, compile_seconds=compiled, seed=seed, stalls=stalls,
                waves=None, path=folder / "results.json")
            if waves:
                tell("waves", 0, 1)
                result = replace(result, waves=task.record_waves(chosen, result, Path(scratch), folder))
                tell("waves", 1, 1)
    except OSError as error:
        raise FirstspikeError(f"the simulation cannot be run: {error}; free some space, or set TMPDIR to a "
                              "folder that can be written") from error
    if task.labels is not None:
        result = replace(result, correct=int((runs[0].labels == task.labels).sum()))
    result = replace(result, seconds=time.monotonic() - started)
    write(result, f"firstspike.verify.{Path(task.build.path).name}", task.images, task.labels)
    return result


def _one_at_a_time(function: Callable[..., Any]) -> Callable[..., None]:
    lock = threading.Lock()

    def call(*arguments) -> None:
        with lock:
            function(*arguments)

    return call


class _Task:
    """What is to be verified: the images, the forms and the ports."""

    def __init__(self, build: "Build", images: np.ndarray, count: int | None, labels, early_stop: bool | None,
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
        built = self.top["ports"]["stop_early"] is not None
        if early_stop and not built:
            raise FirstspikeError("the core was built without early stop: build it with early stop, "
                                  "or verify the other form")
        return [early_stop] if early_stop is not None else [True, False] if built else [False]

    def _ports(self, ports: Sequence[str] | None) -> list[str]:
        encoder = self.top["ports"]["levels"] is not None
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

        def work(place: int) -> list[_Outcome]:
            def report(results: int) -> None:
                done[place] = results
                tell("simulate", sum(done), total)

            outcomes = self.simulate(program, groups[place], scratch / f"run{place}", stop, report)
            report(sum(part.count for part in groups[place]))
            return outcomes

        tell("simulate", 0, total)
        outcomes: list[_Outcome] = []
        with ThreadPoolExecutor(workers) as pool:
            try:
                for future in as_completed([pool.submit(work, place) for place in range(len(groups))]):
                    outcomes += future.result()
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        outcomes.sort(key=lambda outcome: outcome.part.start)
        return tuple(_merge([outcome for outcome in outcomes if outcome.part.kind == (port, early)])
                     for port in self.ports for early in self.forms)

    def _groups(self, workers: int) -> list[list["_Part"]]:
        """What each simulator process runs: a long part alone, the short ones together."""
        groups: list[list[_Part]] = []
        short: list[_Part] = []
        for port in self.ports:
            share = self._share(port)
            size = share if share < 2 * _SHORT else min(_CHUNK, -(-share * len(self.forms) // workers))
            for early in self.forms:
                parts = [_Part(port, early, start, min(size, share - start))
                         for start in range(0, share, size)]
                groups += [[part] for part in parts if part.count >= _SHORT]
                short += [part for part in parts if part.count < _SHORT]
        few = 1 if sum(part.count for part in short) < _SHORT else workers
        return groups + [group for place in range(few) if (group := short[place::few])]

    def simulate(self, program: Program, parts: Sequence["_Part"], scratch: Path, stop: Stop,
                 report: Callable[[int], None] | None = None, waves: Path | None = None) -> list["_Outcome"]:
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
            spikes = tokens(self.network, self.top["ports"]["spikes"], golden.input_spikes[order == 0],
                            rng if self.stalls else None)
            numbers = images[order == 1] if part.port != "spikes" else np.zeros((0, 1), np.int64)
            jobs.append(Job(spikes, levels(numbers), order, part.early, not part.early, self.stalls,
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
            outcomes.append(_Outcome(part, job.order, comparison, recording.arrays, self.top,
                                     seconds * part.count / images))
        return outcomes

    def record_waves(self, chosen: Simulator, result: VerifyResult, scratch: Path, folder: Path) -> Path:
        """Run what led to the first mismatch again, or the first image, and record all signals."""
        program = chosen.compile([self.verilog], self.top["top"], signals(self.top), waves=True)
        recorded, first = scratch / "waves.fst", result.first
        run = next((run for run in result.runs if first and run.name == first.run), result.runs[0])
        image = first.image if first else 0
        for attempt, start in enumerate((max(0, image - 1), 0)):  # after the image before, or after all
            part = _Part(run.port, run.early_stop, start, image + 1 - start)
            outcome, = self.simulate(program, [part], scratch / f"waves{attempt}", Stop(), waves=recorded)
            if first is None or outcome.comparison.mismatches:
                break
        path = folder / "waves.fst"
        with suppress(FileNotFoundError):
            path.unlink()
        shutil.move(recorded, path)
        return path


@dataclass(frozen=True)
class _Part:
    """Some of the images, from ``start``, through one port of one form."""

    port: str
    early: bool
    start: int
    count: int

    @property
    def kind(self) -> tuple[str, bool]:
        return self.port, self.early


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What came of a part."""

    part: _Part
    order: np.ndarray
    comparison: Comparison
    recorded: dict[str, np.ndarray]
    top: dict
    seconds: float

    def answers(self, name: str) -> np.ndarray:
        """A field of the results, -1 where there is none."""
        shown = field(self.recorded["results"], self.top["ports"]["result"]["fields"][name])
        answers = np.full(self.part.count, -1, np.int64)
        answers[:len(shown)] = shown[:len(answers)]
        return answers

    @property
    def intervals(self) -> np.ndarray:
        """Cycles from each result to the next."""
        return np.diff(self.recorded["result_cycles"])

    @property
    def latencies(self) -> np.ndarray:
        """Cycles from the first payload of a window in to its result out."""
        first = np.zeros(self.part.count, np.int64)
        for port, name in enumerate(("spikes", "levels")):
            entered = self.recorded.get(f"{name}_first", first[:0])
            where = np.flatnonzero(self.order == port)[:len(entered)]
            first[where] = entered[:len(where)]
        results = self.recorded["result_cycles"][:len(first)]
        return results - first[:len(results)]


def _merge(outcomes: list[_Outcome]) -> Run:
    """The parts of one form and port, in order, as one run."""
    each = [outcome.comparison for outcome in outcomes]
    comparison = Comparison(
        sum(one.spikes for one in each), sum(one.potentials for one in each),
        sum(one.mismatches for one in each), next((one.first for one in each if one.first), None))
    intervals, latencies, labels, steps = (np.concatenate(arrays) for arrays in zip(*(
        (outcome.intervals, outcome.latencies, outcome.answers("label"), outcome.answers("step"))
        for outcome in outcomes), strict=True))
    part = outcomes[0].part
    return Run(part.early, part.port, sum(outcome.part.count for outcome in outcomes), comparison,
               Spread.of(intervals), Spread.of(latencies), intervals, labels, steps,
               sum(outcome.seconds for outcome in outcomes))
