"""Recipe ``conv``: whole trainings on small made images, and what its options refuse."""

import numpy as np
import pytest

pytest.importorskip("torch")

from firstspike.errors import FirstspikeError
from firstspike.network import Convolution, Phase, batched
from firstspike.network.file.reading import load
from firstspike.quantize.data.idx import load_idx
from firstspike.quantize.train import train

SMALL = {"layers": "4,max2,6", "epochs": 3, "batch": 20, "validation": 40, "rate": 0.01, "window": 4,
         "calibration": 60}


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


@pytest.mark.parametrize(("message", "options"), [
    ("layers 4,max2,6,max4 do not fit images of 6 x 6: .*max4 does not of 3 x 3",
     {"layers": "4,max2,6,max4"}),
    ("nowhere.safetensors does not exist", {"teacher": "nowhere.safetensors"}),
])
def test_refused(quarters, tmp_path, message, options):
    with pytest.raises(FirstspikeError, match=message):
        train("conv", quarters, tmp_path / "net.safetensors", **{**SMALL, **options})
    assert not list(tmp_path.iterdir())
