"""A small network file for the tests of this room."""

from pathlib import Path

import pytest
from harness.network_files import small


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "small.safetensors"
    small().save(path)
    return path
