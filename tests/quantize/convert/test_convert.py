"""fs.convert: what it takes and refuses, its report, fine-tuning, and what it leaves in the network."""

import copy
import re

import firstspike as fs
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import batched  # noqa: E402
from firstspike.quantize.convert.calibrated_rates import STARTS, THRESHOLDS  # noqa: E402
from firstspike.quantize.convert.finetune import loss_of  # noqa: E402
from firstspike.quantize.convert.float_network import scores  # noqa: E402
from firstspike.quantize.convert.qcfs import ClipFloorShift  # noqa: E402
from firstspike.quantize.convert.rounding import round_network  # noqa: E402
from firstspike.quantize.convert.settings import Settings  # noqa: E402
from firstspike.quantize.data.idx import Images  # noqa: E402
from torch import nn  # noqa: E402


def blobs(count, seed=0):
    """Images of 16 levels in 6 by 6 pixels around one of five patterns, and which."""
    generator = np.random.default_rng(7)
    patterns = generator.integers(0, 16, (5, 36))
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 5, count)
    noise = generator.integers(-10, 11, (count, 36))
    return np.clip(patterns[labels] + noise, 0, 15), labels


def trained(network, steps=150):
    """The network, trained on the patterns."""
    levels, labels = blobs(2000, seed=1)
    images = torch.tensor(levels).float() / 15
    images = images.view(-1, 1, 6, 6)
    torch.manual_seed(2)
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(steps):
        chosen = torch.randint(0, 2000, (64,))
        loss = nn.functional.cross_entropy(network(images[chosen]), torch.tensor(labels[chosen]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


@pytest.fixture(scope="module")
def dense():
    torch.manual_seed(1)
    return trained(nn.Sequential(nn.Flatten(), nn.Linear(36, 24), nn.BatchNorm1d(24), nn.ReLU(),
                                 nn.Dropout(0.1), nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 5)))


@pytest.fixture(scope="module")
def planes():
    torch.manual_seed(1)
    return trained(nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.AvgPool2d(2),
                                 nn.Flatten(), nn.Linear(54, 5)))


@pytest.mark.parametrize("to", ["relu", "t2fsnn", "fs", "qcfs", "opi"])
@pytest.mark.parametrize("kind", ["dense", "planes"])
def test_the_report_is_what_the_golden_model_does(kind, to, request):
    module = request.getfixturevalue(kind)
    before = copy.deepcopy(module.state_dict())
    levels, labels = blobs(400)
    converted = fs.convert(module, to, levels.reshape(-1, 6, 6), labels=labels, levels=16, bound=0.02)
    report, network = converted.report, converted.network
    found = batched.run(network, levels)
    with torch.no_grad():
        own = module(torch.tensor(levels).float().view(-1, 1, 6, 6) / 15).argmax(1).numpy()
    assert (report.images, report.trained, report.to) == (400, 0, to)
    assert report.agreement == np.mean(found.label == own)
    assert report.accuracy == np.mean(found.label == labels)
    assert report.float_accuracy == np.mean(own == labels)
    assert report.float_accuracy > 0.95
    assert report.loss == report.float_accuracy - report.accuracy
    assert report.within and report.loss <= 0.02
    assert [layer.spikes for layer in report.layers] == list(found.mean_spikes[1:])
    assert [layer.neurons for layer in report.layers] == [layer.size for layer in network.layers]
    assert report.layers[0].place == ("1 (Linear)" if kind == "dense" else "0 (Conv2d)")
    assert all(layer.weights == "integer" and layer.bits <= 8 for layer in report.layers)
    assert all(0 < layer.weight_rounding < 0.02 for layer in report.layers)
    assert all(layer.threshold_rounding <= 1 / 64 for layer in report.layers)
    assert all(0 < layer.mean_error < 0.5 for layer in report.layers)
    assert report.layers[0].mean_error < 0.02 + 2 * report.input_rounding
    notes = network.provenance
    assert (notes["conversion"], notes["settings"]) == (to, {"levels": 16})
    assert notes["measured"]["agreement"] == pytest.approx(report.agreement, rel=1e-5)
    assert [notes[layer.name]["place"] for layer in report.layers] == [layer.place for layer in report.layers]
    assert network.calibration["mean_spikes"] == pytest.approx(found.mean_spikes, abs=1e-3)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_potentials_that_are_off_by_nothing(dense):
    """Without rounding the report says so: whole weights, units that fit, input that is exact."""
    with torch.no_grad():
        plain = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)).double()
        for layer in (plain[0], plain[2]):
            layer.weight.copy_(torch.randint(-3, 4, layer.weight.shape))
            layer.weight[:, 0] = 1
            layer.bias.copy_(torch.randint(-3, 4, layer.bias.shape))
    levels = np.random.default_rng(1).integers(0, 9, (50, 6))
    converted = fs.convert(plain, "fs", levels, levels=9, scale=1.0, units=[1], window=8, correct=False)
    report = converted.report
    assert report.float_accuracy is None and report.accuracy is None
    assert (report.agreement, report.loss, report.input_rounding) == (1.0, 0.0, 0.0)
    for layer in report.layers:
        assert layer.weight_rounding < 1e-12 and layer.threshold_rounding == layer.bias_rounding == 0
        assert layer.mean_error < 1e-12 and layer.largest_error < 1e-12


