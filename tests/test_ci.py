"""docs/ci.md, followed to the letter in a repository of somebody's own."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from firstspike.network import Dense, Input, Latency, Layer, Network

OURS = ("firstspike", "__editable__", "pip", "__pycache__")
"""What of this environment a user's does not have: Firstspike itself (and a pip of its own)."""


def recipe(root: Path, which: str) -> str:
    """The page's workflow file of that kind of CI."""
    github, gitlab = re.findall(r"^```yaml\n(.*?)^```$", (root / "docs" / "ci.md").read_text(),
                                re.MULTILINE | re.DOTALL)
    return {"github": github, "gitlab": gitlab}[which]


def commands(text: str) -> list[str]:
    """What it runs, in order."""
    return re.findall(r"^ +- run: (.+)$", text, re.MULTILINE) or re.findall(
        r"^    - (.+)$", text[text.index("  script:\n"):text.index("  artifacts:\n")], re.MULTILINE)


def variables(text: str, project: Path) -> dict[str, str]:
    """The environment that it sets."""
    block = re.search(r"^( +)(?:env|variables):\n((?:\1  .+\n)+)", text, re.MULTILINE)
    assert block is not None
    return {name: value.replace("$CI_PROJECT_DIR", str(project))
            for name, value in re.findall(r"^ +(\w+): (.+)$", block[2], re.MULTILINE)}


@pytest.fixture
def repository(tmp_path: Path, wheel: Path) -> Path:
    """What the page says a repository must hold, and nothing else."""
    folder = tmp_path / "my repository"
    folder.mkdir()
    rng = np.random.default_rng(1)
    Network(Input(16, 4, Latency(np.array([-1, 3, 2, 1, 0]))), [
        Layer(Dense(rng.choice([-1, 1], (8, 16))), 4, threshold=2),
        Layer(Dense(rng.choice([-1, 1], (4, 8))), 4, threshold=1)]).save(folder / "my-network.safetensors")
    np.savez(folder / "test-images.npz", images=rng.integers(0, 5, (100, 16)))
    shutil.copy(wheel, folder)
    (folder / "requirements.txt").write_text(f"./{wheel.name}\n")
    return folder


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A user's Python and home: the packages that Firstspike needs, as a registry would give them."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(OURS) and path.suffix != ".pth":
            (packages / path.name).symlink_to(path)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=300)
    site, = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "registry.pth").write_text(f"{packages}\n")
    (tmp_path / "home" / ".cache").mkdir(parents=True)
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "OMP_NUM_THREADS") if name in os.environ}
    return kept | {"HOME": str(tmp_path / "home"), "PIP_NO_INDEX": "1", "PATH": os.pathsep.join(
        [str(tmp_path / "venv" / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])}


@pytest.mark.slow
@pytest.mark.parametrize("which", ["github", "gitlab"])
def test_the_page_followed_to_the_letter(which: str, root: Path, repository: Path,
                                         machine: dict[str, str]) -> None:
    text = recipe(root, which)
    environment = machine | variables(text, repository)
    cached = [Path(path) for path in re.findall(r"^ +(~/.+)$", text, re.MULTILINE)]
    caches = [Path(machine["HOME"]) / path.relative_to("~") for path in cached] or [
        Path(environment[name]) for name in ("YOWASP_CACHE_DIR", "FIRSTSPIKE_CACHE")]
    warm = Path(os.environ.get("YOWASP_CACHE_DIR") or platformdirs.user_cache_dir("YoWASP", appauthor=False))
    caches[0].parent.mkdir(exist_ok=True)
    caches[0].symlink_to(warm)  # an earlier run's
    before = {path.name for path in warm.iterdir()}
    for command in commands(text):
        done = subprocess.run(["bash", "-e", "-c", command], cwd=repository, env=environment, check=False,
                              capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert "prepare Yosys" not in done.stderr
    assert "Bit-exact" in done.stdout
    junit = ElementTree.parse(repository / "build" / "ci" / "verify" / "junit.xml")
    assert list(junit.iter("testcase")) and not [*junit.iter("failure"), *junit.iter("error")]
    assert any(caches[1].iterdir()) and {path.name for path in warm.iterdir()} == before
    assert all(path in text for path in ("build/ci/verify", "requirements.txt"))


@pytest.mark.parametrize("which", ["github", "gitlab"])
def test_what_the_page_s_files_run(which: str, root: Path) -> None:
    """Both the same three commands, and nothing that a user's repository does not have."""
    text = recipe(root, which)
    assert [command.split()[:2] for command in commands(text)] == [
        ["pip", "install"], ["firstspike", "build"], ["firstspike", "verify"]]
    assert set(variables(text, root)) >= {"NETWORK", "BOARD"}
    assert "constraints" not in text
