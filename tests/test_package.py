"""The package as it is shipped: a light import, a wheel and an sdist that hold all they need."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import firstspike as fs
import pytest


def python(*args: object, **kwargs) -> str:
    """Run this Python on ``args`` and give back what it prints."""
    done = subprocess.run([sys.executable, *map(str, args)], capture_output=True, text=True, check=False,
                          timeout=900, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_import_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded = python("-c", "import sys, firstspike; print(*sys.modules)", cwd=tmp_path).split()
    heavy = {"numpy", "amaranth", "cocotb", "torch", "click", "rich", "matplotlib", "PIL", "jinja2"}
    assert not heavy & set(loaded)


def test_command_line_starts_without_torch_or_amaranth(tmp_path: Path) -> None:
    code = ("import sys\nfrom firstspike.console import main_program\nfrom firstspike.cli import firstspike\n"
            "assert main_program(firstspike, ['--version']) == 0\n"
            "print(*(name for name in ('torch', 'amaranth', 'numpy', 'cocotb') if name in sys.modules))")
    assert python("-c", code, cwd=tmp_path).split()[2:] == []


def test_every_public_name_is_there() -> None:
    for name in fs.__all__:
        assert getattr(fs, name) is not None, name
        assert name in dir(fs)


def test_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"^module 'firstspike' has no attribute 'nothing'$"):
        fs.nothing  # noqa: B018


def test_wheel_holds_all_that_it_needs(wheel: Path, root: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = {path.relative_to(root).as_posix()
              for room in ("boards", "commands", "gen", "models", "network", "quantize", "report", "rtl",
                           "sim")
              for path in (root / room).rglob("*")
              if path.is_file() and path.suffix != ".pyc" and path.name != "TESTPLAN.md"}
    missing = {name for name in source if f"firstspike/{name}" not in names}
    assert not missing
    assert {"firstspike/cli.py", "firstspike/py.typed"} <= names
    assert not any(name.startswith(("firstspike/tests", "firstspike/bench")) for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)


def test_sdist_holds_tests_and_documents(wheel: Path) -> None:
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "NOTICE", "Makefile", "constraints.txt", "tests/conftest.py",
            "rtl/streams/TESTPLAN.md"} <= names
    assert not any(name.startswith((".venv", "build/")) for name in names)


def test_wheel_runs_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    """Installed alone; its dependencies are this environment's."""
    python("-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "site", wheel)
    code = ("import sys; sys.path.insert(0, 'site'); import firstspike, pathlib\n"
            "assert pathlib.Path(firstspike.__file__).is_relative_to(pathlib.Path('site').resolve())\n"
            "from firstspike.cli import main; main(['info', 'mnist-784-600-10-online'])")
    assert "784 inputs" in python("-S", "-c", f"import site; site.main()\n{code}", cwd=tmp_path)


@pytest.mark.slow
def test_wheel_installs_in_a_fresh_environment(wheel: Path, root: Path, tmp_path: Path) -> None:
    """With its dependencies from the registry, and without torch."""
    python("-m", "venv", tmp_path / "venv")
    fresh = tmp_path / "venv" / "bin"
    pip = [fresh / "python", "-m", "pip"]
    subprocess.run([*pip, "install", "-q", "-c", root / "constraints.txt", wheel], check=True, timeout=900)
    help_text = subprocess.run([fresh / "firstspike", "--help"], check=True, capture_output=True, text=True,
                               cwd=tmp_path).stdout
    assert "firstspike build" in help_text
    listed = subprocess.run([*pip, "list"], check=True, capture_output=True, text=True)
    assert "\ntorch " not in listed.stdout
