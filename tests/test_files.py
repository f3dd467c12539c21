"""Files and folders are there whole or not at all, and what a killed process left goes."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from firstspike.errors import FirstspikeError
from firstspike.files import move_into_place, replacing, replacing_folder, scratch, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_at_the_end(tmp_path):
    write_whole(tmp_path / "x", b"old")
    with replacing(tmp_path / "x") as file:
        file.write(b"new")
        assert (tmp_path / "x").read_bytes() == b"old"
        file.seek(0)
        assert file.read() == b"new"
    assert (tmp_path / "x").read_bytes() == b"new" and names(tmp_path) == ["x"]
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o666 & ~umask()


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_what_fails_leaves_what_was_there(tmp_path, failure):
    write_whole(tmp_path / "x", b"old")
    with pytest.raises(failure), replacing(tmp_path / "x") as file:
        file.write(b"new")
        raise failure
    with pytest.raises(failure), replacing_folder(tmp_path / "y") as made:
        (made / "a").write_text("a")
        raise failure
    assert (tmp_path / "x").read_bytes() == b"old" and names(tmp_path) == ["x"]


def test_a_folder_takes_the_place_of_another(tmp_path):
    for text in ("old", "new"):
        with replacing_folder(tmp_path / "above" / "x") as made:
            (made / text).write_text(text)
    assert names(tmp_path / "above") == ["x"] and names(tmp_path / "above" / "x") == ["new"]
    assert (tmp_path / "above" / "x").stat().st_mode & 0o777 == 0o777 & ~umask()


def test_a_folder_that_cannot_move_leaves_the_old_one(tmp_path, monkeypatch):
    with replacing_folder(tmp_path / "x") as made:
        (made / "old").write_text("old")
    rename = Path.rename

    def refuse_the_new(self, target):
        if (self / "new").exists():
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(FirstspikeError, match=r"x cannot be written: Input/output error; do something$"):
        with replacing_folder(tmp_path / "x", "do something") as made:
            (made / "new").write_text("new")
    assert names(tmp_path) == ["x"] and names(tmp_path / "x") == ["old"]


def test_links_stay_and_what_they_lead_to_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").symlink_to(tmp_path / "there" / "file")
    (tmp_path / "folder").symlink_to(tmp_path / "there" / "folder")
    for text in ("old", "new"):
        write_whole(tmp_path / "file", text.encode())
        with replacing_folder(tmp_path / "folder") as made:
            (made / text).write_text(text)
    assert (tmp_path / "file").is_symlink() and (tmp_path / "folder").is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "new"
    assert names(tmp_path / "there" / "folder") == ["new"]


def test_a_full_disk_is_one_sentence(tmp_path):
    write_whole(tmp_path / "x", b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # Python ignores the signal of it
    try:
        with pytest.raises(FirstspikeError) as refused:
            write_whole(tmp_path / "x", bytes(101))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(refused.value) == (f"{tmp_path}/x cannot be written: File too large; "
                                  "free some space or choose another place")
    assert names(tmp_path) == ["x"] and (tmp_path / "x").read_bytes() == b"old"


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(FirstspikeError, match="cannot be written: it is no file; free"):
            write_whole(place, b"")
    assert names(tmp_path) == ["pipe"]


def test_a_scratch_folder_goes(tmp_path):
    with scratch(tmp_path, "tools") as made:
        (made / "a").write_text("a")
        assert made.parent == tmp_path and made.name.startswith(".tools.")
    with pytest.raises(FirstspikeError, match=r"^cannot write in .*/nowhere: No such file or directory; "):
        with scratch(tmp_path / "nowhere"):
            raise AssertionError
    with pytest.raises(OSError, match="mine"), scratch(tmp_path):
        raise OSError("mine")
    assert names(tmp_path) == []


def test_a_folder_is_moved_with_all_that_is_in_it(tmp_path):
    (tmp_path / "made" / "deep").mkdir(parents=True)
    (tmp_path / "made" / "deep" / "a").write_text("a")
    move_into_place(tmp_path / "made", tmp_path / "place")
    assert (tmp_path / "place" / "deep" / "a").read_text() == "a" and names(tmp_path) == ["place"]


KILLED = """
import sys, time
from firstspike.files import replacing, replacing_folder, scratch
with replacing("x") as file, replacing_folder("y") as made, scratch(".", "z"):
    file.write(b"half")
    (made / "half").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_goes_and_what_another_makes_stays(tmp_path):
    (tmp_path / ".x.mine.part").write_text("of somebody else")
    process = subprocess.Popen([sys.executable, "-c", KILLED], cwd=tmp_path, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        made = names(tmp_path)
        assert len(made) == 4

        def write_all():
            write_whole(tmp_path / "x", b"whole")
            with replacing_folder(tmp_path / "y"), scratch(tmp_path, "z"):
                pass

        write_all()
        assert set(made) < set(names(tmp_path)), "a living process keeps what it makes"
    finally:
        process.kill()
        process.communicate()
    write_all()
    assert names(tmp_path) == [".x.mine.part", "x", "y"]


def test_two_that_write_at_once_do_not_meet(tmp_path):
    program = ("import sys; from firstspike.files import write_whole\n"
               "for _ in range(100): write_whole('x', sys.argv[1].encode() * 10_000)")
    writers = [subprocess.Popen([sys.executable, "-c", program, letter], cwd=tmp_path) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        if (tmp_path / "x").exists():
            assert (tmp_path / "x").read_bytes() in (b"a" * 10_000, b"b" * 10_000)
        time.sleep(0.001)
    assert [writer.returncode for writer in writers] == [0, 0] and names(tmp_path) == ["x"]


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
