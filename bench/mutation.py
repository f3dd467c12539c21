"""Do the tests notice a mistake? One change a line of a circuit, each killed by tests or shown equivalent.

``python -m bench.mutation [FILE ...] [--every] [--again]``: by default the files of :data:`FILES`, with one
change for each line; with ``--every`` all changes; with ``--again`` only those that survived the last time,
when the tests have become better and the code is the same. A mutant is *killed* where a test of its component
fails, or does not end; *equivalent* where ``bench/equivalent_mutants.json`` says why no test can tell it from
the original. What *survives* is a mistake that nobody would notice. Each worker has a copy of the code and of
the tests, so that the checkout stays as it is.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from .common import RESULTS, ROOT, Figure, write_results
from .mutants import Mutant, all_mutants, one_a_line

__all__ = ["FILES", "its_tests"]

FILES = ("rtl/event/outbox.py", "rtl/host/framing.py", "rtl/event/folded_column.py", "rtl/host/driver.py",
         "rtl/host/uart.py", "rtl/event/column.py", "rtl/host/protocol.py")
"""The outbox, and the six largest files of circuits."""

ELSEWHERE = {
    "rtl/event/folded_column.py": ["tests/rtl/event/test_column.py"],
    "rtl/event/neuron.py": ["tests/rtl/event/test_column.py"],
    "rtl/event/op.py": ["tests/rtl/event/test_sequencer.py", "tests/rtl/event/test_column.py"],
    "rtl/event/layer.py": ["tests/rtl/test_core.py"],
    "rtl/encoders/replay.py": ["tests/rtl/encoders/test_encoders.py"],
    "rtl/encoders/windowed.py": ["tests/rtl/encoders/test_encoders.py"],
    "rtl/encoders/levels.py": ["tests/rtl/encoders/test_encoders.py"],
    "rtl/encoders/sort.py": ["tests/rtl/encoders/test_latency.py"],
    "rtl/host/protocol.py": ["tests/rtl/host/test_link.py"],
    "rtl/streams/buffer.py": ["tests/rtl/streams/test_proofs.py"],
    **{f"rtl/streams/{name}.py": [f"tests/rtl/streams/test_adapters{part}.py" for part in ("", "_proof")]
       for name in ("gather", "widen", "narrow", "bank_sorter")},
}
"""Tests of components that have no file of tests by their name alone."""

EQUIVALENT = ROOT / "bench" / "equivalent_mutants.json"
LEFT_OUT = (".git", ".venv", ".pkg", "build", "dist", "docs", "__pycache__", "shared")


def its_tests(file: str) -> list[str]:
    """The tests of a file of ``rtl/``, as paths from the root: quick ones first, proofs last."""
    path = Path(file)
    named = sorted((ROOT / "tests" / path.parent).glob(f"test_{path.stem}*.py"))
    found = [one.relative_to(ROOT).as_posix() for one in named if one.stem in (
        f"test_{path.stem}", f"test_{path.stem}_proof")]
    found += [one for one in ELSEWHERE.get(file, []) if one not in found]
    return sorted(found, key=lambda one: one.endswith("proof.py"))


def copied(folder: Path) -> Path:
    """A copy of the checkout in which a file can be changed."""
    shutil.copytree(ROOT, folder / "code", ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    (folder / "path").mkdir()
    (folder / "path" / "firstspike").symlink_to(folder / "code", target_is_directory=True)
    return folder


def passes(folder: Path, file: str, source: str, tests: list[str], limit: float | None) -> bool | None:
    """Whether tests pass with this source of the file; None where they do not end in ``limit`` seconds."""
    path = folder / "code" / file
    later = path.stat().st_mtime_ns + 10 ** 10      # or what was compiled before might be taken for it
    path.write_text(source)
    os.utime(path, ns=(later, later))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    environment = os.environ | {"PYTHONPATH": str(folder / "path"), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, cwd=folder / "code", env=environment, capture_output=True,
                              timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.returncode == 0


def judge(file: str, mutants: list[Mutant], folders: list[Path], limit: float) -> dict:
    """What became of each mutant of a file."""
    source, tests, started = (ROOT / file).read_text(), its_tests(file), time.monotonic()
    if not tests:
        raise SystemExit(f"There are no tests of {file}: name them in bench/mutation.py.")
    known = {(one["file"], one["line"], one["change"]) for one in json.loads(EQUIVALENT.read_text())}
    free: SimpleQueue[Path] = SimpleQueue()
    for folder in folders:
        free.put(folder)

    def outcome(mutant: Mutant | None) -> str:
        if mutant and (file, mutant.text, mutant.change(source)) in known:
            return "equivalent"
        folder = free.get()
        survived = passes(folder, file, mutant.apply(source) if mutant else source, tests, limit)
        free.put(folder)
        print("s" if survived else ".", end="", flush=True)
        return "survived" if survived else "killed"

    with ThreadPoolExecutor(len(folders)) as pool:
        unchanged, *outcomes = pool.map(outcome, [None, *mutants])
    print()
    if unchanged == "killed":
        raise SystemExit(f"The tests of {file} do not pass as they are: {' '.join(tests)}")
    return {"mutants": len(mutants), "seconds": round(time.monotonic() - started), "tests": tests} | {
        kind: outcomes.count(kind) for kind in ("killed", "equivalent", "survived")} | {
        "survivors": [{"line": mutant.text, "change": mutant.change(source)}
                      for mutant, kind in zip(mutants, outcomes, strict=True) if kind == "survived"]}


def main() -> None:
    """Judge the files and write the table; what is known of other files stays in it."""
    parser = argparse.ArgumentParser(prog="python -m bench.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", default=FILES, help="files of rtl/")
    parser.add_argument("--every", action="store_true", help="all changes, not one a line")
    parser.add_argument("--again", action="store_true", help="only those that survived the last time")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which tests do not end")
    arguments = parser.parse_args()
    path = RESULTS / "mutation.json"
    table = json.loads(path.read_text())["details"]["files"] if path.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        folders = []
        for worker in range(arguments.workers):
            (Path(folder) / str(worker)).mkdir()
            folders.append(copied(Path(folder) / str(worker)))
        for file in arguments.files:
            source = (ROOT / file).read_text()
            mutants = all_mutants(source) if arguments.every else one_a_line(source)
            before = table.get(file) if arguments.again else None
            if before is not None:
                survivors = [(one["line"], one["change"]) for one in before["survivors"]]
                mutants = [one for one in mutants if (one.text, one.change(source)) in survivors]
            print(f"{file}: {len(mutants)} mutants", flush=True)
            table[file] = judge(file, mutants, folders, arguments.limit) | {"every": arguments.every}
            if before is not None:
                for count in ("mutants", "killed", "equivalent", "seconds"):
                    table[file][count] += before[count] - (len(mutants) if count == "mutants" else 0)
            for one in table[file]["survivors"]:
                print(f"  survived: {one['line']}\n         as: {one['change']}")
            write_results("mutation", [
                Figure(f"{name}: mutants killed or equivalent",
                       round(100 * (1 - entry["survived"] / entry["mutants"]), 2), "%", "higher", 100, 100)
                for name, entry in sorted(table.items())], files=dict(sorted(table.items())))


if __name__ == "__main__":
    main()
