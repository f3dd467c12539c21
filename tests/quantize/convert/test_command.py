"""``firstspike convert``: files in, a network and its report out, one sentence for what is wrong."""

import json
import pickle
import subprocess
import sys

import firstspike as fs
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.cli import firstspike  # noqa: E402
from firstspike.console import main_program  # noqa: E402
from firstspike.network.scoring import score  # noqa: E402
from firstspike.quantize.convert import TITLES, weight_files  # noqa: E402
from firstspike.quantize.convert.rounding import CONVERSIONS  # noqa: E402
from torch import nn  # noqa: E402

MODEL = '''
from torch import nn

def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 3))

def planes():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))

def other():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.GELU(), nn.Linear(12, 3), nn.Softmax(1))

def broken():
    return 1 / 0

def leaves():
    raise SystemExit(5)

def number():
    return 3

text = "text"
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with models, their weights, and images with labels."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given_models.py").write_text(MODEL)
    (tmp_path / "bad_syntax.py").write_text("def :")
    torch.manual_seed(3)
    modules = {}
    exec(MODEL, modules)
    for name in ("dense", "planes", "other"):
        torch.save(modules[name]().state_dict(), tmp_path / f"{name}.pt")
    generator = np.random.default_rng(1)
    images = generator.integers(0, 256, (60, 4, 4), np.uint8)
    np.save(tmp_path / "images.npy", images)
    module = modules["dense"]()
    module.load_state_dict(torch.load(tmp_path / "dense.pt", weights_only=True))
    with torch.no_grad():
        labels = module(torch.tensor(images) / 255.0).argmax(1).numpy()
    np.save(tmp_path / "labels.npy", labels)
    np.savez(tmp_path / "both.npz", images=images, labels=labels)
    return tmp_path


def convert(*arguments, weights="dense.pt", model="given_models.py:dense", to="relu", calibrate="both.npz"):
    return main_program(firstspike, ["convert", weights, "--model", model, "--to", to, "--calibrate",
                                     calibrate, "-o", "net.safetensors", *arguments])


@pytest.mark.parametrize("to", list(TITLES))
@pytest.mark.parametrize("model", ["given_models.py:dense", "given_models:dense"])
def test_a_network_and_its_report(folder, capsys, to, model):
    assert convert("--json", "--bound", "5", to=to, model=model) == 0
    report = json.loads(capsys.readouterr().out)
    network = fs.load(folder / "net.safetensors")
    images, labels = np.load("images.npy").reshape(60, 16), np.load("labels.npy")
    assert report["accuracy"] == score(network, images, labels).accuracy
    assert (report["float_accuracy"], report["within"], report["path"]) == (1.0, True, "net.safetensors")
    assert network.provenance["conversion"] == to == report["to"]
    assert report["hardware"].startswith("no: layer 'layer0' has integer weights of 8 bits; ")


def test_the_report_in_words(folder, capsys):
    assert convert("--bound", "100", "--count", "50", "--window", "5") == 0
    said = capsys.readouterr().out
    for words in ("What was rounded, and how far", "1 (Linear)", "8 bits", "What it did", "Same class",
                  "of the torch network", "by 9.80% of the highest", "Within the bound"):
        assert words in said, words
    assert "Images      50\n" in said
    assert "Hardware    no: layer 'layer0' has integer weights of 8 bits" in said


def test_signs_are_said_to_become_hardware(folder, capsys):
    assert convert("--bits", "1", "--accept-loss") == 0
    assert "Hardware    yes, by the event engine\n" in capsys.readouterr().out


def test_too_much_lost_is_told_loudly(folder, capsys):
    arguments = ("--bits", "1", "--window", "1", "--bound", "0.1")
    assert convert(*arguments) == 1
    assert "TOO MUCH IS LOST: " in capsys.readouterr().out
    assert (folder / "net.safetensors").exists()
    assert convert(*arguments, "--accept-loss") == 0
    assert "TOO MUCH IS LOST: " in capsys.readouterr().out


def test_planes_labels_and_settings(folder):
    assert convert("--labels", "labels.npy", "--bound", "100", "--mean", "0.1", "--deviation", "0.5",
                   "--bits", "4", weights="planes.pt", model="given_models:planes",
                   calibrate="images.npy") == 0
    network = fs.load("net.safetensors")
    assert network.input.shape == (1, 4, 4)
    assert network.provenance["settings"] == {"bits": 4, "deviation": 0.5, "mean": 0.1}


def test_fine_tuning(folder, capsys):
    assert convert("--finetune", "2", "--batch", "16", "--bits", "1", "--bound", "100", to="qcfs") == 0
    shown = capsys.readouterr()
    assert "12, held back; fine-tuned on the 48 others" in shown.out
    assert "epoch 2 of 2" in shown.err


def test_a_folder_of_idx_gives_its_training_images(folder):
    for split, count in (("train", 30), ("t10k", 10)):
        images = np.random.default_rng(1).integers(0, 256, (count, 4, 4), np.uint8)
        labels = (np.arange(count) % 3).astype(np.uint8)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(
            b"\0\0\x08\x03" + np.array(images.shape, ">u4").tobytes() + images.tobytes())
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(
            b"\0\0\x08\x01" + np.array([count], ">u4").tobytes() + labels.tobytes())
    assert convert("--bound", "100", calibrate=".") == 0
    assert fs.load("net.safetensors").provenance["measured"]["images"] == 30


def test_cifar10_and_pngs_give_levels_too(folder, monkeypatch, capsys):
    from firstspike.quantize.data import cifar as data_cifar
    from PIL import Image
    generator = np.random.default_rng(1)
    (folder / "cifar").mkdir()
    for name in data_cifar.FILES["train"]:
        records = generator.integers(0, 256, (6, data_cifar.RECORD), np.uint8)
        records[:, 0] %= 10
        (folder / "cifar" / name).write_bytes(records.tobytes())
    (folder / "colours.py").write_text(
        "from torch import nn\n"
        "def net():\n"
        "    return nn.Sequential(nn.Conv2d(3, 2, 5, 4), nn.ReLU(), nn.Flatten(), nn.Linear(98, 10))\n")
    torch.save(nn.Sequential(nn.Conv2d(3, 2, 5, 4), nn.ReLU(), nn.Flatten(), nn.Linear(98, 10)).state_dict(),
               "colours.pt")
    assert convert("--bound", "100", weights="colours.pt", model="colours.py:net", calibrate="cifar") == 0
    network = fs.load("net.safetensors")
    assert network.input.shape == (3, 32, 32) and network.provenance["measured"]["images"] == 30
    loaded = data_cifar.load_cifar10("cifar", "train")
    module = weight_files.load_module("colours.pt", "colours.py:net")
    assert fs.convert(module, "relu", loaded, bound=1.0).network.layers[0].threshold.tolist() == \
        network.layers[0].threshold.tolist()

    (folder / "pictures").mkdir()
    for index, image in enumerate(np.load("images.npy")[:5]):
        Image.fromarray(image).save(folder / "pictures" / f"{index}.png")
    assert convert("--bound", "100", calibrate="pictures") == 0
    assert fs.load("net.safetensors").provenance["measured"]["images"] == 5
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(folder / "pictures" / "9.png")
    capsys.readouterr()
    assert convert(calibrate="pictures") == 2
    assert "9.png is 5 by 4 pixels and must be 4 by 4, as 0.png is; scale it first" in " ".join(
        capsys.readouterr().err.split())


@pytest.mark.parametrize(("given", "said"), [
    ({"weights": "none.pt"}, "there is no file none.pt; check the path"),
    ({"weights": "given_models.py"}, "given_models.py is no file of weights alone; a whole pickled module"),
    ({"weights": "images.npy"}, "images.npy is no file of weights alone"),
    ({"weights": "planes.pt"}, "the weights in planes.pt do not fit what given_models.py:dense makes: Mis"),
    ({"model": "dense"}, "the model must be given as module:function or FILE.py:function, not 'dense'"),
    ({"model": "nowhere.py:dense"}, "there is no file nowhere.py; check the path given with --model"),
    ({"model": "nowhere:dense"}, "nowhere cannot be imported (ModuleNotFoundError"),
    ({"model": "bad_syntax.py:dense"}, "bad_syntax.py cannot be imported (SyntaxError"),
    ({"model": "given_models:none"}, "given_models has no function none; give the one that makes the module"),
    ({"model": "given_models:text"}, "given_models has no function text"),
    ({"model": "given_models:broken"}, "given_models:broken fails (ZeroDivisionError: division by zero)"),
    ({"model": "given_models:leaves"}, "given_models:leaves fails (SystemExit: 5); it must make the module"),
    ({"model": "given_models:number"}, "given_models:number makes a int, not a torch module"),
    ({"weights": "other.pt", "model": "given_models:other"},
     "other.pt: the network cannot be taken exactly: 2 (GELU): there is no exact form of it; taken are"),
    ({"calibrate": "none"}, "there are no images at none; check the path"),
    ({"calibrate": "empty"}, "the folder empty holds neither IDX files nor PNGs or CIFAR-10; check the path"),
    ({"calibrate": "labels.npy"}, "dense.pt: calibrate must have the shape (count, size)"),
])
def test_one_sentence_for_what_is_wrong(folder, capsys, given, said):
    (folder / "empty").mkdir()
    assert convert(**given) == 2
    shown = capsys.readouterr()
    assert said in " ".join(shown.err.split())
    assert "Traceback" not in shown.err
    assert not (folder / "net.safetensors").exists()


@pytest.mark.parametrize(("arguments", "said"), [
    (("--count", "61"), "both.npz holds 60 images, not the 61 that were asked for; ask for fewer"),
    (("--labels", "images.npy"), "labels must be integers, one for each of the 60 images"),
    (("--readout", "count"), "dense.pt: readout has no effect in relu; leave it out"),
    (("--bits", "9"), "dense.pt: bits must be at most 8, not 9"),
    (("--shape", "1,5,5"), "dense.pt: shape must have 16 values, as the images have, not (1, 5, 5)"),
    (("--shape", "1,4"), "'1,4' must be channels, height and width, as in 1,28,28"),
    (("--deviation", "0"), "dense.pt: deviation must be above 0, and at most 1e+09, not 0.0"),
    (("--mean", "nan"), "dense.pt: mean must be a number, and at most 1e+09, not nan"),
    (("--mean", "1,2", "--deviation", "1,2,3"), "mean and deviation must be one for each channel, not 2 and"),
    (("--scale", "1e300"), "dense.pt: scale and deviation must leave what the network sees at most 1e+09"),
    (("--bound", "nan"), "'nan' is no number from 0 to 100"),
    (("--bound", "101"), "101.0 is not in the range 0<=x<=100"),
    (("--finetune", "1", "--rate", "1e12"), "fine-tuning went astray in epoch 1 (loss"),
    (("--mean", "1,x"), "'1,x' is no number, nor numbers with commas between"),
    (("-o", "net.pt"), "the network file must end in .safetensors, not 'net.pt'"),
    (("-o", "none/net.safetensors"), "there is no folder none to write net.safetensors into: make it first"),
    (("--labels", "short.npy"), "there are 3 labels for the 60 images in both.npz; take both from the same"),
])
def test_options_that_are_wrong(folder, capsys, arguments, said):
    np.save("short.npy", np.arange(3))
    assert convert(*arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


class Hostile:
    def __reduce__(self):
        return print, ("run",)


def test_a_pickled_module_is_never_opened(folder, capsys):
    torch.save(nn.Linear(2, 2), "module.pt")
    with (folder / "hostile.pt").open("wb") as file:
        pickle.dump(Hostile(), file)
    for name in ("module.pt", "hostile.pt"):
        assert convert(weights=name) == 2
        shown = capsys.readouterr()
        assert f"{name} is no file of weights alone; a whole pickled module could run code" in " ".join(
            shown.err.split())
        assert "torch.save(model.state_dict(), PATH)" in " ".join(shown.err.split())
        assert "run\n" not in shown.out


def test_other_files_of_weights(folder):
    state = torch.load("dense.pt", weights_only=True)
    torch.save({"state_dict": state, "epoch": 3}, "checkpoint.pt")
    from safetensors.torch import save_file
    save_file(dict(state), "dense.safetensors")
    for name in ("checkpoint.pt", "dense.safetensors"):
        found = weight_files.load_weights(name)
        assert all(torch.equal(found[key], state[key]) for key in state)
    torch.save({"epoch": 3}, "nothing.pt")
    with pytest.raises(fs.FirstspikeError, match=r"nothing\.pt holds no state dict, names with a tensor"):
        weight_files.load_weights("nothing.pt")
    (folder / "cut.safetensors").write_bytes((folder / "dense.safetensors").read_bytes()[:40])
    with pytest.raises(fs.FirstspikeError, match=r"cut\.safetensors cannot be read as weights \(Safeten"):
        weight_files.load_weights("cut.safetensors")


def test_an_old_torch_is_refused(folder, monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(fs.FirstspikeError, match=r"torch 2\.5\.1\+cpu cannot load files safely; install"):
        weight_files.load_weights("dense.pt")


MISSING = """
import sys
sys.modules["torch"] = None
import numpy as np
import firstspike as fs
from firstspike.quantize import convert
from firstspike.cli import firstspike
from firstspike.console import main_program
try:
    fs.convert(None, "relu", np.zeros((2, 2), int))
except fs.FirstspikeError as error:
    print(error)
sys.exit(main_program(firstspike, ["convert", "dense.pt", "--model", "given_models:dense", "--to", "relu",
                                   "--calibrate", "images.npy", "-o", "net.safetensors"]))
"""


def test_torch_that_is_missing(folder):
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "conversion needs torch: pip install" in done.stdout
    assert "conversion needs torch: pip install" in " ".join(done.stderr.split())


def test_every_conversion_has_a_title():
    assert list(TITLES) == list(CONVERSIONS)
