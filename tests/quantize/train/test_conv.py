"""Convolutional training: the fold, the layers' language, erasing, whole trainings on small made images."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.errors import FirstspikeError  # noqa: E402
from firstspike.network import Convolution, Input, Latency, Phase, batched, golden  # noqa: E402  # noqa: E402
from firstspike.network.file.reading import load  # noqa: E402
from firstspike.quantize.data.idx import load_idx  # noqa: E402
from firstspike.quantize.train import train  # noqa: E402
from firstspike.quantize.train.conv_options import ConvOptions, ConvStage, PoolStage, stages  # noqa: E402
from firstspike.quantize.train.distort import Distortion  # noqa: E402
from firstspike.quantize.train.encode import latency_table  # noqa: E402
from firstspike.quantize.train.erase import Erasing  # noqa: E402
from firstspike.quantize.train.evaluate import evaluate  # noqa: E402
from firstspike.quantize.train.kernels import Kernel  # noqa: E402
from firstspike.quantize.train.online import DecisionCost  # noqa: E402
from firstspike.quantize.train.online_conv import OnlineConvNet  # noqa: E402
from firstspike.quantize.train.windowed_conv import WindowedConvNet, folded_levels  # noqa: E402
from harness.pruned import check_pruned  # noqa: E402

SMALL = {"layers": "4,max2,6", "epochs": 3, "batch": 20, "validation": 40, "rate": 0.01, "window": 4,
         "calibration": 60}


@pytest.mark.parametrize(("half", "kernel", "prune"), [
    (False, Kernel("linear", 6), 0.0), (True, Kernel("linear", 7), 0.3), (True, Kernel("two", 6), 0.0),
    (False, Kernel("two", 11), 0.2)])
@pytest.mark.parametrize("layers", ["5", "4,max2,6", "4x5/2,6x1,5/2", "sum2,5,sum3", "4,sum2,6,max2,5/2",
                                    "max2,7/2,max2"])
def test_evaluation_is_the_golden_model(layers, half, kernel, prune):
    generator = np.random.default_rng(len(layers))
    torch.manual_seed(len(layers))
    levels = generator.integers(0, 256, (40, 11 * 10)).astype(np.uint8)
    source = Input(110, kernel.window, Latency(latency_table(kernel.window, 40)))
    module = WindowedConvNet(source, (11, 10), stages(layers), 4, kernel, 1, levels[:30], half=half,
                             prune=prune)
    with torch.no_grad():
        for layer in module.hidden:
            layer.gain.copy_(torch.randn(layer.gain.shape) * kernel.stretch)
            layer.shift.copy_(torch.randn(layer.shift.shape))
        module.offset.copy_(torch.randn(4) * 9)
    network = module.network()
    with torch.no_grad():
        potentials = module.eval()(torch.tensor(levels)).numpy()
    seen, gold = evaluate(network, levels), batched.run(network, levels.astype(np.int64))
    np.testing.assert_array_equal(seen.potentials[:, 0], potentials)
    np.testing.assert_array_equal(gold.layers[-1].potential, potentials)
    np.testing.assert_array_equal(seen.labels, gold.label)
    for index, layer in enumerate(gold.layers):
        np.testing.assert_array_equal(seen.spikes[:, 1 + index], layer.spikes.sum(axis=(1, 2)))
    assert golden.run(network, levels[0].astype(np.int64)).label == seen.labels[0]
    assert all(np.all(layer.threshold >= 1) for layer in network.layers[:-1])
    for layer in network.layers:
        check_pruned(layer.synapses[0].weights, prune)
    assert any(np.any(layer.gain.detach().numpy() < 0) for layer in module.hidden)
    assert np.all(seen.spikes.sum(axis=0)[:-1] > 0)


@pytest.mark.parametrize(("half", "prune"), [(False, 0.0), (True, 0.0), (False, 0.3)])
@pytest.mark.parametrize("layers", ["5", "max2,4,max2,6", "4x5/2,6x1,sum2", "sum2,5,5,max3"])
def test_online_evaluation_is_the_golden_model(layers, half, prune):
    generator = np.random.default_rng(len(layers))
    torch.manual_seed(len(layers))
    levels = generator.integers(0, 256, (40, 11 * 10)).astype(np.uint8)
    source = Input(110, 6, Latency(latency_table(6, 40)))
    module = OnlineConvNet(source, (11, 10), stages(layers), 4, DecisionCost(), 1, half, prune)
    with torch.no_grad():
        for layer in module.hidden:
            layer.threshold.copy_(torch.rand(layer.threshold.shape) * 6 - 0.5)
        module.offset.copy_(torch.randn(4) * 2)
        module.threshold.fill_(2.4)
        potentials, hidden_spikes = module.eval()(torch.tensor(levels))
    network = module.network()
    seen, gold = evaluate(network, levels, batch=9), batched.run(network, levels.astype(np.int64))
    np.testing.assert_array_equal(seen.potentials, potentials.transpose(0, 1).numpy())
    np.testing.assert_array_equal(seen.spikes[:, 1:-1].sum(axis=1), hidden_spikes[-1].numpy())
    np.testing.assert_array_equal(gold.layers[-1].potential, potentials[-1].numpy())
    np.testing.assert_array_equal(seen.labels, gold.label)
    np.testing.assert_array_equal(seen.steps, gold.step)
    for index, layer in enumerate(gold.layers):
        np.testing.assert_array_equal(seen.spikes[:, 1 + index], layer.spikes.sum(axis=(1, 2)))
    assert golden.run(network, levels[0].astype(np.int64)).step == seen.steps[0]
    for layer in network.layers:
        check_pruned(layer.synapses[0].weights, prune)
    assert np.all(seen.spikes.sum(axis=0) > 0)


def test_padding_adds_nothing():
    """The fold at the border is the one inside: an image of nothing gives every position of a channel the
    same level."""
    source = Input(30, 4, Latency(latency_table(4, 40)))
    bright = np.full((3, 30), 255, np.uint8)
    module = WindowedConvNet(source, (5, 6), stages("6"), 2, Kernel("linear", 4), 1, bright)
    with torch.no_grad():
        module.hidden[0].shift.fill_(2.5)
    network = module.network()
    layer = network.layers[0]
    assert layer.synapses[0].padding == (1, 1, 1, 1) and layer.shape == (6, 5, 6)
    for name in ("threshold", "initial"):
        assert np.ptp(getattr(layer, name).reshape(6, 30), axis=1).max() == 0
    spikes = batched.run(network, np.zeros((1, 30), int)).layers[0].spikes[0].reshape(4, 6, 30)
    assert np.ptp(spikes.astype(int), axis=2).max() == 0 and spikes.any()


def test_backward_is_that_of_batch_normalisation():
    """Levels are those of the rounded fold; slopes are the plain normalisation's where one is inside."""
    generator = torch.Generator().manual_seed(3)
    sums = (torch.randn(6, 5, 4, 3, generator=generator) * 40).round().contiguous(
        memory_format=torch.channels_last)
    pull = torch.rand(sums.shape, generator=generator)
    gain, shift = torch.tensor([1.5, -2.0, 0.7, 3.0, -1.0]), torch.tensor([0.0, 1.0, 2.5, -1.0, 4.0])
    results = []
    for plain in (False, True):
        heard, gains, shifts = (part.clone().requires_grad_() for part in (sums, gain, shift))
        if plain:
            mean = heard.mean(dim=(0, 2, 3), keepdim=True)
            scale = (heard.var(dim=(0, 2, 3), unbiased=False, keepdim=True) + 1).sqrt()
            level = gains.view(-1, 1, 1) * (heard - mean) / scale + shifts.view(-1, 1, 1)
            direction = gain.sign().view(-1, 1, 1)
            ratio = scale.detach() / gain.abs().view(-1, 1, 1)
            initial = (ratio * shift.view(-1, 1, 1) - direction * mean.detach()).round()
            whole = ((direction * sums + initial) / ratio.round()).floor()
            (level * pull * ((whole >= 0) & (whole <= 4))).sum().backward()
            levels = whole.clamp(0, 4)
        else:
            levels = folded_levels(heard, gains, shifts, Kernel("linear", 4))
            (levels * pull).sum().backward()
        results.append((levels.detach(), heard.grad, gains.grad, shifts.grad))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    for ours, expected in zip(results[0][1:], results[1][1:], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)
    assert len(np.unique(results[0][0])) == 5


