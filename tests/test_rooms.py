"""Who may lean on whom: no room imports one above it, and no modules import each other in a circle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import firstspike

ROOT = Path(firstspike.__file__).resolve().parent
GROUND = {"errors", "files", "printable"}
"""Modules at the root that every room may use."""
ROOMS: dict[str, set[str]] = {
    "network": set(),
    "rtl": set(),
    "boards": {"rtl"},
    "quantize": {"network"},
    "gen": {"boards", "rtl", "network"},
    "sim": {"gen", "boards", "rtl", "network"},
    "report": {"sim", "gen", "boards", "quantize", "network"},
}
"""The rooms, and which others each may use; what stands in no room may use all."""
FRONT = {"", "__main__", "cli", "commands", "console", "models"}
"""What stands above the rooms: the package itself, the commands, the shipped networks."""


def modules() -> dict[str, Path]:
    """Every module of the product by its name inside the package; a package has that of its folder."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in (*ROOMS, *FRONT, *GROUND) or path.parent == ROOT:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of ours that one imports, anywhere in it: in functions and for type checkers, too."""
    package = [part for part in name.split(".") if part]
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = package[:len(package) - node.level + 1]
            module = ".".join(filter(None, [*above, node.module]))
            for alias in node.names:
                whole = f"{module}.{alias.name}".strip(".")
                yield whole if whole in known else module
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "firstspike", f"{name} imports by the package's name"
        elif isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] != "firstspike" for alias in node.names), name


def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: set(imports(name, path, known)) - {name} for name, path in known.items()}


def room(name: str) -> str:
    return name.split(".")[0]


def upward(edges: dict[str, set[str]]) -> set[str]:
    """The imports that leave a room for one that it may not use."""
    return {f"{name} imports {other}" for name, others in edges.items() if room(name) in ROOMS
            for other in others if room(other) not in {room(name), *ROOMS[room(name)], *GROUND}}


def circles(edges: dict[str, set[str]]) -> set[str]:
    """The imports that lie on a circle: those from which their module can be reached again."""
    reached: dict[str, set[str]] = {}
    for start in edges:
        seen, ahead = set(), [start]
        while ahead:
            for other in edges[ahead.pop()] - seen:
                seen.add(other)
                ahead.append(other)
        reached[start] = seen
    return {f"{name} imports {other}" for name, others in edges.items() for other in others
            if name in reached[other]}


def test_no_import_runs_upwards_and_none_in_a_circle():
    edges = graph()
    for name in ROOMS:
        assert any(room(module) == name for module in edges), f"there is no room {name}"
    wrong = upward(edges) | circles(edges)
    assert not wrong, "\n".join(sorted(wrong))


def test_every_module_stands_in_a_room_or_above():
    strays = {room(name) for name in modules()} - set(ROOMS) - FRONT - GROUND
    assert strays == set()


def test_what_is_wrong_would_be_seen(tmp_path):
    """Imports in functions and for type checkers count, and a circle over three modules is one."""
    source = tmp_path / "gen" / "plan.py"
    source.parent.mkdir()
    source.write_text("from typing import TYPE_CHECKING\nfrom .. import errors\nif TYPE_CHECKING:\n"
                      "    from ..sim.verify import Result\ndef late():\n    from . import check\n")
    known = dict.fromkeys(["errors", "sim.verify", "gen.check", "gen.plan"], source)
    assert sorted(imports("gen.plan", source, known)) == ["errors", "gen.check", "sim.verify"]
    edges = {"gen.plan": {"sim.verify", "errors"}, "sim.verify": {"sim.a"}, "sim.a": {"gen.plan"},
             "errors": set(), "network.x": {"files", "quantize"}, "quantize": set(), "files": set()}
    assert upward(edges) == {"gen.plan imports sim.verify", "network.x imports quantize"}
    assert circles(edges) == {"gen.plan imports sim.verify", "sim.verify imports sim.a",
                              "sim.a imports gen.plan"}
