"""The proof: a build's Verilog, simulated, does what the golden model does, spike for spike."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FirstspikeError
from ..files import scratch
from ..gen.build import Build, open_build
from ..network.images import ImageSet
from .result import VerifyResult
from .results_folder import ResultsFolder
from .simulators.registry import simulator as find
from .task import Task

__all__ = ["VerifyResult", "verify"]


def verify(build: Build | str | os.PathLike[str], images: np.ndarray | ImageSet, count: int | None = None,
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
    build : Build, str or path
        A build, or the folder of one.
    images : ndarray or ImageSet
        As :func:`..network.golden.run` takes them, many; or what ``load_images`` gives, with labels.
    count : int or None
        Take so many of them, the first; None: all.
    labels : sequence of int or None
        The true classes, to count what is correct.
    simulator : str
        "verilator" or "icarus".
    stalls : bool
        Random gaps at the inputs, a result that waits, spikes of a step in any order, superfluous ends of
        steps, and a reset in the middle of a window before the first.
    waves : bool
        Also write ``verify/waves.fst``: of the first mismatch or, where there is none, of the first image.
    early_stop : bool or None
        Only that form; None: all that the core has.
    ports : sequence of str or None
        Only these of "spikes", "levels", "both"; None: all that the core has.
    seed : int
        Of all that is drawn.
    progress : callable or None
        Called with the stage ("compile", "simulate" or "waves"), how much of it is done, and how much there
        is; from whatever thread, one call at a time.

    Returns
    -------
    VerifyResult
        What was compared, and how it came out. Results of an earlier run are gone from the first moment on,
        and where this one ends in a FirstspikeError ``verify/junit.xml`` holds that.

    Raises
    ------
    TypeError, ValueError
        The images do not fit the network, or another argument is none of those above.
    FirstspikeError
        The build has no such form or port, was changed or is built again meanwhile; a simulator is missing or
        breaks off, or a file cannot be written.
    """
    started = time.monotonic()
    results = ResultsFolder(Path(build) if isinstance(build, str | os.PathLike) else build.path)
    if isinstance(images, ImageSet):
        images, labels = images.images, images.labels if labels is None else labels
    tell = _one_at_a_time(progress or (lambda what, done, total: None))
    with results.errors_recorded():
        made = open_build(results.build) if isinstance(build, str | os.PathLike) else build
        results.hold(made)
        task = Task(made, images, count, labels, early_stop, ports, stalls, seed)  # type: ignore[arg-type]
        chosen = find(simulator)
        tell("compile", 0, 1)
        program = chosen.compile([task.verilog], task.top.top, task.top.signals())
        compiled = time.monotonic() - started
        tell("compile", 1, 1)
        try:
            results.path.mkdir(exist_ok=True)
            with scratch(tempfile.gettempdir(), "firstspike-run") as folder:
                runs = task.run(program, folder, tell)
                result = VerifyResult(
                    images=len(task.images), correct=None, runs=runs, simulator=chosen.name,
                    version=chosen.version, seconds=0.0, compile_seconds=compiled, seed=seed, stalls=stalls,
                    waves=None, path=results.path / "results.json")
                if waves:
                    tell("waves", 0, 1)
                    result = replace(result, waves=task.record_waves(chosen, result, folder, results.path))
                    tell("waves", 1, 1)
        except OSError as error:
            raise FirstspikeError(f"the simulation cannot be run: {error}; free some space, or set TMPDIR to "
                                  "a folder that can be written") from error
        if task.labels is not None:
            result = replace(result, correct=int((runs[0].labels == task.labels).sum()))
        result = replace(result, seconds=time.monotonic() - started)
        results.write(result, task.images, task.labels)
        return result


def _one_at_a_time(function: Callable[..., Any]) -> Callable[..., None]:
    lock = threading.Lock()

    def call(*arguments) -> None:
        with lock:
            function(*arguments)

    return call
