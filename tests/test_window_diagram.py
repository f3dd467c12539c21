"""The timing diagram in docs/ is what the simulation of its core shows."""

import runpy

import pytest


@pytest.fixture(scope="module")
def example(root):
    return runpy.run_path(str(root / "examples" / "window.py"))


def test_the_picture_is_the_simulation_s(example, root):
    """Make it anew with ``python examples/window.py docs/window.svg``."""
    rows = example["simulate"]()
    assert example["drawing"](rows) == (root / "docs" / "window.svg").read_text()


def test_a_transfer_more_would_show(example):
    rows = example["simulate"]()
    before = example["drawing"](rows)
    assert rows["hidden"][70] is None
    rows["hidden"][70] = example["Cell"]("a1 t1", 0)
    assert example["drawing"](rows) != before