@pytest.mark.parametrize("extra", [{}, {"precision": "bfloat16"}, {"layers": "6x5/2,sum2", "smooth": 0.1},
                                   {"erase": 0.3, "mirror": False, "distort": 0.0},
                                   {"kernel": "two", "window": 6}, {"prune": 0.3},
                                   {"phase": "online", "latency": 0.05},
                                   {"phase": "online", "layers": "sum2,6,6", "precision": "float32"}])
def test_train(quarters, tmp_path, extra):
    seen = []
    trained = train("conv", quarters, tmp_path / "net.safetensors", progress=seen.append,
                    **{**SMALL, "epochs": 20, "distort": 0.1, "rate": 0.02, **extra})
    network, test = load(trained.path), load_idx(quarters, "test")
    gold = batched.run(network, test.levels.astype(np.int64))
    figures = trained.figures["test"]
    assert figures["accuracy"] == pytest.approx(np.mean(gold.label == test.labels), abs=1e-6)
    assert figures["mean_spikes"] == pytest.approx(gold.mean_spikes, abs=1e-3)
    assert figures["accuracy"] > 0.7
    assert network.provenance["test"] == figures and network.provenance["seed"] == 1
    assert "--layers" in network.provenance["command"]
    assert len(network.calibration["mean_spikes"]) == len(network.layers) + 1
    online = extra.get("phase") == "online"
    assert all(layer.phase is (Phase.ONLINE if online else Phase.WINDOWED) for layer in network.layers)
    if online:
        assert figures["mean_step"] == pytest.approx(gold.step.mean(), abs=1e-4)
    assert isinstance(network.layers[0].synapses[0], Convolution)
    assert {path.name for path in tmp_path.iterdir()} == {
        "net.safetensors", "net.training.png", *(["net.latency.png"] if online else [])}
    assert (seen[-1].epoch, seen[-1].batch) == (20, seen[-1].batches)


