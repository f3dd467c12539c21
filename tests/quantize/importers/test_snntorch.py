"""Networks of snnTorch against snnTorch's own simulation, spike for spike."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="importing from snnTorch needs torch")
snntorch = pytest.importorskip("snntorch", reason="snntorch is not installed (pip install -e '.[dev]')")

from firstspike.errors import FirstspikeError  # noqa: E402
from firstspike.network import (  # noqa: E402
    Direct,
    Input,
    Reset,
    Spikes,
    golden,
)
from firstspike.quantize.importers.finest import finest  # noqa: E402
from firstspike.quantize.importers.snntorch import import_snntorch  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

SEEDS = st.integers(0, 2**32 - 1)


def on_grid(module: nn.Module, rng: np.random.Generator, unit: float = 1.0) -> nn.Module:
    """``module`` with small integers, times ``unit``, for weights and bias."""
    with torch.no_grad():
        for parameter in module.parameters():
            whole = rng.integers(-3, 4, tuple(parameter.shape))
            parameter.copy_(torch.tensor(whole * unit))
    return module


def leaky(**settings) -> nn.Module:
    """A Leaky that keeps its state, as in an nn.Sequential."""
    return snntorch.Leaky(init_hidden=True, **settings)


def simulated(network: nn.Sequential, steps: np.ndarray) -> np.ndarray:
    """What ``network`` gives, ``(count, window, neurons)``, for ``steps``, ``(count, window, ...)``."""
    for module in network.modules():
        if isinstance(module, snntorch.Leaky):
            module.reset_mem()
    with torch.no_grad():
        given = [network(torch.tensor(steps[:, step], dtype=torch.float32)) for step in range(steps.shape[1])]
    return torch.stack(given, 1).flatten(2).numpy()


def spikes_of(network, images: np.ndarray) -> np.ndarray:
    """What the last layer fires, by the golden model."""
    return np.stack([golden.run(network, image).layers[-1].spikes for image in images])


def agrees(network: nn.Sequential, input: Input, images: np.ndarray, steps: np.ndarray, **more) -> None:
    """Hold the imported network's last layer against snnTorch on ``images``, and the report against both."""
    made = import_snntorch(network, input, images=images, **more)
    assert made.report.exact, str(made.report)
    assert made.report.measured is not None and made.report.measured.changed == 0
    want = simulated(network, steps) != 0
    have = spikes_of(made.network, images)
    np.testing.assert_array_equal(have, want)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([
    {"beta": 1.0}, {"beta": 0.5}, {"beta": 1.0, "reset_mechanism": "zero"},
    {"beta": 0.5, "reset_mechanism": "zero"},
    {"beta": 0.75, "reset_mechanism": "zero", "reset_delay": False}, {"beta": 0.0, "reset_mechanism": "zero"},
    {"beta": 0.5, "reset_mechanism": "none"}, {"beta": 1.0, "graded_spikes_factor": 2.0},
]), st.sampled_from([1.0, 0.125]), st.booleans())
def test_dense_networks_spike_for_spike(seed: int, neuron: dict, unit: float, bias: bool) -> None:
    rng = np.random.default_rng(seed)
    first, second = (float(unit * rng.integers(1, 20) / 2) for _ in range(2))
    network = nn.Sequential(
        on_grid(nn.Linear(12, 9, bias=bias), rng, unit), leaky(threshold=first, **neuron),
        on_grid(nn.Linear(9, 5, bias=bias), rng, unit), leaky(threshold=second, **neuron))
    images = rng.random((6, 5, 12)) < rng.random()
    agrees(network, Input(12, 5, Spikes(once=False)), images, images)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([nn.AvgPool2d(2), nn.MaxPool2d(2), nn.MaxPool2d((2, 3), 1), nn.Identity()]),
       st.integers(1, 2))
def test_convolutional_networks_spike_for_spike(seed: int, pool: nn.Module, stride: int) -> None:
    rng = np.random.default_rng(seed)
    network = nn.Sequential(
        on_grid(nn.Conv2d(2, 4, 3, padding=1, stride=stride), rng), leaky(beta=1.0, threshold=4.0),
        nn.Sequential(pool, on_grid(nn.Conv2d(4, 4, 2, groups=2, bias=False), rng)),
        leaky(beta=1.0, threshold=torch.tensor(3.0)), nn.Flatten(), nn.Dropout())
    with torch.no_grad():
        size = network.eval()(torch.zeros(1, 2, 9, 8)).numel()
    network.extend([on_grid(nn.Linear(size, 3), rng), leaky(beta=1.0, threshold=5.0)]).eval()
    images = rng.random((4, 4, 2, 9, 8)) < rng.random() / 2
    agrees(network, Input(144, 4, Spikes(once=False), shape=(2, 9, 8)), images.reshape(4, 4, -1), images)


