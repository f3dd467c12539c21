"""Two builds side by side: what differs, and by how much."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from firstspike.cli import firstspike
from firstspike.errors import FirstspikeError
from firstspike.gen.build import Build, build
from firstspike.network import Dense, Input, Latency, Layer, Network
from firstspike.report.side_by_side import side_by_side, write_side_by_side
from harness.pages import Page


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, Build]:
    """The same network for two boards."""
    signs = np.random.default_rng(3).choice(np.array([-1, 1], np.int8), (3, 25))
    made = Network(Input(25, 4, Latency(np.array([-1, 3, 2, 1, 0]))),
                   [Layer(Dense(signs), 4, threshold=1, name="out<i>")])
    folder = tmp_path_factory.mktemp("compared")
    return build(made, "icebreaker", folder / "one", clock_hz=12e6), build(made, "ulx3s-85f", folder / "two")


def test_what_differs(builds: tuple[Build, Build]) -> None:
    found = side_by_side(*builds)
    assert found.names == ("one", "two")
    groups = {group: {fact.name: fact for fact in facts} for group, facts in found.groups}
    assert all(fact.same for fact in groups["Network"].values())
    first, second = (each.plan.clock_hz / 1e6 for each in builds)
    clock = groups["Build"]["Clock"]
    assert (clock.first, clock.second) == (f"{first:.1f} MHz", f"{second:.1f} MHz") and not clock.same
    assert clock.change == f"{100 * (second - first) / first:+.1f} %"
    assert groups["Build"]["Board"].change == "" and not groups["Build"]["Board"].same
    assert groups["Verification"]["Verified"].first == "not yet"
    assert all(fact.same and not fact.change for _, facts in side_by_side(builds[0], builds[0].path).groups
               for fact in facts)


def test_what_only_one_has(builds: tuple[Build, Build]) -> None:
    path = builds[1].path / "reports" / "resources.json"
    path.parent.mkdir(exist_ok=True)
    usage = {"luts": 2000, "ffs": 900, "block_rams": 12, "fmax_hz": 31_250_000, "cells": {}}
    path.write_text(json.dumps({"core": None, "design": usage}))
    facts = {fact.name: fact for group, facts in side_by_side(*builds).groups if group == "Resources"
             for fact in facts}
    path.unlink()
    assert (facts["Fmax"].first, facts["Fmax"].second, facts["Fmax"].change) == ("", "31.2 MHz", "")
    assert facts["LUTs"].second == "2,000"


def test_page(builds: tuple[Build, Build], tmp_path: Path) -> None:
    found = side_by_side(*builds)
    page = Page(write_side_by_side(found, tmp_path / "compared.html").read_text())
    assert "script" not in page.tags and "out<i>: lanes" in page.texts
    rows = page.rows("Build")
    assert rows[0] == ["Fact", "one", "two", "Change"]
    facts = found.groups[1][1]
    assert [row[:3] for row in rows[1:]] == [[fact.name, fact.first, fact.second] for fact in facts]


def test_command(builds: tuple[Build, Build], tmp_path: Path) -> None:
    one, two = (str(each.path) for each in builds)
    done = CliRunner().invoke(firstspike, ["compare", one, two, "-o", str(tmp_path / "c.html")])
    assert done.exit_code == 0 and "Clock" in done.output and "Digest" not in done.output
    assert (tmp_path / "c.html").is_file()
    same = CliRunner().invoke(firstspike, ["compare", one, one])
    assert same.output.strip() == "The two builds are the same in all that is compared."
    told = json.loads(CliRunner().invoke(firstspike, ["compare", one, two, "--json"]).output)
    assert told == side_by_side(*builds).as_dict()


def test_no_build(builds: tuple[Build, Build], tmp_path: Path) -> None:
    with pytest.raises(FirstspikeError, match="is no build folder"):
        side_by_side(builds[0], tmp_path)
