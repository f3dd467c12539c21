"""Grids of weights, codes, sources and drafts: integers, and the same as the golden model's."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import (  # noqa: E402
    Fires,
    batched,
    golden,
)
from firstspike.quantize.convert import codes, encoded_input  # noqa: E402
from firstspike.quantize.convert.conversion import best_unit  # noqa: E402
from firstspike.quantize.convert.grid import on_grid, steps  # noqa: E402
from firstspike.quantize.convert.rounding import round_network  # noqa: E402
from firstspike.quantize.convert.settings import Settings  # noqa: E402
from firstspike.quantize.convert.t2fsnn import exponential  # noqa: E402
from firstspike.quantize.schedules import powers_of_two  # noqa: E402
from torch import nn  # noqa: E402


@pytest.mark.parametrize(("bits", "expected"), [
    (1, [-1, -1, 1, 1, 1, 1]), (2, [-1, -1, 0, 0, 1, 1]), (3, [-3, -1, 0, 0, 1, 3]),
    (8, [-9, -1, 0, 0, 1, 9])])
def test_on_grid(bits, expected):
    weight = torch.tensor([[-9.0, -0.8, 0.0, 0.4, 0.8, 9.0]], requires_grad=True)
    found = on_grid(weight, torch.ones(1, 1), bits)
    assert found.tolist() == [expected]
    found.sum().backward()
    inside = {1: 2.0, 2: 1.5, 3: 3.5, 8: 127.5}[bits]
    assert weight.grad.tolist() == [[float(abs(value) <= inside) for value in (9, 0.8, 0, 0.4, 0.8, 9)]]


def test_gradients_are_of_the_real_weights():
    weight = torch.tensor([[0.5, -0.25]], requires_grad=True)
    on_grid(weight, torch.full((1, 1), 0.25), 8).sum().backward()
    assert weight.grad.tolist() == [[4.0, 4.0]]


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_weights_on_a_grid_are_kept(bits):
    """Each row has a grid of its own, or one for all."""
    most = (1 << (bits - 1)) - 1
    generator = torch.Generator().manual_seed(bits)
    whole = torch.randint(-most, most + 1, (6, 30), generator=generator).float()
    whole[:, 0], whole[:, 1] = 1, -most
    scale = torch.rand(6, 1, generator=generator) + 0.1
    step = steps(whole * scale, bits, together=False)
    torch.testing.assert_close(step, scale, rtol=1e-5, atol=0)
    assert torch.equal(on_grid(whole * scale, step, bits), whole)
    step = steps(whole * 0.37, bits, together=True)
    assert step.shape == (1, 1)
    assert torch.equal(on_grid(whole * 0.37, step, bits), whole)


def test_signs_are_kept_with_their_size():
    weight = torch.tensor([[0.3, -0.3, -0.3], [2.0, 2.0, -2.0]])
    assert steps(weight, 1, together=False).flatten().tolist() == pytest.approx([0.3, 2.0])
    mixed = torch.tensor([[1.0, 0.0, -0.5]])
    assert steps(mixed, 1, together=False).item() == 0.5
    assert on_grid(mixed, torch.ones(1, 1), 1).tolist() == [[1, 1, -1]]


def test_steps_have_the_least_error_of_those_tried():
    weight = torch.randn(1, 200, generator=torch.Generator().manual_seed(1))
    weight[0, 7] = 9

    def error(step):
        return float((on_grid(weight, step, 3) * step - weight).square().mean())

    assert 0 < error(steps(weight, 3, together=False)) < 0.8 * error(torch.full((1, 1), 3.0))


def test_rows_of_nothing():
    weight = torch.zeros(2, 3)
    assert torch.equal(on_grid(weight, steps(weight, 4, together=False), 4), weight)


CODES = {
    "linear": lambda: codes.linear(6, nearest=True), "linear down": lambda: codes.linear(6, nearest=False),
    "binary": lambda: codes.binary(4, nearest=True),
    "table": lambda: codes.table(exponential(7, 2.5), nearest=False),
    "two": lambda: codes.table(powers_of_two(5), nearest=True),
    "rate": lambda: codes.rate(5, 0.5), "rate from 0": lambda: codes.rate(1, 0.0),
}


@pytest.mark.parametrize("name", CODES)
def test_nearest_is_what_a_neuron_passes_on(name):
    """One neuron that hears its value at once, or evenly: fire() and nearest() agree."""
    code = CODES[name]()
    values = torch.arange(-300, 9000, 7).double()
    unit, scale = (100.0, 100) if code.passes is None else (6.0, 6)
    threshold = torch.tensor([round(code.share * scale)]).double()
    share = float(threshold) / scale
    code = codes.Code(code.window, code.phase, code.fires, code.schedule, code.passes, share, code.lead)
    if code.passes is None:
        even = values.expand(code.window, 1, len(values)) / code.window
        given = code.fire(even.transpose(1, 2), code.lead * threshold, threshold).mean(dim=0)
    else:
        given = code.fire(values[:, None], code.lead * threshold, threshold)
    heard = values / code.window if code.passes is None else values
    torch.testing.assert_close(given[:, 0] * unit, code.nearest(heard, unit), rtol=0, atol=1e-9)
    assert given.max() == (1 if code.passes is None else code.top)


def test_gradient_of_a_level():
    code = codes.linear(4, nearest=False)
    sums = torch.tensor([[-5.0, 5.0, 19.0, 50.0]], requires_grad=True)
    threshold = torch.full((4,), 10.0, requires_grad=True)
    code.fire(sums, torch.zeros(4), threshold).sum().backward()
    torch.testing.assert_close(sums.grad, torch.tensor([[0, 0.1, 0.1, 0]]))
    torch.testing.assert_close(threshold.grad, torch.tensor([0, -0.05, -0.19, 0]))


def test_gradient_of_a_spike():
    """A slope of 1 in thresholds, half a threshold to each side."""
    code = codes.rate(1, 0.5)
    sums = torch.tensor([[[-1.0, 1.0, 4.0, 6.0, 9.0, 12.0]]], requires_grad=True)
    spikes = code.fire(sums, torch.full((6,), 5.0), torch.full((6,), 10.0))
    assert spikes.flatten().tolist() == [0, 0, 0, 1, 1, 1]
    spikes.sum().backward()
    torch.testing.assert_close(sums.grad.flatten(), torch.tensor([0, 0.1, 0.1, 0.1, 0.1, 0]))


def test_best_unit_is_the_best_of_those_tried():
    values = torch.cat([torch.linspace(0, 4, 400), torch.tensor([40.0])]).double()
    code = codes.linear(8, nearest=True)
    unit, error = best_unit(values, code)
    for other in np.linspace(0.1, 5, 30):
        assert error <= float((code.nearest(values, float(other)) - values).square().mean()) * 1.1
    assert unit < 5
    assert best_unit(torch.zeros(5), code) == (1.0, 0.0)


@pytest.mark.parametrize(("made", "most"), [
    (lambda: encoded_input.latency((4,), 256, np.arange(16, 0, -1)), 0.5 / 16 + 1e-9),
    (lambda: encoded_input.latency((4,), 17, np.arange(16, 0, -1)), 0),
    (lambda: encoded_input.latency((1, 2, 2), 256, exponential(12, 3.0)), 0.15),
    (lambda: encoded_input.direct((4,), 256, None), 0), (lambda: encoded_input.direct((4,), 100, 3), 0),
    (lambda: encoded_input.bits((4,), 256), 0), (lambda: encoded_input.bits((4,), 9), 0),
])
def test_sources_say_what_the_golden_model_hears(made, most):
    """The amounts are what the kernel makes of the spikes; the rounding is what is stated."""
    made = made()
    levels = np.random.default_rng(1).integers(0, made.input.levels, (50, 4))
    spikes = np.stack([golden.encode(made.input, image) for image in levels])
    amounts = made.amounts(levels).numpy()
    if made.heard.online is None:
        np.testing.assert_array_equal(np.einsum("cti,t->ci", spikes, made.heard.kernel), amounts)
    else:
        np.testing.assert_array_equal(spikes.transpose(1, 0, 2), amounts)
        amounts = amounts[0]
    assert made.rounding <= most
    highest = made.input.levels - 1
    assert np.abs(amounts * made.heard.unit - levels).max() <= made.rounding * highest + 1e-9


NETWORKS = {
    "dense": (lambda: nn.Sequential(nn.Linear(30, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Linear(20, 15),
                                    nn.ReLU(), nn.Linear(15, 6)), (30,)),
    "average": (lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2, padding=(1, 0), groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 5)),
        (1, 6, 6)),
    "maximum": (lambda: nn.Sequential(
        nn.Conv2d(1, 4, 2, dilation=2, padding="same"), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(36, 5)), (1, 6, 6)),
}
WAYS = [
    ("relu", {}), ("relu", {"window": 5, "encoding": "bits", "rounding": "down"}), ("t2fsnn", {}),
    ("t2fsnn", {"kernel": "two", "window": 6}), ("fs", {}), ("qcfs", {}), ("qcfs", {"readout": "count"}),
    ("opi", {"window": 2}), ("qcfs", {"window": 1}),
]
EXACT_MAXIMUM = [way for way in WAYS if way[0] in ("relu", "t2fsnn") or way[1].get("window") == 1]


@pytest.mark.parametrize("bits", [1, 3, 8])
@pytest.mark.parametrize(("name", "to", "settings"), [
    (name, *way) for name in NETWORKS for way in (EXACT_MAXIMUM if name == "maximum" else WAYS)], ids=str)
def test_drafts_are_the_golden_model(name, to, settings, bits):
    """Every spike and every potential, of every kind of network, code and weight."""
    make_network, shape = NETWORKS[name]
    torch.manual_seed(1)
    images = np.random.default_rng(2).integers(0, 256, (40, int(np.prod(shape))))
    made = round_network(make_network().eval(), to, images, shape, Settings(bits=bits, **settings))
    network = made.network()
    assert all(synapse.weight_bits <= bits for layer in network.layers for synapse in layer.synapses)
    found = batched.run(network, images)
    amounts = made.input.amounts(images)
    for index, (layer, trace) in enumerate(zip(network.layers, found.layers, strict=True)):
        draft = made.rounded.layers[index]
        with torch.no_grad():
            sums = draft.sums(amounts).numpy()
            amounts = draft(amounts)
        if layer.fires is Fires.NEVER:
            total = sums if sums.ndim == 2 else sums.sum(axis=0)
            np.testing.assert_array_equal(trace.potential, total)
        elif sums.ndim == 2:
            np.testing.assert_array_equal(np.einsum("ctn,t->cn", trace.spikes, draft.code.schedule),
                                          amounts.numpy())
        else:
            np.testing.assert_array_equal(trace.spikes.transpose(1, 0, 2), amounts.numpy())
    for image, label in zip(images[:3], found.label, strict=False):
        assert golden.run(network, image).label == label