def test_batch_normalisation_is_folded() -> None:
    rng = np.random.default_rng(4)
    norm = nn.BatchNorm2d(3, eps=0.0)
    with torch.no_grad():
        norm.running_mean.copy_(torch.tensor([1.0, -2.0, 3.0]))
        norm.running_var.copy_(torch.tensor([4.0, 0.25, 1.0]))
        norm.weight.copy_(torch.tensor([1.0, -0.5, 2.0]))
        norm.bias.copy_(torch.tensor([0.5, 1.0, 0.0]))
    network = nn.Sequential(on_grid(nn.Conv2d(1, 3, 3), rng), norm, leaky(beta=1.0, threshold=2.0)).eval()
    images = rng.random((5, 4, 1, 6, 6)) < 0.4
    agrees(network, Input(36, 4, Spikes(once=False), shape=(1, 6, 6)), images.reshape(5, 4, -1), images)


def test_levels_come_as_they_are_in_every_step() -> None:
    rng = np.random.default_rng(4)
    network = nn.Sequential(on_grid(nn.Linear(6, 4), rng), leaky(beta=1.0, threshold=3.0))
    images = rng.integers(0, 16, (5, 6))
    steps = np.repeat(images[:, None] / 16, 4, axis=1)
    agrees(network, Input(6, 4, Direct(16)), images, steps, level=1 / 16)


def test_a_threshold_for_each_neuron() -> None:
    rng = np.random.default_rng(4)
    neurons = leaky(beta=1.0, threshold=torch.tensor([1.0, 2.0, 3.0, 4.0]))
    network = nn.Sequential(on_grid(nn.Linear(6, 4), rng), neurons)
    images = rng.random((5, 4, 6)) < 0.5
    agrees(network, Input(6, 4, Spikes(once=False)), images, images)


def test_names_are_those_of_the_modules() -> None:
    from collections import OrderedDict
    rng = np.random.default_rng(4)
    network = nn.Sequential(OrderedDict(fc=on_grid(nn.Linear(6, 4), rng), lif=leaky(beta=1.0, threshold=3.0)))
    made = import_snntorch(network, Input(6, 4, Spikes(once=False)))
    assert made.network.names == ("lif",) and made.report.layers[0].place == "lif (Leaky)"
    assert made.report.tool.startswith("snnTorch 1") and made.network.layers[0].reset is Reset.SUBTRACT


def again(network: nn.Sequential, images: np.ndarray, **more):
    return import_snntorch(network, Input(6, 6, Spikes(once=False)), images=images, **more)


def test_the_second_reset_is_exact_below_twice_the_threshold_and_refused_above() -> None:
    """Without delay snnTorch resets a potential that is still above the threshold before it compares."""
    rng = np.random.default_rng(4)
    images = rng.random((40, 6, 6)) < 0.6
    below = nn.Sequential(nn.Linear(6, 4, bias=False), leaky(beta=1.0, threshold=6.0, reset_delay=False))
    with torch.no_grad():
        below[0].weight.copy_(torch.tensor(rng.choice([-1.0, 1.0], (4, 6))))
    agrees(below, Input(6, 6, Spikes(once=False)), images, images)
    above = nn.Sequential(nn.Linear(6, 4, bias=False), leaky(beta=0.5, threshold=2.0, reset_delay=False))
    above[0].weight = below[0].weight
    with pytest.raises(ValueError, match=r"1 \(Leaky\): where a potential passes twice the threshold"):
        again(above, images)
    made = again(above, images, approximate=True)
    assert made.report.layers[0].remarks == ("a second reset before the threshold, which is left out",)
    want = simulated(above, images) != 0
    assert (want != spikes_of(made.network, images)).any()
    assert made.report.measured is not None and not made.report.exact
    assert made.report.measured.loss is None  # no integers reset twice, and nothing is claimed
    assert "not known of 40 images: no integers say what was before" in str(made.report)


