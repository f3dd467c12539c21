"""The test plans beside the circuits speak of tests that are there, and of every file that is."""

import ast
import re
from pathlib import Path

import firstspike.rtl
import pytest

RTL = Path(firstspike.rtl.__file__).parent
TESTS = Path(__file__).parent
PLANS = sorted(RTL.rglob("TESTPLAN.md"))


def functions(folder: Path) -> set[str]:
    """Names of the test functions in a folder's files."""
    return {node.name for path in folder.glob("test_*.py")
            for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def named(plan: Path) -> set[str]:
    return set(re.findall(r"`(test_\w+)`", plan.read_text()))


def test_there_are_plans():
    assert {plan.parent.name for plan in PLANS} >= {"encoders", "host"}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.parent.name)
def test_every_test_in_a_plan_is_there(plan):
    assert named(plan)
    assert named(plan) <= functions(TESTS / plan.parent.relative_to(RTL)) | functions(TESTS)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.parent.name)
def test_a_plan_has_every_block_of_its_folder(plan):
    """Files that only lay out what passes between the others have none to test."""
    text = plan.read_text()
    missing = {path.name for path in plan.parent.glob("*.py") if f"`{path.name}`" not in text}
    assert missing <= {"__init__.py", "frames.py"}
