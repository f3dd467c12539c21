"""Whole trainings on small made images: fixed by the seed, gone on with, refused with the reason."""

import numpy as np
import pytest

pytest.importorskip("torch")

from firstspike.errors import FirstspikeError
from firstspike.network import Phase, Readout, batched
from firstspike.network.file.reading import load
from firstspike.quantize.data.idx import load_idx
from firstspike.quantize.train import RECIPES, train

SMALL = {"hidden": 12, "epochs": 3, "batch": 20, "validation": 40, "rate": 0.01, "window": 8}


@pytest.mark.parametrize(("phase", "extra"), [
    ("windowed", {}), ("windowed", {"hidden": (12, 8), "precision": "bfloat16"}),
    ("windowed", {"kernel": "two"}), ("windowed", {"prune": 0.4}), ("online", {"prune": 0.3}),
    ("online", {}), ("online", {"hidden": "12,8"}),
    ("online", {"precision": "bfloat16", "spikes": 0.1}),
])
def test_train(quarters, tmp_path, phase, extra):
    seen = []
    trained = train("mnist-mlp", quarters, tmp_path / "net.safetensors", phase=phase, progress=seen.append,
                    **{**SMALL, "epochs": 30, "distort": 0.1, "rate": 0.02, **extra})
    network, test = load(trained.path), load_idx(quarters, "test")
    gold = batched.run(network, test.levels.astype(np.int64))
    figures = trained.figures["test"]
    assert figures["accuracy"] == pytest.approx(np.mean(gold.label == test.labels), abs=1e-6)
    assert figures["mean_spikes"] == pytest.approx(gold.mean_spikes, abs=1e-3)
    assert figures["accuracy"] > 0.7
    assert network.provenance["test"] == figures and network.provenance["seed"] == 1
    assert len(network.calibration["mean_spikes"]) == len(network.layers) + 1
    assert all(layer.phase is Phase(phase) for layer in network.layers)
    if phase == "online":
        assert network.readout is Readout.FIRST_SPIKE
        assert figures["mean_step"] == pytest.approx(gold.step.mean(), abs=1e-4)
    assert {path.name for path in tmp_path.iterdir()} == {
        "net.safetensors", "net.training.png", *(["net.latency.png"] if phase == "online" else [])}
    assert set(trained.pictures) == {path for path in tmp_path.iterdir() if path.suffix == ".png"}
    assert (seen[-1].epoch, seen[-1].epochs, seen[-1].batch) == (30, 30, seen[-1].batches)
    assert seen[0].accuracy is None and 0 <= seen[-1].accuracy <= 1 and seen[-1].seconds_left == 0


@pytest.mark.parametrize("phase", ["windowed", "online"])
def test_seed_and_resume(quarters, tmp_path, phase):
    def run(name, **options):
        return train("mnist-mlp", quarters, tmp_path / f"{name}.safetensors", phase=phase, **SMALL, **options)

    def stop(progress):
        if (progress.epoch, progress.batch) == (3, 2):
            raise KeyboardInterrupt

    whole = load(run("whole").path)
    assert load(run("again").path).digest == whole.digest
    assert load(run("other", seed=2).path).digest != whole.digest
    with pytest.raises(KeyboardInterrupt):
        run("parts", progress=stop)
    assert {path.name for path in tmp_path.glob("parts*")} == {"parts.checkpoint.pt"}
    seen = []
    resumed = run("parts", resume=True, progress=seen.append)
    assert seen[0].epoch == 3
    assert load(resumed.path).digest == whole.digest
    assert not list(tmp_path.glob("*.pt"))


def test_resume_refused(quarters, tmp_path):
    def stop(progress):
        if progress.epoch == 2:
            raise KeyboardInterrupt

    def run(**options):
        train("mnist-mlp", quarters, tmp_path / "net.safetensors", **{**SMALL, **options})

    with pytest.raises(KeyboardInterrupt):
        run(progress=stop)
    checkpoint = tmp_path / "net.checkpoint.pt"
    with pytest.raises(FirstspikeError, match=r"\.pt comes from a training with other options"):
        run(resume=True, seed=3)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    with pytest.raises(FirstspikeError, match=r"cannot go on from .*net\.checkpoint\.pt"):
        run(resume=True)


@pytest.mark.parametrize(("error", "message", "options"), [
    (ValueError, "^hidden must be numbers of neurons, as in 600 or 800,400, not 'many'$", {"hidden": "many"}),
    (ValueError, "^hidden must be from 1 to 65536, not 0$", {"hidden": (5, 0)}),
    (ValueError, "^hidden must name at least one layer$", {"hidden": ()}),
    (ValueError, "^phase must be one of online, windowed, not 'late'$", {"phase": "late"}),
    (ValueError, "^epochs must be from 1 to 100000, not 0$", {"epochs": 0}),
    (TypeError, "^seed must be a whole number, not 1.5$", {"seed": 1.5}),
    (TypeError, "^rate must be a number, not 'fast'$", {"rate": "fast"}),
    (ValueError, "^mix must be from 0 to 1, not 2$", {"mix": 2}),
    (ValueError, "^prune must be from 0 to 0.99, not 1$", {"prune": 1}),
    (ValueError, "^kernel must be one of linear, two, not 'e'$", {"kernel": "e", "phase": "windowed"}),
    (ValueError, "^kernel must be linear where the phase is online, not 'two'$", {"kernel": "two"}),
    (ValueError, "^window must be from 1 to 12 with kernel two, not 13$",
     {"kernel": "two", "phase": "windowed", "window": 13}),
    (TypeError, "^mirror must be True or False, not 1$", {"mirror": 1}),
    (TypeError, "^recipe mnist-mlp has no option 'colour': it has hidden, phase", {"colour": 1}),
    (FirstspikeError, "has 240 training images, too few to hold back 240", {"validation": 240}),
    (FirstspikeError, "device 'warp' cannot be used", {"device": "warp"}),
])
def test_options(quarters, tmp_path, error, message, options):
    with pytest.raises(error, match=message):
        train("mnist-mlp", quarters, tmp_path / "net.safetensors", **{**SMALL, **options})
    assert not list(tmp_path.iterdir())


def test_wrong_places(quarters, tmp_path):
    with pytest.raises(FirstspikeError, match="there is no recipe 'magic': take one of mnist-mlp"):
        train("magic", quarters, tmp_path / "net.safetensors")
    with pytest.raises(FirstspikeError, match=r"must end in \.safetensors, not 'net\.pt'"):
        train("mnist-mlp", quarters, tmp_path / "net.pt")
    with pytest.raises(FirstspikeError, match=r"no folder .*nowhere to write net\.safetensors into"):
        train("mnist-mlp", quarters, tmp_path / "nowhere" / "net.safetensors")
    with pytest.raises(FirstspikeError, match=r"no folder .*empty"):
        train("mnist-mlp", tmp_path / "empty", tmp_path / "net.safetensors")


def test_recipes_are_described():
    options = {option.name: option for option in RECIPES["mnist-mlp"].options}
    assert options["phase"].choices == ("online", "windowed")
    assert all(option.help.endswith(".") for option in options.values())
