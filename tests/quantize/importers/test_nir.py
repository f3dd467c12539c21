"""NIR graphs and files: what they state is run step by step, exactly, or refused with every node named."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

nir = pytest.importorskip("nir", reason="nir is not installed (pip install -e '.[import]')")

from firstspike.errors import FirstspikeError  # noqa: E402
from firstspike.network import (  # noqa: E402
    Direct,
    Fires,
    Input,
    PoolKind,
    Readout,
    Reset,
    Spikes,
    golden,
)
from firstspike.quantize.importers.nir import import_nir  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

DT = 1e-4
STEPS = 5


def ones(shape, value: float = 1.0) -> np.ndarray:
    return np.full(shape, float(value))


def neuron(kind: str, shape, threshold: float, reset: float = 0.0, decay: float = 0.5):
    """A node of NIR whose step is ``v = decay * v + x``."""
    tau = DT / (1 - decay) if decay < 1 else np.inf
    match kind:
        case "IF":
            return nir.IF(ones(shape, 1 / DT), ones(shape, threshold), ones(shape, reset))
        case "LIF":
            return nir.LIF(ones(shape, tau), ones(shape, tau / DT), ones(shape, 0), ones(shape, threshold),
                           ones(shape, reset))
        case "CubaLIF":
            return nir.CubaLIF(ones(shape, DT), ones(shape, tau), ones(shape, tau / DT), ones(shape, 0),
                               ones(shape, threshold), ones(shape, reset), ones(shape, 1))
        case _:
            return nir.Threshold(ones(shape, threshold))


def euler(kind: str, threshold: float, reset: float, subtract: bool, currents: np.ndarray,
          decay: float = 0.5) -> np.ndarray:
    """Spikes of such a neuron for ``currents`` of shape ``(count, window, neurons)``, by its definition."""
    v = np.zeros(currents[:, 0].shape)
    spikes = np.zeros(currents.shape, bool)
    for step in range(currents.shape[1]):
        v = {"IF": 1.0, "Threshold": 0.0}.get(kind, decay) * v + currents[:, step]
        fired = v > threshold
        v = np.where(fired, v - (threshold - reset) if subtract else reset, v)
        spikes[:, step] = fired
    return spikes


def last_spikes(made, images: np.ndarray) -> np.ndarray:
    return np.stack([golden.run(made.network, image).layers[-1].spikes for image in images])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["IF", "LIF", "CubaLIF", "Threshold"]),
       st.sampled_from([0.0, -1.0, 0.5]), st.booleans(), st.booleans(), st.sampled_from([1.0, 0.25]))
def test_a_file_is_run_as_it_states(tmp_path_factory, seed: int, kind: str, reset: float, subtract: bool,
                                    bias: bool, unit: float) -> None:
    rng = np.random.default_rng(seed)
    weights = [unit * rng.integers(-3, 4, shape) for shape in ((6, 8), (3, 6))]
    offsets = [unit * rng.integers(-1, 2, size) * bias for size in (6, 3)]
    thresholds = [0.5 + unit * rng.integers(1, 12) / 2 for _ in range(2)]
    nodes = []
    for weight, offset, threshold in zip(weights, offsets, thresholds, strict=True):
        nodes.append(nir.Affine(weight, offset) if bias else nir.Linear(weight))
        nodes.append(neuron(kind, (len(weight),), threshold, reset))
    path = tmp_path_factory.mktemp("nir") / "net.nir"
    nir.write(path, nir.NIRGraph.from_list(*nodes))
    images = rng.random((5, STEPS, 8)) < rng.random()
    way = "subtract" if subtract else "to"
    made = import_nir(path, steps=STEPS, reset=way, images=images)
    assert made.report.exact and made.report.measured is not None and made.report.measured.changed == 0
    spikes = images.astype(float)
    for weight, offset, threshold in zip(weights, offsets, thresholds, strict=True):
        spikes = euler(kind, threshold, reset, subtract, spikes @ weight.T + offset)
    np.testing.assert_array_equal(last_spikes(made, images), spikes)


def conv(weight: np.ndarray, **more):
    settings = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1,
                "bias": np.zeros(len(weight))} | more
    return nir.Conv2d(None, weight.astype(float), **settings)


def test_convolution_and_pooling() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(-2, 3, (4, 2, 3, 3)), rng.integers(-2, 3, (3, 4, 2, 2))
    dense = rng.integers(-2, 3, (2, 3 * 2 * 2))
    pair = np.array([2, 2])
    graph = nir.NIRGraph.from_list(
        nir.Input(np.array([2, 8, 8])), conv(first, padding=(1, 1)), neuron("IF", (4, 8, 8), 1.5),
        nir.AvgPool2d(pair, pair, 0 * pair), conv(second, stride=(1, 1), padding="valid"),
        neuron("IF", (3, 3, 3), 0.4), nir.SumPool2d(pair, pair // 2, 0 * pair),
        nir.Flatten({"input": None}, 0, -1), nir.Linear(dense.astype(float)), neuron("IF", (2,), 2.5))
    images = rng.random((6, STEPS, 128)) < 0.3
    made = import_nir(graph, steps=STEPS, images=images)
    assert made.report.exact
    pools = [synapse.pool for layer in made.network.layers for synapse in layer.synapses]
    assert pools[0] is None and all(pool is not None and pool.kind is PoolKind.SUM for pool in pools[1:])
    planes = images.reshape(6, STEPS, 2, 8, 8).astype(float)
    currents = slide(np.pad(planes, [(0, 0)] * 3 + [(1, 1)] * 2), first)
    shown = euler("IF", 1.5, 0, False, currents.reshape(6, STEPS, -1))
    pooled = shown.reshape(6, STEPS, 4, 4, 2, 4, 2).mean((4, 6))
    shown = euler("IF", 0.4, 0, False, slide(pooled, second).reshape(6, STEPS, -1)).reshape(6, STEPS, 3, 3, 3)
    pooled = sum(shown[..., r:r + 2, c:c + 2].astype(float) for r in range(2) for c in range(2))
    want = euler("IF", 2.5, 0, False, pooled.reshape(6, STEPS, -1) @ dense.T)
    np.testing.assert_array_equal(last_spikes(made, images), want)


def slide(planes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A plain convolution with stride 1, written out."""
    height, width = planes.shape[3] - weight.shape[2] + 1, planes.shape[4] - weight.shape[3] + 1
    total = np.zeros((*planes.shape[:2], len(weight), height, width))
    for row in range(weight.shape[2]):
        for column in range(weight.shape[3]):
            total += np.einsum("ntihw,oi->ntohw", planes[..., row:row + height, column:column + width],
                               weight[:, :, row, column])
    return total


