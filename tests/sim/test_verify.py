"""The verification finds what is wrong, says where, and passes what is right."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Dense, batched
from firstspike.sim.verify import verify
from harness import naive_core

NETWORK = naive_core.small_network()
IMAGES = np.random.default_rng(0).integers(0, 7, (12, 10))
LABELS = np.arange(12) % 4
FST_HEADER = bytes([0, 0, 0, 0, 0, 0, 0, 1, 73])  # block type, and the block's length


@pytest.fixture
def right(tmp_path):
    return naive_core.make(NETWORK, tmp_path / "right")


@pytest.mark.parametrize("stalls", [False, True])
def test_right(right, simulator, stalls):
    seen = []
    result = verify(right, IMAGES, labels=LABELS, simulator=simulator, stalls=stalls,
                    progress=lambda *told: seen.append(told))
    golden = batched.run(NETWORK, IMAGES)
    assert result.passed and result.mismatches == 0 and result.first is None
    assert result.images == 12 and result.correct == int((golden.label == LABELS).sum())
    names = ["early stop, spikes", "whole window, spikes", "early stop, levels", "whole window, levels",
             "early stop, both", "whole window, both"]
    assert [run.name for run in result.runs] == names
    early, whole = result.runs[:2]
    assert whole.comparison.spikes == sum(int(layer.spikes.sum()) for layer in golden.layers)
    assert whole.comparison.potentials == 12 * (9 + 4)
    steps = np.arange(6)[None, :, None] <= golden.step[:, None, None]
    assert early.comparison.spikes == sum(int((layer.spikes & steps).sum()) for layer in golden.layers)
    for run in (early, whole):
        assert run.labels.tolist() == golden.label.tolist() and run.steps.tolist() == golden.step.tolist()
        assert len(run.intervals) == 11 and run.interval.min == run.intervals.min()
        assert run.latency.min > 0
    assert seen[0] == ("compile", 0, 1) and seen[-1] == ("simulate", 64, 64)

    said = json.loads(result.path.read_text())
    assert said == result.as_dict() and said["passed"] is True and said["first_mismatch"] is None
    assert said["simulator"] == simulator and said["version"] and len(said["runs"]) == 6
    suite = ET.parse(right.path / "verify" / "junit.xml").getroot()[0]
    assert suite.get("tests") == "6" and suite.get("failures") == "0"
    assert [case.get("name") for case in suite] == names
    with np.load(right.path / "verify" / "vectors.npz") as vectors:
        assert vectors["images"].tolist() == IMAGES.tolist()
        assert vectors["spikes_early_step"].tolist() == golden.step.tolist()


def test_same_seed_same_run(right, icarus):
    first, second = (verify(right, IMAGES, simulator="icarus", stalls=True, seed=5) for _ in range(2))
    other = verify(right, IMAGES, simulator="icarus", stalls=True, seed=6)
    assert first.runs[0].intervals.tolist() == second.runs[0].intervals.tolist()
    assert first.runs[0].intervals.tolist() != other.runs[0].intervals.tolist()


AT = naive_core.WHEN
EXPECTED = {
    # fault: what is found, in which image, in which layer, and whether only stalls show it
    "spike address": ("spike", AT, "hidden", False),
    "spike missing": ("spike", AT, "hidden", False),
    "spike twice": ("spike", AT, "hidden", False),
    "spike step": ("spike", AT, "hidden", False),
    "spike late": ("order", AT, "hidden", False),
    "potential": ("potential", AT, "hidden", False),
    "potential missing": ("potential", AT, "hidden", False),
    "potential twice": ("potential", AT + 1, "hidden", False),
    "window missing": ("hang", AT, None, False),
    "window twice": (None, AT + 1, None, False),
    "stuck": ("hang", AT, None, False),
    "class": ("class", AT, None, False),
    "step": ("decision step", AT, None, False),
    "result missing": ("class", AT, None, False),
    "result twice": (None, AT + 1, None, False),
    "result changes": ("hang", AT, None, True),
    "result withdrawn": ("hang", AT, None, True),
    "takes nothing": ("hang", AT, None, False),
}


def test_all_faults_are_tried():
    assert set(EXPECTED) == set(naive_core.FAULTS)


@pytest.mark.parametrize("fault", naive_core.FAULTS)
def test_wrong(tmp_path, icarus, fault):
    what, image, layer, only_stalls = EXPECTED[fault]
    build = naive_core.make(NETWORK, tmp_path / "wrong", fault)
    port = ["levels"] if only_stalls else ["spikes"]
    result = verify(build, IMAGES, simulator="icarus", ports=port, early_stop=False, stalls=only_stalls)
    assert not result.passed and result.mismatches > 0
    first = result.first
    assert first.what == what or what is None
    assert first.image == image
    assert first.layer == layer or what is None
    assert first.run == result.runs[0].name and str(first) in json.dumps(result.as_dict(), ensure_ascii=False)
    case = ET.parse(build.path / "verify" / "junit.xml").getroot()[0][0]
    assert str(result.runs[0].comparison.first) in case[0].get("message")
    if what == "hang" and not only_stalls:
        assert "'hidden'" in first.text and "window 3" in first.text
    if what == "spike":
        assert {first.expected, first.found} <= {0, 1, 2} and first.expected != first.found
        assert 0 <= first.neuron < 9 and 0 <= first.step < 6


def test_wrong_with_verilator(tmp_path):
    build = naive_core.make(NETWORK, tmp_path / "wrong", "spike missing")
    result = verify(build, IMAGES, waves=True)
    assert {run.comparison.first.what for run in result.runs} == {"spike"}
    assert {run.comparison.first.image for run in result.runs} == {AT}
    assert result.waves == build.path / "verify" / "waves.fst"
    assert result.waves.read_bytes().startswith(FST_HEADER)


@pytest.mark.parametrize("fault", ["", "class"])
def test_waves(tmp_path, icarus, fault):
    build = naive_core.make(NETWORK, tmp_path / "waves", fault)
    result = verify(build, IMAGES, count=6, simulator="icarus", waves=True)
    assert result.passed == (not fault)
    assert result.waves.read_bytes().startswith(FST_HEADER)
    assert json.loads(result.path.read_text())["waves"] == "waves.fst"


def test_another_network_is_found_out(right, icarus):
    """One weight of the last layer, the other way round."""
    weights = NETWORK.layers[1].synapses[0].weights.copy()
    weights[2, 5] *= -1
    last = replace(NETWORK.layers[1], synapses=Dense(weights))
    right.network = replace(NETWORK, layers=(NETWORK.layers[0], last))
    result = verify(right, IMAGES, simulator="icarus", early_stop=False, ports=["spikes"])
    assert (result.first.layer, result.first.neuron) == ("layer1", 2)
    heard = batched.run(NETWORK, IMAGES).layers[0].spikes[:, :, 5].any(axis=1)
    assert result.first.image == int(np.argmax(heard))


def test_one_image_and_one_form(right, icarus):
    result = verify(right, IMAGES, count=1, simulator="icarus", early_stop=True, ports=["levels", "spikes"])
    assert [run.name for run in result.runs] == ["early stop, spikes", "early stop, levels"]
    assert result.passed and result.images == 1 and result.correct is None
    assert result.cycles is None and result.latency is not None
    assert json.loads(result.path.read_text())["cycles"] is None


@pytest.mark.parametrize(("change", "kind", "said"), [
    ({"images": IMAGES[:, :9]}, ValueError, r"\(10,\)"),
    ({"images": IMAGES[:0]}, ValueError, "at least one"),
    ({"images": IMAGES + 1}, ValueError, "0 to 6"),
    ({"count": 0}, ValueError, "positive"),
    ({"labels": LABELS[:5]}, ValueError, "one for each image"),
    ({"ports": ["pins"]}, ValueError, "'pins'"),
    ({"ports": []}, ValueError, "at least one"),
])
def test_bad_arguments(right, change, kind, said):
    with pytest.raises(kind, match=said):
        verify(right, **({"images": IMAGES, "simulator": "icarus"} | change))
    assert not (right.path / "verify").exists()


def errors(build):
    """The errors that ``junit.xml`` holds, and nothing else is there."""
    assert [path.name for path in (build.path / "verify").iterdir()] == ["junit.xml"]
    suite = ET.parse(build.path / "verify" / "junit.xml").getroot()[0]
    assert suite.get("failures") == "0" and suite.get("errors") == suite.get("tests") == "1"
    return [error.get("message") for error in suite.iter("error")]


@pytest.mark.parametrize(("change", "said"), [
    ({"count": 13}, "there are 12 images, not 13"),
    ({"simulator": "modelsim"}, "verilator, icarus"),
])
def test_what_ends_in_an_error_leaves_that_and_no_earlier_pass(right, icarus, change, said):
    assert verify(right, IMAGES, count=2, simulator="icarus", ports=["spikes"], waves=True).passed
    half = right.path / "verify" / ".results.json.4711.part"
    half.write_text("{")
    with pytest.raises(FirstspikeError, match=said) as raised:
        verify(right, **({"images": IMAGES, "simulator": "icarus"} | change))
    assert errors(right) == [str(raised.value)]


@pytest.mark.parametrize("how", ["removed", "again", "changed"])
def test_a_build_that_is_made_again_meanwhile_does_not_pass(right, icarus, tmp_path, how):
    def meanwhile(what, done, total):
        if what != "simulate" or done != total:
            return
        if how == "changed":
            (right.path / "rtl" / "top.v").write_text("module top; endmodule")
        else:
            right.path.rename(tmp_path / "old")
        if how == "again":
            naive_core.make(NETWORK, right.path)
            (right.path / "verify").mkdir()

    with pytest.raises(FirstspikeError, match=r"right was removed or built again while it was verified: "):
        verify(right, IMAGES, count=2, simulator="icarus", ports=["spikes"], progress=meanwhile)
    assert how == "removed" or len(errors(right)) == 1
    assert right.path.exists() == (how != "removed")


def test_verilog_that_is_not_what_was_built(right, icarus):
    top = right.path / "rtl" / "top.v"
    top.write_text(top.read_text() + "// changed\n")
    with pytest.raises(FirstspikeError, match=r"top\.v was changed after it was built: build it again"):
        verify(right, IMAGES, simulator="icarus")
    assert len(errors(right)) == 1


def test_results_are_not_written_through_a_link(right, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "results.json").write_text("mine")
    (right.path / "verify").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FirstspikeError, match=r"verify is a link, and nothing is written through it"):
        verify(right, IMAGES, simulator="icarus")
    assert (tmp_path / "elsewhere" / "results.json").read_text() == "mine"


def test_a_folder_that_is_no_build_gets_nothing(tmp_path):
    with pytest.raises(FirstspikeError, match="is no build folder"):
        verify(tmp_path, IMAGES)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a\x1b[31mb\nc", "a\udcffb", "a b#c:d$HOME'e\"f<&>"])
def test_a_build_folder_may_be_called_what_it_likes(tmp_path, icarus, name):
    build = naive_core.make(NETWORK, tmp_path / name)
    assert verify(build, IMAGES, count=2, simulator="icarus", ports=["spikes"], waves=True).passed
    suite = ET.parse(build.path / "verify" / "junit.xml").getroot()[0]
    assert suite.get("name").startswith("firstspike.verify.a") and "\x1b" not in suite.get("name")


@pytest.mark.parametrize(("name", "value"), [("COCOTB_RESOLVE_X", "rubbish"), ("COCOTB_TEST_FILTER", "none"),
                                             ("GPI_EXTRA", "/nowhere.so"), ("COCOTB_LOG_LEVEL", "rubbish"),
                                             ("PYTHONOPTIMIZE", "2"), ("PYTHONWARNINGS", "rubbish")])
def test_the_callers_settings_do_not_reach_the_proof(right, icarus, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert verify(right, IMAGES, count=2, simulator="icarus", ports=["spikes"]).passed


def test_what_the_build_has_not(right):
    right.top = replace(right.top, stop_early=None, decided=None)
    with pytest.raises(FirstspikeError, match="built without early stop"):
        verify(right, IMAGES, early_stop=True)
    right.top = replace(right.top, levels=None)
    with pytest.raises(FirstspikeError, match="no encoder"):
        verify(right, IMAGES, ports=["levels"])
    (right.path / "rtl" / "top.v").unlink()
    with pytest.raises(FirstspikeError, match=r"top\.v is missing"):
        verify(right, IMAGES)


def test_names_that_are_not_there(right, simulator):
    hidden, last = right.top.layers
    taps = tuple(replace(tap, shown="layer_0.never") for tap in hidden.taps)
    right.top = replace(right.top, layers=(replace(hidden, taps=taps), last))
    with pytest.raises(FirstspikeError, match=r"layer_0\.never.*build again"):
        verify(right, IMAGES, simulator=simulator)
    assert not (right.path / "verify" / "results.json").exists()


def test_verilog_that_does_not_compile(right, simulator):
    text = (right.path / "rtl" / "top.v").read_text()
    naive_core.put_verilog(right, text.replace("endmodule", "", 1))
    with pytest.raises(FirstspikeError, match=r"cannot compile .*top\.v: "):
        verify(right, IMAGES, simulator=simulator)


def test_interrupt(right, icarus):
    """Nothing half-written, no simulator left behind."""
    def interrupt(what, done, total):
        if what == "simulate" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(right, IMAGES, simulator="icarus", progress=interrupt)
    assert not list((right.path / "verify").iterdir())


def test_no_room(right, monkeypatch, icarus):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(FirstspikeError, match=r"TMPDIR name a folder that can be written"):
        verify(right, IMAGES, simulator="icarus")
    assert len(errors(right)) == 1