@pytest.mark.parametrize("phase", ["windowed", "online"])
def test_seed_and_resume(quarters, tmp_path, phase):
    def run(name, **options):
        return train("conv", quarters, tmp_path / f"{name}.safetensors", phase=phase, **{**SMALL, **options})

    def stop(progress):
        if (progress.epoch, progress.batch) == (3, 2):
            raise KeyboardInterrupt

    whole = load(run("whole").path)
    assert load(run("again").path).digest == whole.digest
    assert load(run("other", seed=2).path).digest != whole.digest
    with pytest.raises(KeyboardInterrupt):
        run("parts", progress=stop)
    assert {path.name for path in tmp_path.glob("parts*")} == {"parts.checkpoint.pt"}
    assert load(run("parts", resume=True).path).digest == whole.digest
    assert not list(tmp_path.glob("*.pt"))


def test_taught_by_a_network(quarters, tmp_path):
    teacher = train("conv", quarters, tmp_path / "teacher.safetensors", **SMALL).path
    learnt = train("conv", quarters, tmp_path / "net.safetensors", teacher=str(teacher), trust=0.5, **SMALL)
    network = load(learnt.path)
    assert network.digest != load(teacher).digest
    assert network.provenance["options"]["teacher"] == "teacher"


def test_layers():
    assert stages("32x5, 64/2,max2,7x1/3,sum3") == (
        ConvStage(32, 5), ConvStage(64, 3, 2), PoolStage("max", 2), ConvStage(7, 1, 3), PoolStage("sum", 3))
    assert ConvOptions(layers=("8", "max2", 4)).layers == "8,max2,4"  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("error", "message", "options"), [
    (ValueError, "^layers must be convolutions and poolings, as in 32x5,64/2,max2,64, not 'many'$",
     {"layers": "many"}),
    (ValueError, "an odd kernel up to 31 and a stride from 1 to 8, not '5x4'$", {"layers": "5x4"}),
    (ValueError, "^layers must pool over 2 to 64 pixels, not 'max1'$", {"layers": "5,max1"}),
    (ValueError, "must have a convolution between two poolings, not 'sum2'", {"layers": "5,max2,sum2"}),
    (ValueError, "^layers must have at least one convolution, not 'max2'$", {"layers": "max2"}),
    (TypeError, r"^layers must be a text as in 32x5,64/2,max2,64, not 5$", {"layers": 5}),
    (ValueError, "^erase must be from 0 to 1, not 2$", {"erase": 2}),
    (TypeError, "^epochs must be a whole number, not 1.5$", {"epochs": 1.5}),
    (FirstspikeError, "layers 4,max2,6,max4 do not fit images of 6 x 6: .*max4 does not of 3 x 3",
     {"layers": "4,max2,6,max4"}),
    (FirstspikeError, "nowhere.safetensors does not exist", {"teacher": "nowhere.safetensors"}),
])
def test_options(quarters, tmp_path, error, message, options):
    with pytest.raises(error, match=message):
        train("conv", quarters, tmp_path / "net.safetensors", **{**SMALL, **options})
    assert not list(tmp_path.iterdir())


def test_erasing():
    images = torch.full((400, 6 * 8), 77, dtype=torch.uint8)
    changed, again = (Erasing(None, 0.5)(images, (6, 8), torch.Generator().manual_seed(1)) for _ in range(2))
    np.testing.assert_array_equal(changed, again)
    assert changed.dtype == torch.float32
    np.testing.assert_array_equal(changed, changed.round())
    touched = (changed != 77).view(400, 6, 8)
    assert 0.3 < touched.any(dim=(1, 2)).float().mean() < 0.6
    for part in touched[touched.any(dim=2).any(dim=1)]:
        rows, columns = part.any(dim=1).nonzero(), part.any(dim=0).nonzero()
        assert part.sum() == len(rows) * len(columns) <= 3 * 4  # one rectangle, half of each side at most
    np.testing.assert_array_equal(Erasing(None, 0.0)(images, (6, 8), torch.Generator()), images)
    moved = Erasing(Distortion(), 0.0)(images, (6, 8), torch.Generator().manual_seed(1))
    assert not torch.equal(moved, images.float())