def residual() -> "nir.NIRGraph":
    """Two ways from the first layer to the last."""
    rng = np.random.default_rng(2)
    return nir.NIRGraph(
        {"in": nir.Input(np.array([8])), "w1": nir.Linear(rng.integers(-2, 3, (6, 8)).astype(float)),
         "n1": neuron("IF", (6,), 1.5), "w2": nir.Linear(rng.integers(-2, 3, (6, 6)).astype(float)),
         "n2": neuron("IF", (6,), 1.5), "w3": nir.Linear(rng.integers(-2, 3, (3, 6)).astype(float)),
         "w4": nir.Linear(rng.integers(-2, 3, (3, 6)).astype(float)), "n3": neuron("IF", (3,), 2.5),
         "out": nir.Output(np.array([3]))},
        [("in", "w1"), ("w1", "n1"), ("n1", "w2"), ("w2", "n2"), ("n2", "w3"), ("n1", "w4"), ("w3", "n3"),
         ("w4", "n3"), ("n3", "out")])


def test_a_residual_is_added() -> None:
    graph = residual()
    weights = {name: node.weight for name, node in graph.nodes.items() if isinstance(node, nir.Linear)}
    images = np.random.default_rng(3).random((6, STEPS, 8)) < 0.4
    made = import_nir(graph, steps=STEPS, images=images)
    assert made.report.exact and len(made.network.output.synapses) == 2
    first = euler("IF", 1.5, 0, False, images @ weights["w1"].T)
    second = euler("IF", 1.5, 0, False, first @ weights["w2"].T)
    want = euler("IF", 2.5, 0, False, second @ weights["w3"].T + first @ weights["w4"].T)
    np.testing.assert_array_equal(last_spikes(made, images), want)


