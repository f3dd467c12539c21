"""Run the bench in a simulator process: write its job, keep an eye on it, read its recording."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import FirstspikeError
from ..network import Network
from ..rtl.description import CoreDescription
from .simulators.program import Program
from .stimulus import Stimulus

__all__ = ["Job", "Recording", "Stop", "patience", "simulate", "watch"]

_SILENCE = 300.0  # seconds without a sign of life after which a simulator is given up
_POLL = 0.1


class Stop(threading.Event):
    """Set, it ends the simulator processes that were given it."""


@dataclass(frozen=True, eq=False)
class Job:
    """One run of the bench: what goes into which port, and how.

    Attributes
    ----------
    spikes, levels : Stimulus
        What goes into each port.
    order : ndarray
        For each window the port, 0 for ``spikes`` and 1 for ``levels``.
    early : bool
        With the core's ``stop_early`` high.
    finals : bool
        Whether final potentials are recorded.
    stalls : bool
        With random gaps and a result that is not always taken, after a reset in the middle of a window.
    patience : int
        Cycles without any transfer after which the design hangs.
    seed : int
        Of all that the bench draws.
    """

    spikes: Stimulus
    levels: Stimulus
    order: np.ndarray
    early: bool
    finals: bool
    stalls: bool
    patience: int
    seed: int


@dataclass(frozen=True, eq=False)
class Recording:
    """What the bench wrote down.

    Attributes
    ----------
    arrays : dict
        What it saw.
    complaint : str
        Why it gave up, or "".
    cycles : int
        How many it ran.
    """

    arrays: dict[str, np.ndarray]
    complaint: str
    cycles: int


def patience(network: Network) -> int:
    """Cycles after which a core that moves nothing hangs, whatever its folding: a generous bound."""
    silent = max(layer.window * (layer.size + 64) for layer in network.layers)
    return 5000 + 2 * (silent + network.input.size + network.input.window)


def simulate(program: Program, top: CoreDescription, jobs: Sequence[Job], folder: Path, *, stop: Stop,
             waves: Path | None = None, progress: Callable[[int], None] | None = None) -> list[Recording]:
    """Run jobs, one after the other, in ``folder``, which must be there and empty.

    Parameters
    ----------
    program : Program
        The core, compiled.
    top : :class:`~..rtl.description.CoreDescription`
        The core from outside.
    jobs : sequence of Job
    folder : Path
    stop : Stop
        Ends it.
    waves : Path or None
        The FST file to write, where the program can.
    progress : callable or None
        Called with the number of results so far.

    Returns
    -------
    list of Recording
        One for each job.

    Raises
    ------
    FirstspikeError
        The simulator breaks off, or the design has not the names of ``top.json``.
    """
    plain = [{name: getattr(job, name) for name in ("early", "finals", "stalls", "patience", "seed")}
             for job in jobs]
    (folder / "jobs.json").write_text(json.dumps({"top": top.to_json(), "jobs": plain}))
    for number, job in enumerate(jobs):
        np.savez(folder / f"job{number}.npz", order=job.order, spikes=job.spikes.payloads,
                 spikes_ends=job.spikes.ends, levels=job.levels.payloads, levels_ends=job.levels.ends)
    process = program.start("firstspike.sim.testbench", folder, {
        "FIRSTSPIKE_JOBS": str(folder), "COCOTB_RANDOM_SEED": "1"}, top=top.top, waves=waves)
    watch(process, folder, stop, progress)
    try:
        said = json.loads((folder / "outcomes.json").read_text())
        recordings = []
        for number, outcome in enumerate(said["outcomes"]):
            with np.load(folder / f"recording{number}.npz") as data:
                recordings.append(Recording(dict(data), outcome["complaint"], outcome["cycles"]))
    except (OSError, ValueError):
        raise FirstspikeError(f"the simulator broke off: {_last_words(folder)}") from None
    if said["broken"]:
        raise FirstspikeError(said["broken"])
    return recordings


def watch(process: subprocess.Popen, folder: Path, stop: Stop,
          progress: Callable[[int], None] | None = None) -> None:
    """Wait for a simulator; end it where ``stop`` is set or where it gives no sign of life any more.

    Raises
    ------
    FirstspikeError
        It was ended.
    """
    note, seen, alive = folder / "progress", "", time.monotonic()
    try:
        while process.poll() is None:
            if stop.is_set():
                raise FirstspikeError("the simulation was stopped")
            try:
                said = note.read_text()
            except OSError:
                said = ""
            if said != seen:
                seen, alive = said, time.monotonic()
                if progress is not None and said.strip().isdecimal():
                    progress(int(said))
            elif time.monotonic() - alive > _SILENCE:
                raise FirstspikeError(f"the simulator did not go on for {_SILENCE:.0f} seconds: "
                                      f"{_last_words(folder)}")
            try:
                process.wait(_POLL)
            except subprocess.TimeoutExpired:
                continue
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _last_words(folder: Path) -> str:
    """What a simulator said last, of what sounds like an error."""
    try:
        lines = (folder / "log").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    lines = [line.strip() for line in lines if line.strip()]
    telling = [line for line in lines if "rror" in line or "%Fatal" in line or "No space" in line]
    return (telling or lines or ["it said nothing"])[-1]
