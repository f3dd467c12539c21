"""A torch network out of a file of weights and the function that makes its module."""

import importlib
import importlib.util
import os
import pickle
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import FirstspikeError

__all__ = ["load_module", "load_weights", "made_by"]

OLDEST = (2, 6)
"""The first torch whose ``weights_only`` keeps a hostile file from running code (CVE-2025-32434)."""


def load_module(path: str | os.PathLike[str], maker: str) -> nn.Module:
    """The module that a function makes, with the weights of a file, in evaluation mode.

    Parameters
    ----------
    path : path
        As of `load_weights`.
    maker : str
        "package.module:function" or "file.py:function".

    Raises
    ------
    FirstspikeError
        One of the two cannot be loaded, or they do not fit each other.
    """
    weights = load_weights(path)
    module = made_by(maker)
    try:
        module.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise FirstspikeError(f"the weights in {path} do not fit what {maker} makes: "
                              f"{' '.join(lines[1:]) or lines[0]} Give the function that they were trained "
                              "with") from None
    return module.eval()


def load_weights(path: str | os.PathLike[str]) -> Mapping[str, torch.Tensor]:
    """The state dict in a file of ``torch.save``, or of safetensors; nothing in it is run.

    Parameters
    ----------
    path : path
        The file; the state dict may lie under the one name ``state_dict``.

    Raises
    ------
    FirstspikeError
        The file is missing, damaged, or holds anything else.
    """
    path = Path(path)
    version = tuple(int("".join(filter(str.isdigit, part)) or 0) for part in torch.__version__.split(".")[:2])
    if version < OLDEST:
        raise FirstspikeError(f"torch {torch.__version__} cannot load files safely; install torch 2.6 or "
                              "newer")
    if not path.is_file():
        raise FirstspikeError(f"there is no file {path}; check the path")
    remedy = "save the weights alone, torch.save(model.state_dict(), PATH)"
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file
            found: Any = load_file(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of files that are refused anyway
                found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise FirstspikeError(f"{path} is no file of weights alone; a whole pickled module could run code "
                              f"and is never opened: {remedy}") from None
    except Exception as error:  # torch and safetensors name no set of errors for a damaged file
        what = type(error).__name__
        raise FirstspikeError(f"{path} cannot be read as weights ({what}); {remedy}") from None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not found \
            or not all(isinstance(tensor, torch.Tensor) for tensor in found.values()):
        raise FirstspikeError(f"{path} holds no state dict, names with a tensor each; {remedy}")
    return found


def made_by(maker: str) -> nn.Module:
    """What a function makes.

    Parameters
    ----------
    maker : str
        "package.module:function" or "file.py:function"; it is looked for in the working folder too.

    Raises
    ------
    FirstspikeError
        There is no such function, it fails, or it makes no module.
    """
    home, _, name = maker.rpartition(":")
    if not home or not name:
        raise FirstspikeError("the model must be given as module:function or FILE.py:function, "
                              f"not {maker!r}")
    try:
        found = _imported(home)
    except FirstspikeError:
        raise
    except (Exception, SystemExit) as error:  # whatever the user's own file raises
        raise FirstspikeError(f"{home} cannot be imported ({type(error).__name__}: {error}); mend it, or "
                              "give another with --model") from error
    function = getattr(found, name, None)
    if not callable(function):
        raise FirstspikeError(f"{home} has no function {name}; give the one that makes the module")
    try:
        module = function()
    except (Exception, SystemExit) as error:
        raise FirstspikeError(f"{maker} fails ({type(error).__name__}: {error}); it must make the module "
                              "without any argument") from error
    if not isinstance(module, nn.Module):
        raise FirstspikeError(f"{maker} makes a {type(module).__name__}, not a torch module; return the "
                              "network")
    return module


def _imported(home: str) -> Any:
    if not home.endswith(".py"):
        here = str(Path.cwd())
        sys.path.insert(0, here)  # a console script does not look in the working folder
        try:
            return importlib.import_module(home)
        finally:
            sys.path.remove(here)
    path = Path(home)
    if not path.is_file():
        raise FirstspikeError(f"there is no file {home}; check the path given with --model")
    spec = importlib.util.spec_from_file_location(f"firstspike_model_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
