"""Every example in the README and the documents does what the page says."""

import re
from pathlib import Path

import pytest
from harness.documents import PAGES, comparable, examples, prepare, run


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest, page: Path) -> Path:
    """Where the examples of ``page`` run."""
    needs = any("data/" in command for example in examples(page) for command, _ in example.commands)
    prepare(tmp_path, request.getfixturevalue("shared_data") if needs else None)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples(page: Path, folder: Path) -> None:
    check(page, folder, leave_out=("slow", "shown"))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(e.mark == "slow" for e in examples(page))],
                         ids=lambda page: page.stem)
def test_slow_examples(page: Path, folder: Path) -> None:
    check(page, folder, leave_out=("shown",))


def check(page: Path, folder: Path, leave_out: tuple[str, ...]) -> None:
    """Run a page's examples in order and compare what they print."""
    for example in examples(page):
        if example.mark in leave_out:
            continue
        for command, expected in example.commands:
            printed = run(command, example.kind, folder)
            if example.kind == "console":
                assert comparable(printed) == comparable(expected), f"{page.name}:{example.line}: {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path, root: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_commands_in_pages_exist() -> None:
    """Commands that are only shown are at least commands that there are."""
    from firstspike.cli import firstspike
    for page in PAGES:
        for name in re.findall(r"^\$ firstspike ([a-z]+)", page.read_text(), re.MULTILINE):
            assert name in firstspike.commands, f"{page.name}: firstspike {name}"
