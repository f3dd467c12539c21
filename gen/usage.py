"""What a design takes of its device: read from the tools' reports, kept in ``reports/resources.json``."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..boards.families.toolchain import Toolchain

__all__ = ["Synthesis", "Usage", "read_usage"]

_KINDS = ("luts", "ffs", "block_rams")


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

    @classmethod
    def from_json(cls, data: Any) -> "Usage":
        """The inverse of :func:`dataclasses.asdict`; TypeError or ValueError where it is none."""
        usage = cls(**data)
        counts = [usage.luts, usage.ffs, usage.block_rams, *usage.cells.values()]
        if usage.fmax_hz is not None:
            counts.append(usage.fmax_hz)
        if not all(type(count) is int and count >= 0 for count in counts):
            raise TypeError("counts must be whole numbers")
        return usage


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
        Of each program that ran: its version, and whether it was the machine's own.
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

    @classmethod
    def from_json(cls, data: Any) -> "Synthesis":
        """The inverse of :meth:`to_json`; TypeError, KeyError or ValueError where it is none."""
        if not isinstance(data, Mapping) or data["format"] != 1:
            raise ValueError("another format")
        core, design = (None if data[part] is None else Usage.from_json(data[part])
                        for part in ("core", "design"))
        told: dict[str, Any] = {field.name: data[field.name] for field in fields(cls)}
        told |= {"core": core, "design": design}
        found = cls(**told)
        if type(found.clock_hz) is not int or not all(
                isinstance(text, str) for text in (found.inputs, *dict(found.versions).values())):
            raise TypeError("clock_hz must be a whole number, and inputs and versions must be strings")
        return found


def read_usage(toolchain: Toolchain, work: Path, part: str) -> Usage:
    """What the tools said of ``part``, "core" or "design", in the folder that they ran in."""
    report = work / ("core_report.json" if part == "core" else "report.json")
    if not report.is_file():
        cells = _stat(work / f"{part}.stat")
        return Usage(**{kind: _count(getattr(toolchain, kind), cells) for kind in _KINDS}, fmax_hz=None,
                     cells=cells)
    told = json.loads(report.read_text())
    cells = {name: counts["used"] for name, counts in told["utilization"].items() if counts["used"]}
    clocks = [clock["achieved"] for clock in told["fmax"].values()]
    figures = {kind: sum(cells.get(cell, 0) for cell in toolchain.utilisation.get(kind, ()))
               for kind in _KINDS}
    if not toolchain.utilisation.get("ffs"):
        figures["ffs"] = _count(toolchain.ffs, _stat(work / f"{part}.stat"))
    # The slowest is the core's: nothing else but the reset's synchroniser has a clock of its own.
    return Usage(**figures, fmax_hz=round(min(clocks) * 1e6) if clocks else None, cells=cells)


def _stat(path: Path) -> dict[str, int]:
    return json.loads(path.read_text())["design"]["num_cells_by_type"]


def _count(weights: Mapping[str, float], cells: Mapping[str, int]) -> int:
    return round(sum(weight * cells.get(name, 0) for name, weight in weights.items()))
