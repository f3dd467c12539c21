"""NIR export: other simulators run it, it comes back the same, and what NIR cannot say is refused by name."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

nir = pytest.importorskip("nir", reason="nir is not installed (pip install -e '.[import]')")

from firstspike.errors import FirstspikeError  # noqa: E402
from firstspike.network import (  # noqa: E402
    Convolution,
    Dense,
    Direct,
    Fires,
    Input,
    Latency,
    Layer,
    Network,
    Phase,
    Pool,
    Probability,
    Readout,
    Reset,
    Spikes,
    golden,
)
from firstspike.quantize.export.nir import export_nir  # noqa: E402
from firstspike.quantize.importers.nir import import_nir  # noqa: E402
from harness.strategies import Wanted, networks  # noqa: E402
from hypothesis import HealthCheck, assume, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

SEEDS = st.integers(0, 2**32 - 1)


def sayable(network: Network, seed: int) -> Network:
    """``network`` with what NIR can say in place of what it cannot, drawn from ``seed``."""
    rng = np.random.default_rng(seed)
    layers = []
    for layer in network.layers:
        groups = [replace(group, kernel=int(rng.integers(1, 5)), probability=None, scale=None,
                          pool=group.pool and replace(group.pool, kind="sum")) for group in layer.synapses]
        more = {"initial": int(layer.initial[0])} if layer.fires is Fires.NEVER else {}
        if layer.fires is not Fires.NEVER:
            subtract = bool(rng.random() < 0.5)
            more = {"fires": Fires.MANY, "reset": Reset.SUBTRACT if subtract else Reset.TO,
                    "reset_value": rng.integers(0, 9, layer.size),
                    "threshold_schedule": int(rng.integers(1, 4)),
                    "reset_schedule": int(rng.integers(1, 4)) if subtract else 1}
        else:
            more |= {"threshold_schedule": 1, "reset_schedule": 1}
        channels = layer.shape[0]
        bias = np.repeat(rng.integers(-3, 4, channels), layer.size // channels)
        layers.append(replace(layer, synapses=groups, leak=None, bias=bias, **more))
    return replace(network, layers=layers)


READ = (Readout.COUNT, Readout.POTENTIAL)


@settings(max_examples=50, deadline=None)
@given(networks(Wanted(phases=(Phase.ONLINE,), readouts=READ)), SEEDS)
def test_what_is_exported_comes_back_the_same(tmp_path_factory, network: Network, seed: int) -> None:
    network = sayable(network, seed)
    path = tmp_path_factory.mktemp("nir") / "x.nir"
    assert import_nir(export_nir(network, path)).network.digest == network.digest
    assert import_nir(path).network.digest == network.digest


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(networks(Wanted(inputs=48, phases=(Phase.ONLINE,), readouts=READ, words=True)), SEEDS)
def test_so_do_convolutions_and_pools(network: Network, seed: int) -> None:
    network = sayable(network, seed)
    try:
        graph = export_nir(network)
    except ValueError as error:
        words = ("not square", "one side", "a convolution to a dense", "planes that this does not have")
        assert any(word in str(error) for word in words)
        assume(False)
    assert import_nir(graph).network.digest == network.digest
    assert import_nir(nir.NIRGraph.from_dict(graph.to_dict())).network.digest == network.digest


def every_kind() -> Network:
    """Groups, pools, residuals, a mask, starts, kernels and schedules: all that NIR can say."""
    rng = np.random.default_rng(0)
    signs = [rng.choice([-1, 1], shape).astype(np.int8) for shape in ((4, 1, 3, 3), (10, 64), (3, 10))]
    return Network(Input(128, 5, Spikes(once=False), rng.random(128) < 0.9, (2, 8, 8)), [
        Layer(Convolution(signs[0], (2, 8, 8), padding=1, groups=2, kernel=3), 5, fires=Fires.MANY,
              threshold=rng.integers(5, 9, 256), initial=rng.integers(-3, 20, 256),
              bias=np.repeat(rng.integers(-2, 3, 4), 64), name="a/b c"),
        Layer(Dense(signs[1], pool=Pool("sum", 2, source_shape=(4, 8, 8))), 5, fires=Fires.MANY, threshold=7,
              reset=Reset.TO, reset_value=-2, threshold_schedule=2),
        Layer([Dense(signs[2]), Dense(rng.integers(-5, 9, (3, 256)), source="a/b c", kernel=2)], 5,
              fires=Fires.NEVER, bias=4, initial=6)],
        Readout.POTENTIAL, provenance={"recipe": "none"}, calibration={"mean_spikes": [1, 2, 3, 4]})


def test_all_that_nir_can_say_comes_back_the_same(tmp_path: Path) -> None:
    export_nir(every_kind(), tmp_path / "x.nir")
    made = import_nir(tmp_path / "x.nir")
    assert made.network.digest == every_kind().digest and made.report.exact
    assert import_nir(nir.read(tmp_path / "x.nir")).network.digest == every_kind().digest  # with its checks


@pytest.mark.parametrize("encoding", [Direct(9), Latency([-1, 3, 0, 2])])
def test_encodings_come_back(encoding) -> None:
    network = Network(Input(4, 4, encoding), [Layer(Dense(np.ones((2, 4), int)), 4, fires=Fires.MANY,
                                                    threshold=3)], Readout.COUNT)
    assert import_nir(export_nir(network)).network.digest == network.digest


def test_a_changed_graph_is_taken_as_it_is() -> None:
    graph = export_nir(every_kind())
    graph.nodes["layer1"].v_threshold += 3
    made = import_nir(graph)
    assert made.network.digest != every_kind().digest
    assert made.network.layers[1].threshold.tolist() == [17] * 10
    assert "imported_from" in made.network.provenance and "recipe" not in made.network.provenance
    graph.metadata["firstspike"] = "{"
    with pytest.raises(ValueError, match="steps must be given"):
        import_nir(graph)


def test_a_network_with_schedules_is_measured_as_it_is() -> None:
    images = np.random.default_rng(1).random((20, 5, 128)) < 0.4
    made = import_nir(export_nir(every_kind()), images=images)
    assert made.network.layers[1].threshold_schedule.tolist() == [2] * 5
    again = made.on(images)
    assert again.report.measured is not None and again.report.measured.changed == 0
    assert again.report.measured == made.report.measured


@pytest.mark.parametrize("damage", [
    lambda node: node.metadata.update(kernel=np.array([1, 2])), lambda node: node.metadata.update(kernel="x"),
    lambda node: node.metadata.update(initial="x"), lambda node: setattr(node, "v_threshold", b"x"),
])
def test_damaged_nodes_are_one_sentence(damage, tmp_path: Path) -> None:
    graph = export_nir(every_kind())
    damage(next(node for node in graph.nodes.values() if isinstance(node, nir.IF)))
    damage(next(node for node in graph.nodes.values() if isinstance(node, nir.Linear)))
    nir.write(tmp_path / "x.nir", graph)
    with pytest.raises(FirstspikeError, match=r"x\.nir"):
        import_nir(tmp_path / "x.nir")


def test_a_leak_is_exported_where_it_never_rounds() -> None:
    network = Network(Input(4, 3, Spikes(once=False)), [
        Layer(Dense(np.ones((2, 4), int), kernel=16), 3, fires=Fires.MANY, threshold=33, leak=2,
              reset_value=32, bias=-16)], Readout.COUNT)
    graph = export_nir(network, dt=0.5)
    assert isinstance(graph.nodes["layer0"], nir.LIF) and graph.nodes["layer0"].tau.tolist() == [2.0, 2.0]
    assert import_nir(graph, dt=0.5).network.digest == network.digest
    rounds = replace(network, layers=[replace(network.layers[0], synapses=Dense(np.ones((2, 4), int)))])
    with pytest.raises(ValueError, match="layer layer0: its leak rounds to integers, and NIR's does not"):
        export_nir(rounds)


def small(**more) -> Network:
    """One layer that NIR can say, with something else in it."""
    group = more.pop("group", Dense(np.ones((2, 4), int)))
    fields = {"fires": Fires.MANY, "threshold": 3} | more
    readout = Readout.POTENTIAL if fields["fires"] is Fires.NEVER else Readout.COUNT
    return Network(Input(4, 3, Spikes(once=False), shape=(1, 2, 2)), [Layer(group, 3, **fields)], readout)


PLANES = np.ones((2, 1, 1, 1), int)


@pytest.mark.parametrize(("network", "sentence"), [
    (small(fires=Fires.ONCE), "it fires once, and NIR's neurons fire again"),
    (small(phase=Phase.WINDOWED), "it is windowed, and NIR's neurons fire while they listen"),
    (small(threshold_schedule=[3, 2, 1]), "its threshold or reset changes from step to step"),
    (small(reset_schedule=[3, 2, 1]), "its threshold or reset changes from step to step"),
    (small(group=Dense(np.ones((2, 4), int), kernel=[3, 2, 1])), "its kernel changes from step to step"),
    (small(leak=1, initial=2), "it leaks from a start other than 0"),
    (small(fires=Fires.NEVER, threshold=None, initial=[1, 2]), "its potentials are compared and start at"),
    (small(group=Dense(np.ones((2, 4), int), probability=Probability(np.full((2, 4), 9)))),
     "its synapses pass spikes on with a probability"),
    (small(group=Dense(np.ones((2, 4), int), scale=[1, 2, 3, 4])), "its inputs are scaled one by one"),
    (small(group=Dense(np.ones((2, 1), int), pool=Pool("max", 2, source_shape=(1, 2, 2)))),
     "it pools by the maximum"),
    (small(group=Convolution(np.ones((1, 1, 1, 2), int), (1, 2, 2))), "its kernel is not square"),
    (small(group=Convolution(np.ones((1, 1, 2, 2), int), (1, 2, 2), padding=(1, 0, 0, 0))),
     "its convolution is padded on one side only"),
    (small(group=Convolution(PLANES, (1, 2, 2)), bias=np.arange(8)), "its bias differs from place to place"),
])
def test_what_nir_cannot_say_is_named(network: Network, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^NIR cannot say the network: layer layer0: .*{sentence}"):
        export_nir(network, tmp_path / "x.nir")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dt", [0, -1.0, np.inf, np.nan, "x"])
def test_a_step_has_a_length(dt) -> None:
    with pytest.raises((TypeError, ValueError), match="dt must be a number above 0, not"):
        export_nir(small(), dt=dt)


def test_every_layer_that_nir_cannot_say_is_named() -> None:
    network = Network(Input(4, 3, Spikes()), [
        Layer(Dense(np.ones((2, 4), int)), 3, threshold=1, name="first"),
        Layer(Dense(np.ones((2, 2), int)), 3, Phase.WINDOWED, threshold=1, name="second")])
    with pytest.raises(ValueError, match=r"layer first: it fires once.*layer second: it is windowed"):
        export_nir(network)


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FirstspikeError, match="cannot be written"):
        export_nir(small(), tmp_path / "nowhere" / "x.nir")


logging.getLogger("torch").setLevel(logging.ERROR)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_spikingjelly_runs_what_is_exported(seed: int) -> None:
    """The reset to a value, which SpikingJelly takes from NIR, and a start at it."""
    torch = pytest.importorskip("torch")
    exchange = pytest.importorskip("spikingjelly.activation_based.nir_exchange",
                                   reason="needs spikingjelly and nirtorch (pip install -e '.[dev]')")
    rng = np.random.default_rng(seed)
    network = Network(Input(12, 6, Spikes(once=False)), [
        Layer(Dense(rng.choice([-1, 1], (8, 12))), 6, fires=Fires.MANY, reset=Reset.TO,
              bias=rng.integers(-1, 2, 8), threshold=int(rng.integers(1, 5))),
        Layer(Dense(rng.integers(-3, 4, (4, 8))), 6, fires=Fires.MANY, reset=Reset.TO,
              threshold=int(rng.integers(1, 5)))], Readout.COUNT)
    module = exchange.import_from_nir(export_nir(network))
    images = rng.random((5, 6, 12)) < rng.random()
    state, steps = None, []
    with torch.no_grad():
        for step in range(6):
            given_, state = module(torch.tensor(images[:, step], dtype=torch.float32), state)
            steps.append(given_.numpy() != 0)
    have = np.stack([golden.run(network, image).layers[-1].spikes for image in images])
    np.testing.assert_array_equal(have, np.stack(steps, 1))


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_what_spikingjelly_exports_spikes_the_same(seed: int) -> None:
    torch = pytest.importorskip("torch")
    exchange = pytest.importorskip("spikingjelly.activation_based.nir_exchange",
                                   reason="needs spikingjelly and nirtorch (pip install -e '.[dev]')")
    from spikingjelly.activation_based import functional, layer, neuron
    rng = np.random.default_rng(seed)
    network = torch.nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1, bias=False), neuron.IFNode(v_threshold=4.0), layer.AvgPool2d(2),
        layer.Conv2d(4, 4, 2), neuron.LIFNode(tau=2.0, v_threshold=3.0, decay_input=bool(rng.random() < 0.5)),
        layer.Flatten(), layer.Linear(36, 3), neuron.IFNode(v_threshold=5.0))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.tensor(rng.integers(-3, 4, tuple(parameter.shape))))
    images = rng.random((4, 5, 2, 8, 8)) < rng.random() / 2
    graph = exchange.export_to_nir(network, torch.zeros(1, 2, 8, 8))
    made = import_nir(graph, steps=5, strict=False)
    assert made.report.exact
    functional.reset_net(network)
    functional.set_step_mode(network, "m")
    with torch.no_grad():
        want = network(torch.tensor(images, dtype=torch.float32).transpose(0, 1)).transpose(0, 1).numpy() != 0
    have = [golden.run(made.network, image.reshape(5, -1)).layers[-1].spikes for image in images]
    np.testing.assert_array_equal(np.stack(have), want)