def test_a_skip_without_weights_is_one_for_one() -> None:
    graph = residual()
    del graph.nodes["w4"]
    graph.edges = [edge for edge in graph.edges if "w4" not in edge]
    graph.nodes["w3"] = nir.Linear(np.eye(6) * 2)
    graph.nodes["n3"], graph.nodes["out"] = neuron("IF", (6,), 2.5), nir.Output(np.array([6]))
    graph.edges.append(("n1", "n3"))
    images = np.random.default_rng(3).random((6, STEPS, 8)) < 0.4
    made = import_nir(graph, steps=STEPS, images=images)
    weights = {name: node.weight for name, node in graph.nodes.items() if isinstance(node, nir.Linear)}
    first = euler("IF", 1.5, 0, False, images @ weights["w1"].T)
    second = euler("IF", 1.5, 0, False, first @ weights["w2"].T)
    want = euler("IF", 2.5, 0, False, 2.0 * second + first)
    np.testing.assert_array_equal(last_spikes(made, images), want)


def test_a_graph_inside_the_graph_is_opened() -> None:
    inner = nir.NIRGraph.from_list(nir.Linear(np.eye(8)[:6]), neuron("IF", (6,), 0.5))
    graph = nir.NIRGraph({"in": nir.Input(np.array([8])), "inner": inner, "w": nir.Linear(np.ones((2, 6))),
                          "n": neuron("IF", (2,), 1.5), "out": nir.Output(np.array([2]))},
                         [("in", "inner"), ("inner", "w"), ("w", "n"), ("n", "out")], type_check=False)
    made = import_nir(graph, steps=STEPS)
    assert made.network.names == ("inner.if", "n")


@pytest.mark.parametrize(("node", "readout"), [
    (nir.I(ones(3, 1 / DT)), Readout.POTENTIAL), (nir.I(ones(3)), Readout.POTENTIAL),
    (nir.LI(ones(3, 2 * DT), ones(3, 2), ones(3, 0)), Readout.POTENTIAL),
    (nir.IF(ones(3), ones(3, 1.5), ones(3, 0)), Readout.COUNT), (None, Readout.POTENTIAL)])
def test_what_is_read(node, readout: Readout) -> None:
    rng = np.random.default_rng(1)
    weight = rng.integers(-2, 3, (3, 8)).astype(float)
    nodes = [nir.Linear(weight), node] if node is not None else [nir.Linear(weight)]
    made = import_nir(nir.NIRGraph.from_list(*nodes), steps=STEPS)
    assert made.network.readout is readout and made.report.exact
    if node is None:
        images = rng.random((4, STEPS, 8)) < 0.4
        scale = made.network.output.synapses[0].weights[0, 0] / weight[0, 0] if weight[0, 0] else 1
        want = (images.sum(1) @ weight.T * scale).astype(int)
        have = [golden.run(made.network, image).layers[-1].potential for image in images]
        np.testing.assert_array_equal(have, want)
    if readout is Readout.POTENTIAL:
        with pytest.raises(ValueError, match="readout must be 'potential' where the last part is"):
            import_nir(nir.NIRGraph.from_list(*nodes), steps=STEPS, readout="count")
    else:
        made = import_nir(nir.NIRGraph.from_list(*nodes), steps=STEPS, readout="first_spike")
        assert made.network.readout is Readout.FIRST_SPIKE


def test_a_scale_of_0_and_1_behind_the_input_is_its_mask() -> None:
    mask = np.array([1.0, 0, 1, 1, 0, 1, 1, 1])
    made = import_nir(nir.NIRGraph.from_list(nir.Scale(mask), nir.Linear(np.ones((3, 8))),
                                             neuron("IF", (3,), 1.5)), steps=STEPS)
    assert made.network.input.mask.tolist() == (mask > 0).tolist()


