"""Recipe ``mnist-mlp``: whole trainings on small made images, fixed by the seed, gone on with."""

import numpy as np
import pytest

pytest.importorskip("torch")

from firstspike.errors import FirstspikeError
from firstspike.network import Phase, Readout, batched
from firstspike.network.file.reading import load
from firstspike.quantize.data.idx import load_idx
from firstspike.quantize.train import train

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
    weights = [layer.synapses[0].weights for layer in network.layers]
    pruned = [int((heard == 0).sum()) for heard in (weights[0][:, network.input.used], *weights[1:])]
    sizes = [weights[0].shape[0] * len(network.input.used), *(heard.size for heard in weights[1:])]
    assert pruned == [int(extra.get("prune", 0) * size) for size in sizes]
    assert (seen[-1].epoch, seen[-1].epochs, seen[-1].batch) == (30, 30, seen[-1].batches)
    assert seen[0].accuracy is None and 0 <= seen[-1].accuracy <= 1 and seen[-1].seconds_left == 0


@pytest.mark.parametrize(("phase", "prune"), [("windowed", 0.0), ("online", 0.0), ("windowed", 0.6)])
def test_seed_and_resume(quarters, tmp_path, phase, prune):
    def run(name, **options):
        return train("mnist-mlp", quarters, tmp_path / f"{name}.safetensors", phase=phase, prune=prune,
                     **SMALL, **options)

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