def test_the_same_call_gives_the_same_network(dense):
    levels, labels = blobs(200)

    def digest(seed):
        return fs.convert(dense, "qcfs", levels, labels=labels, levels=16, shape=(1, 6, 6), bits=2,
                          finetune=1, batch=32, seed=seed).network.digest

    assert digest(1) == digest(1) != digest(2)


def test_images_with_labels_and_their_shape(planes):
    levels, labels = blobs(100)
    images = Images(levels.astype(np.uint8), labels, (6, 6), "blobs")
    assert fs.convert(planes, "fs", images, levels=16).report.accuracy is not None
    with pytest.raises(ValueError, match=r"it takes 1 channels of pixels, and what comes is 36 features"):
        fs.convert(planes, "fs", levels, levels=16)
    assert fs.convert(planes, "fs", levels, shape=(1, 6, 6), levels=16).network.input.shape == (1, 6, 6)


def signs(module, to, levels, labels, **settings):
    """Converted to weights of one bit, measured on the last 300 images."""
    if not settings.get("finetune"):
        levels, labels = levels[-300:], None if labels is None else labels[-300:]
    return fs.convert(module, to, levels, labels=labels, levels=16, shape=(1, 6, 6), bits=1, **settings)


@pytest.mark.parametrize(("to", "settings", "training"), [
    ("relu", {}, {}), ("t2fsnn", {"kernel": "two"}, {}), ("fs", {}, {}), ("qcfs", {"window": 2}, {}),
    ("qcfs", {"window": 1, "readout": "count"}, {}), ("opi", {"window": 2}, {"loss": "tet"}),
    ("qcfs", {"window": 2}, {"loss": "tet", "consistency": 0.5})])
def test_fine_tuning_brings_signs_back(planes, to, settings, training):
    """One bit a weight loses much; a few passes through the rounding win some of it back."""
    levels, labels = blobs(1500)
    plain = signs(planes, to, levels, labels, **settings)
    progress = []
    tuned = signs(planes, to, levels, labels, finetune=6, batch=32, progress=progress.append, **settings,
                  **training)
    assert (tuned.report.images, tuned.report.trained) == (300, 1200)
    assert {synapse.weight_kind for layer in tuned.network.layers for synapse in layer.synapses} == {"sign"}
    assert tuned.report.float_accuracy == plain.report.float_accuracy
    assert tuned.report.accuracy > plain.report.accuracy + 0.02
    assert [now.epoch for now in progress] == sorted(now.epoch for now in progress)
    assert (progress[-1].epoch, progress[-1].batch, progress[-1].batches) == (6, 37, 37)
    assert progress[-1].loss < progress[36].loss


def test_fine_tuning_without_labels_follows_the_scores(planes):
    levels, _ = blobs(1500)
    plain = signs(planes, "relu", levels, None)
    tuned = signs(planes, "relu", levels, None, finetune=6, batch=32)
    assert plain.report.accuracy is tuned.report.accuracy is None
    assert tuned.report.agreement > plain.report.agreement + 0.02


