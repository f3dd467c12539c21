"""The folder ``verify`` of a build: what a verification leaves there, and what is gone before it begins."""

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from ..errors import FirstspikeError
from ..files import write_whole
from ..gen.build import Build
from .junit import Case, junit
from .result import VerifyResult

__all__ = ["ResultsFolder"]

_FILES = ("results.json", "junit.xml", "vectors.npz", "waves.fst")


class ResultsFolder:
    """The folder for what a verification finds out.

    Parameters
    ----------
    build : Path
        The build's folder; it need not be a sound one.
    """

    def __init__(self, build: Path):
        self.build = Path(build)
        self.path = self.build / "verify"
        self._held: tuple[int, int, str] | None = None

    @property
    def suite(self) -> str:
        """What the verification is called in ``junit.xml``."""
        return f"firstspike.verify.{self.build.resolve().name}"

    @contextmanager
    def errors_recorded(self) -> Iterator[None]:
        """Begin without the results of an earlier run; a FirstspikeError becomes an error in ``junit.xml``.

        So what a CI system picks up is never of another run. Where the folder is no build, nothing is
        written.
        """
        self.clear()
        try:
            yield
        except FirstspikeError as error:
            if (self.build / "rtl").is_dir():
                with suppress(OSError, FirstspikeError):
                    self.path.mkdir(exist_ok=True)
                    write_whole(self.path / "junit.xml",
                                junit(self.suite, [Case("verify", 0.0, error=str(error))]))
            raise

    def clear(self) -> None:
        """Remove results, and what a process that was killed left half-written.

        Raises
        ------
        FirstspikeError
            They cannot be removed, or the folder is a link to another.
        """
        if self.path.is_symlink():
            raise FirstspikeError(f"{self.path} is a link, and nothing is written through it: remove it")
        try:
            for name in _FILES:
                (self.path / name).unlink(missing_ok=True)
                for half in self.path.glob(f".{name}.*.part"):
                    half.unlink(missing_ok=True)
        except NotADirectoryError:
            raise FirstspikeError(f"{self.path} is no folder: remove it") from None
        except OSError as error:
            raise FirstspikeError(f"{self.path} cannot be written: {error.strerror or error}; choose another "
                                  "place for the build, or change its permissions") from error

    def hold(self, build: Build) -> None:
        """Remember the build as it is now: :meth:`write` refuses where it is another then.

        Raises
        ------
        FirstspikeError
            Its Verilog is not what its manifest says.
        """
        self._held, verilog = self._seen(), self.build / "rtl" / "top.v"
        if self._held is None:
            raise FirstspikeError(f"{verilog} is missing: build again")
        if self._held[2] != build.manifest["files"]["rtl/top.v"]:
            raise FirstspikeError(f"{verilog} was changed after it was built: build it again")

    def _seen(self) -> tuple[int, int, str] | None:
        """Which folder the build is, and what its Verilog; None where there is none."""
        try:
            place = self.build.stat()
            text = (self.build / "rtl" / "top.v").read_bytes()
            return place.st_dev, place.st_ino, hashlib.sha256(text).hexdigest()
        except OSError:
            return None

    def _check_held(self) -> None:
        if self._seen() != self._held:
            with suppress(FirstspikeError):
                self.clear()
            raise FirstspikeError(f"{self.build} was removed or built again while it was verified: verify it "
                                  "again")

    def write(self, result: VerifyResult, images: np.ndarray, labels: np.ndarray | None) -> None:
        """Leave ``results.json``, ``junit.xml`` and ``vectors.npz`` (the images, and what each run answered).

        Raises
        ------
        FirstspikeError
            One of them cannot be written, or the build is another than the one that was verified.
        """
        cases = []
        for run in result.runs:
            found = run.comparison
            failure = f"{found.mismatches} mismatches; first: {found.first}" if found.mismatches else ""
            cases.append(Case(run.name, run.seconds, failure, f"{run.images} images, {found.spikes} spikes, "
                                                              f"{found.potentials} potentials"))
        vectors = {"images": images} | ({} if labels is None else {"labels": labels})
        for run in result.runs:
            name = f"{run.port}_{'early' if run.early_stop else 'whole'}"
            vectors |= {f"{name}_class": run.labels, f"{name}_step": run.steps,
                        f"{name}_cycles": run.intervals}
        packed = io.BytesIO()
        np.savez_compressed(packed, **vectors)  # type: ignore[arg-type]
        self._check_held()
        write_whole(self.path / "vectors.npz", packed.getvalue())
        write_whole(self.path / "results.json", (json.dumps(result.as_dict(), indent=2) + "\n").encode())
        write_whole(self.path / "junit.xml", junit(self.suite, cases))
        self._check_held()
