"""Networks of SpikingJelly against SpikingJelly's own simulation, spike for spike."""

import logging
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="importing from SpikingJelly needs torch")
logging.getLogger("torch").setLevel(logging.ERROR)  # it is told that Triton is not there
layer = pytest.importorskip("spikingjelly.activation_based.layer",
                            reason="spikingjelly is not installed (pip install -e '.[dev]')")

from firstspike.errors import FirstspikeError  # noqa: E402
from firstspike.network import (  # noqa: E402
    Input,
    Readout,
    Reset,
    Spikes,
    golden,
)
from firstspike.quantize.importers.spikingjelly import import_spikingjelly  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from spikingjelly.activation_based import functional, neuron  # noqa: E402
from torch import nn  # noqa: E402

SEEDS = st.integers(0, 2**32 - 1)


def on_grid(module: nn.Module, rng: np.random.Generator, unit: float = 1.0) -> nn.Module:
    """``module`` with small integers, times ``unit``, for weights and bias."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.tensor(rng.integers(-3, 4, tuple(parameter.shape)) * unit))
    return module


def simulated(network: nn.Module, steps: np.ndarray, mode: str) -> np.ndarray:
    """What ``network`` gives, ``(count, window, neurons)``, in single- or multi-step mode."""
    functional.reset_net(network)
    functional.set_step_mode(network, mode)
    given = torch.tensor(steps, dtype=torch.float32).transpose(0, 1)
    with torch.no_grad():
        found = network(given) if mode == "m" else torch.stack([network(step) for step in given])
    return found.transpose(0, 1).flatten(2).numpy()


def agrees(network: nn.Module, input: Input, images: np.ndarray, steps: np.ndarray, mode: str = "m") -> None:
    """Hold the imported network's last layer against SpikingJelly on ``images``."""
    made = import_spikingjelly(network, input, images=images)
    assert made.report.exact, str(made.report)
    want = simulated(network, steps, mode) != 0
    have = np.stack([golden.run(made.network, image).layers[-1].spikes for image in images])
    np.testing.assert_array_equal(have, want)


def node(kind: str, threshold: float, v_reset: float | None) -> nn.Module:
    if kind == "if":
        return neuron.IFNode(v_threshold=threshold, v_reset=v_reset)
    return neuron.LIFNode(tau=4.0 if "4" in kind else 2.0, decay_input="decay" in kind, v_threshold=threshold,
                          v_reset=v_reset)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from(["if", "lif", "lif4", "lif decay", "lif4 decay"]),
       st.sampled_from([None, 0.0, -1.0, 0.5]), st.sampled_from(["s", "m"]), st.sampled_from([1.0, 0.125]))
def test_dense_networks_spike_for_spike(seed: int, kind: str, v_reset: float | None, mode: str,
                                        unit: float) -> None:
    rng = np.random.default_rng(seed)
    thresholds = [float(1.0 + unit * rng.integers(1, 20) / 2) for _ in range(2)]
    network = nn.Sequential(
        on_grid(layer.Linear(12, 9), rng, unit), node(kind, thresholds[0], v_reset),
        on_grid(nn.Linear(9, 5, bias=False), rng, unit), node(kind, thresholds[1], v_reset))
    images = rng.random((6, 5, 12)) < rng.random()
    agrees(network, Input(12, 5, Spikes(once=False)), images, images, mode)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([layer.AvgPool2d(2), layer.MaxPool2d(2), layer.AvgPool2d((2, 4), 2),
                               nn.Identity()]))
def test_convolutional_networks_spike_for_spike(seed: int, pool: nn.Module) -> None:
    rng = np.random.default_rng(seed)
    network = nn.Sequential(
        layer.SeqToANNContainer(on_grid(nn.Conv2d(2, 4, 3, padding=1, bias=False), rng)),
        neuron.IFNode(v_threshold=4.0, v_reset=None), pool, on_grid(layer.Conv2d(4, 4, 3), rng),
        neuron.LIFNode(v_threshold=3.0), layer.Flatten(), layer.Dropout(0.5)).eval()
    functional.set_step_mode(network, "m")
    with torch.no_grad():
        size = network(torch.zeros(1, 1, 2, 9, 8)).numel()
    network.extend([on_grid(layer.Linear(size, 3), rng), neuron.IFNode(v_threshold=5.0, v_reset=None)]).eval()
    images = rng.random((4, 4, 2, 9, 8)) < rng.random() / 2
    agrees(network, Input(144, 4, Spikes(once=False), shape=(2, 9, 8)), images.reshape(4, 4, -1), images)