def test_loss_of_each_step():
    """TET is the mean of the steps' own losses; steps that agree cost no consistency."""
    steps = torch.tensor([[[2.0, 0.0]], [[0.0, 2.0]]])
    wanted, labels = torch.zeros(1, 2), torch.tensor([0])

    def cost(scores):
        entropy = nn.functional.cross_entropy(scores, labels)
        return entropy + nn.functional.kl_div(scores.log_softmax(-1), wanted.softmax(-1),
                                              reduction="batchmean")

    together = loss_of(steps, wanted, labels, each=False, consistency=0)
    each = loss_of(steps, wanted, labels, each=True, consistency=0)
    torch.testing.assert_close(together, cost(steps.mean(0)))
    torch.testing.assert_close(each, (cost(steps[0]) + cost(steps[1])) / 2)
    priced = loss_of(steps, wanted, labels, each=False, consistency=2.0)
    even = torch.log(torch.tensor([0.5, 0.5]))
    apart = nn.functional.kl_div(steps[0].log_softmax(-1), even.exp()[None], reduction="batchmean")
    torch.testing.assert_close(priced, together + 2 * apart)
    same = steps[:1].expand(2, 1, 2)
    torch.testing.assert_close(loss_of(same, wanted, labels, each=False, consistency=5.0), cost(steps[0]))


def test_opi_takes_thresholds_and_starts_that_fit_the_spikes(dense):
    """On the images that it saw, no choice of one for a layer would have been nearer to its activations."""
    levels, _ = blobs(150)
    opi, qcfs = (round_network(dense, to, levels, (1, 6, 6), Settings(levels=16)) for to in ("opi", "qcfs"))
    amounts = {"opi": opi.input.amounts(levels), "qcfs": qcfs.input.amounts(levels)}
    values = levels.astype(float)
    wanted = []
    for index in range(2):
        _, values = opi.float_layer(index, values)
        wanted.append(torch.as_tensor(values))
    layers = {"opi": opi.rounded.layers[0], "qcfs": qcfs.rounded.layers[0]}
    with torch.no_grad():
        errors = {name: float((layer(amounts[name]).mean(0) * layer.unit - wanted[0]).square().mean())
                  for name, layer in layers.items()}
    assert errors["opi"] <= errors["qcfs"]
    assert all(layer.code.lead in STARTS for layer in opi.rounded.layers[:2])
    factor = layers["opi"].unit / layers["qcfs"].unit
    assert min(abs(factor - tried) for tried in THRESHOLDS) < 1e-12
    with torch.no_grad():
        heard = layers["opi"](amounts["opi"])
        layer, goal = opi.rounded.layers[1], wanted[1]
        chosen = float((layer(heard).mean(0) * layer.unit - goal).square().mean())
        for start in STARTS:
            layer.code = layer.code.led(start)
            assert chosen <= float((layer(heard).mean(0) * layer.unit - goal).square().mean())


def test_a_trained_threshold_is_taken_as_it_is():
    network = nn.Sequential(nn.Linear(4, 3), ClipFloorShift(4, 2.5), nn.Linear(3, 2)).eval()
    levels = np.random.default_rng(1).integers(0, 256, (30, 4))
    made = round_network(network, "qcfs", levels, (4,), Settings(window=4))
    assert made.rounded.layers[0].unit == 2.5
    assert round_network(network, "relu", levels, (4,), Settings(window=4)).rounded.layers[0].unit == 2.5 / 4
    with torch.no_grad():
        network[1].threshold.fill_(-1)
    with pytest.raises(ValueError, match=r"1 \(ClipFloorShift\): its threshold must be above 0, not -1.0"):
        round_network(network, "qcfs", levels, (4,), Settings(window=4))


def test_values_on_the_edge_of_an_activation_s_steps():
    """Rounding alone puts some on the other side; that is no other network."""
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(16, 64), ClipFloorShift(4, 1.0), nn.Linear(64, 64),
                            ClipFloorShift(4, 1.0), nn.Linear(64, 4)).eval()
    with torch.no_grad():
        network[0].weight.mul_(8).round_().div_(8)  # many values are steps, but for their rounding
        network[0].bias.zero_()
    levels = np.random.default_rng(1).integers(0, 11, (1000, 16))
    settings = Settings(levels=11, window=4, encoding="direct")
    single = scores(network, levels, (16,), settings)
    double = scores(copy.deepcopy(network).double(), levels, (16,), settings)
    assert np.abs(single - double).max() > 1e-3 * np.abs(double).max()
    round_network(network, "relu", levels, (16,), settings)


