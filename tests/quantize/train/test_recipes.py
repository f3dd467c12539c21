"""The recipes by their names, and what `train` refuses before any training."""

import subprocess
import sys

import pytest
from firstspike.errors import FirstspikeError
from firstspike.quantize.train import RECIPES, train

SMALL = {"hidden": 12, "epochs": 3, "batch": 20, "validation": 40, "rate": 0.01, "window": 8}


@pytest.mark.parametrize(("error", "message", "options"), [
    (TypeError, "^recipe mnist-mlp has no option 'colour': it has hidden, rare, window", {"colour": 1}),
    (ValueError, "^mix must be from 0 to 1, not 2$", {"mix": 2}),
    (FirstspikeError, "has 240 training images, too few to hold back 240", {"validation": 240}),
    (FirstspikeError, "device 'warp' cannot be used", {"device": "warp"}),
])
def test_refused(quarters, tmp_path, error, message, options):
    pytest.importorskip("torch")
    with pytest.raises(error, match=message):
        train("mnist-mlp", quarters, tmp_path / "net.safetensors", **{**SMALL, **options})
    assert not list(tmp_path.iterdir())


def test_wrong_places(quarters, tmp_path):
    pytest.importorskip("torch")
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


def test_recipes_can_be_listed_without_torch():
    """And the one that learns without it is run without it."""
    code = ("import sys; sys.modules['torch'] = None\n"
            "from firstspike.quantize.train import RECIPES\n"
            "assert [len(recipe.options) > 5 for recipe in RECIPES.values()] == [True] * 3\n"
            "import firstspike.quantize.train.bs4nn, firstspike.quantize.train.evaluate")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_without_torch_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("firstspike.quantize.train.mlp")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(FirstspikeError, match=r"^training needs torch: pip install 'firstspike\[train\]'$"):
        train("mnist-mlp", tmp_path, tmp_path / "net.safetensors")


def test_without_matplotlib_it_says_so_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(FirstspikeError, match=r"^the curves of a training need matplotlib: "
                                              r"pip install 'firstspike\[train\]'$"):
        train("bs4nn", tmp_path, tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())
