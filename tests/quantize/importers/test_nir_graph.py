"""NIR graphs taken apart: no name rewires them, and what contradicts itself is refused."""

from itertools import pairwise

import numpy as np
import pytest

nir = pytest.importorskip("nir", reason="nir is not installed (pip install -e '.[import]')")

from firstspike.network import Fires, Readout, golden  # noqa: E402
from firstspike.quantize.importers.nir import import_nir  # noqa: E402


def neurons(*shape: int, threshold: float = 0.6):
    """An IF whose step is ``v = v + x``."""
    ones = np.ones(shape or (1,))
    return nir.IF(1e4 * ones, threshold * ones, 0 * ones)


def weight(value: float):
    return nir.Linear(np.array([[value]]))


def named(node, name):
    node.metadata["name"] = name
    return node


def graph(nodes: dict, edges: list, shape=(1,), out=(1,)):
    """A graph of ``nodes`` between an Input "x" and an Output "out", unchecked."""
    ends = {"x": nir.Input({"input": np.array(shape)}),
            "out": nir.Output({"output": None if out is None else np.array(out)})}
    return nir.NIRGraph({**ends, **nodes}, edges, type_check=False)


def chain(*nodes, shape=(4,), out=None):
    names = ["x", *(f"n{index}" for index in range(len(nodes))), "out"]
    return graph(dict(zip(names[1:-1], nodes, strict=True)), list(pairwise(names)), shape, out)


def inside(*nodes, shape=(4,), out=(4,), skip: bool = False):
    """A graph to stand in another; ``skip``: with an edge from its Input to its Output."""
    names = ["x", *(f"i{index}" for index in range(len(nodes))), "out"]
    edges = list(pairwise(names)) + [("x", "out")] * skip
    return graph(dict(zip(names[1:-1], nodes, strict=True)), edges, shape, out)


def planes(weights: np.ndarray, shape=None, **more):
    options = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1,
               "bias": np.zeros(len(weights))} | more
    return nir.Conv2d(shape, weights.astype(float), **options)


EYE = nir.Linear(np.eye(4))
CONV = planes(np.ones((2, 1, 3, 3)))


def last_spikes(network, images: np.ndarray) -> np.ndarray:
    return np.stack([golden.run(network, image).layers[-1].spikes for image in images])


def test_a_node_called_input_is_not_the_input() -> None:
    """One spike in makes "m" spike by the way around "n", which a weight of -1 keeps silent."""
    found = import_nir(graph(
        {"input": weight(-1.0), "n": neurons(), "y": weight(1.0), "m": neurons()},
        [("x", "input"), ("input", "n"), ("n", "y"), ("y", "m"), ("x", "m"), ("m", "out")]), steps=1)
    assert last_spikes(found.network, np.ones((1, 1, 1), bool)).tolist() == [[[True]]]
    assert found.report.exact and found.network.names == ("n", "m")


@pytest.mark.parametrize("label", ["b", "input", "x", "out", "w", "a"])
def test_a_label_replaces_no_node(label: str) -> None:
    nodes = {"w": weight(-1.0), "a": named(neurons(), label), "v": weight(1.0), "b": neurons()}
    edges = [("x", "w"), ("w", "a"), ("a", "v"), ("v", "b"), ("b", "out")]
    found = import_nir(graph(nodes, edges), steps=1).network
    assert len(set(found.names)) == 2 and found.layers[1].synapses[0].source == found.names[0]
    assert not last_spikes(found, np.ones((1, 1, 1), bool)).any()


def test_two_nodes_may_have_one_label() -> None:
    nodes = {"w": weight(1.0), "a": named(neurons(), "same"), "v": weight(1.0), "b": named(neurons(), "same")}
    found = import_nir(graph(nodes, [("x", "w"), ("w", "a"), ("a", "v"), ("v", "b"), ("b", "out")]), steps=1)
    assert found.network.names == ("a", "b")


