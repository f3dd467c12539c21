"""The test plans beside the circuits speak of tests that are there, and of every file that is."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANS = sorted((ROOT / "rtl").rglob("TESTPLAN.md"))
LAYOUTS = {"__init__.py", "frames.py", "op.py", "port.py"}
"""Files that only lay out what passes between the others."""


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def place(plan: Path) -> str:
    return plan.relative_to(ROOT).as_posix()


def test_every_folder_of_circuits_has_a_plan():
    assert {path.parent for path in (ROOT / "rtl").rglob("*.py")} == {plan.parent for plan in PLANS}


@pytest.mark.parametrize("plan", PLANS, ids=place)
def test_all_that_a_plan_names_is_there(plan):
    """By its path, or by its name alone where it stands in the folder of tests that mirrors the plan's."""
    text = plan.read_text()
    by_path = re.findall(r"`(tests/[^`:]+)::(\w+)`", text)
    for file, test in by_path:
        assert test in functions(ROOT / file), f"{file}::{test}"
    folder = ROOT / "tests" / plan.parent.relative_to(ROOT)
    here = set().union(*(functions(path) for path in [*folder.glob("test_*.py"),
                                                      *(ROOT / "tests" / "rtl").glob("test_*.py")]))
    by_name = set(re.findall(r"`(test_\w+)`", text))
    assert by_path or by_name
    assert by_name <= here, sorted(by_name - here)


@pytest.mark.parametrize("plan", PLANS, ids=place)
def test_a_plan_has_every_file_of_its_folder(plan):
    missing = {path.name for path in plan.parent.glob("*.py") if f"`{path.name}`" not in plan.read_text()}
    assert missing <= LAYOUTS