def test_a_scale_is_in_the_weights() -> None:
    graph = nir.NIRGraph.from_list(nir.Linear(np.array([[1.0, -1], [1, 1]])), nir.Scale(np.array([2.0, 0.5])),
                                   neuron("IF", (2,), 3.0))
    made = import_nir(graph, steps=STEPS)
    images = np.array([[[1, 0]] * STEPS, [[1, 1]] * STEPS], bool)
    currents = images @ np.array([[2.0, -2], [0.5, 0.5]]).T
    np.testing.assert_array_equal(last_spikes(made, images), euler("IF", 3.0, 0, False, currents))


def test_levels_of_an_input_of_the_users_own() -> None:
    rng = np.random.default_rng(1)
    weight = rng.integers(-2, 3, (3, 8)).astype(float)
    graph = nir.NIRGraph.from_list(nir.Linear(weight), neuron("IF", (3,), 1.3))
    images = rng.integers(0, 8, (5, 8))
    made = import_nir(graph, Input(8, STEPS, Direct(8)), level=1 / 8, images=images)
    assert made.report.exact
    currents = np.repeat((images / 8 @ weight.T)[:, None], STEPS, axis=1)
    np.testing.assert_array_equal(last_spikes(made, images), euler("IF", 1.3, 0, False, currents))


def test_at_its_threshold_or_above_it() -> None:
    graph = nir.NIRGraph.from_list(nir.Linear(np.ones((1, 2))), neuron("IF", (1,), 2.0))
    for strict, threshold in ((True, 3), (False, 2)):
        made = import_nir(graph, steps=STEPS, strict=strict)
        assert made.network.layers[0].threshold.tolist() == [threshold]


def test_metadata_may_say_how_a_node_resets() -> None:
    node = neuron("IF", (1,), 2.5, 0.0)
    node.metadata["reset"] = "subtract"
    graph = nir.NIRGraph.from_list(nir.Linear(np.ones((1, 2))), node)
    assert import_nir(graph, steps=STEPS).network.layers[0].reset is Reset.SUBTRACT
    assert import_nir(graph, steps=STEPS, reset="to").network.layers[0].reset is Reset.TO
    node.metadata["reset"] = "half"
    with pytest.raises(ValueError, match="its metadata 'reset' must be 'to' or 'subtract', not 'half'"):
        import_nir(graph, steps=STEPS)


def chain(*nodes) -> "nir.NIRGraph":
    """Nodes one after the other, unchecked."""
    names = ["input", *(f"n{index}" for index in range(len(nodes))), "output"]
    parts = [nir.Input(np.array([4])), *nodes, nir.Output(np.array([4]))]
    return nir.NIRGraph(dict(zip(names, parts, strict=True)), list(pairwise(names)), type_check=False)


EYE = nir.Linear(np.eye(4))