def test_a_dot_in_a_name_is_not_a_node_inside() -> None:
    """Graph "a" with a node "w" beside a node "a.w": -1 and then 1, never the other way round."""
    within = inside(weight(-1.0), neurons(), shape=(1,), out=(1,))
    nodes = {"a": within, "a.i0": weight(1.0), "a.i1": neurons()}
    found = import_nir(graph(nodes, [("x", "a"), ("a", "a.i0"), ("a.i0", "a.i1"), ("a.i1", "out")]), steps=1)
    assert not last_spikes(found.network, np.ones((1, 1, 1), bool)).any()
    assert [layer.synapses[0].weights.item() for layer in found.network.layers] == [-1, 1]
    assert len(set(found.network.names)) == 2


@pytest.mark.parametrize("edges", [
    [("x", "w"), ("x", "w"), ("w", "n"), ("n", "out")], [("x", "w"), ("w", "n"), ("w", "n"), ("n", "out")],
    [("x", "w"), ("w", "n"), ("n", "out"), ("n", "out")]])
def test_an_edge_that_stands_twice_is_refused(edges: list) -> None:
    twice = next(edge for edge in edges if edges.count(edge) == 2)
    with pytest.raises(ValueError, match=f"the edge from {twice[0]} to {twice[1]}: it stands 2 times"):
        import_nir(graph({"w": weight(0.5), "n": neurons()}, edges), steps=1)


def test_every_edge_that_leads_nowhere_is_named() -> None:
    edges = [("x", "w"), ("w", "n"), ("n", "out"), ("n", "q"), ("z", "n")]
    with pytest.raises(ValueError, match=r"from n to q: it leads to no node.*from z to n: it leads"):
        import_nir(graph({"w": weight(0.5), "n": neurons()}, edges), steps=1)


