"""What is drawn is what the numbers say."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from firstspike.report import charts
from firstspike.report.charts import Matrix, histogram
from firstspike.report.pictures import draw_levels, draw_steps
from firstspike.report.rasters import raster
from firstspike.report.resources import critical_path
from firstspike.report.verification import confusion
from PIL import Image


def test_raster_draws_each_spike_once() -> None:
    rng = np.random.default_rng(5)
    spikes = rng.random((9, 300)) < 0.1
    drawn = raster("x", spikes, caption="")
    assert drawn.count == len(drawn.marks) == spikes.sum()
    assert {(int(step), round(share * 299)) for step, share in drawn.marks} == set(
        zip(*(axis.tolist() for axis in np.nonzero(spikes)), strict=True))
    step, neuron = (int(axis[0]) for axis in np.nonzero(spikes))
    assert raster("x", spikes, caption="", odd=(step, neuron)).odd == drawn.marks[0] and drawn.odd is None
    assert raster("x", spikes, caption="", odd=(9, 300)).odd is None
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
    def pixels(url: str) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))

    levels = np.arange(16)
    assert (pixels(draw_levels(levels, 15, "").url).ravel() == levels * 255 // 15).all()
    spikes = np.zeros((4, 70), bool)
    spikes[0, 0] = spikes[3, 1] = True
    picture = pixels(draw_steps(spikes, "").url)
    assert picture.shape == (2, 64, 3) and not picture[0, 2:].any()
    assert picture[0, 0].any() and (picture[0, 0] != picture[0, 1]).any()


@pytest.mark.parametrize("potentials, zero, bars", [
    ([-4, 0, 4], 0.5, [(0.0, 0.5), (0.5, 0.5), (0.5, 1.0)]),
    ([1, 2, 4], 0.0, [(0.0, 0.25), (0.0, 0.5), (0.0, 1.0)]),
    ([-1, -2, -4], 1.0, [(0.75, 1.0), (0.5, 1.0), (0.0, 1.0)]),
    ([0, 0, 0], 0.0, [(0.0, 0.0)] * 3),
])
def test_potentials_are_drawn_from_zero(potentials, zero, bars) -> None:
    drawn = raster("x", np.zeros((4, 3), bool), caption="", potentials=np.array(potentials))
    assert drawn.zero == zero and [(row.begin, row.end) for row in drawn.rows] == bars


def test_confusion_counts_labels_by_row() -> None:
    found = confusion(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, -1, 0]), 3)
    assert found is not None and found.counts == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert found.highest == 1 and Matrix("", ["a"], [[9]]).highest == 1
    assert confusion(None, np.zeros(3, int), 3) is None and confusion(np.zeros(3, int), None, 3) is None
    assert confusion(np.zeros(3, int), np.zeros(3, int), 21) is None


@pytest.mark.parametrize("routed", [
    {}, {"critical_paths": None}, {"critical_paths": [None, 3, {}]},
    {"critical_paths": [{"path": [1, None]}]},
    {"critical_paths": [{"from": "<async>", "to": "posedge clk", "path": [{"delay": 9}]}]},
])
def test_no_path_is_no_table(routed) -> None:
    assert critical_path(routed) is None


def test_the_longest_path_and_its_longest_hops() -> None:
    def path(*delays):
        return {"from": "posedge clk", "to": "posedge clk",
                "path": [{"type": "logic", "delay": delay, "from": None, "to": {}} for delay in delays]}

    found = critical_path({"critical_paths": [path(1, 2), path(*range(20)), path(50, "x")]})
    assert found is not None
    assert found.caption == "The critical path: 190.00 ns, 0% of them routing; the longest 14 of 20 hops"
    assert [line[1] for line in found.lines] == [f"{delay:.2f}" for delay in range(6, 20)]


def _colours(text: str) -> dict[str, tuple[float, ...]]:
    """The variables that are colours: red, green, blue and alpha, from 0 to 1."""
    found = {}
    for name, digits in re.findall(r"--([a-z-]+): #([0-9a-f]{6}(?:[0-9a-f]{2})?)\b", text):
        parts = [int(digits[at:at + 2], 16) / 255 for at in range(0, len(digits), 2)]
        found[name] = tuple(parts + [1.0] * (4 - len(parts)))
    return found


def _luminance(colour: tuple[float, ...]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _over(colour: tuple[float, ...], ground: tuple[float, ...]) -> tuple[float, ...]:
    alpha = colour[3]
    return tuple(alpha * part + (1 - alpha) * below for part, below in zip(colour, ground, strict=True))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(mode) -> None:
    """WCAG 2.1, 1.4.3: a contrast of 4.5 or more."""
    style = (Path(charts.__file__).parent / "templates" / "report.css").read_text()
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    colours = _colours(light) | (_colours(dark.partition("* {")[0]) if mode == "dark" else {})
    pairs = [(text, ground) for text in ("ink", "soft", "faint", "accent", "spike")
             for ground in ("card", "page")]
    pairs += [("spike", "spike-soft"), ("accent", "accent-soft"), ("good", "good-soft"), ("bad", "bad-soft"),
              ("wait", "wait-soft"), ("soft", "good-soft"), ("soft", "bad-soft"), ("soft", "wait-soft"),
              ("ink", "accent-soft"), ("soft", "accent-soft")]
    for text, ground in pairs:
        below = _luminance(_over(colours[ground], colours["card"]))
        above = _luminance(colours[text])
        contrast = (max(above, below) + 0.05) / (min(above, below) + 0.05)
        assert contrast >= 4.5, f"{text} on {ground}: {contrast:.2f}"