def test_clip_floor_shift():
    activation = ClipFloorShift(2, 4.0)
    values = torch.tensor([-1.0, 0.9, 1.0, 2.9, 3.0, 9.0], requires_grad=True)
    given = activation(values)
    assert given.tolist() == [0, 0, 2, 2, 4, 4]
    given.sum().backward()
    assert values.grad.tolist() == [0, 1, 1, 1, 1, 0]
    assert activation.threshold.grad is not None
    for levels in (0, 1.5, True):
        with pytest.raises(ValueError, match="levels must be a positive integer"):
            ClipFloorShift(levels)


def test_relu6_is_cut_off_at_six():
    network = nn.Sequential(nn.Linear(4, 3), nn.ReLU6(), nn.Linear(3, 2)).eval()
    levels = np.random.default_rng(1).integers(0, 256, (30, 4))
    assert round_network(network, "fs", levels, (4,), Settings()).rounded.layers[0].unit == 6 / 15


class Lying(nn.Sequential):
    """Its parts do not show what it computes."""

    def __call__(self, images):
        return super().__call__(images) * 2


def test_a_module_that_computes_something_else_is_found_out():
    levels = np.random.default_rng(1).integers(0, 256, (30, 4))
    with pytest.raises(ValueError, match="the network gives other scores than its modules do one by one"):
        fs.convert(Lying(nn.Linear(4, 2)), "relu", levels)


@pytest.mark.parametrize(("to", "said"), [
    ("fs", r"2 \(MaxPool2d\): the maximum of numbers is not that of their binary digits; take an AvgPool2d"),
    ("qcfs", r"2 \(MaxPool2d\): the maximum of counts is not that of each step's spikes; take an AvgPool2d"),
    ("opi", r"2 \(MaxPool2d\): the maximum of counts")])
def test_maxima_that_have_no_exact_form(to, said):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2))
    levels = np.random.default_rng(1).integers(0, 256, (30, 6, 6))
    with pytest.raises(ValueError, match=rf"^the network cannot be converted to {to} exactly: ") as refused:
        fs.convert(network, to, levels)
    assert re.search(said, str(refused.value))


def test_a_maximum_of_the_input_s_digits():
    network = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(9, 2)).eval()
    levels = np.random.default_rng(1).integers(0, 256, (30, 6, 6))
    with pytest.raises(ValueError, match=r"0 \(MaxPool2d\): .*binary digits; take another encoding of"):
        fs.convert(network, "fs", levels)
    for to in ("fs", "qcfs"):
        assert fs.convert(network, to, levels, encoding="direct").report.agreement == 1


PLAIN = np.zeros((4, 4), int) + np.arange(4)


def test_weights_that_are_nothing_beside_their_biases():
    module = nn.Sequential(nn.Linear(36, 6), nn.ReLU(), nn.Linear(6, 3))
    with torch.no_grad():
        module[0].weight.mul_(1e-30)
    with pytest.raises(ValueError, match=r"^0 \(Linear\): its threshold or a bias is .* check its weights$"):
        fs.convert(module, "relu", blobs(30)[0], levels=16)


