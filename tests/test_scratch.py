"""Folders for work: gone at the end, and cleared by the next run where their process was killed."""

import signal
import subprocess
import sys

import pytest
from firstspike.scratch import scratch, sweep

HOLD = """
import sys
from pathlib import Path
from firstspike.scratch import scratch
with scratch(Path(sys.argv[1]), ".x-") as folder:
    (folder / "half").write_text("")
    print(folder, flush=True)
    sys.stdin.read()
"""


def hold(parent):
    """Another process that has a folder, and the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(parent)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, parent / process.stdout.readline().strip().rpartition("/")[2]


def end(process):
    process.stdin.close()
    process.stdout.close()
    return process.wait(30)


def test_gone_at_the_end(tmp_path):
    with scratch(tmp_path, ".x-") as folder:
        (folder / "file").write_text("")
        assert folder.parent == tmp_path and folder.name.startswith(".x-")
    with pytest.raises(KeyError), scratch(tmp_path, ".x-") as folder:
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_what_is_moved_away_stays(tmp_path):
    with scratch(tmp_path, ".x-") as folder:
        (folder / "file").write_text("")
        folder.rename(tmp_path / "made")
    assert (tmp_path / "made" / "file").is_file()


def test_a_living_process_keeps_its_folder_and_a_killed_one_does_not(tmp_path):
    process, folder = hold(tmp_path)
    with scratch(tmp_path, ".x-"):
        assert (folder / "half").is_file()
    process.send_signal(signal.SIGKILL)
    assert end(process) == -signal.SIGKILL
    assert (folder / "half").is_file()
    with scratch(tmp_path, ".x-"):
        assert not folder.exists()


def test_nothing_else_is_swept(tmp_path):
    (tmp_path / "target").mkdir()
    for name in (".x-short", ".x-abcd12345", ".x-ABCD1234", ".y-abcd1234"):
        (tmp_path / name).mkdir()
    (tmp_path / ".x-abcd1234").write_text("a file")
    (tmp_path / ".x-abcd1235").symlink_to("target")
    before = sorted(tmp_path.iterdir())
    sweep(tmp_path, ".x-")
    assert sorted(tmp_path.iterdir()) == before
    sweep(tmp_path / "nowhere", ".x-")