@pytest.mark.parametrize(("module", "sentence"), [
    (lambda: leaky(beta=0.0), r"1 \(Leaky\): its reset is delayed by a step .*beta 0\); give a beta above 0"),
    (lambda: leaky(beta=0.9, reset_mechanism="zero"), r"decays by the factor 0.9.*nearest is 0.875"),
    (lambda: snntorch.Synaptic(alpha=0.5, beta=0.5), r"1 \(Synaptic\): there is no exact form of it"),
    (lambda: snntorch.Lapicque(beta=0.5), r"1 \(Lapicque\): there is no exact form of it"),
    (lambda: nn.Tanh(), r"1 \(Tanh\): there is no exact form of it"),
    (lambda: snntorch.Leaky(beta=1.0, state_quant=lambda x: x), "state_quant rounds its potential"),
])
def test_what_cannot_be_taken_is_named(module, sentence: str) -> None:
    network = nn.Sequential(nn.Linear(6, 4), module())
    with pytest.raises(ValueError, match=f"^the network cannot be taken exactly: .*{sentence}"):
        import_snntorch(network, Input(6, 4, Spikes(once=False)))


def test_every_module_that_cannot_be_taken_is_named() -> None:
    network = nn.Sequential(nn.Linear(6, 4), leaky(beta=0.0), nn.Sequential(nn.Linear(4, 4), nn.GELU()))
    with pytest.raises(ValueError, match=r"1 \(Leaky\): .*; 2.1 \(GELU\): "):
        import_snntorch(network, Input(6, 4, Spikes(once=False)))


def test_two_weights_without_a_neuron_between_are_refused() -> None:
    network = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 4), leaky(beta=1.0))
    with pytest.raises(ValueError, match=r"1 \(Linear\): no neuron stands between it and the weights"):
        import_snntorch(network, Input(6, 4, Spikes(once=False)))


def test_a_neuron_with_one_state_for_two_places_is_refused() -> None:
    shared = leaky(beta=1.0)
    network = nn.Sequential(nn.Linear(6, 4), shared, nn.Linear(4, 4), shared)
    with pytest.raises(ValueError, match=r"3 \(Leaky\): it stands at two places with one state"):
        import_snntorch(network, Input(6, 4, Spikes(once=False)))


@pytest.mark.parametrize("beta", [0.75, 0.875])
def test_a_delayed_reset_that_is_no_binary_fraction_is_rounded_and_told(beta: float) -> None:
    """Subtracting 4/3 of the threshold before the leak is subtracting the threshold behind it."""
    rng = np.random.default_rng(4)
    network = nn.Sequential(on_grid(nn.Linear(12, 9), rng), leaky(beta=beta, threshold=2.53))
    images = rng.random((60, 6, 12)) < 0.4
    made = import_snntorch(network, Input(12, 6, Spikes(once=False)), images=images)
    rounding = made.report.layers[0]
    assert 0 < rounding.neuron < 0.001 and not rounding.exact and not rounding.changed
    want = simulated(network, images) != 0
    before = finest(made.origin)
    assert before is not None
    np.testing.assert_array_equal(spikes_of(before, images), want)
    have = spikes_of(made.network, images)
    assert made.report.measured is not None
    assert made.report.measured.changed == (want != have).sum() < want.sum() / 500


def test_snntorch_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snntorch", None)
    with pytest.raises(FirstspikeError, match="importing from snnTorch needs snntorch: pip install snntorch"):
        import_snntorch(nn.Sequential(), Input(6, 4, Spikes(once=False)))


def test_real_weights_are_rounded_and_measured() -> None:
    torch.manual_seed(1)
    rng = np.random.default_rng(4)
    network = nn.Sequential(nn.Linear(30, 20), leaky(beta=1.0, threshold=0.3),
                            nn.Linear(20, 4), leaky(beta=1.0))
    images = rng.random((50, 8, 30)) < 0.3
    losses = {}
    for bits in (2, 8):
        made = import_snntorch(network, Input(30, 8, Spikes(once=False)), images=images, weights="integer",
                               bits=bits)
        assert not made.report.exact and made.report.measured is not None
        losses[bits] = made.report.measured.changed
        want = simulated(network, images) != 0
        have = spikes_of(made.network, images)
        assert (want != have).mean() < (0.02 if bits == 8 else 0.3)
    assert losses[8] < losses[2]