@pytest.mark.parametrize(("graph", "sentence"), [
    (chain(EYE, neuron("LIF", (4,), 1, decay=0.9)), r"n1 \(LIF\): its potential decays by the factor 0.9"),
    (chain(EYE, nir.CubaLIF(*[ones(4, DT * 2)] * 2, *[ones(4)] * 4)),
     r"n1 \(CubaLIF\): its synaptic current lasts"),
    (chain(EYE, nir.Delay(ones(4)), neuron("IF", (4,), 1)), r"n1 \(Delay\): it delays spikes"),
    (chain(EYE, nir.LI(ones(4, DT), ones(4), ones(4)), EYE), r"n1 \(LI\): it gives a potential, not spikes"),
    (chain(EYE, EYE, neuron("IF", (4,), 1)), r"n1 \(Linear\): no neuron stands between"),
    (chain(nir.Linear(np.eye(5)), neuron("IF", (5,), 1)), r"n0 \(Linear\): it takes 5 features, and"),
    (chain(EYE, neuron("IF", (3,), 1)), r"n1 \(IF\): it is declared for 3 features, and what"),
    (chain(conv(np.ones((2, 1, 2, 2))), neuron("IF", (2,), 1)), r"n0 \(Conv2d\): it takes 1 channels"),
    (chain(nir.Linear(np.full((4, 4), np.nan)), neuron("IF", (4,), 1)), "must be finite numbers"),
    (chain(nir.Linear(np.ones((2, 4, 4))), neuron("IF", (4,), 1)), r"must have the shape \(out, in\)"),
    (chain(EYE, nir.LIF(ones(4, DT / 2), *[ones(4)] * 4)), r"n1 \(LIF\): its time constant must be at"),
    (chain(nir.Conv1d(4, np.ones((1, 1, 2)), 1, 0, 1, 1, np.zeros(1))), r"n0 \(Conv1d\): there is no exact"),
    (chain(EYE, neuron("IF", (4,), -1)), r"n1 \(IF\): its threshold must be above or at 0"),
])
def test_what_cannot_be_taken_is_named(graph, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^the network cannot be taken exactly: .*{sentence}"):
        import_nir(graph, steps=STEPS)


def test_every_node_that_cannot_be_taken_is_named() -> None:
    graph = chain(EYE, nir.Delay(ones(4)), nir.Conv1d(4, np.ones((1, 1, 2)), 1, 0, 1, 1, np.zeros(1)),
                  neuron("IF", (4,), 1))
    with pytest.raises(ValueError, match=r"n1 \(Delay\): .*; n2 \(Conv1d\): "):
        import_nir(graph, steps=STEPS)


def test_loops_are_refused() -> None:
    graph = residual()
    graph.nodes["back"] = nir.Linear(np.eye(6))
    graph.edges += [("n2", "back"), ("back", "n1")]
    with pytest.raises(ValueError, match="is a loop, and only networks without recurrence can be taken"):
        import_nir(graph, steps=STEPS)


def test_nothing_is_dropped_in_silence() -> None:
    graph = residual()
    graph.nodes["more"] = neuron("IF", (6,), 1)
    graph.edges.append(("w2", "more"))
    with pytest.raises(ValueError, match=r"more \(IF\): it does not lead to the Output"):
        import_nir(graph, steps=STEPS)
    graph = residual()
    graph.nodes["alone"] = neuron("IF", (6,), 1)
    with pytest.raises(ValueError, match=r"alone \(IF\): nothing leads to it"):
        import_nir(graph, steps=STEPS)


@pytest.mark.parametrize(("options", "sentence"), [
    ({}, r"steps must be given \(--steps of the command\): NIR does not say how many"),
    ({"steps": 0}, "steps must be a positive integer, not 0"),
    ({"steps": 4, "reset": "half"}, "reset must be 'to'"),
    ({"steps": 4, "dt": 0}, "dt must be a number above 0, not 0"),
    ({"steps": 4, "dt": np.inf}, "dt must be a number above 0, not inf"),
    ({"steps": 4, "dt": np.nan}, "dt must be a number above 0, not nan"),
    ({"steps": 4, "level": 0}, "level must be a number above 0, not 0"),
    ({"steps": 4, "level": np.nan}, "level must be a number above 0, not nan"),
    ({"steps": 4, "level": 1e-310}, "at most, too small to count with; scale them, or check level"),
    ({"input": Input(7, 4, Spikes())}, "input must have 8 addresses, as the network takes, not 7"),
    ({"input": Input(8, 4, Spikes()), "steps": 5}, "steps must be those of the input, 4, not 5"),
])
def test_bad_options_are_refused(options: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        import_nir(residual(), **options)
    with pytest.raises(TypeError, match=r"graph must be a path or a nir\.NIRGraph"):
        import_nir(7, steps=4)


@pytest.mark.parametrize(("options", "sentence"), [
    ({"steps": 1.5}, "steps must be a positive integer, not 1.5"),
    ({"steps": 4, "dt": "x"}, "dt must be a number above 0, not 'x'"),
    ({"steps": 4, "level": "x"}, "level must be a number above 0, not 'x'"),
    ({"steps": 4, "bits": "x"}, "bits must be an integer from 2 to 8, not 'x'"),
    ({"steps": 4, "places": 1.5}, "places must be a non-negative integer, not 1.5"),
])
def test_options_of_another_type_are_refused(options: dict, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        import_nir(residual(), **options)


def write(path: Path, edit) -> Path:
    """A sound file with something done to it."""
    import h5py
    nir.write(path, nir.NIRGraph.from_list(EYE, neuron("IF", (4,), 1.5)))
    with h5py.File(path, "r+") as file:
        edit(file, h5py)
    return path


def versioned(file, version: str) -> None:
    del file["version"]
    file["version"] = version


@pytest.mark.parametrize("version", ["1.0.8", "1.9", "0.2.0"])
def test_known_versions_are_read(tmp_path: Path, version: str) -> None:
    path = write(tmp_path / "x.nir", lambda file, h5py: versioned(file, version))
    assert import_nir(path, steps=STEPS).report.exact


def test_a_label_called_type_is_a_label(tmp_path: Path) -> None:
    node = neuron("IF", (4,), 1.5)
    node.metadata["type"] = "mine"
    nir.write(tmp_path / "x.nir", nir.NIRGraph.from_list(EYE, node))
    assert import_nir(tmp_path / "x.nir", steps=STEPS).report.exact


@pytest.mark.parametrize(("edit", "sentence"), [
    (lambda file, h5py: file.__delitem__("node"), "it lacks 'node' or 'version'"),
    (lambda file, h5py: file["node/nodes/linear"].__delitem__("weight"),
     r"linear \(Linear\) has no weight; give it one"),
    (lambda file, h5py: file["node/nodes/input"].__delitem__("shape"),
     r"input \(Input\) has no shape; give it one"),
    (lambda file, h5py: file["node/nodes/output"].__delitem__("shape"),
     r"output \(Output\) has no shape; give it one"),
    (lambda file, h5py: versioned(file, "99.0"), "it is of version '99.0', and versions to 1 are known"),
    (lambda file, h5py: versioned(file, ""), "it is of version '', and versions to 1 are known"),
    (lambda file, h5py: versioned(file, "-1"), "it is of version '-1', and versions to 1 are known"),
    (lambda file, h5py: file["node/nodes"].__setitem__("x", h5py.ExternalLink("/etc/passwd", "/")),
     "'x' is a link to somewhere else"),
    (lambda file, h5py: file["node/nodes"].__setitem__("x", h5py.SoftLink("/node")),
     "'x' is a link to somewhere else"),
    (lambda file, h5py: file["node/nodes"].__setitem__("x", file["node"]), "nested too deeply"),
    (lambda file, h5py: file.create_dataset("node/big", (1 << 40,), "f4", chunks=(1 << 20,)),
     "its arrays take more than"),
    (lambda file, h5py: (file["node/nodes/linear"].__delitem__("type"),
                         file["node/nodes/linear"].create_dataset("type", data="Izhikevich")),
     r"linear \(Izhikevich\) is a node that nir 1.* does not know"),
])
def test_damaged_files_are_one_sentence(tmp_path: Path, edit, sentence: str) -> None:
    path = write(tmp_path / "x.nir", edit)
    with pytest.raises(FirstspikeError, match=sentence) as caught:
        import_nir(path, steps=STEPS)
    assert "\n" not in str(caught.value) and "x.nir" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + bytes(40), b"\x80\x04K\x01."])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.nir"
    path.write_bytes(content)
    with pytest.raises(FirstspikeError, match=r"x.nir cannot be read as a NIR file: .*; write it again"):
        import_nir(path, steps=STEPS)
    with pytest.raises(FirstspikeError, match="there is no NIR file"):
        import_nir(tmp_path / "y.nir", steps=STEPS)


def test_nir_is_named_where_it_is_missing_or_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nir, "__version__", "1.0.6")
    with pytest.raises(FirstspikeError, match=r"nir 1\.0\.6 is too old: pip install 'nir>=1\.0\.8'"):
        import_nir(residual(), steps=STEPS)
    graph = residual()
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(FirstspikeError, match=r"NIR needs the package nir: pip install 'firstspike"):
        import_nir(graph, steps=STEPS)


def test_what_cannot_be_taken_of_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.nir"
    nir.write(path, nir.NIRGraph.from_list(EYE, neuron("LIF", (4,), 1, decay=0.9)))
    with pytest.raises(FirstspikeError, match=r"x.nir: the network cannot be taken exactly: lif \(LIF\)"):
        import_nir(path, steps=STEPS)
    assert import_nir(path, steps=STEPS, approximate=True).network.layers[0].leak.tolist() == [3] * 4
    assert import_nir(path, steps=STEPS, approximate=True).network.layers[0].fires is Fires.MANY
