"""A new engine is a file and a line in the registry: it plans, builds, verifies, and shows everywhere."""

import ast
import json
from pathlib import Path

import firstspike as fs
import numpy as np
import pytest
from firstspike.cli import firstspike
from firstspike.gen import engines
from firstspike.gen.build import build, open_build
from firstspike.gen.check import hardware
from firstspike.report.page import write_report
from firstspike.sim.verify import verify
from harness.adder_tree_engine import AdderTreeEngine


def network():
    """Two hidden layers for the new engine, an output for another."""
    rng = np.random.default_rng(4)
    shapes = ((11, 14), (9, 11), (4, 9))
    signs = [fs.Dense(rng.choice(np.array([-1, 1], np.int8), shape)) for shape in shapes]
    return fs.Network(fs.Input(14, 6, fs.Latency([-1, 5, 4, 3, 2, 1, 0]), mask=np.arange(14) != 5), [
        fs.Layer(weights, 6, threshold=2, name=name) for weights, name in zip(signs, "abc", strict=True)])


@pytest.fixture
def registered():
    engines.ENGINES.append(AdderTreeEngine())
    yield
    engines.ENGINES.pop()


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_a_registered_engine_plans_builds_and_verifies(registered, request, tmp_path, simulator):
    if simulator == "icarus":
        request.getfixturevalue("icarus")
    made = build(network(), "generic", tmp_path / "b")
    assert [layer.offer.engine for layer in made.plan.layers] == ["toy", "toy", "event"]
    again = open_build(made.path)
    assert again.plan == made.plan and again.top == made.top
    images = np.random.default_rng(1).integers(0, 7, (30, 14))
    result = verify(again, images, simulator=simulator, stalls=True)
    assert result.passed, result.first


@pytest.mark.parametrize(("lanes", "banked"), [(3, False), (4, True)])
def test_engines_of_several_lanes_are_joined_by_adapters(tmp_path, icarus, lanes, banked):
    engines.ENGINES.append(AdderTreeEngine(lanes, banked))
    try:
        made = build(network(), "generic", tmp_path / "b")
        assert [layer.offer.hears for layer in made.plan.layers] == [lanes, lanes, 1]
        images = np.random.default_rng(2).integers(0, 7, (20, 14))
        result = verify(open_build(made.path), images, simulator="icarus", stalls=True)
    finally:
        engines.ENGINES.pop()
    assert result.passed, result.first


def test_it_shows_in_report_and_tables(registered, tmp_path, capsys):
    path = tmp_path / "net.safetensors"
    network().save(path)
    firstspike(["build", str(path), "--board", "generic", "-o", str(tmp_path / "b")], standalone_mode=False)
    assert "toy" in capsys.readouterr().out
    page = write_report(tmp_path / "b").read_text()
    assert "toy" in page and "Trees" in page
    plan = json.loads((tmp_path / "b" / "plan.json").read_text())
    assert plan["layers"][0]["offer"]["facts"] == {"trees": 11}
    firstspike(["info", str(path)], standalone_mode=False)
    assert "toy" in capsys.readouterr().out


def test_an_engine_s_build_without_the_engine_is_refused(tmp_path):
    engines.ENGINES.append(AdderTreeEngine())
    try:
        made = build(network(), "generic", tmp_path / "b")
    finally:
        engines.ENGINES.pop()
    with pytest.raises(fs.FirstspikeError, match="engine must be one of event, not 'toy'"):
        open_build(made.path)
    assert hardware(network()) == "yes, by the event engine"


def test_no_engine_is_known_by_name_outside_its_own_file(root: Path):
    """No text in the product is an engine's name, but in its file in gen/engines."""
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root).parts
        if place[0] in ("tests", "bench", "examples", "build", ".venv", ".pkg", "dist"):
            continue
        for one in engines.ENGINES:
            own = Path(__import__(type(one).__module__, fromlist=["_"]).__file__)
            if path.samefile(own):
                continue
            texts = [node.value for node in ast.walk(ast.parse(path.read_text()))
                     if isinstance(node, ast.Constant) and isinstance(node.value, str)]
            assert one.name not in texts, f"{path} knows the engine {one.name!r}"
