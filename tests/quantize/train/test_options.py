"""The options of the recipes: what each may be, and that no two recipes state one twice."""

from dataclasses import fields

import pytest
from firstspike.quantize.train.options import Bs4nnOptions, ConvOptions, DescentOptions, MlpOptions
from firstspike.quantize.train.settings import described


@pytest.mark.parametrize(("error", "message", "kind", "options"), [
    (ValueError, "hidden must be numbers of neurons, as in 600 or 800,400, not 'many'", MlpOptions,
     {"hidden": "many"}),
    (ValueError, "hidden must be from 1 to 65536, not 0", MlpOptions, {"hidden": (5, 0)}),
    (ValueError, "hidden must name at least one layer", MlpOptions, {"hidden": ()}),
    (TypeError, "hidden must be a whole number, not 1.5", MlpOptions, {"hidden": (1.5,)}),
    (ValueError, "phase must be one of online, windowed, not 'late'", MlpOptions, {"phase": "late"}),
    (ValueError, "epochs must be from 1 to 100000, not 0", MlpOptions, {"epochs": 0}),
    (TypeError, "seed must be a whole number, not 1.5", MlpOptions, {"seed": 1.5}),
    (TypeError, "seed must be a whole number, not True", MlpOptions, {"seed": True}),
    (TypeError, "rate must be a number, not 'fast'", MlpOptions, {"rate": "fast"}),
    (TypeError, "rate must be a number, not True", MlpOptions, {"rate": True}),
    (ValueError, "rate must be from 0 to 1, not nan", MlpOptions, {"rate": float("nan")}),
    (ValueError, "mix must be from 0 to 1, not 2", MlpOptions, {"mix": 2}),
    (ValueError, "prune must be from 0 to 0.99, not 1", MlpOptions, {"prune": 1}),
    (ValueError, "kernel must be one of linear, two, not 'e'", MlpOptions,
     {"kernel": "e", "phase": "windowed"}),
    (ValueError, "kernel must be linear where the phase is online, not 'two'", MlpOptions,
     {"kernel": "two"}),
    (ValueError, "window must be from 1 to 12 with kernel two, not 13", ConvOptions,
     {"kernel": "two", "window": 13}),
    (TypeError, "mirror must be True or False, not 1", MlpOptions, {"mirror": 1}),
    (TypeError, "teacher must be a text, not 3", MlpOptions, {"teacher": 3}),
    (TypeError, "layers must be a text as in 32x5,64/2,max2,64, not 5", ConvOptions, {"layers": 5}),
    (ValueError, "an odd kernel up to 31 and a stride from 1 to 8, not '5x4'", ConvOptions,
     {"layers": "5x4"}),
    (ValueError, "erase must be from 0 to 1, not 2", ConvOptions, {"erase": 2}),
    (ValueError, "batch must be from 2 to 65536, not 1", ConvOptions, {"batch": 1}),
    (TypeError, "epochs must be a whole number, not 1.5", ConvOptions, {"epochs": 1.5}),
    (ValueError, "gamma must be from 1 to 65535, not 0", Bs4nnOptions, {"gamma": 0}),
    (TypeError, "rate must be a number, not 'fast'", Bs4nnOptions, {"rate": "fast"}),
    (ValueError, "window must be from 1 to 65535, not 0", Bs4nnOptions, {"window": 0}),
])
def test_refused(error, message, kind, options):
    with pytest.raises(error) as refused:
        kind(**options)
    assert str(refused.value).endswith(message)


def test_taken():
    assert MlpOptions(hidden="12,8").hidden == (12, 8)  # pyright: ignore[reportArgumentType]
    assert MlpOptions(hidden=12).hidden == (12,)  # pyright: ignore[reportArgumentType]
    assert ConvOptions(layers=("8", "max2", 4)).layers == "8,max2,4"  # pyright: ignore[reportArgumentType]
    assert Bs4nnOptions(window=254).window == 254 and MlpOptions(rate=1, prune=0.99).rate == 1


def test_only_what_is_not_the_default_is_told():
    assert MlpOptions().changed() == {}
    options = MlpOptions(prune=0.5, hidden=(128,), rare=0.1, window=4)
    assert list(options.changed().items()) == [("hidden", (128,)), ("rare", 0.1), ("window", 4),
                                               ("prune", 0.5)]


def test_a_recipe_s_own_options_come_first():
    assert [option.name for option in described(MlpOptions)][:3] == ["hidden", "rare", "window"]
    assert [option.name for option in described(ConvOptions)][:4] == ["layers", "erase", "smooth",
                                                                     "calibration"]
    assert [option.name for option in described(Bs4nnOptions)][:2] == ["hidden", "rate"]


def test_what_two_recipes_have_is_said_once():
    """But for defaults and for what only one of them can do, options are the same."""
    shared = {item.name: item for item in fields(DescentOptions)}
    for kind in (MlpOptions, ConvOptions):
        for item in fields(kind):
            if item.name in shared:
                assert item.metadata["help"] == shared[item.name].metadata["help"]
                assert item.metadata["choices"] == shared[item.name].metadata["choices"]
    assert len(shared) >= 20


def test_every_default_is_one_that_is_taken_and_described():
    for kind, some in ((MlpOptions, ("online", 16, 40, 256, 8, 0.2)),
                       (ConvOptions, ("windowed", 8, 30, 64, 16, 0.5))):
        made = kind()
        assert some == tuple(getattr(made, name) for name in
                             ("phase", "window", "epochs", "batch", "dark", "deadline"))
    for kind in (MlpOptions, ConvOptions, Bs4nnOptions):
        assert all(option.help.endswith(".") for option in described(kind))
        assert all(getattr(kind(), option.name) == option.default for option in described(kind))
