"""The examples in the documents: found, run in a folder of their own, and held against what the page shows.

A fence ``console`` holds commands after ``$`` and below each what it prints; ``python`` holds a program.
A comment before a fence says more: ``<!-- slow -->`` (minutes), ``<!-- shown -->`` (not run: it needs a
board, or hours). ``python tests/harness/documents.py [--quick] PAGE ...`` runs a page's examples (the
quick ones) and writes what they print into it.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PAGES", "Example", "examples", "prepare", "run"]

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^(?:<!-- (?P<mark>[a-z]+) -->\n)?```(?P<kind>console|python)\n(?P<body>.*?)^```$",
                    re.MULTILINE | re.DOTALL)
_VARIES = (
    (re.compile(r"\d+\.\d+ s\b"), "TIME"),              # how long something took
    (re.compile(r"[\d,]+ bytes"), "SIZE"),
    (re.compile(r"[^\s]*/build/"), "build/"),           # where the example ran
)


@dataclass(frozen=True)
class Example:
    """One fence. ``commands``: command and what it is said to print (of a program: its text, and "")."""

    page: Path
    line: int
    kind: str
    mark: str
    commands: tuple[tuple[str, str], ...]
    span: tuple[int, int]


def examples(page: Path) -> Iterator[Example]:
    """The examples of a page, in order."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        body = found["body"]
        commands = [(body, "")]
        if found["kind"] == "console":
            parts = re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]
            commands = []
            for part in parts:
                command, _, output = part.partition("\n")
                while command.endswith("\\"):
                    more, _, output = output.partition("\n")
                    command = command[:-1] + more
                commands.append((command, output))
        line = text.count("\n", 0, found.start("body")) + 1
        yield Example(page, line, found["kind"], found["mark"] or "", tuple(commands), found.span("body"))


def prepare(folder: Path, data: Path | None) -> None:
    """Make ``folder`` the place that the examples expect: the examples' files, and data/mnist where it is."""
    for name in ("examples", "models"):
        (folder / name).symlink_to(ROOT / name)
    if data is not None:
        (folder / "data").symlink_to(data)


def run(command: str, kind: str, folder: Path) -> str:
    """Run one command in ``folder`` and give back what it prints on stdout. Raises AssertionError."""
    here = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100",
                                "NO_COLOR": "1", "TERM": "dumb", "PYTHONWARNINGS": "error"}
    arguments = [sys.executable, "-c", command] if kind == "python" else shlex.split(command)
    if arguments == ["make", "demo"]:  # what it does once .venv stands
        arguments = ["firstspike", "demo"]
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False,
                          timeout=3600)
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
    return done.stdout


def comparable(text: str) -> list[str]:
    """The lines of an output without what differs from run to run."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def rewrite(page: Path, folder: Path, leave_out: tuple[str, ...]) -> None:
    """Run the examples of ``page`` and put what they print into it; those marked ``leave_out`` stay."""
    pieces, text, at = [], page.read_text(), 0
    for example in examples(page):
        pieces.append(text[at:example.span[0]])
        at = example.span[0]
        if example.mark in leave_out:
            continue
        outputs = [run(command, example.kind, folder) for command, _ in example.commands]
        if example.kind == "console":
            for (command, _), output in zip(example.commands, outputs, strict=True):
                tidy = "\n".join(line.rstrip() for line in output.replace(f"{folder}/", "").splitlines())
                pieces.append(f"$ {command}\n{tidy.strip(chr(10))}\n" if tidy.strip() else f"$ {command}\n")
            at = example.span[1]
    page.write_text("".join([*pieces, text[at:]]))


if __name__ == "__main__":
    import tempfile

    quick = "--quick" in sys.argv
    for name in (name for name in sys.argv[1:] if name != "--quick"):
        with tempfile.TemporaryDirectory() as scratch:
            place = os.environ.get("FIRSTSPIKE_DATA") or ROOT.parent / "shared" / "data"
            prepare(Path(scratch), Path(place))
            rewrite(Path(name).resolve(), Path(scratch), ("shown", "slow") if quick else ("shown",))