@pytest.mark.parametrize(("arguments", "error", "said"), [
    ({"to": "rate"}, ValueError, "to must be one of relu, t2fsnn, fs, qcfs, opi, not 'rate'"),
    ({"depth": 3}, TypeError, "convert has no setting 'depth': it has window, bits"),
    ({"bits": 9}, ValueError, "bits must be at most 8, not 9"),
    ({"window": 0}, ValueError, "window must be a positive integer, not 0"),
    ({"encoding": "rate"}, ValueError, "encoding must be one of auto, latency, direct, bits, not 'rate'"),
    ({"to": "qcfs", "encoding": "latency"}, ValueError, "encoding must be direct in qcfs, not 'latency'"),
    ({"to": "fs", "encoding": "latency"}, ValueError, "encoding must be bits or direct in fs"),
    ({"to": "fs", "window": 17}, ValueError, "window must be at most 16, the digits of an FS-neuron"),
    ({"to": "t2fsnn", "kernel": "two", "window": 30}, ValueError, "window must be at most 16"),
    ({"readout": "count"}, ValueError, "readout has no effect in relu; leave it out"),
    ({"to": "qcfs", "rounding": "down"}, ValueError, "rounding has no effect in qcfs"),
    ({"kernel": "two"}, ValueError, "kernel has no effect in relu"),
    ({"rate": 0.1}, ValueError, "rate has no effect without finetune"),
    ({"to": "qcfs", "loss": "tet"}, ValueError, "loss has no effect without finetune"),
    ({"rate": "fast", "finetune": 1}, TypeError, "rate must be a number above 0, not 'fast'"),
    ({"scale": -1.0}, ValueError, "scale must be a number above 0, not -1.0"),
    ({"consistency": -1.0}, ValueError, "consistency must be 0 or more"),
    ({"consistency": "x"}, TypeError, "consistency must be a number, 0 or more, not 'x'"),
    ({"bound": float("nan")}, ValueError, "bound must be 0 or more, not nan"),
    ({"bound": "x"}, TypeError, "bound must be a number, 0 or more, not 'x'"),
    ({"units": [0.0]}, ValueError, "units must be a number above 0, not 0.0"),
    ({"units": ["x"]}, TypeError, "units must be a number above 0, not 'x'"),
    ({"scale": float("nan")}, ValueError, "scale must be a number above 0, not nan"),
    ({"units": [1.0, 2.0]}, ValueError, "units must be 1 numbers, one for each hidden layer, not 2"),
    ({"mean": [1.0, 2.0]}, ValueError, "one for each of its 4 channels"),
    ({"calibrate": PLAIN / 2}, TypeError, "calibrate must be levels, integers from 0 to 255, not an"),
    ({"calibrate": PLAIN[0]}, ValueError, r"calibrate must have the shape \(count, size\)"),
    ({"calibrate": PLAIN + 255}, ValueError, "a level must be from 0 to 255, not 255 to 258"),
    ({"calibrate": PLAIN[:, :3]}, ValueError, "it takes 4 features, and what comes is 3 features"),
    ({"shape": (5,)}, ValueError, "shape must have 4 values"),
    ({"labels": [1, 2]}, ValueError, "labels must be integers, one for each of the 4 images"),
    ({"labels": [0, 1, 2, 1]}, ValueError, "labels must be from 0 to 1, as the network has 2 outputs, not 2"),
    ({"labels": [0, 1, -1, 1]}, ValueError, "labels must be 0 or more, not -1"),
    ({"calibrate": PLAIN[:1], "finetune": 1}, ValueError, "fine-tuning needs at least two images"),
])
def test_arguments_that_are_wrong(arguments, error, said):
    network = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    given = {"to": "relu", "calibrate": PLAIN} | arguments
    with pytest.raises(error, match=said):
        fs.convert(network, **given)


def test_scores_are_those_of_the_module_in_its_own_precision():
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    levels = np.random.default_rng(1).integers(0, 256, (7, 2 * 16))
    found = scores(network, levels, (2, 4, 4), Settings(mean=[0.5, 0.2], deviation=[0.3, 0.4]), batch=3)
    images = torch.tensor(levels).view(-1, 2, 4, 4) / 255.0
    images = (images - torch.tensor([0.5, 0.2]).view(2, 1, 1)) / torch.tensor([0.3, 0.4]).view(2, 1, 1)
    with torch.no_grad():
        expected = network.eval()(images)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-5)
    assert network.training is False
    with pytest.raises(ValueError, match=r"the network does not take images of the shape \(32,\)"):
        scores(network, levels, (32,), Settings())


@pytest.mark.parametrize("to", ["relu", "t2fsnn", "fs", "qcfs", "opi"])
def test_windows_of_one_step(dense, to):
    """The shortest there is; what is passed on is one value or none."""
    levels, labels = blobs(200)
    converted = fs.convert(dense, to, levels, labels=labels, shape=(1, 6, 6), levels=16, window=1,
                           **{"input_window": 15} if to in ("relu", "t2fsnn") else {})
    assert [layer.window for layer in converted.network.layers] == [1, 1, 1]
    assert converted.report.agreement > 0.5


def test_modules_of_half_precision():
    torch.manual_seed(4)
    network = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 3)).to(torch.bfloat16).eval()
    levels = np.random.default_rng(1).integers(0, 256, (100, 16))
    assert fs.convert(network, "fs", levels, window=8).report.agreement >= 0.98
    assert network[0].weight.dtype == torch.bfloat16
