"""The page on a build's files has a row for every field that they have, and for no other."""

import json
import re
from dataclasses import replace
from pathlib import Path

import firstspike as fs
import numpy as np
import pytest
from firstspike.gen.usage import Synthesis, Usage
from firstspike.sim.compare import Comparison, Mismatch
from firstspike.sim.result import Run, Spread, VerifyResult

PAGE = Path(__file__).resolve().parents[2] / "docs" / "build-files.md"
OPEN = {
    "manifest.json": {"files"},
    "plan.json": set(),
    "rtl/top.json": set(),
    "verify/results.json": set(),
    "reports/resources.json": {"versions", "core.cells", "design.cells"},
}
"""Objects whose names are data: of files, programs, cells."""


def described(text: str) -> dict[str, set[str]]:
    """For each file the fields of its tables, as paths: a table's rows below each object of its heading."""
    files = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heads = re.split(r"^### ", section, flags=re.MULTILINE)
        paths = files[re.match(r"`([^`]+)`", heads[0])[1]] = set()
        for place, part in enumerate(heads):
            heading = part.splitlines()[0]
            above = [f"{path}." for path in re.findall(r"`([^`]+)`", heading)] if place else [""]
            fields = re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)
            assert above and fields, f"nothing in {heading}"
            for path in (f"{one}{field}" for one in above for field in fields):
                assert path not in paths, f"{path} stands twice in the page"
                paths.add(path)
    return files


def paths_of(data, open_: set[str], above: str = "") -> set[str]:
    """The path of every field in a JSON value."""
    if isinstance(data, list):
        return {path for item in data for path in paths_of(item, open_, f"{above}[]")}
    if not isinstance(data, dict) or above in open_:
        return set()
    here = f"{above}." if above else ""
    return {path for name, value in data.items()
            for path in ({f"{here}{name}"} | paths_of(value, open_, f"{here}{name}"))}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, list]:
    """The JSON files of two builds, one of them folded, and what else a build folder gets in time."""
    rng = np.random.default_rng(1)
    network = fs.Network(fs.Input(12, 6, fs.Latency([-1, 5, 4, 3, 2, 1, 0])), [
        fs.Layer(fs.Dense(rng.choice(np.array([-1, 1], np.int8), shape)), 6, threshold=2)
        for shape in ((40, 12), (4, 40))])
    found = {name: [] for name in OPEN}
    for aim in ("throughput", "area"):
        made = fs.build(network, "generic", tmp_path_factory.mktemp("built") / aim, aim=aim)
        for name in ("manifest.json", "plan.json", "rtl/top.json"):
            found[name].append(json.loads((made.path / name).read_text()))
    found["verify/results.json"].append(_result().as_dict())
    found["reports/resources.json"].append(_synthesis().to_json())
    return found


def _result() -> VerifyResult:
    comparison = Comparison(1, 1, 1, Mismatch("spike", 0))
    run = Run(True, "spikes", 2, comparison, Spread(1, 1.0, 1), Spread(1, 1.0, 1), np.ones(1), np.ones(2),
              np.ones(2), 1.0)
    return VerifyResult(2, None, (run,), "icarus", "12.0", 1.0, 1.0, 1, False, None, Path("results.json"))


def _synthesis() -> Synthesis:
    usage = Usage(1, 1, 1, None, {"LUT4": 1})
    return Synthesis("b", "ecp5", 1, 1, usage, replace(usage, fmax_hz=2),
                     {"luts": 1, "ffs": 1, "block_rams": 1}, "0", {"yosys": "0.70"})


@pytest.mark.parametrize("name", OPEN)
def test_the_page_has_every_field_and_no_other(written, name):
    there = set.union(*(paths_of(data, OPEN[name]) for data in written[name]))
    said = described(PAGE.read_text())
    assert list(said) == list(OPEN)
    assert there - said[name] == set(), "fields that the page leaves out"
    assert said[name] - there == set(), "fields that the page makes up"


def test_a_build_has_both_forms_and_rows_in_taps(written):
    """So that what only one of them has is looked at."""
    forms = [set(layer["offer"]["form"]) for plan in written["plan.json"] for layer in plan["layers"]]
    assert any("folds" in form for form in forms) and any("folds" not in form for form in forms)
    assert any(tap["index"] for top in written["rtl/top.json"] for layer in top["layers"]
               for tap in layer["taps"])


def test_a_field_too_few_or_too_many_would_be_seen():
    text = PAGE.read_text()
    row = "| `pace` | string | | what sets its cycles, in words |\n"
    assert row in text
    without = described(text.replace(row, ""))["plan.json"]
    assert described(text)["plan.json"] - without == {"layers[].offer.pace"}
    more = described(text.replace(row, row + row.replace("pace", "peace")))["plan.json"]
    assert more - described(text)["plan.json"] == {"layers[].offer.peace"}
