"""What is compiled is kept once, whole, and for as long as it is used."""

import os
import threading
from pathlib import Path

import pytest
from firstspike.errors import FirstspikeError
from firstspike.sim.simulators import cache
from firstspike.sim.simulators.cache import cache_folder, kept


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("FIRSTSPIKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    """Makes an entry of two files, and counts how often."""

    def __init__(self):
        self.times = 0

    def __call__(self, scratch: Path, made: Path) -> None:
        assert scratch.is_dir() and not list(made.iterdir())
        self.times += 1
        (made / "program").write_text("run")
        (made / "beside").symlink_to("/usr")


def test_made_once(folder):
    make = Maker()
    first = kept("icarus", "00ff", make)
    assert kept("icarus", "00ff", make) == first == folder.resolve() / "icarus-00ff"
    assert (first / "program").read_text() == "run" and make.times == 1
    assert kept("icarus", "11ff", make) != first and make.times == 2


def test_made_once_by_many(folder):
    make, made = Maker(), []
    threads = [threading.Thread(target=lambda: made.append(kept("icarus", "00ff", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and len(set(made)) == 1 and make.times == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "lost", "added", "relinked", "unsealed"])
def test_what_is_damaged_is_made_again(damage):
    make = Maker()
    entry = kept("icarus", "00ff", make)
    if damage == "cut":
        (entry / "program").write_text("")
    elif damage == "changed":
        (entry / "program").write_text("rum")
    elif damage == "lost":
        (entry / "program").unlink()
    elif damage == "added":
        (entry / "more").write_text("")
    elif damage == "relinked":
        (entry / "beside").unlink()
        (entry / "beside").symlink_to("/tmp")
    else:
        for path in entry.glob("*.json"):
            path.write_text("{")
    assert kept("icarus", "00ff", make) == entry and make.times == 2
    assert sorted(path.name for path in entry.iterdir() if path.suffix != ".json") == ["beside", "program"]
    assert (entry / "program").read_text() == "run" and (entry / "beside").readlink() == Path("/usr")


def test_what_cannot_be_made_leaves_nothing(folder):
    def fail(scratch: Path, made: Path) -> None:
        (made / "half").write_text("")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        kept("icarus", "00ff", fail)
    assert [path.suffix for path in folder.iterdir()] == [".lock"]
    make = Maker()
    assert (kept("icarus", "00ff", make) / "program").is_file() and make.times == 1


def test_what_a_killed_process_left_goes(folder):
    left = folder / ".making.abcd1234.part"
    left.mkdir(parents=True)
    (left / "half").write_text("")
    kept("icarus", "00ff", Maker())
    assert not left.exists()


def test_the_least_recently_used_go(monkeypatch):
    monkeypatch.setattr(cache, "ENTRIES", 2)
    made, other = [], kept("runtime", "00ff", Maker())
    os.utime(other, (0, 0))
    for number in range(4):
        made.append(kept("icarus", f"0{number}", Maker()))
        os.utime(made[-1], (number + 1, number + 1))
    assert [path.is_dir() for path in made] == [False, False, True, True] and other.is_dir()


def test_place(monkeypatch, tmp_path, folder):
    assert cache_folder() == folder.resolve()
    monkeypatch.delenv("FIRSTSPIKE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "users"))
    assert cache_folder() == (tmp_path / "users" / "firstspike").resolve()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == (tmp_path / "home" / ".cache" / "firstspike").resolve()


def test_no_home(monkeypatch):
    def homeless(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("FIRSTSPIKE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(FirstspikeError, match=r"no folder to keep compiled .*let FIRSTSPIKE_CACHE name one"):
        cache_folder()