@pytest.mark.parametrize(("wrong", "sentence"), [
    (chain(EYE, neurons(4), out=(10,)), r"out \(Output\): it is declared for 10 features, and what c"),
    (chain(planes(np.ones((2, 1, 3, 3)), (28, 28)), neurons(2, 6, 6), shape=(1, 8, 8)),
     r"n0 \(Conv2d\): it is declared for 1 by 28 by 28, and what comes is 1 by 8 by 8; correct one"),
    (chain(nir.Linear(np.ones((6, 4))), neurons(2, 3)), r"n1 \(IF\): it is declared for 2 by 3, and what"),
    (chain(CONV, neurons(2), shape=(1, 8, 8)), r"n1 \(IF\): it is declared for 2 features, and what comes"),
    (chain(CONV, neurons(6), shape=(1, 8, 8)), r"n1 \(IF\): it is declared for 6 features, and what comes"),
    (chain(EYE, neurons(4), nir.Flatten({"input": np.array([2, 2, 2])}, 0, -1)),
     r"n2 \(Flatten\): it is declared for 2 by 2 by 2, and what comes is 4 features"),
    (chain(EYE, neurons(4), inside(shape=(5,)), EYE, neurons(4)),
     r"n2\.x \(Input\): it is declared for 5 features, and what comes is 4"),
    (chain(EYE, neurons(4), inside(out=(5,)), EYE, neurons(4)),
     r"n2\.out \(Output\): it is declared for 5 features, and what comes is 4"),
    (chain(EYE, neurons(4), shape=(2, 2)), r"n0 \(Linear\): it takes features, and what comes is 2 by 2;"),
    (chain(EYE, nir.Scale(np.ones((2, 2))), neurons(4)), r"n1 \(Scale\): it is declared for 2 by 2, and"),
    (chain(EYE, neurons(4), shape=(0,)), r"x \(Input\): its shape must be positive integers"),
    (chain(EYE, neurons(4), shape=(2.5,)), r"x \(Input\): its shape must be positive integers"),
])
def test_what_contradicts_itself_is_refused(wrong, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        import_nir(wrong, steps=3)


def test_every_contradiction_is_named() -> None:
    with pytest.raises(ValueError, match=r"n1 \(IF\): it is declared for 5 .*; n2 \(Conv2d\): its stride"):
        import_nir(chain(EYE, neurons(5), planes(np.ones((2, 1, 3, 3)), stride=0), neurons(4)), steps=3)


@pytest.mark.parametrize(("options", "sentence"), [
    ({"stride": 0}, "its stride must be at least 1, not 0"),
    ({"stride": (1, 0)}, "its stride must be at least 1, not 0"),
    ({"dilation": (0, 1)}, "its dilation must be at least 1, not 0"),
    ({"groups": 0}, "its groups must be at least 1, not 0"),
    ({"groups": 3}, "its 2 channels out must be a multiple of its groups, 3"),
    ({"padding": (-1, 0)}, "its padding must be at least 0, not -1"),
    ({"padding": (3, 0)}, "its padding must be less than its kernel, which is 3 by 3, not 3; give less"),
    ({"stride": (1.5, 1)}, "its geometry must be integers"),
])
def test_the_geometry_of_a_convolution_is_checked(options: dict, sentence: str) -> None:
    wrong = chain(planes(np.ones((2, 1, 3, 3)), **options), neurons(2, 6, 6), shape=(1, 8, 8))
    with pytest.raises(ValueError, match=rf"exactly: n0 \(Conv2d\): {sentence}"):
        import_nir(wrong, steps=3)


@pytest.mark.parametrize(("size", "stride", "padding", "sentence"), [
    (2, 0, 0, "its stride must be at least 1, not 0"),
    (0, 1, 0, "its region must be at least 1 by 1, not 0 by 0"),
    (2, 2, 2, "its padding must be less than its region, which is 2 by 2, not 2; give less"),
    (9, 1, 0, "its region is larger than what comes, 1 by 8 by 8"),
])
@pytest.mark.parametrize("kind", ["SumPool2d", "AvgPool2d"])
def test_the_geometry_of_a_pool_is_checked(kind: str, size: int, stride: int, padding: int,
                                           sentence: str) -> None:
    pool = getattr(nir, kind)(*(np.array([number] * 2) for number in (size, stride, padding)))
    with pytest.raises(ValueError, match=rf"exactly: n0 \({kind}\): {sentence}"):
        import_nir(chain(pool, neurons(1), shape=(1, 8, 8)), steps=3)


FLAT = nir.Flatten({"input": np.array([2, 6, 6])}, 0, -1)


@pytest.mark.parametrize("behind", [
    (FLAT,), (nir.Scale(np.ones((2, 6, 6))),), (nir.Scale(np.full((2, 6, 6), 3.0)), FLAT),
    (nir.Delay(np.zeros(1)),), (inside(shape=(2, 6, 6), out=(2, 6, 6)),),
    (nir.AvgPool2d(*np.array([[1, 1], [1, 1], [0, 0]])), FLAT)])
def test_what_computes_nothing_behind_the_last_neuron_is_no_layer(behind: tuple) -> None:
    bare = import_nir(chain(CONV, neurons(2, 6, 6), shape=(1, 8, 8)), steps=3)
    found = import_nir(chain(CONV, neurons(2, 6, 6), *behind, shape=(1, 8, 8)), steps=3)
    assert found.network.digest == bare.network.digest and found.network.readout is Readout.COUNT


def test_what_turns_the_last_neurons_round_is_read_by_potential() -> None:
    found = import_nir(chain(EYE, neurons(4), nir.Scale(-np.ones(4))), steps=3).network
    assert found.readout is Readout.POTENTIAL and found.output.fires is Fires.NEVER
    assert golden.run(found, np.eye(3, 4, dtype=bool)).label == 3  # the only one that never spiked


def test_flat_neurons_right_behind_planes() -> None:
    images = np.random.default_rng(1).random((6, 3, 64)) < 0.3
    found = import_nir(chain(CONV, neurons(2, 6, 6, threshold=2.5), FLAT, neurons(72, threshold=1.5),
                             shape=(1, 8, 8)), steps=3, images=images)
    first = np.stack([golden.run(found.network, image).layers[0].spikes for image in images])
    want, potential = np.zeros_like(first), np.zeros(first[:, 0].shape)
    for step in range(3):
        potential = potential + first[:, step]
        want[:, step] = potential > 1.5
        potential = np.where(want[:, step], 0, potential)
    assert found.report.exact and want.any()
    np.testing.assert_array_equal(last_spikes(found.network, images), want)


def test_a_skip_inside_a_graph_is_that_of_the_flat_graph() -> None:
    doubled = nir.Linear(2 * np.eye(4))
    flat = graph({"w": EYE, "n": neurons(4), "v": doubled, "m": neurons(4)},
                 [("x", "w"), ("w", "n"), ("n", "v"), ("v", "m"), ("n", "m"), ("m", "out")], (4,), (4,))
    nested = chain(EYE, neurons(4), inside(doubled, skip=True), neurons(4))
    images = np.random.default_rng(2).random((8, 5, 4)) < 0.4
    one, two = (import_nir(made, steps=5).network for made in (flat, nested))
    assert len(two.layers[1].synapses) == 2
    np.testing.assert_array_equal(last_spikes(one, images), last_spikes(two, images))


def test_an_identity_inside_a_graph_and_two_ways_into_one() -> None:
    direct = import_nir(chain(EYE, neurons(4), EYE, neurons(4)), steps=3).network
    through = import_nir(chain(EYE, neurons(4), inside(), EYE, neurons(4)), steps=3).network
    deep = import_nir(chain(EYE, neurons(4), inside(inside(inside())), EYE, neurons(4)), steps=3).network
    weights = [[synapse.weights.tolist() for synapse in layer.synapses] for layer in direct.layers]
    for found in (through, deep):
        assert [[synapse.weights.tolist() for synapse in layer.synapses] for layer in found.layers] == weights


def test_graphs_within_graphs_without_end_are_refused() -> None:
    nested = inside()
    for _ in range(9):
        nested = inside(nested)
    with pytest.raises(ValueError, match="its graphs are nested too deeply"):
        import_nir(chain(EYE, neurons(4), nested), steps=3)


def test_a_flat_input_of_two_dimensions() -> None:
    flat = nir.Flatten({"input": np.array([2, 2])}, 0, -1)
    assert import_nir(chain(flat, EYE, neurons(4), shape=(2, 2)), steps=3).network.input.size == 4


def test_a_number_for_each_channel() -> None:
    threshold = np.array([1.5, 2.5]).reshape(2, 1, 1)
    node = nir.IF(np.full((2, 1, 1), 1e4), threshold, 0 * threshold)
    found = import_nir(chain(CONV, node, shape=(1, 8, 8)), steps=3).network
    assert found.layers[0].threshold.reshape(2, -1).tolist() == [[2] * 36, [3] * 36]


def test_a_parameter_of_torch_as_weight() -> None:
    torch = pytest.importorskip("torch")
    plain = import_nir(chain(EYE, neurons(4)), steps=3).network.digest
    for dtype in (torch.float32, torch.bfloat16):
        parameter = torch.nn.Parameter(torch.eye(4, dtype=dtype))
        assert import_nir(chain(nir.Linear(parameter), neurons(4)), steps=3).network.digest == plain


def test_a_flatten_of_some_dimensions_is_refused() -> None:
    some = nir.Flatten({"input": np.array([2, 6, 6])}, 0, 1)
    with pytest.raises(ValueError, match=r"n2 \(Flatten\): it must flatten all dimensions, not 0 to 1"):
        import_nir(chain(CONV, neurons(2, 6, 6), some, shape=(1, 8, 8)), steps=3)