def test_pooling_behind_the_input_and_before_a_neuron() -> None:
    rng = np.random.default_rng(1)
    network = nn.Sequential(layer.AvgPool2d(2), neuron.IFNode(v_threshold=0.5, v_reset=None),
                            layer.MaxPool2d(2), neuron.IFNode(v_threshold=2.0, v_reset=None))
    images = rng.random((6, 5, 2, 8, 8)) < 0.4
    agrees(network, Input(128, 5, Spikes(once=False), shape=(2, 8, 8)), images.reshape(6, 5, -1), images)


def test_a_network_that_ends_in_weights_is_read_by_its_sum() -> None:
    rng = np.random.default_rng(1)
    network = nn.Sequential(on_grid(layer.Linear(12, 9), rng), neuron.IFNode(v_threshold=2.0),
                            on_grid(layer.Linear(9, 5), rng))
    images = rng.random((10, 5, 12)) < 0.4
    made = import_spikingjelly(network, Input(12, 5, Spikes(once=False)), images=images)
    assert made.network.readout is Readout.POTENTIAL and made.report.exact
    total = simulated(network, images, "m").sum(1)
    potentials = np.stack([golden.run(made.network, image).layers[-1].potential for image in images])
    np.testing.assert_array_equal(potentials, total)


def test_soft_and_hard_reset_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    for v_reset, reset in ((None, Reset.SUBTRACT), (0.0, Reset.TO)):
        network = nn.Sequential(on_grid(layer.Linear(12, 9), rng), neuron.IFNode(3.0, v_reset))
        made = import_spikingjelly(network, Input(12, 5, Spikes(once=False)))
        assert made.network.layers[0].reset is reset


@pytest.mark.parametrize(("module", "sentence"), [
    (lambda: neuron.LIFNode(tau=3.0), r"1 \(LIFNode\): its potential decays by the factor 0.666667.*is 0.75"),
    (lambda: neuron.ParametricLIFNode(), r"1 \(ParametricLIFNode\): there is no exact form of it"),
    (lambda: neuron.IFNode(v_threshold=1.0, v_reset=2.0), r"1 \(IFNode\): its threshold must be above 0"),
    (lambda: layer.SynapseFilter(), r"1 \(SynapseFilter\): there is no exact form of it"),
])
def test_what_cannot_be_taken_is_named(module, sentence: str) -> None:
    network = nn.Sequential(layer.Linear(6, 4), module())
    with pytest.raises(ValueError, match=f"^the network cannot be taken exactly: .*{sentence}"):
        import_spikingjelly(network, Input(6, 4, Spikes(once=False)))


def test_spikingjelly_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spikingjelly.activation_based.layer", None)
    with pytest.raises(FirstspikeError, match="importing from SpikingJelly needs spikingjelly: pip install"):
        import_spikingjelly(nn.Sequential(), Input(6, 4, Spikes(once=False)))


def test_hooks_are_refused() -> None:
    network = nn.Sequential(layer.Linear(6, 4), neuron.IFNode())
    network[0].register_forward_hook(lambda *args: None)
    with pytest.raises(ValueError, match=r"0 \(Linear\): it has hooks"):
        import_spikingjelly(network, Input(6, 4, Spikes(once=False)))


def test_the_users_modules_are_left_as_they_were() -> None:
    network = nn.Sequential(layer.Linear(6, 4), neuron.IFNode())
    before = [(type(module), module.weight.clone()) for module in network if hasattr(module, "weight")]
    import_spikingjelly(network, Input(6, 4, Spikes(once=False)), weights="sign")
    assert type(network[0]) is layer.Linear and torch.equal(network[0].weight, before[0][1])
