"""The test plans beside the circuits: tables of test functions that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "rtl").rglob("TESTPLAN.md"))


def test_there_are_plans():
    assert {"rtl/TESTPLAN.md", "rtl/event/TESTPLAN.md", "rtl/streams/TESTPLAN.md"} <= set(PLANS)


@pytest.mark.parametrize("plan", PLANS)
def test_all_that_a_plan_names_is_there(plan):
    text = (ROOT / plan).read_text()
    named = re.findall(r"`(tests/[^`:]+)::(\w+)`", text)
    assert named
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text(), f"{file}::{test}"
    for row in re.findall(r"^\|.*\|$", text, re.MULTILINE):
        assert row.count("|") == 7, f"six columns: {row}"
        assert not row.startswith("|  |")
